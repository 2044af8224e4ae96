// Owns the first part of the fleet bench: a control room under a thousand simulated servers.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { SimulatedAgentsStats } from '#agent'
import { againstGoal, type BenchResult } from '../result.ts'
import { cpuS, freePort, mainFile, type Spawned, spawnNode, stop, vitrine } from './processes.ts'

export const AGENTS = 1000
export const SERIES = 120
const RAMP_S = 20
/** As `vitrine simulate agents` waits after the ramp before it measures. */
const SETTLE_S = 3
const START_MS_MAX = 20_000
const WITHIN_GOAL = 0.999
const TABLE_GOAL_MS = 2000
/** As the judge of health has it: an agent that was silent for longer is shown so. */
const LATE_S = 3

export async function benchAgents(seconds: number): Promise<BenchResult[]> {
  const data = mkdtempSync(join(tmpdir(), 'vitrine-bench-fleet-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const parameters = ['control', '--allow-simulated', '--data', data, '--port', String(port)]
  const control = spawnNode([mainFile, ...parameters])
  try {
    await answers(url)
    const token = (await vitrine('token', 'create', '--role', 'admin', '--data', data))
      .trim()
      .split('\n')
      .at(-1)
    return await measure({ control, url, token: token ?? '', seconds })
  } finally {
    await stop(control)
    rmSync(data, { recursive: true, force: true })
  }
}

interface Run {
  readonly control: Spawned
  readonly url: string
  readonly token: string
  readonly seconds: number
}

async function measure({ control, url, token, seconds }: Run): Promise<BenchResult[]> {
  const size = ['--count', String(AGENTS), '--series', String(SERIES), '--ramp', `${RAMP_S}s`]
  const parameters = ['simulate', 'agents', '--control', url, ...size, '--json']
  const simulator = spawnNode([mainFile, ...parameters], { VITRINE_TOKEN: token })
  try {
    await pause((RAMP_S + SETTLE_S + 1) * 1000)
    const before = cpuS(control.child.pid ?? 0)
    const simulatorBefore = cpuS(simulator.child.pid ?? 0)
    await pause(seconds * 1000)
    const used = (cpuS(control.child.pid ?? 0) - before) / seconds
    const simulatorUsed = (cpuS(simulator.child.pid ?? 0) - simulatorBefore) / seconds
    const late = await lateAgents(url, token, seconds)
    simulator.child.kill('SIGINT')
    const stats = JSON.parse(
      (await simulator.ended).trim().split('\n').at(-1) ?? '{}',
    ) as SimulatedAgentsStats
    return results(stats, { used, simulatorUsed, late })
  } finally {
    await stop(simulator)
  }
}

interface Seen {
  readonly used: number
  readonly simulatorUsed: number
  readonly late: { readonly count: number; readonly worstS: number }
}

function results(stats: SimulatedAgentsStats, { used, simulatorUsed, late }: Seen): BenchResult[] {
  const { connected, servers, heartbeats, writes, samples, tables } = stats
  console.log(
    `agents: ${connected} of ${servers} connected, ${samples} samples in ${writes.count} writes, ` +
      `control room ${used.toFixed(2)} of a core, simulator ${simulatorUsed.toFixed(2)}`,
  )
  console.log(
    `heartbeats: ${heartbeats.count}, taken after ${words(heartbeats)}; ${(heartbeats.shareWithin500Ms * 100).toFixed(3)} % within 500 ms`,
  )
  console.log(`writes answered after ${words(writes)}`)
  console.log(
    `late: ${late.count} agents, the longest silence ${late.worstS.toFixed(2)} s; tables: ${tables.tables} reached all, ${tables.incomplete} did not, slowest ${tables.maxMs?.toFixed(0) ?? 'none'} ms`,
  )
  const lower = (name: string, unit: string, ours: number, goal: number): BenchResult =>
    againstGoal(name, unit, { ours, goal }, 'lower')
  return [
    againstGoal('servers connected', 'servers', { ours: connected, goal: AGENTS }, 'higher'),
    againstGoal(
      'heartbeats taken within 500 ms',
      'share',
      { ours: heartbeats.shareWithin500Ms, goal: WITHIN_GOAL },
      'higher',
    ),
    lower('heartbeat taken, 99.9 of 100', 'ms', heartbeats.p999Ms, 500),
    // One more, so that none is a ratio and not a division by nothing.
    lower('agents shown late, plus one', 'agents', late.count + 1, 1),
    lower('longest silence of an agent', 's', late.worstS, LATE_S),
    lower(
      'steering table reaches all, the slowest',
      'ms',
      tables.maxMs ?? Number.POSITIVE_INFINITY,
      TABLE_GOAL_MS,
    ),
  ]
}

function words({ medianMs, p99Ms, p999Ms, maxMs }: SimulatedAgentsStats['writes']): string {
  return `${medianMs.toFixed(1)} ms (p50), ${p99Ms.toFixed(1)} (p99), ${p999Ms.toFixed(1)} (p99.9), ${maxMs.toFixed(1)} (longest)`
}

/** From the control room's own series, once a second for each agent: what its pages and rules go by. */
async function lateAgents(url: string, token: string, seconds: number): Promise<Seen['late']> {
  const silence = `max_over_time(vitrine_fleet_agent_age_seconds{instance=~"simulated-.*"}[${seconds}s])`
  const worstS = await ask(url, token, `max(${silence})`)
  const count = await ask(url, token, `count(${silence} > ${LATE_S}) or vector(0)`)
  return { count, worstS }
}

async function ask(url: string, token: string, query: string): Promise<number> {
  const address = `${url}/prometheus/api/v1/query?query=${encodeURIComponent(query)}`
  const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } })
  const body = (await answer.json()) as { data?: { result?: { value: [number, string] }[] } }
  const value = body.data?.result?.[0]?.value[1]
  if (value === undefined) throw new Error(`${query}: ${answer.status} ${JSON.stringify(body).slice(0, 300)}`)
  return Number(value)
}

async function answers(url: string): Promise<void> {
  const endMs = performance.now() + START_MS_MAX
  for (;;) {
    const ok = await fetch(`${url}/healthz`).then(
      answer => answer.ok,
      () => false,
    )
    if (ok) return
    if (performance.now() > endMs) throw new Error(`${url} does not answer within ${START_MS_MAX} ms`)
    await pause(50)
  }
}
