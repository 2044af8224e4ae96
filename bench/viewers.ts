// What viewers went through; parts: intake (event records on an edge's core) assembly (records into sessions on one core) truth (players in Chromium, stalls of known causes) detect (a slow edge by comparison); --only PART, --full, --seed N (truth).
import type { BenchReport, BenchResult } from './result.ts'
import { type AssemblySize, benchAssembly } from './viewers/assembly.ts'
import { benchDetect, type DetectSize } from './viewers/detect.ts'
import { benchIntake } from './viewers/intake.ts'
import { benchTruth, type TruthSize } from './viewers/truth.ts'

const INTAKE_S = 15

const ASSEMBLY: Readonly<Record<'quick' | 'full', AssemblySize>> = {
  quick: { warmS: 20, measuredS: 20 },
  full: { warmS: 600, measuredS: 120 },
}

/** The small one takes three minutes, the full one a quarter of an hour for 32 stalls of each kind; bounded by 40. */
const TRUTH: Readonly<Record<'quick' | 'full', Omit<TruthSize, 'seed'>>> = {
  quick: { sessions: 2, ofEachKind: 2, beginsWithinS: 300 },
  full: { sessions: 10, ofEachKind: 4, beginsWithinS: 1800 },
}
const SEED = 6

/** The goal is of 200 runs and 4 weeks: half an hour; quick is two minutes. */
const DETECT: Readonly<Record<'quick' | 'full', DetectSize>> = {
  quick: { runs: 40, days: 5 },
  full: { runs: 200, days: 28 },
}

const parts: Readonly<Record<string, (full: boolean, seed: number) => Promise<BenchResult[]>>> = {
  intake: () => benchIntake(INTAKE_S),
  assembly: full => benchAssembly(full ? ASSEMBLY.full : ASSEMBLY.quick),
  truth: (full, seed) => benchTruth({ ...(full ? TRUTH.full : TRUTH.quick), seed }),
  detect: full => benchDetect(full ? DETECT.full : DETECT.quick),
}

export async function run(parameters: readonly string[]): Promise<BenchReport> {
  const full = parameters.includes('--full')
  const at = parameters.indexOf('--only')
  const only = at < 0 ? null : (parameters[at + 1] ?? '')
  if (only !== null && !(only in parts)) {
    throw new RangeError(`--only takes one of ${Object.keys(parts).join(', ')}`)
  }
  const seed = parameters.includes('--seed') ? Number(parameters[parameters.indexOf('--seed') + 1]) : SEED
  if (!Number.isSafeInteger(seed) || seed < 1) throw new RangeError('--seed takes a whole number from 1 on')
  const results: BenchResult[] = []
  for (const [name, bench] of Object.entries(parts)) {
    if (only === null || only === name) results.push(...(await bench(full, seed)))
  }
  return { bench: 'viewers', settings: { size: full ? 'full' : 'quick', only, seed }, results }
}
