// Owns reading, every five seconds, how much each edge sends, from the metrics store: how full it is, and the most
// that it has carried for a minute while healthy, which is remembered.
import { type Clock, type Closable, every, type FleetTime, type Log } from '#base'
import type { MetricsStore } from '#metrics'
import type { Fleet, ServerRecord } from '../fleet/fleet.ts'
import type { Servers } from '../state/servers.ts'
import { capacityOf, fillStep } from './fill.ts'

const EVERY_MS = 5000
const NOW = 'sum by (instance) (rate(vitrine_edge_sent_bytes_total[15s])) * 8'
const MINUTE = 'sum by (instance) (rate(vitrine_edge_sent_bytes_total[1m])) * 8'
const MINUTE_MS = 60_000
/** Written again only when it grew by so much: a record that creeps up is no write each five seconds. */
const GROWN = 1.05

export interface LoadReaderOptions {
  readonly fleet: Fleet
  readonly store: MetricsStore
  readonly servers: Servers
  readonly fleetTime: FleetTime
  readonly clock: Clock
  readonly log: Log
}

export function startLoadReader(options: LoadReaderOptions): Closable {
  const { fleet, store, servers, fleetTime, log } = options
  const ask = async (text: string): Promise<ReadonlyMap<string, number>> => {
    const atMs = Math.floor(fleetTime.nowMs())
    const { value } = await store.ask({ text, fromMs: atMs, toMs: atMs, stepMs: null })
    const items = value.kind === 'vector' ? value.items : []
    return new Map(items.map(item => [item.labels['instance'] ?? '', item.value]))
  }
  const turn = async (): Promise<void> => {
    const [now, minute] = [await ask(NOW), await ask(MINUTE)]
    for (const edge of fleet.edges()) {
      observe(edge, now.get(edge.id) ?? null)
      if (!hasGrown(edge, minute.get(edge.id) ?? 0, fleetTime.nowMs())) continue
      edge.measuredBps = minute.get(edge.id) ?? null
      await servers.measured(edge.id, edge.measuredBps ?? 0)
    }
  }
  return every(EVERY_MS, turn, error => log.warn('load-not-read', { error }))
}

function observe(edge: ServerRecord, throughputBps: number | null): void {
  edge.throughputBps = throughputBps
  const capacity = capacityOf(edge.tags.capacityBps ?? null, edge.measuredBps)
  edge.fillStep = fillStep(capacity, throughputBps, edge.fillStep)
}

/** What it sent while something was wrong with it proves nothing. */
function hasGrown(edge: ServerRecord, bps: number, nowMs: number): boolean {
  const well = edge.standing.state === 'healthy' && edge.doubts === 0 && nowMs - edge.since >= MINUTE_MS
  return well && bps > 0 && bps > (edge.measuredBps ?? 0) * GROWN
}
