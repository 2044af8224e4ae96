// Owns the figures of an incident over time, read from the store: whom it hurt, who watched, what CPU its servers used.
// A store that cannot answer costs a chart, never a page.
import { type MatrixItem, pointsOf } from '#metrics'
import type { ControlContext } from '../context.ts'

const RECENT_MS = 15 * 60_000
const RECENT_STEP_MS = 15_000
const BEFORE_MS = 5 * 60_000
const AFTER_MS = 2 * 60_000
/** Points of one line in a file. */
const STEPS_MAX = 240
const STEP_MS_MIN = 5000
/** What viewers went through is told in batches. */
const TOLD_S = 30
/** More lines cannot be told apart. */
export const DRAWN_SERVERS_MAX = 6

export interface Point {
  readonly at: number
  readonly value: number
}

export interface Line {
  readonly name: string
  readonly points: readonly Point[]
}

export interface IncidentFigures {
  readonly from: number
  readonly to: number
  readonly stepMs: number
  readonly hurt: readonly Line[]
  readonly watching: readonly Line[]
  /** Of those that watch, of servers that have any. */
  readonly estimated: readonly Line[]
  /** Per cent of the time that viewers wanted to watch; empty where nothing was told of any. */
  readonly rebuffering: readonly Line[]
  readonly cpu: readonly Line[]
}

interface Lasting {
  readonly id: string
  readonly openedAt: number
  /** Now, of one that is open. */
  readonly endAt: number
}

type Stored = Pick<ControlContext, 'store' | 'log'>

/** The last minutes of it, for a line as small as a word. */
export async function recentHurt(stored: Stored, { id, openedAt, endAt }: Lasting): Promise<Point[]> {
  const from = Math.max(openedAt, endAt - RECENT_MS)
  const lines = await ask(stored, hurtText(id, RECENT_STEP_MS), { from, to: endAt, stepMs: RECENT_STEP_MS })
  return [...(lines[0]?.points ?? [])]
}

/** All of it, with some minutes around. */
export async function figuresOf(
  stored: Stored,
  {
    id,
    openedAt,
    endAt,
    servers,
    now,
  }: Lasting & { readonly servers: readonly string[]; readonly now: number },
): Promise<IncidentFigures> {
  const from = openedAt - BEFORE_MS
  const to = Math.min(now, endAt + AFTER_MS)
  const stepMs = Math.max(STEP_MS_MIN, Math.ceil((to - from) / STEPS_MAX / 1000) * 1000)
  const span = { from, to, stepMs }
  const window = `[${Math.ceil(stepMs / 1000) + 2}s]`
  const own = `instance=~"${servers.slice(0, DRAWN_SERVERS_MAX).join('|')}"`
  const cpu = `sum by (instance) (rate(vitrine_server_cpu_seconds_total{${own}}${window}))`
  const watching = `sum by (instance) (last_over_time(vitrine_fleet_watching{${own}}${window}))`
  const estimated = `sum by (instance) (last_over_time(vitrine_fleet_watching_estimated{${own}}${window}))`
  const told = `{${own}}[${Math.max(TOLD_S, Math.ceil(stepMs / 1000) + 2)}s]`
  const rebuffering = `100 * sum by (instance) (rate(vitrine_viewers_rebuffering_seconds_total${told})) / (sum by (instance) (rate(vitrine_viewers_asked_seconds_total${told})) > 0)`
  const none = servers.length === 0
  return {
    ...span,
    hurt: await ask(stored, hurtText(id, stepMs), span),
    watching: none ? [] : await ask(stored, watching, span),
    estimated: none ? [] : (await ask(stored, estimated, span)).filter(hasAny),
    rebuffering: none ? [] : await ask(stored, rebuffering, span),
    cpu: none ? [] : await ask(stored, cpu, span),
  }
}

function hasAny({ points }: Line): boolean {
  return points.some(({ value }) => value > 0)
}

/** The highest of each step: a short outage must not fall between two of them. */
function hurtText(id: string, stepMs: number): string {
  const label = JSON.stringify(id)
  return `max(max_over_time(vitrine_incident_viewers_hurt{incident=${label}}[${Math.ceil(stepMs / 1000) + 2}s]))`
}

async function ask(
  { store, log }: Stored,
  text: string,
  { from, to, stepMs }: { readonly from: number; readonly to: number; readonly stepMs: number },
): Promise<Line[]> {
  if (to <= from) return []
  try {
    const { value } = await store.ask({ text, fromMs: Math.floor(from), toMs: Math.floor(to), stepMs })
    return value.kind === 'matrix' ? value.items.map(lineOf) : []
  } catch (error) {
    log.warn('incident-figures-missing', { error })
    return []
  }
}

function lineOf(item: MatrixItem): Line {
  const points = pointsOf(item).flatMap(({ timestampMs, value }) =>
    Number.isFinite(value) ? [{ at: timestampMs, value }] : [],
  )
  return { name: item.labels['instance'] ?? '', points }
}
