// Owns asking the store what every host's clock is like, now or at a moment, and what the diagnosis is made from.
// It judges nothing; a store that cannot answer gives servers of which nothing is known.
import type { Log } from '#base'
import type { MetricsStore } from '#metrics'
import type { NoteStore } from '../notes/note-store.ts'
import type { ClockFacts } from './diagnose.ts'

/** Agents push each second; older than this is no knowledge of that moment. */
const AGE = '15s'
const HOUR_MS = 3_600_000
/** Of the last hour; timers that fire early for longer have their beginning in the alert. */
const ONSET_STEP_MS = 5000
const STEP_STEP_MS = 15_000
const USUAL = 'quantile_over_time(0.5, (sum by (instance) (rate(node_context_switches_total[30s])))[10m:30s])'
const BEFORE_MS = 15_000

export interface Reading {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What is measured of one server, by the metric's name. */
export type Readings = ReadonlyMap<string, readonly Reading[]>

export interface ClockReadings {
  readonly at: number
  readonly servers: ReadonlyMap<string, Readings>
  readonly earlySince: ReadonlyMap<string, number>
  readonly stepAt: ReadonlyMap<string, number>
  readonly switchesUsual: ReadonlyMap<string, number>
}

export interface ClockParts {
  readonly store: Pick<MetricsStore, 'ask'>
  readonly log: Log
}

const NAMES =
  'vitrine_clock_.*|vitrine_probe_clock_offset_seconds|node_timex_sync_status|node_timex_maxerror_seconds|chrony_tracking_system_time_seconds'
const EARLY = `max by (instance) (last_over_time(vitrine_clock_realtime_timer_early_seconds[${AGE}]) > 0 or abs(last_over_time(vitrine_clock_hrtimer_offset_error_seconds[${AGE}])) > 0.5)`
const STEPS = 'sum by (instance) (last_over_time(vitrine_clock_steps_total[30s]))'

const host: readonly (readonly [name: string, expr: string])[] = [
  ['cores', `count by (instance) (last_over_time(node_cpu_seconds_total{mode="idle"}[${AGE}]))`],
  ['busy', 'sum by (instance) (rate(node_cpu_seconds_total{mode!~"idle|iowait|steal"}[10s]))'],
  ['system', 'sum by (instance) (rate(node_cpu_seconds_total{mode=~"system|irq|softirq"}[10s]))'],
  ['switches', 'sum by (instance) (rate(node_context_switches_total[10s]))'],
]

/** `at` in fleet time, ms. */
export async function readClocks(parts: ClockParts, at: number): Promise<ClockReadings> {
  const servers = new Map<string, Map<string, Reading[]>>()
  const put = (name: string, { labels, value }: Reading): void => {
    const id = labels['instance'] ?? ''
    const own = servers.get(id) ?? new Map<string, Reading[]>()
    own.set(name, [...(own.get(name) ?? []), { labels, value }])
    servers.set(id, own)
  }
  const asked = await Promise.all([
    instant(parts, `last_over_time({__name__=~"${NAMES}"}[${AGE}])`, at),
    ...host.map(([, expr]) => instant(parts, expr, at)),
  ])
  for (const one of asked[0] ?? []) put(one.labels['__name__'] ?? '', one)
  for (const [place, [name]] of host.entries()) for (const one of asked[place + 1] ?? []) put(name, one)
  const some = (holds: (readings: Readings) => boolean): boolean => [...servers.values()].some(holds)
  const stepped = some(own => (first(own, 'vitrine_clock_step_seconds') ?? 0) !== 0)
  const earlySince = some(early) ? await onsets(parts, at) : new Map<string, number>()
  const onset = Math.min(at, ...earlySince.values())
  const usual = some(own => early(own) || isLoaded(own)) ? await instant(parts, USUAL, onset - BEFORE_MS) : []
  return {
    at,
    servers,
    earlySince,
    stepAt: stepped ? await lastSteps(parts, at) : new Map(),
    switchesUsual: new Map(usual.map(({ labels, value }) => [labels['instance'] ?? '', value])),
  }
}

export function first(own: Readings | undefined, name: string): number | null {
  return own?.get(name)?.[0]?.value ?? null
}

function early(own: Readings): boolean {
  const error = first(own, 'vitrine_clock_hrtimer_offset_error_seconds') ?? 0
  return (first(own, 'vitrine_clock_realtime_timer_early_seconds') ?? 0) > 0 || Math.abs(error) > 0.5
}

function isLoaded(own: Readings): boolean {
  return (first(own, 'busy') ?? 0) >= 0.5 * (first(own, 'cores') ?? Number.POSITIVE_INFINITY)
}

/** What the diagnosis of these servers is made from. `hostOf`: servers with one answer share a clock. */
export function factsOf(
  readings: ClockReadings,
  ids: readonly string[],
  hostOf: (id: string) => string,
  notes: Pick<NoteStore, 'lookAt'> | null,
): ClockFacts[] {
  return ids.flatMap(server => {
    const own = readings.servers.get(server)
    if (own === undefined) return []
    const of = (name: string): number | null => first(own, name)
    const stepAt = readings.stepAt.get(server)
    const stepS = of('vitrine_clock_step_seconds')
    return [
      {
        server,
        hostId: hostOf(server),
        earlyS: of('vitrine_clock_realtime_timer_early_seconds'),
        earlySince: readings.earlySince.get(server) ?? null,
        hrtimerErrorS: of('vitrine_clock_hrtimer_offset_error_seconds'),
        cores: of('cores'),
        busyCores: of('busy'),
        systemCores: of('system'),
        switchesPerS: of('switches'),
        switchesUsualPerS: readings.switchesUsual.get(server) ?? null,
        // Of quiet hosts nobody needs to know it.
        processes: early(own) || isLoaded(own) ? (notes?.lookAt(server, readings.at)?.processes ?? []) : [],
        stepS: stepAt === undefined ? null : stepS,
      },
    ]
  })
}

async function onsets(parts: ClockParts, at: number): Promise<Map<string, number>> {
  const since = new Map<string, number>()
  for (const { id, times } of await range(parts, EARLY, at, ONSET_STEP_MS)) {
    const last = times.at(-1)
    if (last === undefined || at - last > 2 * ONSET_STEP_MS) continue
    let began = times.length - 1
    while (began > 0 && (times[began] ?? 0) - (times[began - 1] ?? 0) <= 2 * ONSET_STEP_MS) began -= 1
    const from = times[began] ?? at
    // What was so at the beginning of the hour began before it.
    if (from > at - HOUR_MS + 2 * ONSET_STEP_MS) since.set(id, from)
  }
  return since
}

async function lastSteps(parts: ClockParts, at: number): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const { id, times, values } of await range(parts, STEPS, at, STEP_STEP_MS)) {
    for (let place = values.length - 1; place > 0; place -= 1) {
      // An agent that starts again counts from zero.
      if ((values[place] ?? 0) <= (values[place - 1] ?? 0)) continue
      found.set(id, times[place] ?? at)
      break
    }
  }
  return found
}

async function instant({ store, log }: ClockParts, text: string, at: number): Promise<Reading[]> {
  try {
    const { value } = await store.ask({ text, fromMs: at, toMs: at, stepMs: null })
    if (value.kind !== 'vector') return []
    return value.items
      .filter(item => Number.isFinite(item.value))
      .map(({ labels, value: figure }) => ({ labels, value: figure }))
  } catch (error) {
    log.warn('clocks-missing', { error })
    return []
  }
}

interface Row {
  readonly id: string
  readonly times: readonly number[]
  readonly values: readonly number[]
}

async function range({ store, log }: ClockParts, text: string, at: number, stepMs: number): Promise<Row[]> {
  try {
    const { value } = await store.ask({ text, fromMs: at - HOUR_MS, toMs: at, stepMs })
    if (value.kind !== 'matrix') return []
    return value.items.map(({ labels, times, values }) => ({
      id: labels['instance'] ?? '',
      times: [...times],
      values: [...values],
    }))
  } catch (error) {
    log.warn('clocks-missing', { error })
    return []
  }
}
