// Incidents under faults: what their cause is called, and what a control room that is killed loses; and 200 rules over 1,000 edges beside Prometheus; parts: causes kills speed; --only PART, --full, --ours, --seed N.
import { benchCauses } from './incidents/causes.ts'
import { benchKills } from './incidents/kills.ts'
import { benchSpeed } from './incidents/speed.ts'
import type { BenchReport, BenchResult } from './result.ts'

interface Wanted {
  readonly full: boolean
  readonly seed: number
  /** Without peers. */
  readonly ours: boolean
}
type Part = (wanted: Wanted) => Promise<readonly BenchResult[]>

const parts: Readonly<Record<string, Part>> = {
  causes: benchCauses,
  kills: benchKills,
  // The last: it keeps to one core from then on.
  speed: benchSpeed,
}

export async function run(parameters: readonly string[]): Promise<BenchReport> {
  const names = Object.keys(parts)
  const unknown = parameters.find(
    word => ![...names, '--full', '--ours', '--only', '--seed'].includes(word) && !/^[0-9]+$/.test(word),
  )
  if (unknown !== undefined)
    throw new TypeError(`bench incidents: expected ${names.join(', ')}, --full or --seed, not ${unknown}`)
  const wanted = names.filter(name => parameters.includes(name))
  const chosen = wanted.length > 0 ? wanted : names
  const full = parameters.includes('--full')
  const ours = parameters.includes('--ours')
  const at = parameters.indexOf('--seed')
  const seed = at < 0 ? Math.floor(Math.random() * 1e6) : Number(parameters[at + 1])
  const results: BenchResult[] = []
  for (const name of chosen) results.push(...((await parts[name]?.({ full, seed, ours })) ?? []))
  return { bench: 'incidents', settings: { parts: chosen, full, seed }, results }
}
