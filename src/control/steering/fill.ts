// Owns how full an edge is, what it carries, and by how much that lowers its weight for new viewers. Pure.
// It refuses to call an edge full by what it has carried so far: a peak proves what it carries, not where it ends.

/** From this part of the capacity on, new viewers come at this part of the weight. The last step is full. */
const STEPS: readonly { readonly from: number; readonly factor: number }[] = [
  { from: 0, factor: 1 },
  { from: 0.7, factor: 0.6 },
  { from: 0.8, factor: 0.3 },
  { from: 0.9, factor: 0.1 },
  { from: 0.97, factor: 0 },
]
/** A step is left only so far below its beginning: a throughput that plays about it makes no table a second. */
const STEP_BACK = 0.03

export interface Capacity {
  readonly bps: number
  /** `operator`: what a person said; `measured`: it has carried more than that, while healthy, for a minute. */
  readonly source: 'operator' | 'measured'
}

/** Null: nobody has said, and what was carried so far is no limit. */
export function capacityOf(operatorBps: number | null, measuredBps: number | null): Capacity | null {
  if (operatorBps === null) return null
  return measuredBps !== null && measuredBps > operatorBps
    ? { bps: measuredBps, source: 'measured' }
    : { bps: operatorBps, source: 'operator' }
}

/** The step for what it carries now, given the one it was on. */
export function fillStep(capacity: Capacity | null, throughputBps: number | null, before: number): number {
  if (capacity === null || throughputBps === null) return 0
  const fill = throughputBps / capacity.bps
  const up = STEPS.findLastIndex(({ from }) => fill >= from)
  if (up >= before) return up
  const down = STEPS.findLastIndex(({ from }) => fill >= from - (from > 0 ? STEP_BACK : 0))
  return Math.min(before, down)
}

/** What is left of the weight for new viewers; 0: full. */
export function fillFactor(step: number): number {
  return STEPS[step]?.factor ?? 1
}

/** As `at least 80 % full`; null: it has all its room. */
export function fillWords(step: number): string | null {
  const from = STEPS[step]?.from ?? 0
  if (from === 0) return null
  return fillFactor(step) === 0 ? 'full' : `at least ${Math.round(from * 100)} % full`
}
