// Owns what a viewer takes from a multivariant playlist: pathways, each with its ladder. Pure.
import type { MultivariantPlaylist } from '#media'
import { viewerFaults } from './faults.ts'

export interface Rung {
  readonly uri: string
  readonly bandwidth: number
  /** The playlist of the sound that goes with it; null: muxed. */
  readonly audioUri: string | null
  /** STABLE-VARIANT-ID and STABLE-RENDITION-ID, by which a clone may name other URIs. */
  readonly variantId: string | null
  readonly renditionId: string | null
}

export interface Ladder {
  /** Pathway ids as they come in the playlist, the entry first. */
  readonly pathways: readonly string[]
  /** By pathway, lowest bandwidth first. */
  readonly rungs: ReadonlyMap<string, readonly Rung[]>
  /** Absolute; null: the playlist has no steering. */
  readonly steeringUri: string | null
}

/** The pathway of a playlist that names none (section 4.4.6.2). */
const DEFAULT_PATHWAY = '.'
/** A player may use this part of what it measured. */
const THROUGHPUT_SHARE = 0.7

export function readLadder(playlist: MultivariantPlaylist, url: string): Ladder {
  const rungs = new Map<string, Rung[]>()
  for (const variant of playlist.variants) {
    const pathway = variant.pathwayId ?? DEFAULT_PATHWAY
    const audio = playlist.renditions.filter(
      rendition => rendition.type === 'AUDIO' && rendition.groupId === variant.audioGroup,
    )
    const chosen = audio.find(rendition => rendition.default) ?? audio[0]
    const audioUri = chosen?.uri ?? null
    const rung: Rung = {
      uri: new URL(variant.uri, url).href,
      bandwidth: variant.bandwidth,
      audioUri: audioUri === null ? null : new URL(audioUri, url).href,
      variantId: variant.stableVariantId,
      renditionId: chosen?.stableRenditionId ?? null,
    }
    rungs.set(pathway, [...(rungs.get(pathway) ?? []), rung])
  }
  if (rungs.size === 0) {
    throw viewerFaults.fault('viewer-bad-playlist', `${url} has no variants, expected one or more`)
  }
  for (const list of rungs.values()) list.sort((a, b) => a.bandwidth - b.bandwidth)
  const { steering } = playlist
  const first = steering?.pathwayId
  const ids = [...rungs.keys()]
  const entry = first !== null && first !== undefined && rungs.has(first) ? [first] : []
  return {
    pathways: [...new Set([...entry, ...ids])],
    rungs,
    steeringUri: steering === null ? null : new URL(steering.serverUri, url).href,
  }
}

/** The best rung for a throughput; unknown (null): the lowest, so that playing starts soon. */
export function chooseRung(rungs: readonly Rung[], throughputBps: number | null): Rung {
  const lowest = rungs[0]
  if (lowest === undefined) throw new TypeError('a ladder has at least one rung')
  if (throughputBps === null) return lowest
  return rungs.findLast(rung => rung.bandwidth <= throughputBps * THROUGHPUT_SHARE) ?? lowest
}
