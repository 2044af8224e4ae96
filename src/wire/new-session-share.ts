// Owns how a limited share of new sessions bounds a draw, for the control room and for every edge. Pure.
// It refuses to leave nobody to draw: where all are limited, they share what there is in proportion to their limits.

export interface Drawn {
  /** How much of the draw it would get without limits, against the others; 0: none. */
  readonly weight: number
  /** Of all new sessions, at most, 0 to 1; left out: as many as come. */
  readonly share?: number | undefined
}

/**
 * The probability of each to be drawn; they sum to 1, or all are 0. Nobody gets more than `share`, and what a limited
 * one does not take goes to the others by weight. A new edge is empty, so that its weight alone would draw far more
 * than the one percent that it was given.
 */
export function drawProbabilities(entries: readonly Drawn[]): number[] {
  const open = entries.map(({ weight }) => weight > 0)
  const limits = entries.map(({ share = 1 }, at) => (open[at] === true ? Math.min(1, Math.max(0, share)) : 0))
  const limitsSum = limits.reduce((sum, limit) => sum + limit, 0)
  if (limitsSum === 0) return entries.map(() => 0)
  if (limitsSum <= 1) return limits.map(limit => limit / limitsSum)
  const capped = new Set<number>()
  // Each round caps at least one more, so that there are at most as many rounds as entries.
  for (;;) {
    const taken = [...capped].reduce((sum, at) => sum + (limits[at] ?? 0), 0)
    const weights = entries.map(({ weight }, at) => (capped.has(at) ? 0 : Math.max(0, weight)))
    const weightSum = weights.reduce((sum, weight) => sum + weight, 0)
    const left = 1 - taken
    const drawn = weights.map((weight, at) =>
      capped.has(at) ? (limits[at] ?? 0) : weightSum > 0 ? (left * weight) / weightSum : 0,
    )
    const over = drawn.flatMap((part, at) => (!capped.has(at) && part > (limits[at] ?? 0) ? [at] : []))
    if (over.length === 0) return drawn
    for (const at of over) capped.add(at)
  }
}

/** Whether it takes only a part of new sessions: others come first for whoever plays elsewhere. */
export function isLimited({ share }: { readonly share?: number | undefined }): boolean {
  return share !== undefined && share < 1
}

/**
 * The same where some are nearer: those take all new sessions that their limits let them, and the others what is left.
 * `isNear` of those that take nobody does not count.
 */
export function drawNearFirst<Entry extends Drawn>(
  entries: readonly Entry[],
  isNear: (entry: Entry) => boolean,
): number[] {
  const near = entries.map(entry => entry.weight > 0 && isNear(entry))
  const nearOnly = entries.map((entry, at) => (near[at] === true ? entry : { weight: 0 }))
  const nearLimit = nearOnly.reduce((sum, { weight, share = 1 }: Drawn) => sum + (weight > 0 ? share : 0), 0)
  const others = entries.some(({ weight }, at) => weight > 0 && near[at] !== true)
  if (nearLimit === 0) return drawProbabilities(entries)
  if (nearLimit >= 1 || !others) return drawProbabilities(nearOnly)
  const left = 1 - nearLimit
  const far = drawProbabilities(
    entries.map(({ weight, share = 1 }, at) => ({
      weight: near[at] === true ? 0 : weight,
      share: Math.min(1, share / left),
    })),
  )
  return entries.map(({ share = 1 }, at) => (near[at] === true ? share : (far[at] ?? 0) * left))
}

interface Placed extends Drawn {
  readonly region: string
}

/**
 * Keeps the order within each group: with weight in the viewer's region, with weight elsewhere, with a limited share,
 * without weight. `region` null: not known.
 */
export function nearFirst<Edge extends Placed>(edges: readonly Edge[], region: string | null): Edge[] {
  const place = (edge: Edge): number => {
    if (edge.weight <= 0) return 3
    if (isLimited(edge)) return 2
    return region === null || edge.region === region ? 0 : 1
  }
  return edges.toSorted((a, b) => place(a) - place(b))
}
