// Clocks and drills: a day without a false alarm, what an agent takes, and the drill of 2012 again and again; parts: calm agent drills; --only PART, --drills N (20), --minutes N of the agent (5), --days N of the calm (1), --seed N.
import { benchAgent } from './clock/agent.ts'
import { benchCalm } from './clock/calm.ts'
import { printClockPeers } from './clock/documented.ts'
import { benchDrills } from './clock/drills.ts'
import type { BenchReport, BenchResult } from './result.ts'

const NUMBERS = { '--drills': 20, '--minutes': 5, '--days': 1, '--seed': 2012 } as const
type Flag = keyof typeof NUMBERS

export interface ClockSizes {
  readonly drills: number
  readonly minutes: number
  readonly days: number
  readonly seed: number
}

const parts: Readonly<Record<string, (sizes: ClockSizes) => Promise<readonly BenchResult[]>>> = {
  calm: benchCalm,
  agent: benchAgent,
  // The last: interrupted, it tells what it has.
  drills: benchDrills,
}

export async function run(parameters: readonly string[]): Promise<BenchReport> {
  const numbers: Record<Flag, number> = { ...NUMBERS }
  let only: string | null = null
  for (let at = 0; at < parameters.length; at += 2) {
    const [flag = '', value = ''] = parameters.slice(at, at + 2)
    if (flag === '--only' && value in parts) only = value
    else if (flag in numbers && Number.isInteger(Number(value)) && Number(value) > 0)
      numbers[flag as Flag] = Number(value)
    else
      throw new TypeError(
        `bench clock: expected --only ${Object.keys(parts).join('|')} or ${Object.keys(NUMBERS).join(', ')} with a number, not ${flag} ${value}`,
      )
  }
  const sizes = {
    drills: numbers['--drills'],
    minutes: numbers['--minutes'],
    days: numbers['--days'],
    seed: numbers['--seed'],
  }
  const results: BenchResult[] = []
  for (const [name, bench] of Object.entries(parts))
    if (only === null || only === name) results.push(...(await bench(sizes)))
  printClockPeers()
  for (const { name, unit, ours, goal, ratio } of results)
    console.log(`  ${ratio >= 1 ? 'ok   ' : 'SHORT'} ${name}: ${ours} ${unit}, goal ${goal} ${unit}`)
  return { bench: 'clock', settings: { ...sizes, only }, results }
}
