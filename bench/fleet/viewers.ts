// Owns the third part of the fleet bench: what 200 simulated viewers of a local fleet take.
import { setTimeout as pause } from 'node:timers/promises'
import { startFleet } from '../../test/e2e/fleet.ts'
import { againstGoal, type BenchResult } from '../result.ts'
import { cpuS, mainFile, spawnNode, stop } from './processes.ts'

const VIEWERS = 200
const RAMP_S = 10
/** Full buffers, and the heat of the start gone. */
const SETTLE_S = 10
const CPU_GOAL = 0.3

interface Summary {
  readonly startMs: { readonly median: number; readonly p95: number } | null
  readonly rebufferingSeconds: number
  readonly failures: number
  readonly requests: number
  readonly bytes: number
  readonly records: number
  readonly recordsLost: number
  readonly pathwayChanges: number
  readonly playing: number
}

export async function benchViewers(seconds: number): Promise<BenchResult[]> {
  const fleet = await startFleet()
  const size = ['--count', String(VIEWERS), '--ramp', `${RAMP_S}s`]
  const simulator = spawnNode([mainFile, 'simulate', 'viewers', ...size, '--data', fleet.data, '--json'])
  try {
    await pause((RAMP_S + SETTLE_S) * 1000)
    const pid = simulator.child.pid ?? 0
    const before = cpuS(pid)
    const startedMs = performance.now()
    await pause(seconds * 1000)
    const used = (cpuS(pid) - before) / ((performance.now() - startedMs) / 1000)
    simulator.child.kill('SIGINT')
    const summary = JSON.parse((await simulator.ended).trim().split('\n').at(-1) ?? '{}') as Summary
    print(summary, used)
    return [
      againstGoal('CPU of 200 simulated viewers', 'cores', { ours: used, goal: CPU_GOAL }, 'lower'),
      againstGoal('viewers that play', 'viewers', { ours: summary.playing, goal: VIEWERS }, 'higher'),
    ]
  } finally {
    await stop(simulator)
    await fleet.close()
  }
}

function print(summary: Summary, used: number): void {
  const { startMs, rebufferingSeconds, failures, requests, bytes, records, recordsLost, pathwayChanges } =
    summary
  console.log(
    `viewers: ${summary.playing} play on ${used.toFixed(3)} of a core; start ${startMs?.median.toFixed(0) ?? '-'} ms, ` +
      `${rebufferingSeconds.toFixed(1)} s rebuffering, ${failures} errors of ${requests} requests, ${bytes} bytes, ` +
      `${pathwayChanges} pathway changes, ${records} CMCD records, ${recordsLost} lost`,
  )
}
