// Owns asking what viewers went through in a span of time: each figure for all and for each part, as of one moment.
import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { ControlRoomClient } from '../api/client.ts'
import { useClient, useFleetNow } from '../api/use-control-room.tsx'
import type { FeedWindow } from '../charts/series-feed.ts'
import { askInstant } from '../query/ask.ts'
import {
  type Breakdown,
  type CountId,
  type Cut,
  countExpr,
  FIGURES,
  type FigureId,
  type Question,
} from './figures.ts'

const EVERY_MS = 10_000
const COUNTS = ['started', 'sessions', 'asked'] as const

/** What one part, or all of them, came to; null: nothing to make it of. */
export interface ExperienceRow {
  readonly name: string
  readonly figures: Readonly<Partial<Record<FigureId, number>>>
  readonly counts: Readonly<Partial<Record<CountId, number>>>
  /** Of its sessions, whichever kind is shown. */
  readonly estimatedShare: number | null
}

export interface Experience {
  readonly all: ExperienceRow
  /** Those with most time first. */
  readonly rows: readonly ExperienceRow[]
  readonly windowS: number
  /** For links to the query page. */
  readonly atS: number
}

export interface ExperienceAsk {
  readonly cut: Cut
  readonly by: Breakdown
  readonly window: FeedWindow
}

export function useExperience(ask: ExperienceAsk): UseQueryResult<Experience> {
  const client = useClient()
  const knowsTime = useFleetNow() !== null
  return useQuery({
    enabled: knowsTime,
    queryKey: ['experience', ask.cut, ask.by.id, ask.window],
    queryFn: ({ signal }) => askAll(client, ask, signal),
    refetchInterval: ask.window.kind === 'live' ? EVERY_MS : false,
    placeholderData: keepPreviousData,
    retry: false,
  })
}

type ByName = ReadonlyMap<string, number>

async function askAll(
  client: ControlRoomClient,
  { cut, by, window }: ExperienceAsk,
  signal: AbortSignal,
): Promise<Experience> {
  const nowMs = client.clock.at(performance.now())
  const atS = window.kind === 'fixed' ? window.toS : Math.floor((nowMs ?? 0) / 1000)
  const windowS = Math.max(
    60,
    Math.round(window.kind === 'fixed' ? window.toS - window.fromS : window.seconds),
  )
  const each: Question = { cut, by, windowS }
  const ask = async (expr: string): Promise<ByName> => {
    const { rows } = await askInstant(client, expr, atS, signal)
    const numbers = rows.filter(({ value }) => Number.isFinite(value))
    return new Map(numbers.map(({ labels, value }) => [labels[by.label] ?? '', value]))
  }
  const [figures, wholes, counts, others] = await Promise.all([
    Promise.all(FIGURES.map(({ expr }) => ask(expr(each)))),
    Promise.all(FIGURES.map(({ expr }) => ask(expr({ ...each, by: null })))),
    Promise.all(COUNTS.map(count => ask(countExpr(count, each)))),
    ask(countExpr('sessions', { ...each, cut: { ...cut, estimated: !cut.estimated } })),
  ])
  return { ...together({ cut, figures, wholes, counts, others }), windowS, atS }
}

interface Answers {
  readonly cut: Cut
  /** In the order of FIGURES. */
  readonly figures: readonly ByName[]
  readonly wholes: readonly ByName[]
  /** In the order of COUNTS. */
  readonly counts: readonly ByName[]
  /** Sessions of the other kind: estimated where measured ones are shown. */
  readonly others: ByName
}

export function together({
  cut,
  figures,
  wholes,
  counts,
  others,
}: Answers): Pick<Experience, 'all' | 'rows'> {
  const [started = new Map(), sessions = new Map(), asked = new Map()] = counts
  const share = (own: number, other: number): number | null => {
    if (own + other <= 0) return null
    return (cut.estimated ? own : other) / (own + other)
  }
  const figuresOf = (answers: readonly ByName[], name: string): ExperienceRow['figures'] =>
    Object.fromEntries(
      FIGURES.flatMap(({ id }, at) => {
        const value = answers[at]?.get(name)
        return value === undefined ? [] : [[id, value]]
      }),
    )
  const names = new Set([...asked.keys(), ...sessions.keys(), ...others.keys()])
  const rows = [...names]
    .map(name => ({
      name,
      figures: figuresOf(figures, name),
      counts: {
        started: started.get(name) ?? 0,
        sessions: sessions.get(name) ?? 0,
        asked: asked.get(name) ?? 0,
      },
      estimatedShare: share(sessions.get(name) ?? 0, others.get(name) ?? 0),
    }))
    .filter(({ counts: own }) => own.sessions > 0 || own.asked > 0)
    .sort((a, b) => b.counts.asked - a.counts.asked || (a.name < b.name ? -1 : 1))
  const sumOf = (values: ByName): number => [...values.values()].reduce((sum, value) => sum + value, 0)
  return {
    rows,
    all: {
      name: '',
      figures: figuresOf(wholes, ''),
      counts: { started: sumOf(started), sessions: sumOf(sessions), asked: sumOf(asked) },
      estimatedShare: share(sumOf(sessions), sumOf(others)),
    },
  }
}
