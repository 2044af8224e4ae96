// Owns who looks at whom among edges. Pure: the same edges in the same ten minutes give the same plan.
// It leaves nobody unseen: every edge is looked at by as many near ones as it looks at itself.
import { createHash } from 'node:crypto'

/** Up to here everybody sees everybody: 380 looks a second, and a series for each pair. */
export const MESH_EDGES_MAX = 20
const NEAR = 2
const ELSEWHERE = 4
/** Neighbours change so often, so that in some hours each pair of a large fleet has been proved. */
const TURN_MS = 600_000

export interface PlannedEdge {
  readonly id: string
  readonly region: string
}

export interface Plan {
  readonly mesh: 'full' | 'neighbours'
  /** By observer; in order. */
  readonly targets: ReadonlyMap<string, readonly string[]>
}

export function turnOf(fleetMs: number): number {
  return Math.floor(fleetMs / TURN_MS)
}

export function planProbes(edges: readonly PlannedEdge[], turn: number): Plan {
  const ids = edges.map(({ id }) => id)
  if (ids.length <= MESH_EDGES_MAX) {
    return { mesh: 'full', targets: new Map(ids.map(id => [id, ids.filter(other => other !== id)])) }
  }
  const chosen = new Map<string, Set<string>>(ids.map(id => [id, new Set()]))
  for (const ring of nearRings(edges, turn)) follow(ring, NEAR, chosen)
  const around = edges.toSorted(byHash(`${turn} elsewhere`))
  for (const [at, edge] of around.entries()) chooseElsewhere(edge, around, at, chosen)
  return { mesh: 'neighbours', targets: new Map([...chosen].map(([id, set]) => [id, [...set]])) }
}

/** Each sees the next ones of its ring: so it is seen by as many. */
function follow(ring: readonly PlannedEdge[], count: number, chosen: Map<string, Set<string>>): void {
  for (const [at, { id }] of ring.entries()) {
    for (let step = 1; step <= count; step += 1) {
      const next = ring[(at + step) % ring.length]
      if (next !== undefined && next.id !== id) chosen.get(id)?.add(next.id)
    }
  }
}

/** One ring a region; regions with too few share one, in order of name, so that eu-north stands beside eu-west. */
function nearRings(edges: readonly PlannedEdge[], turn: number): PlannedEdge[][] {
  const byRegion = new Map<string, PlannedEdge[]>()
  for (const edge of edges.toSorted(byHash(`${turn} near`))) {
    byRegion.set(edge.region, [...(byRegion.get(edge.region) ?? []), edge])
  }
  const regions = [...byRegion].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, ring]) => ring)
  const rings = regions.filter(ring => ring.length > NEAR)
  const few = regions.flatMap(ring => (ring.length > NEAR ? [] : ring))
  if (few.length === 0) return rings
  if (few.length > NEAR || rings.length === 0) return [...rings, few]
  const [first = [], ...others] = rings
  return [[...first, ...few], ...others]
}

/** The next ones around that stand in other regions; where there are too few of those, whoever is left. */
function chooseElsewhere(
  edge: PlannedEdge,
  around: readonly PlannedEdge[],
  at: number,
  chosen: ReadonlyMap<string, Set<string>>,
): void {
  const set = chosen.get(edge.id)
  if (set === undefined) return
  const following = [...around.slice(at + 1), ...around.slice(0, at)].filter(({ id }) => !set.has(id))
  const abroad = following.filter(({ region }) => region !== edge.region)
  const home = following.filter(({ region }) => region === edge.region)
  for (const { id } of [...abroad, ...home].slice(0, NEAR + ELSEWHERE - set.size)) set.add(id)
}

function byHash(salt: string): (a: PlannedEdge, b: PlannedEdge) => number {
  const known = new Map<string, string>()
  const hashOf = (id: string): string => {
    const hash = known.get(id) ?? createHash('sha256').update(`${salt}\n${id}`).digest('hex')
    known.set(id, hash)
    return hash
  }
  return (a, b) => (hashOf(a.id) < hashOf(b.id) ? -1 : 1)
}
