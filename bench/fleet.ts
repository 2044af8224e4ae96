// A fleet of real and simulated servers: load, faults, players; parts: agents steering viewers cut players away schedules many; --only PART, --full.
import { AGENTS, benchAgents, SERIES } from './fleet/agents.ts'
import { benchAway } from './fleet/away.ts'
import { benchCut } from './fleet/cut.ts'
import { documented, printDocumented } from './fleet/documented.ts'
import { benchMany } from './fleet/many.ts'
import { benchPlayers } from './fleet/players.ts'
import { benchSchedules } from './fleet/schedules.ts'
import { benchSteering } from './fleet/steering.ts'
import { benchViewers } from './fleet/viewers.ts'
import type { BenchReport, BenchResult } from './result.ts'

const AGENTS_S = { quick: 60, full: 600 }
const STEERING_S = { quick: 20, full: 60 }
const AWAY_S = { quick: 60, full: 600 }
const SCHEDULES = { quick: 3, full: 20 }
const VIEWERS_S = { quick: 30, full: 120 }

/** `many` starts fifty processes: only where it is asked for, or with --full. */
const onlyFull: ReadonlySet<string> = new Set(['many'])

const parts = {
  agents: (full: boolean) => benchAgents(full ? AGENTS_S.full : AGENTS_S.quick),
  steering: (full: boolean) => benchSteering(full ? STEERING_S.full : STEERING_S.quick),
  viewers: (full: boolean) => benchViewers(full ? VIEWERS_S.full : VIEWERS_S.quick),
  cut: () => benchCut(),
  players: () => benchPlayers(),
  away: (full: boolean) => benchAway(full ? AWAY_S.full : AWAY_S.quick),
  schedules: (full: boolean, { schedules, seed }: Counts) =>
    benchSchedules(schedules ?? (full ? SCHEDULES.full : SCHEDULES.quick), seed ?? 1),
  many: () => benchMany(),
}
type Part = keyof typeof parts

interface Counts {
  readonly schedules: number | null
  readonly seed: number | null
}

/** The number behind a flag; null: it is not there. */
function numberAfter(parameters: readonly string[], flag: string): number | null {
  const at = parameters.indexOf(flag)
  if (at < 0) return null
  const value = Number(parameters[at + 1])
  if (!Number.isInteger(value) || value < 1)
    throw new TypeError(`bench fleet: ${flag} needs a number from 1 on`)
  return value
}

export async function run(parameters: readonly string[]): Promise<BenchReport> {
  const full = parameters.includes('--full')
  const counts = {
    schedules: numberAfter(parameters, '--schedules'),
    seed: numberAfter(parameters, '--seed'),
  }
  const names = Object.keys(parts) as Part[]
  const flags = ['--full', '--only', '--schedules', '--seed']
  const isKnown = (word: string): boolean =>
    flags.includes(word) || names.includes(word as Part) || /^[0-9]+$/.test(word)
  const unknown = parameters.find(word => !isKnown(word))
  if (unknown !== undefined)
    throw new TypeError(`bench fleet: expected ${[...names, ...flags].join(', ')}, not ${unknown}`)
  const wanted = names.filter(name => parameters.includes(name))
  const chosen = wanted.length > 0 ? wanted : names.filter(name => full || !onlyFull.has(name))
  const results: BenchResult[] = []
  for (const part of chosen) results.push(...(await parts[part](full, counts)))
  printDocumented()
  return {
    bench: 'fleet',
    settings: {
      parts: chosen,
      agents: AGENTS,
      seriesAnAgent: SERIES,
      channels: 'two a server, as real ones have: the edge’s and its agent’s',
      heartbeat:
        'from sending to the answer of a time exchange that follows it on the same channel, both ways',
      secondsMeasured: full ? AGENTS_S.full : AGENTS_S.quick,
      steering: 'open loop from another core, 20 pathways, 64 connections that are kept',
      documented,
      frozenEdge: 'npm run bench -- freeze',
    },
    results,
  }
}
