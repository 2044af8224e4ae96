// Owns in which order servers are taken: a canary first, then batches that never take two of a region at once. Pure.
import type { Runbook } from './runbook.ts'

interface Target {
  readonly id: string
  readonly region: string
}

export function planBatches(
  targets: readonly Target[],
  { canary, batch, perRegion }: Runbook['strategy'],
): string[][] {
  const left = [...targets]
  const batches: string[][] = []
  const first = canary && left.length > 1 ? left.shift() : undefined
  if (first !== undefined) batches.push([first.id])
  while (left.length > 0) {
    const regions = new Map<string, number>()
    const taken: Target[] = []
    // Who is not taken waits in the same order.
    for (const target of left.splice(0)) {
      const inRegion = regions.get(target.region) ?? 0
      if (taken.length >= batch || inRegion >= perRegion) {
        left.push(target)
        continue
      }
      regions.set(target.region, inRegion + 1)
      taken.push(target)
    }
    batches.push(taken.map(({ id }) => id))
  }
  return batches
}

/** Who is taken alone before all others; null: a run of one server has none, and a runbook may want none. */
export function canaryOf({
  runbook,
  batches,
}: {
  readonly runbook: Pick<Runbook, 'strategy'>
  readonly batches: readonly (readonly string[])[]
}): string | null {
  return runbook.strategy.canary && batches.length > 1 ? (batches[0]?.[0] ?? null) : null
}
