// Owns which edges hold the sealed route: those that hold it already, then healthy ones of regions that have none, then
// more of them. Pure: the same fleet gives the same list.

export interface Candidate {
  readonly id: string
  readonly region: string
  readonly isHealthy: boolean
}

/** In the order in which they ring. `before` keep it while they are healthy, so that secrets do not wander. */
export function chooseHolders(
  edges: readonly Candidate[],
  before: readonly string[],
  wanted: number,
): readonly string[] {
  const sorted = edges.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const healthy = sorted.filter(({ isHealthy }) => isHealthy)
  const kept = before.flatMap(id => sorted.find(edge => edge.id === id) ?? [])
  // When nobody is healthy it is the control room that is cut off: whoever has it keeps it.
  const staying = healthy.length < Math.min(2, sorted.length) ? kept : kept.filter(edge => edge.isHealthy)
  const chosen = staying.slice(0, wanted)
  const add = (from: readonly Candidate[], fits: (edge: Candidate) => boolean): void => {
    for (const edge of from) {
      if (chosen.length >= wanted) return
      if (!chosen.some(({ id }) => id === edge.id) && fits(edge)) chosen.push(edge)
    }
  }
  const isNewRegion = ({ region }: Candidate): boolean => !chosen.some(one => one.region === region)
  add(healthy, isNewRegion)
  add(healthy, () => true)
  // Two are the least, also when the second one is ill now.
  if (chosen.length < 2) add(sorted, edge => chosen.length < 2 && edge.id !== '')
  return chosen.map(({ id }) => id)
}
