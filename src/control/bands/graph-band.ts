// Owns the band of normal behind any graph of one line: low and high over time, and of whom it is made. Its own past
// (same hour of day and week) where a day of it is stored, else its healthy peers, else its own last ten minutes before.
import type { Log } from '#base'
import type { MetricsStore, Value } from '#metrics'
import type { BandAnswer } from '#wire'
import type { Fleet } from '../fleet/fleet.ts'
import { median, PEERS_MIN, widthOf } from './judge-band.ts'

const DAY_MS = 86_400_000
/** The last week, and this weekday of two weeks before. */
const OWN_DAYS = [1, 2, 3, 4, 5, 6, 7, 14]
const POINTS_MAX = 60
const STEP_MS_MIN = 5000
/** So that one moment of an earlier day does not shape this moment of today: neighbours to each side are looked at. */
const NEIGHBOURS = 3
const OWN_VALUES_MIN = 30
const PEERS_MAX = 20
const SHORT_MS = 600_000
const SHORT_VALUES_MIN = 6
/** As long as a graph may go back. */
const SPAN_MS_MAX = 92 * DAY_MS

export interface BandQuestion {
  /** PromQL; a line of its own for these labels. */
  readonly expr: string
  /** Of the line; all that are named have to be the same. */
  readonly labels: Readonly<Record<string, string>>
  readonly fromMs: number
  readonly toMs: number
}

interface Parts {
  readonly store: Pick<MetricsStore, 'ask' | 'stats'>
  readonly fleet: Pick<Fleet, 'all' | 'get'>
  readonly log: Log
}

type Drawn = Omit<BandAnswer, 'now'>
type Line = ReadonlyMap<number, number>

/** A question that cannot be read is the asker's fault and is thrown; a day that cannot be read is left out. */
export async function graphBand(parts: Parts, question: BandQuestion): Promise<Drawn> {
  const { toMs } = question
  const fromMs = Math.max(question.fromMs, toMs - SPAN_MS_MAX)
  const stepMs = Math.max(STEP_MS_MIN, Math.ceil((toMs - fromMs) / POINTS_MAX / 1000) * 1000)
  const grid = { ...question, fromMs: Math.floor(fromMs / stepMs) * stepMs, toMs, stepMs }
  return (
    (await ownBand(parts, grid)) ??
    (await peersBand(parts, grid)) ??
    (await shortBand(parts, grid)) ?? {
      basis: 'none',
      n: 0,
      text: 'nothing to compare it with yet',
      points: [],
    }
  )
}

type Grid = BandQuestion & { readonly stepMs: number }

async function ownBand(parts: Parts, grid: Grid): Promise<Drawn | null> {
  const { fromMs, toMs, stepMs } = grid
  const oldest = parts.store.stats().oldestMs ?? toMs
  const lines: Line[] = []
  for (const days of OWN_DAYS) {
    // A window that is longer than a day is its own past in part; what lies before the first sample is none.
    const shift = days * DAY_MS
    if (toMs - shift < oldest) break
    const found = await linesOf(parts, grid, { fromMs: fromMs - shift, toMs: toMs - shift, stepMs })
    const own = found.find(({ labels }) => fits(labels, grid.labels))
    if (own !== undefined) lines.push(new Map([...own.values].map(([at, value]) => [at + shift, value])))
  }
  if (lines.reduce((sum, line) => sum + line.size, 0) < OWN_VALUES_MIN) return null
  const points = timesOf(grid).flatMap(at => {
    const near = lines.flatMap(line =>
      Array.from({ length: 2 * NEIGHBOURS + 1 }, (_, place) =>
        line.get(at + (place - NEIGHBOURS) * stepMs),
      ).filter(value => value !== undefined),
    )
    return pointOf(at, near)
  })
  if (points.length === 0) return null
  const days = lines.length === 1 ? 'the day before' : `${lines.length} earlier days`
  return { basis: 'own', n: lines.length, text: `its own of this hour, ${days}`, points }
}

/** Healthy servers of its kind, now and at each moment of the window. */
async function peersBand(parts: Parts, grid: Grid): Promise<Drawn | null> {
  const id = grid.labels['instance']
  const record = id === undefined ? null : parts.fleet.get(id)
  if (id === undefined || record === null) return null
  const peers = parts.fleet
    .all()
    .filter(one => one.id !== id && one.role === record.role && one.standing.state === 'healthy')
    .slice(0, PEERS_MAX)
    .map(one => one.id)
  if (peers.length < PEERS_MIN) return null
  // A graph of this server alone asks for it by name: the same question about the others.
  const expr = grid.expr.replaceAll(`instance="${id}"`, `instance=~"${peers.join('|')}"`)
  const found = (await linesOf(parts, { ...grid, expr }, grid)).filter(({ labels }) =>
    peers.includes(labels['instance'] ?? ''),
  )
  if (found.length < PEERS_MIN) return null
  const points = timesOf(grid).flatMap(at => {
    const values = found.map(({ values: line }) => line.get(at)).filter(value => value !== undefined)
    return values.length < PEERS_MIN ? [] : pointOf(at, values)
  })
  return points.length === 0
    ? null
    : { basis: 'peers', n: found.length, text: `${found.length} healthy peers`, points }
}

/** One level for the whole window, from just before it. */
async function shortBand(parts: Parts, grid: Grid): Promise<Drawn | null> {
  const { fromMs, toMs } = grid
  const oldest = parts.store.stats().oldestMs ?? toMs
  // A window that begins before the first sample has its first minutes for that.
  const from = Math.max(fromMs - SHORT_MS, oldest)
  const span = { fromMs: from, toMs: Math.min(from + SHORT_MS, toMs), stepMs: STEP_MS_MIN }
  const own = (await linesOf(parts, grid, span)).find(({ labels }) => fits(labels, grid.labels))
  const values = own === undefined ? [] : [...own.values.values()]
  if (values.length < SHORT_VALUES_MIN) return null
  const [one] = pointOf(fromMs, values)
  if (one === undefined) return null
  const minutes = Math.max(1, Math.round((span.toMs - span.fromMs) / 60_000))
  return {
    basis: 'short baseline',
    n: values.length,
    text: `short baseline, ${minutes} min of its own`,
    points: [one, { ...one, at: toMs }],
  }
}

function timesOf({ fromMs, toMs, stepMs }: Grid): number[] {
  return Array.from(
    { length: Math.floor((toMs - fromMs) / stepMs) + 1 },
    (_, place) => fromMs + place * stepMs,
  )
}

/** Never below zero where nothing measured is. */
function pointOf(at: number, values: readonly number[]): BandAnswer['points'] {
  const middle = median(values)
  if (middle === null) return []
  const width = widthOf(values, middle)
  const floor = Math.min(...values) >= 0 ? 0 : Number.NEGATIVE_INFINITY
  return [{ at, low: Math.max(floor, middle - width), high: middle + width }]
}

function fits(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value)
}

interface Found {
  readonly labels: Readonly<Record<string, string>>
  readonly values: Line
}

async function linesOf(
  { store }: Parts,
  { expr }: Pick<BandQuestion, 'expr'>,
  span: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
): Promise<Found[]> {
  const { value }: { value: Value } = await store.ask({ text: expr, ...span })
  if (value.kind !== 'matrix') return []
  return value.items.map(({ labels, times, values }) => ({
    labels,
    values: new Map(
      [...times].flatMap((at, place) => {
        const one = values[place] ?? Number.NaN
        return Number.isFinite(one) ? [[at, one] as const] : []
      }),
    ),
  }))
}
