// Owns the multivariant playlist as viewers see it: the origin's ladder once for every edge that may feed them,
// with absolute URIs and a place to ask for steering. Pure. Ladders are identical on all pathways, or players
// would take a change of pathway for a change of quality.
import { type MultivariantPlaylist, type Rendition, type Variant, writeMultivariant } from '#media'
import { nearFirst } from '#wire'
import type { Standing } from '../steering/order.ts'

/** The edge that was asked, and the next two: who plays for hours has somewhere to go twice. */
const PATHWAYS_MAX = 3

/** The edges that a playlist lists: `self`, then those after it in the table, each edge so with other neighbours. */
export function pathwaysFor(edges: readonly Standing[], self: Standing): Standing[] {
  const at = edges.findIndex(edge => edge.id === self.id)
  const after = at < 0 ? edges : [...edges.slice(at + 1), ...edges.slice(0, at)]
  const others = after.filter(edge => edge.weight > 0 && edge.id !== self.id)
  // When one goes, its viewers go to the next: not all of them to one that was given a part.
  return [self, ...nearFirst(others, null).slice(0, PATHWAYS_MAX - 1)]
}

/** `path` is that of the playlist, against which the origin's URIs are relative. */
export function writeForViewers(
  origin: MultivariantPlaylist,
  path: string,
  pathways: readonly Standing[],
  steeringUri: string,
): string {
  const [entry] = pathways
  return writeMultivariant({
    version: origin.version,
    independentSegments: origin.independentSegments,
    steering: { serverUri: steeringUri, pathwayId: entry?.id ?? null },
    renditions: pathways.flatMap(edge =>
      origin.renditions.map(rendition => renditionOn(edge, rendition, path)),
    ),
    variants: pathways.flatMap(edge => origin.variants.map(variant => variantOn(edge, variant, path))),
  })
}

function variantOn(edge: Standing, variant: Variant, path: string): Variant {
  return {
    ...variant,
    uri: absolute(variant.uri, path, edge),
    audioGroup: variant.audioGroup === null ? null : groupOn(edge, variant.audioGroup),
    pathwayId: edge.id,
    stableVariantId: variant.stableVariantId ?? stableId(variant.uri),
  }
}

function renditionOn(edge: Standing, rendition: Rendition, path: string): Rendition {
  return {
    ...rendition,
    uri: rendition.uri === null ? null : absolute(rendition.uri, path, edge),
    groupId: groupOn(edge, rendition.groupId),
    pathwayId: edge.id,
    stableRenditionId:
      rendition.stableRenditionId ?? (rendition.uri === null ? null : stableId(rendition.uri)),
  }
}

/** A group belongs to one pathway: a variant's sound then comes from the edge of its picture. */
function groupOn(edge: Standing, group: string): string {
  return `${group}.${edge.id}`
}

/** The path of the origin's URI, on an edge; a host that the origin named is left out. */
function absolute(uri: string, path: string, edge: Standing): string {
  const { pathname, search } = new URL(uri, `http://origin.invalid${path}`)
  return `${edge.url}${pathname}${search}`
}

/** `{rendition}` of `{revision}/{rendition}/index.m3u8`: the same on every edge and in every revision. */
function stableId(uri: string): string {
  const rendition = uri.split('?')[0]?.split('/').at(-2) ?? uri
  return rendition.replace(/[^A-Za-z0-9+/=._-]/g, '_')
}
