// Owns what the incident keeper sees of the control room: the fleet, its figures, what it carries, what changed.
import type { Log } from '#base'
import type { MetricsStore } from '#metrics'
import { isSimulated } from '#wire'
import type { ControlContext } from '../context.ts'
import { CONTROL_ID, type ServerRecord } from '../fleet/fleet.ts'
import { capacityOf } from '../steering/fill.ts'
import { recentOf } from '../what-if/carry.ts'
import type { CapacityFacts, IncidentSources, Planned, ServerFacts, ServerFigures } from './facts.ts'
import type { SilenceBook } from './silence-book.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const HOURS_AHEAD = 12
const WEEK_HOURS = 168
const MARKS_MAX = 200
const MARKS_CACHE_MS = 15_000
/** Beyond it a cause is named without figures: one question names them all. */
const FIGURES_SERVERS_MAX = 200

type Parts = Pick<
  ControlContext,
  'fleet' | 'store' | 'steering' | 'state' | 'alerts' | 'demand' | 'drills' | 'fleetTime' | 'log'
> & {
  readonly silences: SilenceBook
  readonly foreign: { firing(this: void): ReturnType<IncidentSources['firing']> }
}

export function openSources(parts: Parts): IncidentSources {
  const { fleet, alerts, foreign, state, silences } = parts
  let marks: {
    readonly before: number
    readonly at: number
    readonly list: ReturnType<IncidentSources['marks']>
  } | null = null
  return {
    firing: () => [...alerts.active().filter(alert => alert.state === 'firing'), ...foreign.firing()],
    servers: () => fleet.all().map(record => factsOf(record, fleet.sessions.of(record.id).watching)),
    figures: servers => figuresOf(parts.store, parts.log, servers, parts.fleetTime.nowMs()),
    capacity: () => capacityFacts(parts),
    moved: (servers, since) => state.sessionPathways.left(servers, since),
    marks: before => {
      const now = parts.fleetTime.nowMs()
      if (marks === null || marks.before !== before || now - marks.at > MARKS_CACHE_MS) {
        const list = state.marks.list({
          fromMs: before - DAY_MS,
          toMs: before,
          server: null,
          nearMs: before,
          limit: MARKS_MAX,
        })
        marks = { before, at: now, list }
      }
      return marks.list
    },
    drillOf: server => parts.drills.drillOf(server),
    planned: (from, to) => plannedOf(parts, from, to),
    silencedBy: (labels, at) => silences.covering(labels, at),
  }
}

function factsOf(record: ServerRecord, viewers: number): ServerFacts {
  const { id, role, region, hostId, version, reason, evidence } = record
  return { id, role, region, hostId, version, state: record.standing.state, reason, evidence, viewers }
}

const questions: readonly (readonly [
  Exclude<keyof ServerFigures, 'cacheWrites'> | 'busyCores' | 'cacheFails',
  string,
])[] = [
  ['ownCores', 'sum by (instance) (rate(vitrine_server_cpu_seconds_total{instance=~"$"}[30s]))'],
  [
    'busyCores',
    'sum by (instance) (rate(node_cpu_seconds_total{instance=~"$",mode!~"idle|iowait|steal"}[30s]))',
  ],
  ['cores', 'count by (instance) (node_cpu_seconds_total{instance=~"$",mode="idle"})'],
  // Short: a server that gets no CPU stops answering within seconds.
  ['cpuWait', 'max by (instance) (rate(vitrine_server_cpu_wait_seconds_total{instance=~"$"}[15s]))'],
  ['steal', 'avg by (instance) (rate(node_cpu_seconds_total{instance=~"$",mode="steal"}[30s]))'],
  [
    'diskFree',
    'min by (instance) (node_filesystem_avail_bytes{instance=~"$"} / node_filesystem_size_bytes{instance=~"$"})',
  ],
  ['cacheFails', 'max by (instance) (vitrine_edge_cache_disk_failing{instance=~"$"})'],
  // From outside to the second, where its agent does not say.
  [
    'clockOffsetS',
    'max by (instance) (last_over_time(vitrine_clock_fleet_offset_seconds{instance=~"$"}[15s])) or max by (instance) (vitrine_probe_clock_offset_seconds{instance=~"$"} > 2 or vitrine_probe_clock_offset_seconds{instance=~"$"} < -2)',
  ],
]

/** A store that cannot answer costs figures, never an incident. */
async function figuresOf(
  store: MetricsStore,
  log: Log,
  servers: readonly string[],
  now: number,
): Promise<ReadonlyMap<string, ServerFigures>> {
  const found = new Map<string, Record<string, number>>()
  const asked = servers.slice(0, FIGURES_SERVERS_MAX)
  if (asked.length === 0) return found
  try {
    for (const [name, text] of questions) {
      const { value } = await store.ask({
        text: text.replaceAll('$', asked.join('|')),
        fromMs: now,
        toMs: now,
        stepMs: null,
      })
      if (value.kind !== 'vector') continue
      for (const { labels, value: figure } of value.items) {
        const id = labels['instance'] ?? ''
        if (Number.isFinite(figure)) found.set(id, { ...found.get(id), [name]: figure })
      }
    }
  } catch (error) {
    log.warn('incident-figures-missing', { error })
  }
  // One host with several servers: others are all that is not this one.
  return new Map(
    [...found].map(([id, { busyCores, cacheFails, ...figures }]) => {
      const others =
        busyCores === undefined ? {} : { otherCores: Math.max(0, busyCores - (figures['ownCores'] ?? 0)) }
      const cache = cacheFails === undefined ? {} : { cacheWrites: cacheFails === 0 }
      return [id, { ...figures, ...others, ...cache }]
    }),
  )
}

async function capacityFacts({ fleet, steering, demand, fleetTime }: Parts): Promise<CapacityFacts | null> {
  const { now: current } = await demand.current()
  const now = fleetTime.nowMs()
  const edges = fleet.edges().filter(({ url }) => url !== '')
  const takes = edges.filter(({ id }) => steering.weightOf(id) > 0)
  const capacities = takes.map(edge => ({ id: edge.id, bps: bpsOf(edge) }))
  const { week } = recentOf(demand.hours(), now)
  const thisHour = Math.floor(now / HOUR_MS) * HOUR_MS
  const hours = Array.from({ length: HOURS_AHEAD }, (_, ahead) => {
    const at = thisHour + (ahead + 1) * HOUR_MS
    const before = week.find(hour => hour.at === at - WEEK_HOURS * HOUR_MS)
    return { at, peakBps: before?.peakBps ?? null }
  })
  return {
    restBps: capacities.reduce((sum, { bps }) => sum + (bps ?? 0), 0),
    restEdges: takes.length,
    unknown: capacities.filter(({ bps }) => bps === null).map(({ id }) => id),
    out: edges.filter(edge => !takes.includes(edge)).map(({ id }) => id),
    nowBps: current?.peakBps ?? null,
    hours,
  }
}

function bpsOf({ tags, measuredBps }: ServerRecord): number | null {
  return capacityOf(tags.capacityBps ?? null, measuredBps)?.bps ?? null
}

/** Maintenance to come of edges that take viewers now. */
function plannedOf({ fleet, steering, silences }: Parts, from: number, to: number): Planned[] {
  const byKey = new Map<string, Planned>()
  for (const edge of fleet.edges()) {
    if (steering.weightOf(edge.id) === 0 || isSimulated(edge.id) || edge.id === CONTROL_ID) continue
    // What covers the loss of an edge expects it.
    const labels = {
      alertname: 'EdgeUnreachable',
      instance: edge.id,
      region: edge.region,
      severity: 'critical',
    }
    for (const { silence, span } of silences.planned(labels, from, to)) {
      if (span.from <= from) continue
      const key = `${silence.id} ${span.from}`
      const known = byKey.get(key)
      byKey.set(key, {
        ...span,
        servers: [...(known?.servers ?? []), edge.id],
        capacityBps: (known?.capacityBps ?? 0) + (bpsOf(edge) ?? 0),
        text: silence.comment === '' ? silence.id : silence.comment,
      })
    }
  }
  return [...byKey.values()].toSorted((a, b) => a.from - b.from)
}
