// A fleet's load: 1,000 simulated servers, steering at 5,000 requests/s, 200 viewers; parts: agents steering viewers; --full for ten minutes.
import { AGENTS, benchAgents, SERIES } from './fleet/agents.ts'
import { benchCut } from './fleet/cut.ts'
import { documented, printDocumented } from './fleet/documented.ts'
import { benchSteering } from './fleet/steering.ts'
import { benchViewers } from './fleet/viewers.ts'
import type { BenchReport, BenchResult } from './result.ts'

const AGENTS_S = { quick: 60, full: 600 }
const STEERING_S = { quick: 20, full: 60 }
const VIEWERS_S = { quick: 30, full: 120 }

const parts = {
  agents: (full: boolean) => benchAgents(full ? AGENTS_S.full : AGENTS_S.quick),
  steering: (full: boolean) => benchSteering(full ? STEERING_S.full : STEERING_S.quick),
  viewers: (full: boolean) => benchViewers(full ? VIEWERS_S.full : VIEWERS_S.quick),
  cut: () => benchCut(),
}
type Part = keyof typeof parts

export async function run(parameters: readonly string[]): Promise<BenchReport> {
  const full = parameters.includes('--full')
  const names = Object.keys(parts) as Part[]
  const unknown = parameters.find(
    word => !['--full', '--only'].includes(word) && !names.includes(word as Part),
  )
  if (unknown !== undefined)
    throw new TypeError(`bench fleet: expected ${names.join(', ')} or --full, not ${unknown}`)
  const wanted = names.filter(name => parameters.includes(name))
  const chosen = wanted.length === 0 ? names : wanted
  const results: BenchResult[] = []
  for (const part of chosen) results.push(...(await parts[part](full)))
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
