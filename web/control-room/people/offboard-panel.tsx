// Owns the end of somebody's time in two steps: what they hold and answer for, then the proof that it is over.
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import {
  type KeepKind,
  keepKinds,
  type OffboardItem,
  type OffboardPlan,
  type OffboardProof,
  offboardAnswer,
  offboardPlan,
  type UserView,
} from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import { Said, Waiting } from './lists.tsx'
import { useChange } from './use-people.ts'

interface OffboardPanelProps {
  readonly name: string
  readonly users: readonly UserView[]
  readonly close: () => void
}

const KEEPS: Record<KeepKind, string> = {
  share: 'Leave their shared graphs open',
  'wall-link': 'Leave the screens on that they put up',
}

export function OffboardPanel({ name, users, close }: OffboardPanelProps): ReactNode {
  const client = useClient()
  const heading = useRef<HTMLHeadingElement>(null)
  const path = `/api/v1/users/${encodeURIComponent(name)}/offboarding`
  const plan = useQuery({
    queryKey: ['people', 'offboarding', name],
    queryFn: ({ signal }) => client.get(path, offboardPlan, signal),
  })
  const [to, setTo] = useState('')
  const [keep, setKeep] = useState<readonly KeepKind[]>([])
  const run = useChange(asked => asked.post(path, { to: to === '' ? null : to, keep }, offboardAnswer))
  useEffect(() => heading.current?.focus(), [])
  const others = users.filter(user => user.name !== name && user.offboardedAt === null)
  return (
    <section className="panel offboard" aria-label={`Offboard ${name}`}>
      <header>
        <h2 ref={heading} tabIndex={-1}>
          {run.data === undefined ? `Offboard ${name}` : `${name} was offboarded`}
        </h2>
        <button type="button" className="plain" onClick={close}>
          Close
        </button>
      </header>
      {run.data !== undefined ? (
        <Proof proof={run.data} auditId={run.data.auditId} />
      ) : plan.data === undefined ? (
        <Waiting error={plan.error} what="what they hold" />
      ) : (
        <>
          <Items items={plan.data.items.map(item => keptOr(item, keep))} none={`${name} holds nothing.`} />
          <Notes notes={plan.data.notes} />
          <div className="offboard-how">
            <label>
              Who takes over {plan.data.needsSuccessor ? '' : '(nothing is open)'}
              <select value={to} onChange={event => setTo(event.target.value)}>
                <option value="">{plan.data.needsSuccessor ? 'choose somebody' : 'nobody'}</option>
                {others.map(user => (
                  <option key={user.name} value={user.name}>
                    {user.name} ({user.role})
                  </option>
                ))}
              </select>
            </label>
            {keepKinds
              .filter(kind => hasKind(plan.data, kind))
              .map(kind => (
                <label key={kind} className="check">
                  <input
                    type="checkbox"
                    checked={keep.includes(kind)}
                    onChange={() =>
                      setKeep(keep.includes(kind) ? keep.filter(kept => kept !== kind) : [...keep, kind])
                    }
                  />
                  {KEEPS[kind]}
                </label>
              ))}
          </div>
          <Said error={run.error} />
          <Step plan={plan.data} to={to} pending={run.isPending} run={() => run.mutate()} />
        </>
      )}
    </section>
  )
}

const hasKind = (plan: OffboardPlan, kind: KeepKind): boolean => plan.items.some(item => item.kind === kind)

function keptOr(item: OffboardItem, keep: readonly KeepKind[]): OffboardItem {
  return keep.some(kind => kind === item.kind) ? { ...item, fate: 'kept' } : item
}

interface StepProps {
  readonly plan: OffboardPlan
  readonly to: string
  readonly pending: boolean
  readonly run: () => void
}

function Step({ plan, to, pending, run }: StepProps): ReactNode {
  if (plan.refusal !== null) {
    return (
      <p className="form-problem" role="alert">
        {plan.refusal}
      </p>
    )
  }
  if (pending) return <p className="quiet none">Ending it…</p>
  if (plan.needsSuccessor && to === '') {
    return <p className="quiet none">Choose who takes over; then it can be done.</p>
  }
  return (
    <div className="people-line">
      <ConfirmButton
        verb="Offboard"
        what={plan.name}
        warning={`${plan.name} is signed out everywhere at once, and the name is not given again. This cannot be undone.`}
        onConfirm={run}
      />
    </div>
  )
}

function Items({
  items,
  none,
}: {
  readonly items: readonly OffboardItem[]
  readonly none: string
}): ReactNode {
  if (items.length === 0) return <p className="quiet none">{none}</p>
  return (
    <table className="people-table">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Fate</th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ kind, id, text, fate }) => (
          <tr key={`${kind} ${id}`}>
            <th scope="row">{text}</th>
            <td data-label="Fate">
              <span className="fate" data-fate={fate}>
                {fate}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Notes({ notes }: { readonly notes: readonly string[] }): ReactNode {
  if (notes.length === 0) return null
  return (
    <ul className="people-notes">
      {notes.map(note => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  )
}

function Proof({ proof, auditId }: { readonly proof: OffboardProof; readonly auditId: number }): ReactNode {
  const { at, by, to, items, left, notes, name } = proof
  return (
    <>
      <p className="people-line" role="status">
        Done by {by} at <Moment at={at} />
        {to === null ? '' : `; duties go to ${to}`}.{' '}
        {left.length === 0
          ? 'Counted again: no access of theirs is left.'
          : `${left.length} things work still.`}{' '}
        Proof:{' '}
        <Link href={`/audit?subject=${encodeURIComponent(name)}&action=user-offboard`}>
          entry {auditId} of the audit
        </Link>
        .
      </p>
      <Items items={items} none="There was nothing to revoke." />
      <Notes notes={notes} />
    </>
  )
}
