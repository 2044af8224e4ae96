// Owns which edge a new viewer is sent to. Pure; the same on every edge that knows the same of its peers.
import { rankForEntry, type Standing } from './order.ts'

/** The one asked for by name where it takes viewers, else the best for this viewer. */
export function chooseEntry(
  edges: readonly Standing[],
  via: string | null,
  viewer: { readonly session: string; readonly region: string | null },
  self: Standing,
): Standing {
  const asked = edges.find(edge => edge.id === via && edge.weight > 0)
  if (asked !== undefined) return asked
  const [best] = rankForEntry(edges, viewer.session, viewer.region)
  // When nobody has weight, the edge that just answered is the best guess.
  return best !== undefined && best.weight > 0 ? best : self
}
