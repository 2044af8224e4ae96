// Owns how players come in and where they go next: /play, /watch-table, /steer and the multivariant playlist.
// All are answered from the last table, so that they outlive the control room.
import type { Clock } from '#base'
import { type MultivariantPlaylist, readMultivariant } from '#media'
import { foreignTitleUrl, type WatchTable } from '#wire'
import type { ObjectCache } from '../cache/object-cache.ts'
import { bodyOf, freshSecondsLeft, HEAD_ROOM_BYTES, type StoredObject } from '../cache/stored.ts'
import { edgeFaults } from '../faults.ts'
import { steeringAnswer, steeringServer } from '../steering/answer.ts'
import { chooseEntry } from '../steering/choose-entry.ts'
import type { FleetView } from '../steering/fleet-view.ts'
import { rankForEntry, type Standing } from '../steering/order.ts'
import { queryValue } from '../viewers/identity.ts'
import { type Exchange, reply, replyFault, replyJson } from './exchange.ts'
import { cacheStatus, commonFields } from './fields.ts'
import { pathwaysFor, writeForViewers } from './multivariant.ts'
import { newSessionPrefix } from './route.ts'
import { steeringSession, type Viewer } from './viewer.ts'

/** Parsed ladders that are kept; more titles than this are parsed again. */
const PARSED_MAX = 256
const SESSION_CHARACTERS_MAX = 64

export interface EntryOptions {
  readonly fleet: FleetView
  readonly cache: ObjectCache
  readonly clock: Clock
  readonly edgeId: string
}

export class Entry {
  readonly #options: EntryOptions
  /** By bytes: a new object is a new key. */
  readonly #parsed = new Map<Buffer, MultivariantPlaylist>()

  constructor(options: EntryOptions) {
    this.#options = options
  }

  /** 302 to the edge that is best for this viewer, or to the one that was asked for by name. */
  play(exchange: Exchange, title: string, viewer: Viewer): void {
    const edges = this.#options.fleet.forEntry()
    const elsewhere = this.#chooseForeign(exchange, title, edges, steeringSession(viewer))
    if (elsewhere !== null) {
      const fields = { ...commonFields(exchange.edgeId), Location: elsewhere, 'Cache-Control': 'no-store' }
      return reply(exchange, 302, fields, '')
    }
    const via = queryValue(exchange.query, 'via')
    const { fleet: view } = this.#options
    const who = { session: steeringSession(viewer), region: view.regionOf(viewer.address) }
    const best = chooseEntry(edges, via, who, view.self())
    const query = exchange.query
      .split('&')
      .filter(part => part !== '' && !part.startsWith('via='))
      .join('&')
    const place = viewer.sid === null ? newSessionPrefix() : ''
    const location = `${best.url}${place}/vod/${title}/master.m3u8${query === '' ? '' : `?${query}`}`
    const fields = { ...commonFields(exchange.edgeId), Location: location, 'Cache-Control': 'no-store' }
    reply(exchange, 302, fields, '')
  }

  watchTable(exchange: Exchange, viewer: Viewer): void {
    const { fleet } = this.#options
    const ranked = rankForEntry(fleet.forEntry(), steeringSession(viewer), fleet.regionOf(viewer.address))
    const table: WatchTable = {
      pathways: ranked.map(({ id, region, url }) => ({ id, region, url })),
      titles: [...fleet.titles],
    }
    replyJson(exchange, 200, table)
  }

  /** Never 410 or 429: players would not ask again. */
  steer(exchange: Exchange, viewer: Viewer): void {
    const { fleet } = this.#options
    const given = queryValue(exchange.query, 's')
    const known = given !== null && given !== '' && given.length <= SESSION_CHARACTERS_MAX
    const session = known ? given : steeringSession(viewer)
    // Some players quote the pathway, some do not.
    const pathway = queryValue(exchange.query, '_HLS_pathway')?.replace(/^"|"$/g, '') ?? null
    const ask = { pathway, session, region: fleet.regionOf(viewer.address) }
    const edges = fleet.forSteering()
    // Players take it for no answer: they stay and ask again (rfc8216bis section 7.4).
    if (edges === null) return replyFault(exchange, edgeFaults.fault('edge-steering-blind', 'asked too soon'))
    replyJson(exchange, 200, steeringAnswer(edges, ask, fleet.ttlS))
  }

  async master(exchange: Exchange, title: string, viewer: Viewer): Promise<number> {
    const { cache, fleet, edgeId, clock } = this.#options
    const path = `/vod/${title}/master.m3u8`
    const opened = await cache.open(path, false)
    exchange.cache = opened.result
    exchange.tally.cache(opened.result)
    if (opened.kind === 'failed') {
      replyFault(exchange, opened.fault)
      return 0
    }
    let body: Buffer
    if (opened.kind === 'object') body = bodyOf(opened.object)
    else {
      const end = await opened.flight.ended
      opened.leave()
      if (end.kind !== 'whole') {
        const fallback =
          end.kind === 'failed' ? end.fault : edgeFaults.fault('edge-origin-bad-answer', 'no body came')
        replyFault(exchange, fallback)
        return 0
      }
      body = end.room.subarray(HEAD_ROOM_BYTES)
    }
    const edges = fleet.forEntry()
    const self = fleet.self()
    const pathways = pathwaysFor(edges, self)
    const candidates = pathways.length > 1 ? pathways : edges
    const steeringUri = steeringServer(candidates, self, steeringSession(viewer))
    const ttlS = opened.kind === 'object' ? freshSecondsLeft(opened.object, clock.bootMs()) : 0
    const ladder = this.#read(opened.kind === 'object' ? opened.object : null, body)
    // Who is known by his path alone stays known by it on every pathway.
    const { prefix } = exchange
    const places = prefix === '' ? pathways : pathways.map(edge => ({ ...edge, url: `${edge.url}${prefix}` }))
    const text = writeForViewers(ladder, path, places, steeringUri)
    exchange.firstByteMs = clock.monotonicMs() - exchange.startMs
    exchange.tally.firstByte(exchange.firstByteMs)
    reply(
      exchange,
      200,
      {
        ...commonFields(edgeId),
        'Content-Type': 'application/vnd.apple.mpegurl',
        'Cache-Control': 'no-cache',
        'Cache-Status': cacheStatus(edgeId, opened.result, ttlS),
      },
      text,
    )
    return Buffer.byteLength(text)
  }

  /** The title on a foreign server, for its share of new viewers; null: one of ours. */
  #chooseForeign(
    exchange: Exchange,
    title: string,
    edges: readonly Standing[],
    session: string,
  ): string | null {
    const foreign = this.#options.fleet.foreign()
    if (foreign.length === 0) return null
    const via = queryValue(exchange.query, 'via')
    const asked = foreign.find(({ id }) => id === via)
    if (asked === undefined && edges.some(({ id, weight }) => id === via && weight > 0)) return null
    const [first] = rankForEntry<Standing>([...edges, ...foreign], session, null)
    const chosen = asked ?? foreign.find(({ id }) => id === first?.id)
    return chosen === undefined ? null : foreignTitleUrl(chosen.url, title)
  }

  #read(object: StoredObject | null, body: Buffer): MultivariantPlaylist {
    if (object === null) return readMultivariant(body.toString('utf8'))
    const known = this.#parsed.get(object.whole)
    if (known !== undefined) return known
    const read = readMultivariant(body.toString('utf8'))
    if (this.#parsed.size >= PARSED_MAX) this.#parsed.clear()
    this.#parsed.set(object.whole, read)
    return read
  }
}
