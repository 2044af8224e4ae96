// Owns what is asked about viewers' experience: each figure as PromQL on `vitrine_viewers_*`, sums over sums, with what
// it is counted from beside it. The page, its charts and its links to the query page ask the same expressions. Pure.
import type { Unit } from '../units.ts'

export const BREAKDOWNS = [
  { id: 'edge', short: 'Edge', label: 'instance', name: 'Edge', plural: 'edges' },
  { id: 'region', short: 'Region', label: 'viewer_region', name: 'Viewer’s region', plural: 'regions' },
  { id: 'class', short: 'Class', label: 'class', name: 'Class of title', plural: 'classes' },
  { id: 'player', short: 'Player', label: 'player', name: 'Player', plural: 'players' },
] as const
export type BreakdownId = (typeof BREAKDOWNS)[number]['id']
export type Breakdown = (typeof BREAKDOWNS)[number]

/** Which viewers: measured or estimated, and of which edge, region, class and player. */
export interface Cut {
  readonly estimated: boolean
  readonly only: Readonly<Partial<Record<BreakdownId, string>>>
}

export type FigureId = 'start50' | 'start95' | 'rebuffering' | 'exits' | 'failures' | 'bitrate'

export interface ViewerFigure {
  readonly id: FigureId
  readonly title: string
  readonly note: string
  readonly unit: Unit
  /** The axis reaches at least this high. */
  readonly floorMax: number
  /** Higher is worse; the other way round for bitrates. */
  readonly worse: 'higher' | 'lower'
  readonly of: CountId
  readonly expr: (question: Question) => string
}

export interface Question {
  readonly cut: Cut
  /** Null: all together. */
  readonly by: Breakdown | null
  readonly windowS: number
}

/** What figures are counted from. */
export type CountId = 'started' | 'sessions' | 'asked'

/** Fewer than this say little: the pages mark what comes from less. */
export const FEW: Readonly<Record<CountId, number>> = { started: 20, sessions: 20, asked: 600 }

function matchers({ estimated, only }: Cut): string {
  const parts = BREAKDOWNS.flatMap(({ id, label }) => {
    const value = only[id]
    return value === undefined ? [] : [`${label}=${JSON.stringify(value)}`]
  })
  return [`estimate="${estimated ? 'yes' : 'no'}"`, ...parts].join(',')
}

function sum(name: string, { cut, by, windowS }: Question, more?: string): string {
  const labels = [by?.label, more].filter(label => label !== undefined)
  const grouping = labels.length === 0 ? 'sum' : `sum by (${labels.join(', ')})`
  return `${grouping} (increase(vitrine_viewers_${name}{${matchers(cut)}}[${windowS}s]))`
}

/** Nothing by nothing is no ratio: it is absent. */
function quotient(part: string, whole: string): string {
  return `${part} / (${whole} > 0)`
}

function startQuantile(share: number): ViewerFigure['expr'] {
  return question => `histogram_quantile(${share}, ${sum('start_seconds_bucket', question, 'le')})`
}

export const FIGURES: readonly ViewerFigure[] = [
  {
    id: 'start50',
    title: 'Start time',
    note: 'half of them wait longer',
    unit: 'seconds',
    floorMax: 0.5,
    worse: 'higher',
    of: 'started',
    expr: startQuantile(0.5),
  },
  {
    id: 'start95',
    title: 'Start time, p95',
    note: '5 of 100 wait longer',
    unit: 'seconds',
    floorMax: 0.5,
    worse: 'higher',
    of: 'started',
    expr: startQuantile(0.95),
  },
  {
    id: 'rebuffering',
    title: 'Rebuffering',
    note: 'of viewing time',
    unit: 'percent',
    floorMax: 0.01,
    worse: 'higher',
    of: 'asked',
    expr: question =>
      quotient(sum('rebuffering_seconds_total', question), sum('asked_seconds_total', question)),
  },
  {
    id: 'exits',
    title: 'Exits before start',
    note: 'of sessions: left without a first frame',
    unit: 'percent',
    floorMax: 0.01,
    worse: 'higher',
    of: 'sessions',
    expr: question => quotient(sum('exits_before_start_total', question), sum('sessions_total', question)),
  },
  {
    id: 'failures',
    title: 'Failures',
    note: 'of sessions: a fatal error before the first frame or after it',
    unit: 'percent',
    floorMax: 0.01,
    worse: 'higher',
    of: 'sessions',
    expr: question =>
      quotient(
        `(${sum('start_failures_total', question)} + ${sum('failures_total', question)})`,
        sum('sessions_total', question),
      ),
  },
  {
    id: 'bitrate',
    title: 'Bitrate',
    note: 'of what was shown, weighted by time',
    unit: 'bits',
    floorMax: 100_000,
    worse: 'lower',
    of: 'asked',
    expr: question => quotient(sum('bitrate_bits_total', question), sum('bitrate_seconds_total', question)),
  },
]

const COUNTS: Readonly<Record<CountId, string>> = {
  started: 'start_seconds_count',
  sessions: 'sessions_total',
  asked: 'asked_seconds_total',
}

export function countExpr(count: CountId, question: Question): string {
  return sum(COUNTS[count], question)
}

/** `312 starts`, `80 sessions`, `2.4 h watched`: what stands beside a figure. */
export function countWords(count: CountId, n: number | null): string {
  if (n === null || !Number.isFinite(n)) return 'n not known'
  if (count === 'asked') return `of ${spanWords(n)}`
  const whole = Math.round(n)
  return count === 'started'
    ? `of ${whole} ${whole === 1 ? 'start' : 'starts'}`
    : `of ${whole} ${whole === 1 ? 'session' : 'sessions'}`
}

/** Of time that viewers spent, together: `40 s`, `12 min`, `3.4 h`, `1 200 h`. */
export function spanWords(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  const hours = seconds / 3600
  return `${hours < 100 ? hours.toFixed(1) : Math.round(hours)} h`
}

/** Counters grow each five seconds; a chart's cell looks at its own time, and at no less than a minute. */
export function chartWindowS(stepS: number): number {
  return Math.max(60, 2 * stepS)
}

/** The metrics have sums each few seconds: `now` is the last half minute. */
export function playingExpr(by: Breakdown, stepS: number): string {
  return `sum by (${by.label}) (rate(vitrine_viewers_asked_seconds_total[${Math.max(30, stepS + 10)}s]))`
}

export function queryHref(expr: string): string {
  return `/query?${new URLSearchParams({ expr }).toString()}`
}
