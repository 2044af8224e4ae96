// Owns what this edge says of its own answers to players, one `viewerRequest` a line. The request's path only leaves a
// note; lines are made a few times a second, away from it. Bounded in notes and in what one session may fill.
import type { IncomingHttpHeaders } from 'node:http'
import type { ViewerRequest } from '#wire'
import type { RequestKind } from '../accounting/totals.ts'
import type { CacheResult } from '../cache/object-cache.ts'
import { addressPrefix, queryValue, readCmcd } from './identity.ts'
import { playerOf } from './player-name.ts'
import { Rates } from './rates.ts'

const NOTES_MAX = 10_000
/** A player asks for some segments in a second; more is none, or one that fills its buffer. */
const SESSION_RATE = { perSecond: 20, burst: 100 }
const KNOWN_MAX = 4096

/** One answer, as it is left on the way out. */
export interface RequestNote {
  /** Monotonic. */
  readonly startMs: number
  readonly endMs: number
  readonly sid: string
  readonly estimated: boolean
  readonly title: string
  readonly kind: RequestKind
  /** Without query. */
  readonly key: string
  readonly query: string
  readonly headers: IncomingHttpHeaders
  readonly address: string
  readonly status: number
  readonly bytes: number
  readonly whole: boolean
  readonly firstByteMs: number | null
  readonly upstreamMs: number | null
  readonly upstreamRestMs: number
  readonly cache: CacheResult | null
}

/** What playlists say of an object. */
export interface ObjectFacts {
  readonly mediaS: number | null
  readonly bitrateBps: number | null
}

export interface RequestsOptions {
  readonly regionOf: (address: string) => string | null
  readonly objectFacts: (key: string) => ObjectFacts
}

const objects: Readonly<Partial<Record<RequestKind, ViewerRequest['object']>>> = {
  master: 'multivariant',
  playlist: 'playlist',
  init: 'init',
  segment: 'segment',
}

export class Requests {
  readonly dropped = { 'request-notes-full': 0, 'request-rate': 0 }
  readonly #options: RequestsOptions
  readonly #rates = new Rates(SESSION_RATE)
  readonly #places = new Map<string, { readonly viewerRegion: string | null; readonly network: string }>()
  #notes: RequestNote[] = []

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** Whether an answer to this session is noted: asked before a note is made. False is counted. */
  takes(sid: string, nowMs: number): boolean {
    if (this.#notes.length >= NOTES_MAX) this.dropped['request-notes-full'] += 1
    else if (!this.#rates.take(sid, nowMs)) this.dropped['request-rate'] += 1
    else return true
    return false
  }

  note(note: RequestNote): void {
    this.#notes.push(note)
  }

  /** Lines of all notes since the last call. `offsetMs`: from monotonic to fleet time; `heldMs`: Standstill's word. */
  take(offsetMs: number, heldMs: (startMs: number, endMs: number) => number): string[] {
    const notes = this.#notes
    this.#notes = []
    // The operator's table may be another by now.
    this.#places.clear()
    return notes.flatMap(note => this.#line(note, offsetMs, heldMs(note.startMs, note.endMs)) ?? [])
  }

  #line(note: RequestNote, offsetMs: number, heldMs: number): string | null {
    const object = objects[note.kind]
    if (object === undefined) return null
    const isSegment = object === 'segment'
    const { mediaS, bitrateBps } = isSegment
      ? this.#options.objectFacts(note.key)
      : { mediaS: null, bitrateBps: null }
    const said = saidWith(note)
    const record: ViewerRequest = {
      kind: 'request',
      at: Math.round((note.startMs + offsetMs) * 10) / 10,
      sid: note.sid,
      estimated: note.estimated,
      title: note.title,
      object,
      mediaS: mediaS ?? (isSegment ? said.mediaS : null),
      bitrateBps: bitrateBps ?? (isSegment ? said.bitrateBps : null),
      segment: isSegment ? numberOf(note.key) : null,
      media: isSegment ? mediaOf(note.key) : null,
      status: note.status,
      bytes: note.bytes,
      whole: note.whole,
      firstByteMs: tenths(note.firstByteMs),
      durationMs: tenths(note.endMs - note.startMs) ?? 0,
      cache: note.cache ?? 'none',
      upstreamMs: tenths(note.upstreamMs),
      ...(note.upstreamRestMs > 0 ? { upstreamRestMs: Math.round(note.upstreamRestMs) } : {}),
      ...(heldMs > 0 ? { heldMs: Math.round(heldMs) } : {}),
      bufferMs: said.bufferMs,
      starting: said.starting,
      starved: said.starved,
      ...this.#placeOf(note.address),
      player: playerOf(note.headers['user-agent']),
    }
    return JSON.stringify(record)
  }

  #placeOf(address: string): { readonly viewerRegion: string | null; readonly network: string } {
    const known = this.#places.get(address)
    if (known !== undefined) return known
    if (this.#places.size >= KNOWN_MAX) this.#places.clear()
    const place = {
      viewerRegion: this.#options.regionOf(address),
      network: addressPrefix(address).slice(0, 64),
    }
    this.#places.set(address, place)
    return place
  }
}

type Said = Pick<ViewerRequest, 'mediaS' | 'bitrateBps' | 'bufferMs' | 'starting' | 'starved'>
const nothing: Said = { mediaS: null, bitrateBps: null, bufferMs: null, starting: false, starved: false }

/** CMCD v1 or v2 (CTA-5004, CTA-5004-B), from the query or from its headers. */
function saidWith({ query, headers }: Pick<RequestNote, 'query' | 'headers'>): Said {
  const text = query.includes('CMCD=') ? queryValue(query, 'CMCD') : headersText(headers)
  const record = text === null ? null : readCmcd(text)
  if (record === null) return nothing
  const bitrateKbps = amount(record['br'])
  const mediaMs = amount(record['d'])
  return {
    mediaS: mediaMs === null ? null : mediaMs / 1000,
    bitrateBps: bitrateKbps === null ? null : bitrateKbps * 1000,
    bufferMs: amount(record['bl']),
    starting: record['su'] === true,
    starved: record['bs'] === true,
  }
}

function headersText(headers: IncomingHttpHeaders): string | null {
  const parts = ['cmcd-object', 'cmcd-request', 'cmcd-status'].flatMap(name => headers[name] ?? [])
  return parts.length === 0 ? null : parts.join(',')
}

/** A number, or the first of a list (version 2), with or without parameters. */
function amount(value: unknown): number | null {
  if (typeof value === 'number') return value >= 0 ? value : null
  if (Array.isArray(value)) return amount(value[0])
  return typeof value === 'object' && value !== null && 'value' in value ? amount(value.value) : null
}

/** `/vod/{title}/{revision}/{rendition}/{number}.m4s`. */
function numberOf(key: string): number | null {
  const digits = /\/(\d{1,9})\.[a-z0-9]+$/.exec(key)?.[1]
  return digits === undefined ? null : Number(digits)
}

function mediaOf(key: string): ViewerRequest['media'] {
  if (key.endsWith('.vtt')) return 'subtitles'
  const rendition = key.split('/').at(-2) ?? ''
  if (/^v\d/.test(rendition)) return 'video'
  if (/^a\d/.test(rendition)) return 'audio'
  return /^[st]\d/.test(rendition) ? 'subtitles' : null
}

function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.max(0, Math.round(ms * 10) / 10)
}
