// Owns pathway clones (draft-pantos-hls-rfc8216bis section 7.3): a ladder on an edge that the playlist does not name.
// Pure. It refuses clones of what it does not know, and more of them than any fleet has.
import type { Ladder, Rung } from './ladder.ts'

/** As many as a steering table has pathways. */
const CLONES_MAX = 1000

export interface Clone {
  readonly baseId: string
  readonly id: string
  readonly host: string | null
  readonly parameters: Readonly<Record<string, string>>
  /** By STABLE-VARIANT-ID. */
  readonly variantUris: Readonly<Record<string, string>>
  /** By STABLE-RENDITION-ID. */
  readonly renditionUris: Readonly<Record<string, string>>
}

/** What a steering answer holds; what is no clone is left out. */
export function readClones(value: unknown): Clone[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, CLONES_MAX).flatMap((item: unknown) => {
    const { 'BASE-ID': baseId, ID: id, 'URI-REPLACEMENT': replacement } = fieldsOf(item)
    if (typeof baseId !== 'string' || typeof id !== 'string' || id === '') return []
    const fields = fieldsOf(replacement)
    const { HOST: host } = fields
    return [
      {
        baseId,
        id,
        host: typeof host === 'string' && host !== '' ? host : null,
        parameters: textsOf(fields['PARAMS']),
        variantUris: textsOf(fields['PER-VARIANT-URIS']),
        renditionUris: textsOf(fields['PER-RENDITION-URIS']),
      },
    ]
  })
}

/** The ladder with the pathways that clones add. A clone may be based on an earlier one; a known id stays as it is. */
export function addClones(ladder: Ladder, clones: readonly Clone[]): Ladder {
  const rungs = new Map(ladder.rungs)
  const ids: string[] = []
  for (const clone of clones) {
    const base = rungs.get(clone.baseId)
    if (base === undefined || rungs.has(clone.id) || rungs.size >= CLONES_MAX) continue
    const made = base.flatMap(rung => cloneRung(rung, clone) ?? [])
    if (made.length === 0) continue
    rungs.set(clone.id, made)
    ids.push(clone.id)
  }
  return ids.length === 0 ? ladder : { ...ladder, rungs, pathways: [...ladder.pathways, ...ids] }
}

/** Null: what was named is no URI. */
function cloneRung(rung: Rung, clone: Clone): Rung | null {
  const uri = replace(rung.uri, named(clone.variantUris, rung.variantId), clone)
  if (uri === null) return null
  if (rung.audioUri === null) return { ...rung, uri }
  const audioUri = replace(rung.audioUri, named(clone.renditionUris, rung.renditionId), clone)
  return audioUri === null ? null : { ...rung, uri, audioUri }
}

function named(uris: Readonly<Record<string, string>>, id: string | null): string | null {
  return id === null || !Object.hasOwn(uris, id) ? null : (uris[id] ?? null)
}

/** A URI that was named stands for itself; HOST is a host name, and one with a port changes nothing, as in browsers. */
function replace(uri: string, other: string | null, { host, parameters }: Clone): string | null {
  if (!URL.canParse(other ?? uri, uri)) return null
  const url = new URL(other ?? uri, uri)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null
  if (other === null && host !== null) url.hostname = host
  for (const key of Object.keys(parameters).toSorted()) url.searchParams.set(key, parameters[key] ?? '')
  return url.href
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function textsOf(value: unknown): Record<string, string> {
  const texts = Object.entries(fieldsOf(value)).slice(0, CLONES_MAX)
  return Object.fromEntries(texts.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
