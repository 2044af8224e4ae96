// What viewers went through: intake of event records on an edge's core; parts: intake; --only PART.
import type { BenchReport } from './result.ts'
import { benchIntake } from './viewers/intake.ts'

const SECONDS = 15

const parts = { intake: () => benchIntake(SECONDS) }
type Part = keyof typeof parts

export async function run(parameters: readonly string[]): Promise<BenchReport> {
  const at = parameters.indexOf('--only')
  const only = at < 0 ? null : (parameters[at + 1] ?? '')
  const names = (Object.keys(parts) as Part[]).filter(name => only === null || name === only)
  if (names.length === 0)
    throw new Error(`bench viewers has no part ${only}; parts: ${Object.keys(parts).join(', ')}`)
  const results = []
  for (const name of names) results.push(...(await parts[name]()))
  return { bench: 'viewers', settings: { seconds: SECONDS, parts: names }, results }
}
