// Owns the shape of a benchmark's last line: one JSON object, in which a ratio above 1 always means that ours is better.
import { cpus, totalmem } from 'node:os'

export interface BenchResult {
  readonly name: string
  readonly unit: string
  readonly ours: number
  /** A program measured in the same run; null where the goal is a plain number. */
  readonly peer: number | null
  readonly peerName: string | null
  /** Against the peer, or against the goal when there is none. */
  readonly ratio: number
  readonly goal: number
}

export interface BenchReport {
  readonly bench: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly results: readonly BenchResult[]
}

export interface BenchModule {
  run(this: void, parameters: readonly string[]): Promise<BenchReport>
}

export function isMain(module: unknown): module is BenchModule {
  return typeof module === 'object' && module !== null && 'run' in module && typeof module.run === 'function'
}

/** A figure against a plain goal; `better` says in which direction it is better. */
export function againstGoal(
  name: string,
  unit: string,
  { ours, goal }: { readonly ours: number; readonly goal: number },
  better: 'lower' | 'higher',
): BenchResult {
  // A goal of none is met by none alone.
  const ratio = ours === goal ? 1 : better === 'lower' ? goal / ours : ours / goal
  return { name, unit, ours, peer: null, peerName: null, ratio: Number(ratio.toFixed(3)), goal }
}

export function printResult({ bench, settings, results }: BenchReport): void {
  const [first] = cpus()
  const machine = {
    cpu: first?.model ?? 'unknown',
    cpus: cpus().length,
    memoryGiB: Number((totalmem() / 1024 ** 3).toFixed(1)),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  }
  console.log(JSON.stringify({ bench, machine, settings, results }))
}
