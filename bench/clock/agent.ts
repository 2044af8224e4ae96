// Owns what an agent takes with everything on: CPU and memory as the kernel counts them, over minutes, of every agent of a
// fleet that serves viewers.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { ClockSizes } from '../clock.ts'
import { cpuS, mainFile } from '../fleet/processes.ts'
import { againstGoal, type BenchResult } from '../result.ts'
import { type AgentPeer, NOT_MEASURED, startAgentPeer } from './agent-peer.ts'
import { startBenchFleet } from './fleet.ts'

/** Starting is no state that lasts. */
const WARM_MS = 30_000
const LOOK_MS = 5000
const CPU_GOAL = 2
const RSS_GOAL_MB = 100

export async function benchAgent({ minutes }: ClockSizes): Promise<BenchResult[]> {
  const fleet = await startBenchFleet()
  const other = await startAgentPeer()
  const peer = typeof other === 'string' ? null : other
  const lasts = `${minutes * 60 + WARM_MS / 1000}s`
  const watch = ['simulate', 'viewers', '--data', fleet.data, '--count', '12', '--duration', lasts]
  const viewers = execFile(process.execPath, [mainFile, ...watch])
  try {
    console.log(`agent: ${minutes} min after ${WARM_MS / 1000} s of warming up`)
    await pause(WARM_MS)
    const agents = [...fleet.agents()]
    if (agents.length === 0) throw new Error('no agent was found')
    if (peer !== null) agents.push([peer.name, peer.pid])
    const before = new Map(agents.map(([id, pid]) => [id, cpuS(pid)]))
    const most = new Map<string, number>()
    const startedMs = performance.now()
    while (performance.now() - startedMs < minutes * 60_000) {
      await pause(LOOK_MS)
      for (const [id, pid] of agents) most.set(id, Math.max(most.get(id) ?? 0, rssMb(pid)))
    }
    const seconds = (performance.now() - startedMs) / 1000
    const cpu = agents.map(([id, pid]) => ({
      id,
      percent: (100 * (cpuS(pid) - (before.get(id) ?? 0))) / seconds,
    }))
    for (const { id, percent } of cpu)
      console.log(
        `  ${id}: ${percent.toFixed(2)} % of one core, ${(most.get(id) ?? 0).toFixed(1)} MB at most`,
      )
    console.log(typeof other === 'string' ? `  ${other}\n  ${NOT_MEASURED}` : `  ${NOT_MEASURED}`)
    return results(cpu, most, peer)
  } finally {
    peer?.stop()
    viewers.kill('SIGINT')
    await fleet.stop()
  }
}

/** Of our agents the dearest; the other one's figures beside it. */
function results(
  cpu: readonly { readonly id: string; readonly percent: number }[],
  most: ReadonlyMap<string, number>,
  peer: AgentPeer | null,
): BenchResult[] {
  const ours = cpu.filter(({ id }) => id !== peer?.name)
  const worstCpu = Math.max(...ours.map(({ percent }) => percent))
  const worstRss = Math.max(...ours.map(({ id }) => most.get(id) ?? 0))
  const beside = (figure: number | undefined): Pick<BenchResult, 'peer' | 'peerName'> =>
    peer === null || figure === undefined
      ? { peer: null, peerName: null }
      : { peer: round(figure), peerName: peer.name }
  const cpuUnit = '% of one core'
  return [
    {
      ...againstGoal('agent CPU', cpuUnit, { ours: round(worstCpu), goal: CPU_GOAL }, 'lower'),
      ...beside(cpu.find(({ id }) => id === peer?.name)?.percent),
    },
    {
      ...againstGoal(
        'agent memory (resident, at most)',
        'MB',
        { ours: round(worstRss), goal: RSS_GOAL_MB },
        'lower',
      ),
      ...beside(peer === null ? undefined : most.get(peer.name)),
    },
  ]
}

function rssMb(pid: number): number {
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kib ?? 0) * 1024) / 1e6
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
