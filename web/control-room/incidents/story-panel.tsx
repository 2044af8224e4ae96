// Owns an incident as a story, told from top to bottom: what viewers felt, what servers did, what was decided, what was
// done, and what proves that it is over. Each line stands elsewhere with its evidence.
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { type IncidentAnswer, type NormalAnswer, normalAnswer, type RunView } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { useRuns } from '../api/use-runbooks.ts'
import { Moment } from '../parts/moment.tsx'
import { briefState, feltWords, lostText } from './incident-words.ts'
import './story.css'

const LINES_MAX = 8
const NORMAL_EVERY_MS = 10_000

interface Line {
  readonly at: number | null
  readonly text: string
}

export function StoryPanel({ answer }: { readonly answer: IncidentAnswer }): ReactNode {
  const { incident, timeline } = answer
  const runs = (useRuns().data?.runs ?? []).filter(run => run.incident === incident.id)
  const client = useClient()
  const normal = useQuery({
    queryKey: ['normal'],
    queryFn: ({ signal }) => client.get('/api/v1/normal', normalAnswer, signal),
    refetchInterval: NORMAL_EVERY_MS,
  })
  const of = (...kinds: string[]): Line[] => timeline.filter(({ kind }) => kinds.includes(kind))
  const chapters = [
    { title: 'What viewers felt', lines: feltLines(answer) },
    { title: 'What servers did', lines: of('state').map(({ at, text }) => ({ at, text: briefState(text) })) },
    { title: 'What was decided', lines: of('cause-changed', 'class-changed', 'acknowledged', 'assigned') },
    {
      title: 'What was done',
      lines: doneLines(
        of('steering').filter(({ at }) => (at ?? 0) >= incident.openedAt),
        runs,
      ),
    },
    { title: 'What proves it', lines: proofLines(answer, normal.data) },
  ]
  return (
    <section className="panel incident-story" aria-label="The story">
      <header>
        <h2>The story</h2>
      </header>
      <ol>
        {chapters.map(({ title, lines }) => (
          <li key={title}>
            <h3>{title}</h3>
            {lines.length === 0 ? (
              <p className="quiet">Nothing yet.</p>
            ) : (
              <ul>
                {lines.slice(0, LINES_MAX).map(({ at, text }, place) => (
                  <li key={`${at ?? place} ${text}`}>
                    {at === null ? null : <Moment at={at} />} {text}
                  </li>
                ))}
                {lines.length > LINES_MAX ? (
                  <li className="quiet">{lines.length - LINES_MAX} more stand in the timeline.</li>
                ) : null}
              </ul>
            )}
          </li>
        ))}
      </ol>
    </section>
  )
}

function feltLines({ incident, felt, timeline }: IncidentAnswer): Line[] {
  const { viewers, drill } = incident
  const waited = felt.reduce((sum, { waitedS }) => sum + waitedS, 0)
  const told = timeline.filter(
    ({ kind, by, text }) =>
      kind === 'comment' && drill !== undefined && by.includes(drill) && !text.startsWith('runbook '),
  )
  return [
    ...felt.map(one => ({ at: null, text: feltWords(one, incident.servers) })),
    ...told.map(({ at, text }) => ({ at, text })),
    ...(felt.length === 0 ? [] : [{ at: null, text: `All viewers together waited ${lostText(waited)}.` }]),
    ...(viewers.moved === null || viewers.moved === 0
      ? []
      : [{ at: null, text: `${Math.round(viewers.moved)} were moved to other edges.` }]),
  ]
}

function doneLines(steering: readonly Line[], runs: readonly RunView[]): Line[] {
  const begun = runs.map(run => ({ at: run.startedAt, text: beginWords(run) }))
  const ended = runs.flatMap(({ endedAt, text, title }) =>
    endedAt === null ? [] : [{ at: endedAt, text: `${title}: ${text}` }],
  )
  return [...steering, ...begun, ...ended].toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0))
}

/** Of a run of one server, and of one without a canary, nothing is claimed. */
function beginWords({ title, servers, canary }: RunView): string {
  const ids = servers.map(({ id }) => id)
  if (canary === null) return `${title}, on ${ids.join(', ')}`
  return `${title}, on ${canary} first (canary), then on ${ids.filter(id => id !== canary).join(', ')}`
}

function proofLines({ incident, timeline }: IncidentAnswer, normal: NormalAnswer | undefined): Line[] {
  const over = timeline.findLast(({ kind }) => kind === 'resolved')
  const now = (normal?.servers ?? [])
    .filter(({ id }) => incident.servers.includes(id))
    .map(({ id, text, word }) => ({
      at: null,
      text: word === 'ok' ? `${id} now: ${text}` : `${id} now: not proven, ${text}`,
    }))
  return [...(over === undefined ? [] : [over]), ...now]
}
