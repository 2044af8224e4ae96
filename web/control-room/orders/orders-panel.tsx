// Owns giving orders about one server: what is ordered now, and a new order in two steps, the second of which says
// what will happen to viewers. The API decides who may.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { z } from 'zod'
import type { OverrideKind, OverrideRequest, ServerView } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Moment } from '../parts/moment.tsx'
import { effectOf, effectOfRelease } from './effect.ts'

const HOUR_S = 3_600
const LASTS = [
  { seconds: HOUR_S, label: '1 hour' },
  { seconds: 4 * HOUR_S, label: '4 hours' },
  { seconds: 24 * HOUR_S, label: '1 day' },
  { seconds: 7 * 24 * HOUR_S, label: '1 week' },
] as const
/** As the API takes it. */
const KEEP_S_MAX = 24 * HOUR_S
const UNTIL_RELEASED = 'released'

const KINDS: Record<OverrideKind, { readonly verb: string; readonly is: string; readonly help: string }> = {
  drain: { verb: 'Drain', is: 'Drained', help: 'take its viewers off' },
  maintenance: { verb: 'Maintain', is: 'In maintenance', help: 'take viewers off and silence its alerts' },
  keep: { verb: 'Keep', is: 'Kept in service', help: 'hold it in service against its witnesses' },
}

export interface OrdersPanelProps {
  readonly server: ServerView
  readonly servers: readonly ServerView[]
  readonly mayOrder: boolean
}

export function OrdersPanel({ server, servers, mayOrder }: OrdersPanelProps): ReactNode {
  const client = useClient()
  const cache = useQueryClient()
  const path = `/api/v1/servers/${encodeURIComponent(server.id)}/override`
  const again = (): Promise<void> => cache.invalidateQueries({ queryKey: ['servers'] })
  const order = useMutation({
    mutationFn: (request: OverrideRequest) => client.put(path, request, z.unknown()),
    onSettled: again,
  })
  const release = useMutation({
    mutationFn: (atOnce: boolean) => client.delete(atOnce ? `${path}?at-once=true` : path, z.unknown()),
    onSettled: again,
  })
  const problem = order.error ?? release.error
  const { override } = server
  return (
    <section className="panel orders" aria-label="Orders">
      <header>
        <h2>Orders</h2>
      </header>
      <div className="orders-body">
        {override === null ? (
          <p className="orders-none">Nothing is ordered: its witnesses decide.</p>
        ) : (
          <>
            <p>
              <b>{KINDS[override.kind].is}</b> by order of {override.by} since <Moment at={override.since} />
              {override.expiresAt === null ? (
                ', until it is released'
              ) : (
                <>
                  , until <Moment at={override.expiresAt} />
                </>
              )}
              : {override.reason}
            </p>
            {mayOrder ? (
              <div className="orders-release">
                <ConfirmButton
                  verb="Release"
                  what={server.id}
                  warning={effectOfRelease(server)}
                  onConfirm={() => release.mutate(false)}
                />
                {server.role === 'edge' && override.kind !== 'keep' ? (
                  <ConfirmButton
                    verb="Release at once"
                    what={server.id}
                    warning={`All new sessions that ${server.id} would get come to it at once, without the steps that show whether it serves well.`}
                    onConfirm={() => release.mutate(true)}
                  />
                ) : null}
              </div>
            ) : null}
          </>
        )}
        {problem === null ? null : (
          <p className="form-problem" role="alert">
            {problem.message}
          </p>
        )}
        {mayOrder ? (
          <OrderForm
            key={override?.since ?? 0}
            {...{ server, servers }}
            give={request => order.mutate(request)}
          />
        ) : null}
      </div>
    </section>
  )
}

interface OrderFormProps {
  readonly server: ServerView
  readonly servers: readonly ServerView[]
  readonly give: (request: OverrideRequest) => void
}

function OrderForm({ server, servers, give }: OrderFormProps): ReactNode {
  const [kind, setKind] = useState<OverrideKind | null>(null)
  const [reason, setReason] = useState('')
  const [lasts, setLasts] = useState(String(HOUR_S))
  const [asked, setAsked] = useState(false)
  // An origin has no viewers that could be moved.
  const kinds =
    server.role === 'edge' ? (['drain', 'maintenance', 'keep'] as const) : (['maintenance'] as const)
  const choose = (chosen: OverrideKind): void => {
    setKind(chosen)
    setAsked(false)
    if (chosen === 'keep' && (lasts === UNTIL_RELEASED || Number(lasts) > KEEP_S_MAX))
      setLasts(String(HOUR_S))
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (kind === null || reason.trim() === '') return
    if (!asked) {
      setAsked(true)
      return
    }
    give({ kind, reason: reason.trim(), expiresInS: lasts === UNTIL_RELEASED ? null : Number(lasts) })
  }
  return (
    <form className="order-form" onSubmit={submit}>
      <div className="segments" role="group" aria-label="Order">
        {kinds.map(each => (
          <button
            key={each}
            type="button"
            aria-pressed={kind === each}
            title={KINDS[each].help}
            onClick={() => choose(each)}
          >
            {KINDS[each].verb}
          </button>
        ))}
      </div>
      {kind === null ? null : (
        <>
          <label>
            Reason
            <input
              type="text"
              value={reason}
              maxLength={512}
              placeholder="for those who find it later"
              onChange={event => {
                setReason(event.target.value)
                setAsked(false)
              }}
            />
          </label>
          <label>
            For
            <select value={lasts} onChange={event => setLasts(event.target.value)}>
              {LASTS.filter(({ seconds }) => kind !== 'keep' || seconds <= KEEP_S_MAX).map(
                ({ seconds, label }) => (
                  <option key={seconds} value={seconds}>
                    {label}
                  </option>
                ),
              )}
              {kind === 'keep' ? null : <option value={UNTIL_RELEASED}>until it is released</option>}
            </select>
          </label>
          {asked ? (
            <p className="order-effect" role="status">
              {effectOf(kind, server, servers)}
            </p>
          ) : null}
          <div className="order-buttons">
            <button type="submit" className={asked ? 'danger' : 'solid'} disabled={reason.trim() === ''}>
              {asked ? `${KINDS[kind].verb} ${server.id} now` : 'What will happen?'}
            </button>
            <button type="button" className="plain" onClick={() => setKind(null)}>
              Cancel
            </button>
          </div>
        </>
      )}
    </form>
  )
}
