// Owns answers about media objects: hits, objects that are arriving, ranges, validators. Multivariant playlists
// are rewritten elsewhere; everything here goes out byte for byte.
import type { Socket } from 'node:net'
import type { Clock } from '#base'
import type { CacheResult, ObjectCache, Opened } from '../cache/object-cache.ts'
import { ageSeconds, bodyOf, freshSecondsLeft, HEAD_ROOM_BYTES, type StoredObject } from '../cache/stored.ts'
import { edgeFaults } from '../faults.ts'
import type { FlightEnd } from '../upstream/flight.ts'
import type { CmsdSpeaker } from './cmsd-dynamic.ts'
import { answers, type Exchange, replyFault } from './exchange.ts'
import { cacheStatus, type Fields, objectFields } from './fields.ts'
import { isUnchanged, rangeStillHolds, readRange } from './range.ts'
import { typeOf } from './route.ts'
import { sendBytes, sendFlight, sendHot } from './send-object.ts'

/** Age counts seconds: BOOTTIME, which costs a call of the kernel, is read ten times in one at most. */
const BOOT_KEPT_MS = 100

/** Told when an answer has been sent, or given up, with the bytes of body. */
export type OnSent = (bytes: number) => void

export class MediaDelivery {
  readonly #cache: ObjectCache
  readonly #clock: Clock

  readonly #speaker: CmsdSpeaker
  readonly #sayHot: (socket: Socket) => Buffer
  /** Of the answer that is going out, monotonic. */
  #nowMs = 0
  #bootMs = 0
  #bootReadMs = Number.NEGATIVE_INFINITY

  constructor(cache: ObjectCache, clock: Clock, speaker: CmsdSpeaker) {
    this.#cache = cache
    this.#clock = clock
    this.#speaker = speaker
    this.#sayHot = socket => speaker.sayBytes(socket, this.#nowMs)
  }

  /** A hot object in an ordinary request, within this turn and without a promise; false: nothing is done yet. */
  answerHot(exchange: Exchange, key: string, onSent: OnSent): boolean {
    const hot = this.#cache.hot(key)
    if (hot === null) return false
    const { tally, startMs } = exchange
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#bootReadMs >= BOOT_KEPT_MS) {
      this.#bootMs = this.#clock.bootMs()
      this.#bootReadMs = nowMs
    }
    this.#nowMs = nowMs
    // It is accounted while it is sent, and says by then where it came from.
    exchange.cache = 'memory'
    exchange.firstByteMs = nowMs - startMs
    if (!sendHot(exchange, hot, this.#bootMs, this.#sayHot)) return false
    tally.cache('memory')
    tally.firstByte(exchange.firstByteMs)
    onSent(exchange.req.method === 'HEAD' ? 0 : hot.bodyBytes)
    return true
  }

  async answer(exchange: Exchange, key: string, onSent: OnSent): Promise<void> {
    const { tally } = exchange
    const opened = await this.#cache.open(key, true)
    exchange.cache = opened.result
    // What was asked for began to come, or was refused, at this moment.
    const { result } = opened
    if (result === 'miss' || result === 'error' || result === 'shared') {
      exchange.upstreamMs = this.#clock.monotonicMs() - exchange.startMs
    }
    tally.cache(opened.result)
    if (opened.kind === 'failed') replyFault(exchange, opened.fault)
    else if (opened.kind === 'object')
      await this.#answerObject(exchange, opened.object, opened.result, onSent)
    else await this.#answerFlight(exchange, key, opened, onSent)
  }

  async #answerObject(
    exchange: Exchange,
    object: StoredObject,
    result: CacheResult,
    onSent: OnSent,
  ): Promise<void> {
    const { req, res, edgeId } = exchange
    const fields: Fields = {
      ...objectFields(edgeId, object, object.etag),
      'Cache-Status': cacheStatus(edgeId, result, freshSecondsLeft(object, this.#clock.bootMs())),
      Age: ageSeconds(object, this.#clock.bootMs()),
      'CMSD-Dynamic': this.#say(exchange),
    }
    if (isUnchanged(req.headers['if-none-match'], object.etag)) {
      answers(exchange, 304)
      res.writeHead(304, fields).end()
      onSent(0)
      return
    }
    await this.#sendPart(exchange, bodyOf(object), object.etag, fields, onSent)
  }

  /** 200, 206 or 416 for a body that is all here. */
  async #sendPart(
    exchange: Exchange,
    body: Buffer,
    etag: string | null,
    fields: Fields,
    onSent: OnSent,
  ): Promise<void> {
    const { req, res } = exchange
    const ifRange = req.headers['if-range']
    const holds = rangeStillHolds(typeof ifRange === 'string' ? ifRange : undefined, etag)
    // RFC 9110 section 14.2: a range is defined for GET alone.
    const asked = holds && req.method === 'GET' ? req.headers.range : undefined
    const range = readRange(asked, body.length)
    if (range.kind === 'unsatisfiable') {
      const message = `Range ${req.headers.range ?? ''} lies outside of ${body.length} bytes`
      res.setHeader('Content-Range', `bytes */${body.length}`)
      replyFault(exchange, edgeFaults.fault('edge-range-not-satisfiable', message))
      return
    }
    const part = range.kind === 'part' ? body.subarray(range.first, range.last + 1) : body
    const status = range.kind === 'part' ? 206 : 200
    if (range.kind === 'part') fields['Content-Range'] = `bytes ${range.first}-${range.last}/${body.length}`
    res.writeHead(status, { ...fields, 'Content-Length': part.length })
    answers(exchange, status)
    this.#firstByte(exchange)
    if (req.method === 'HEAD') {
      res.end()
      onSent(0)
      return
    }
    onSent(part.length)
    await sendBytes(exchange, part)
  }

  async #answerFlight(
    exchange: Exchange,
    key: string,
    opened: Extract<Opened, { kind: 'flight' }>,
    onSent: OnSent,
  ): Promise<void> {
    const { req, res, edgeId } = exchange
    const { flight, head, leave, result } = opened
    res.once('close', leave)
    try {
      const { etag, date } = head
      const facts = { contentType: head.contentType ?? typeOf(key), date }
      const fields: Fields = {
        ...objectFields(edgeId, facts, etag),
        'Cache-Status': cacheStatus(edgeId, result),
        'CMSD-Dynamic': this.#say(exchange),
      }
      if (
        req.method !== 'HEAD' &&
        (req.headers.range !== undefined || req.headers['if-none-match'] !== undefined)
      ) {
        // Rare on a miss: what a range or a validator means is known for sure when the object is whole.
        await this.#answerWhole(exchange, await flight.ended, etag, fields, onSent)
        return
      }
      if (head.bodyBytes !== null) fields['Content-Length'] = head.bodyBytes
      res.writeHead(200, fields)
      answers(exchange, 200)
      this.#firstByte(exchange)
      if (req.method === 'HEAD') {
        res.end()
        onSent(0)
        return
      }
      onSent(await sendFlight(exchange, flight, () => this.#clock.monotonicMs()))
    } finally {
      leave()
    }
  }

  async #answerWhole(
    exchange: Exchange,
    end: FlightEnd,
    etag: string | null,
    fields: Fields,
    onSent: OnSent,
  ): Promise<void> {
    if (end.kind === 'failed') return replyFault(exchange, end.fault)
    if (end.kind === 'nothing')
      return replyFault(exchange, edgeFaults.fault('edge-origin-bad-answer', 'no body came'))
    if (isUnchanged(exchange.req.headers['if-none-match'], etag)) {
      answers(exchange, 304)
      exchange.res.writeHead(304, fields).end()
      onSent(0)
      return
    }
    await this.#sendPart(exchange, end.room.subarray(HEAD_ROOM_BYTES), etag, fields, onSent)
  }

  /** What came from upstream says how long that took. */
  #say({ socket, startMs, upstreamMs }: Exchange): string {
    const nowMs = this.#clock.monotonicMs()
    return this.#speaker.say(socket, nowMs, upstreamMs === null ? null : nowMs - startMs)
  }

  #firstByte(exchange: Exchange): void {
    exchange.firstByteMs = this.#clock.monotonicMs() - exchange.startMs
    exchange.tally.firstByte(exchange.firstByteMs)
  }
}
