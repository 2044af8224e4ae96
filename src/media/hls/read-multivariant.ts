// Owns reading multivariant playlists. It skips tags that it does not know, as section 6.3.1 asks,
// and refuses a media playlist, broken attribute lists and more variants than any ladder has.
import { mediaFaults } from '../faults.ts'
import { type AttributeList, readAttributeList } from './attribute-list.ts'
import { playlistLines } from './lines.ts'
import {
  type ContentSteering,
  type MultivariantPlaylist,
  type Rendition,
  renditionTypes,
  type Variant,
  videoRanges,
} from './playlist.ts'

/** Variants or renditions: 100 renditions a title, on each of 20 pathways. */
export const VARIANTS_MAX = 2000

/** Reads a multivariant playlist or throws `media-hls-unreadable` with the line. */
export function readMultivariant(text: string): MultivariantPlaylist {
  let version = 1
  let independentSegments = false
  let steering: ContentSteering | null = null
  let pending: { attributes: AttributeList; where: string } | null = null
  const renditions: Rendition[] = []
  const variants: Variant[] = []
  for (const line of playlistLines(text)) {
    if (line.kind === 'uri') {
      if (pending === null) throw unreadable(`${line.where}: a URI without EXT-X-STREAM-INF before it`)
      variants.push(toVariant(line.uri, pending.attributes))
      pending = null
    } else if (line.name === 'EXT-X-VERSION') version = readVersion(line.value, line.where)
    else if (line.name === 'EXT-X-INDEPENDENT-SEGMENTS') independentSegments = true
    else if (line.name === 'EXT-X-CONTENT-STEERING') {
      steering = toSteering(readAttributeList(line.value, line.where))
    } else if (line.name === 'EXT-X-MEDIA') {
      renditions.push(toRendition(readAttributeList(line.value, line.where), line.where))
    } else if (line.name === 'EXT-X-STREAM-INF') {
      if (pending !== null) throw unreadable(`${pending.where}: no URI follows it`)
      pending = { attributes: readAttributeList(line.value, line.where), where: line.where }
    } else if (line.name === 'EXTINF' || line.name === 'EXT-X-TARGETDURATION') {
      throw unreadable(`${line.where}: expected a multivariant playlist, found a media playlist`)
    }
    if (variants.length > VARIANTS_MAX || renditions.length > VARIANTS_MAX) {
      throw unreadable(`${line.where}: more than ${VARIANTS_MAX} variants or renditions`)
    }
  }
  if (pending !== null) throw unreadable(`${pending.where}: no URI follows it`)
  return { version, independentSegments, steering, renditions, variants }
}

/** EXT-X-VERSION's value. */
export function readVersion(value: string, where: string): number {
  if (!/^\d{1,3}$/.test(value)) throw unreadable(`${where}: expected a number, found ${value.slice(0, 40)}`)
  return Number(value)
}

function toSteering(attributes: AttributeList): ContentSteering {
  return { serverUri: attributes.requiredQuoted('SERVER-URI'), pathwayId: attributes.quoted('PATHWAY-ID') }
}

function toRendition(attributes: AttributeList, where: string): Rendition {
  const type = attributes.oneOf('TYPE', renditionTypes)
  if (type === null) throw unreadable(`${where}: TYPE is missing or not ${renditionTypes.join(', ')}`)
  const isDefault = attributes.flag('DEFAULT')
  return {
    type,
    groupId: attributes.requiredQuoted('GROUP-ID'),
    name: attributes.requiredQuoted('NAME'),
    language: attributes.quoted('LANGUAGE'),
    default: isDefault,
    autoselect: isDefault || attributes.flag('AUTOSELECT'),
    channels: attributes.quoted('CHANNELS'),
    uri: attributes.quoted('URI'),
    pathwayId: attributes.quoted('PATHWAY-ID'),
    stableRenditionId: attributes.quoted('STABLE-RENDITION-ID'),
  }
}

function toVariant(uri: string, attributes: AttributeList): Variant {
  return {
    uri,
    bandwidth: attributes.requiredInteger('BANDWIDTH'),
    averageBandwidth: attributes.integer('AVERAGE-BANDWIDTH'),
    codecs: attributes.quoted('CODECS'),
    resolution: attributes.resolution('RESOLUTION'),
    frameRate: attributes.decimal('FRAME-RATE'),
    videoRange: attributes.oneOf('VIDEO-RANGE', videoRanges),
    audioGroup: attributes.quoted('AUDIO'),
    pathwayId: attributes.quoted('PATHWAY-ID'),
    stableVariantId: attributes.quoted('STABLE-VARIANT-ID'),
  }
}

function unreadable(message: string): Error {
  return mediaFaults.fault('media-hls-unreadable', message)
}
