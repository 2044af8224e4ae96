// Owns the page of silences: what is kept quiet now and why, what is to come, and making, extending and ending one.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useSearchParams } from 'wouter'
import { z } from 'zod'
import { mayAct, type SilenceView, silencesAnswer } from '#wire'
import { useClient, useMe } from '../api/use-control-room.tsx'
import { useDo, useIncident } from '../api/use-incidents.ts'
import { SilenceFormPanel } from '../incidents/silence-form.tsx'
import {
  matchersOf,
  matcherText,
  recursText,
  type SilenceStanding,
  standingOf,
} from '../incidents/silence-words.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import '../incidents/silences.css'

const EVERY_MS = 5_000
const HOUR_MS = 3_600_000
/** What recurs is planned by weeks. */
const WEEKS_MS = 4 * 7 * 24 * HOUR_MS
const GROUPS: readonly {
  readonly title: string
  readonly of: readonly SilenceStanding[]
  readonly tone: string
}[] = [
  { title: 'In force', of: ['on'], tone: 'degraded' },
  { title: 'To come', of: ['between', 'to come'], tone: 'moving' },
  { title: 'Ended within a month', of: ['ended'], tone: 'resting' },
]

export function SilencesPage(): ReactNode {
  const client = useClient()
  const silences = useQuery({
    queryKey: ['silences'],
    queryFn: ({ signal }) => client.get('/api/v1/silences', silencesAnswer, signal),
    refetchInterval: EVERY_MS,
  })
  const { data: me } = useMe()
  const [search] = useSearchParams()
  const incident = search.get('incident')
  const isActing = me !== undefined && mayAct(me.role, 'operator')
  return (
    <div className="page silences-page">
      <header className="page-head">
        <h1>Silences</h1>
        <p className="quiet">
          Alerts that match are shown, open nothing and ring nobody. Times in <ZoneSwitch />
        </p>
      </header>
      {isActing ? (
        incident === null ? (
          <SilenceFormPanel key="new" matchers={[]} comment="" />
        ) : (
          <FromIncident key={incident} id={incident} />
        )
      ) : null}
      {silences.data === undefined ? (
        silences.error === null ? (
          <Loading what="the silences" />
        ) : (
          <Problem error={silences.error} what="The silences" />
        )
      ) : (
        <Groups silences={silences.data.silences} now={silences.data.now} isActing={isActing} />
      )}
    </div>
  )
}

/** The form waits for the incident, so that what a person types is not overwritten. */
function FromIncident({ id }: { readonly id: string }): ReactNode {
  const { data, error } = useIncident(id)
  if (data === undefined) {
    return error === null ? <Loading what={id} /> : <Problem error={error} what={id} />
  }
  return <SilenceFormPanel matchers={matchersOf(data)} comment={`${id}: `} />
}

function Groups({
  silences,
  now,
  isActing,
}: {
  readonly silences: readonly SilenceView[]
  readonly now: number
  readonly isActing: boolean
}): ReactNode {
  if (silences.length === 0) {
    return (
      <Empty title="Nothing is silenced">
        <p>Every alert that fires opens an incident, and rings whom the routes say.</p>
      </Empty>
    )
  }
  return (
    <>
      {GROUPS.map(({ title, of, tone }) => {
        const shown = silences.filter(silence => of.includes(standingOf(silence, now)))
        if (shown.length === 0) return null
        return (
          <section key={title} className="silence-group" aria-label={title}>
            <h2>
              {title} <span className="quiet">{shown.length}</span>
            </h2>
            <ul>
              {shown.map(silence => (
                <Silence key={silence.id} silence={silence} tone={tone} now={now} isActing={isActing} />
              ))}
            </ul>
          </section>
        )
      })}
    </>
  )
}

function Silence({
  silence,
  tone,
  now,
  isActing,
}: {
  readonly silence: SilenceView
  readonly tone: string
  readonly now: number
  readonly isActing: boolean
}): ReactNode {
  const { id, matchers, comment, by, startsAt, endsAt, endedAt, recurs } = silence
  const standing = standingOf(silence, now)
  return (
    <li className="panel silence" data-tone={tone}>
      <div>
        <ul className="chips" aria-label={`What ${id} matches`}>
          {matchers.map(matcher => (
            <li key={matcherText(matcher)}>
              <code>{matcherText(matcher)}</code>
            </li>
          ))}
        </ul>
        <p>{comment}</p>
        <p className="quiet">
          {id} by {by}.{' '}
          {recurs === null ? null : (
            <>
              {recursText(recurs)}; {standing === 'between' ? 'not on now' : ''}{' '}
            </>
          )}
          {standing === 'ended' ? 'Ended' : 'Until'} <Moment at={endedAt ?? endsAt} />
          {standing === 'to come' ? (
            <>
              , from <Moment at={startsAt} />
            </>
          ) : null}
        </p>
      </div>
      {isActing && standing !== 'ended' ? <Buttons silence={silence} /> : null}
    </li>
  )
}

function Buttons({ silence: { id, endsAt, recurs } }: { readonly silence: SilenceView }): ReactNode {
  const client = useClient()
  const cache = useQueryClient()
  const path = `/api/v1/silences/${encodeURIComponent(id)}`
  const refresh = (): Promise<void> => cache.invalidateQueries({ queryKey: ['silences'] })
  const end = useDo(async () => {
    await client.delete(path, z.unknown())
    await refresh()
  })
  const extend = useDo(async () => {
    await client.post(
      `${path}/extend`,
      { endsAt: endsAt + (recurs === null ? 2 * HOUR_MS : WEEKS_MS) },
      z.unknown(),
    )
    await refresh()
  })
  const problem = end.error ?? extend.error
  return (
    <div className="silence-buttons">
      <button type="button" className="plain" disabled={extend.isPending} onClick={() => extend.mutate()}>
        {recurs === null ? '2 h longer' : '4 weeks longer'}
        <span className="visually-hidden"> {id}</span>
      </button>
      <ConfirmButton
        verb="End"
        what={id}
        warning="Alerts that still fire count from then on: they open incidents, and may ring."
        onConfirm={() => end.mutate()}
      />
      {problem === null ? null : (
        <p className="form-problem" role="alert">
          {problem.message}
        </p>
      )}
    </div>
  )
}
