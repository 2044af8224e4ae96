// Owns writing multivariant playlists: the inverse of read-multivariant. It refuses what a playlist cannot carry.
import { mediaFaults } from '../faults.ts'
import { AttributeWriter } from './attribute-list.ts'
import { uriLine } from './lines.ts'
import type { ContentSteering, MultivariantPlaylist, Rendition, Variant } from './playlist.ts'

// Sections 4.4.6.1, 4.4.6.2 and 4.4.6.6 give these identifiers a closed alphabet.
const pathwayAlphabet = /^[A-Za-z0-9._-]+$/
const stableAlphabet = /^[A-Za-z0-9+/=._-]+$/

/** Writes a multivariant playlist, or throws `media-hls-unwritable`. */
export function writeMultivariant(playlist: MultivariantPlaylist): string {
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${playlist.version}`]
  if (playlist.independentSegments) lines.push('#EXT-X-INDEPENDENT-SEGMENTS')
  if (playlist.steering !== null) lines.push(steeringTag(playlist.steering))
  for (const rendition of playlist.renditions) lines.push(mediaTag(rendition))
  for (const variant of playlist.variants) lines.push(streamTag(variant), uriLine(variant.uri))
  return `${lines.join('\n')}\n`
}

function steeringTag(steering: ContentSteering): string {
  return new AttributeWriter('EXT-X-CONTENT-STEERING')
    .quoted('SERVER-URI', steering.serverUri)
    .identifier('PATHWAY-ID', steering.pathwayId, pathwayAlphabet)
    .toString()
}

function mediaTag(rendition: Rendition): string {
  // Section 4.4.6.1: closed captions never have a URI, subtitles always.
  if (rendition.type === 'CLOSED-CAPTIONS' && rendition.uri !== null) {
    throw unwritable('EXT-X-MEDIA CLOSED-CAPTIONS with URI')
  }
  if (rendition.type === 'SUBTITLES' && rendition.uri === null) {
    throw unwritable('EXT-X-MEDIA SUBTITLES without URI')
  }
  return new AttributeWriter('EXT-X-MEDIA')
    .plain('TYPE', rendition.type)
    .quoted('GROUP-ID', rendition.groupId)
    .quoted('NAME', rendition.name)
    .quoted('LANGUAGE', rendition.language)
    .plain('DEFAULT', rendition.default ? 'YES' : 'NO')
    .plain('AUTOSELECT', rendition.default || rendition.autoselect ? 'YES' : 'NO')
    .quoted('CHANNELS', rendition.channels)
    .identifier('STABLE-RENDITION-ID', rendition.stableRenditionId, stableAlphabet)
    .identifier('PATHWAY-ID', rendition.pathwayId, pathwayAlphabet)
    .quoted('URI', rendition.uri)
    .toString()
}

function streamTag(variant: Variant): string {
  if (variant.bandwidth <= 0) throw unwritable(`EXT-X-STREAM-INF with BANDWIDTH ${variant.bandwidth}`)
  return new AttributeWriter('EXT-X-STREAM-INF')
    .integer('BANDWIDTH', variant.bandwidth)
    .integer('AVERAGE-BANDWIDTH', variant.averageBandwidth)
    .quoted('CODECS', variant.codecs)
    .plain('RESOLUTION', variant.resolution === null ? null : resolution(variant.resolution))
    .plain('FRAME-RATE', variant.frameRate === null ? null : frameRate(variant.frameRate))
    .plain('VIDEO-RANGE', variant.videoRange)
    .quoted('AUDIO', variant.audioGroup)
    .identifier('STABLE-VARIANT-ID', variant.stableVariantId, stableAlphabet)
    .identifier('PATHWAY-ID', variant.pathwayId, pathwayAlphabet)
    .toString()
}

function resolution({ width, height }: { width: number; height: number }): string {
  if (!Number.isSafeInteger(width) || !Number.isSafeInteger(height) || width <= 0 || height <= 0) {
    throw unwritable(`EXT-X-STREAM-INF with RESOLUTION ${width}x${height}`)
  }
  return `${width}x${height}`
}

/** Section 4.4.6.2: rounded to three decimals. */
function frameRate(value: number): string {
  if (!(value > 0 && value < 1e6)) throw unwritable(`EXT-X-STREAM-INF with FRAME-RATE ${value}`)
  return value.toFixed(3)
}

function unwritable(message: string): Error {
  return mediaFaults.fault('media-hls-unwritable', `${message} is not allowed`)
}
