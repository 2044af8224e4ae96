// Owns reading a title's playlists through the edge's own cache, for checks: what there is to fetch, by key.
import { readMedia, readMultivariant } from '#media'
import type { ObjectCache } from '../cache/object-cache.ts'
import { bodyOf, HEAD_ROOM_BYTES } from '../cache/stored.ts'

/** A title has some ten renditions; more are not looked at. */
const RENDITIONS_MAX = 32

export interface RenditionKeys {
  readonly init: string | null
  readonly segments: readonly string[]
}

/** A whole object by its key, from wherever it is. Throws the fault that a viewer would have met. */
export async function readWhole(cache: ObjectCache, key: string, immutable: boolean): Promise<Buffer> {
  const opened = await cache.open(key, immutable)
  if (opened.kind === 'failed') throw opened.fault
  if (opened.kind === 'object') return bodyOf(opened.object)
  try {
    const end = await opened.flight.ended
    if (end.kind === 'failed') throw end.fault
    return end.kind === 'nothing' ? Buffer.alloc(0) : end.room.subarray(HEAD_ROOM_BYTES)
  } finally {
    opened.leave()
  }
}

/** Keys of the renditions' playlists, the best picture first, then sound. */
export async function renditionsOf(cache: ObjectCache, title: string): Promise<string[]> {
  const path = `/vod/${title}/master.m3u8`
  const { variants, renditions } = readMultivariant((await readWhole(cache, path, false)).toString('utf8'))
  const best = variants.toSorted((a, b) => b.bandwidth - a.bandwidth).map(({ uri }) => uri)
  const sound = renditions.flatMap(({ uri }) => uri ?? [])
  return [...new Set([...best, ...sound].map(uri => keyOf(uri, path)))].slice(0, RENDITIONS_MAX)
}

export async function keysOf(cache: ObjectCache, playlist: string): Promise<RenditionKeys> {
  const { mapUri, segments } = readMedia((await readWhole(cache, playlist, true)).toString('utf8'))
  return {
    init: mapUri === null ? null : keyOf(mapUri, playlist),
    segments: segments.map(({ uri }) => keyOf(uri, playlist)),
  }
}

/** The path alone: whatever host a playlist names, the origin is asked. */
function keyOf(uri: string, path: string): string {
  return new URL(uri, `http://origin.invalid${path}`).pathname
}
