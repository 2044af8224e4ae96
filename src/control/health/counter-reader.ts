// Owns reading, every five seconds, what servers tell of themselves in the metrics store, for the watch over counters.
import { type Clock, type Closable, every, type FleetTime, type Log } from '#base'
import type { MetricsStore } from '#metrics'
import type { Fleet } from '../fleet/fleet.ts'
import { CounterWatch } from './counter-watch.ts'

const EVERY_MS = 5000
/** Only samples of the last seconds: what was not scraped is unknown, not unchanged. */
const SENT = 'sum by (instance) (last_over_time(vitrine_edge_sent_bytes_total[4s]))'
const CPU =
  'max by (instance) (last_over_time(process_cpu_seconds_total{job=~"vitrine-edge|vitrine-origin"}[4s]))'

export interface CounterReaderOptions {
  readonly fleet: Fleet
  readonly store: MetricsStore
  readonly fleetTime: FleetTime
  readonly clock: Clock
  readonly log: Log
}

export interface CounterReader extends Closable {
  /** In words; null: nothing is wrong, or nobody knows. */
  fault(this: void, server: string): string | null
}

export function startCounterReader({
  fleet,
  store,
  fleetTime,
  clock,
  log,
}: CounterReaderOptions): CounterReader {
  const watch = new CounterWatch()
  const ask = async (text: string): Promise<ReadonlyMap<string, number>> => {
    const atMs = Math.floor(fleetTime.nowMs())
    const { value } = await store.ask({ text, fromMs: atMs, toMs: atMs, stepMs: null })
    const items = value.kind === 'vector' ? value.items : []
    return new Map(items.map(item => [item.labels['instance'] ?? '', item.value]))
  }
  const turn = async (): Promise<void> => {
    const sent = await ask(SENT)
    const cpu = await ask(CPU)
    const atMs = clock.monotonicMs()
    for (const { id, role, sessionBytes } of fleet.all()) {
      watch.add(id, {
        atMs,
        sessionBytes: role === 'edge' ? sessionBytes : null,
        sentBytes: sent.get(id) ?? null,
        cpuSeconds: cpu.get(id) ?? null,
      })
    }
    watch.keep(new Set(fleet.all().map(({ id }) => id)))
  }
  const timer = every(EVERY_MS, turn, error => log.warn('counters-not-read', { error }))
  return { fault: server => watch.fault(server), close: () => timer.close() }
}
