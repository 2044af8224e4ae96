// Owns the metrics that every role has of its own process: CPU, memory, event-loop delay, build.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Counters } from './counters.ts'
import { packageVersion } from './version.ts'

const LOOP_RESOLUTION_MS = 20 // Node's sampling step; finer costs CPU and tells no more
const quantiles = [0.5, 0.99, 1] as const

/** Registers `process_*` (as Prometheus client libraries name them) and `vitrine_process_*`. */
export function registerProcessMetrics(counters: Counters, role: string): void {
  const cpu = counters.counter('process_cpu_seconds_total', 'CPU seconds of this process: user and system.')
  const resident = counters.gauge(
    'process_resident_memory_bytes',
    'Resident memory of this process. Climbing without end is a leak: report it with a heap snapshot.',
  )
  const delay = counters.gauge(
    'vitrine_process_event_loop_delay_seconds',
    'How late timers fire, by quantile, since the last collection. Above 0.1 s the process is overloaded.',
  )
  const build = counters.gauge(
    'vitrine_process_build_info',
    'Always 1; the version of this process as a label.',
  )
  build.set(1, { role, version: packageVersion })
  let countedS = 0
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  loop.enable()
  counters.beforeCollect(() => {
    const used = process.cpuUsage()
    const usedS = (used.user + used.system) / 1e6
    cpu.add(usedS - countedS)
    countedS = usedS
    resident.set(process.memoryUsage.rss())
    for (const quantile of quantiles) {
      const lateNs = quantile === 1 ? loop.max : loop.percentile(quantile * 100)
      const lateMs = Math.max(0, lateNs / 1e6 - LOOP_RESOLUTION_MS)
      delay.set(loop.count === 0 ? 0 : lateMs / 1000, { quantile: String(quantile) })
    }
    loop.reset()
  })
}
