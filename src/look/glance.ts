// Owns a glance: what a player's first requests would meet, in few bytes: playlists, and a part or the whole of one
// segment. It stays on the host that it was given, whatever a playlist or a redirect says, and ends within 15 s.
import { type Clock, Fault } from '#base'
import { type MediaPlaylist, type MediaSegment, readMedia, readMultivariant } from '#media'
import { type Answer, type GetOptions, Getter } from './http-get.ts'
import { judgeCertificate, judgeSpeed, judgeStart } from './judge.ts'
import { compareReadings, endSequence, startIndex } from './live.ts'
import type { Problem } from './report.ts'
import { lastPart, Timeline } from './timeline.ts'

/** A two-hour title in 2 s segments is 200 KB. */
const PLAYLIST_BYTES_MAX = 1024 * 1024
/** Ten seconds at 12 Mbit/s. */
const SEGMENT_BYTES_MAX = 16 * 1024 * 1024
/** Our player gives up on a first byte after 3 s. */
const FIRST_BYTE_MS_MAX = 3000
const WHOLE_MS_MAX = 10_000
const GLANCE_MS_MAX = 15_000
/** A live playlist must have a new segment after one target duration; players complain after one and a half. */
const FRESH_TARGETS_MAX = 1.5

export interface GlanceOptions {
  readonly clock: Clock
  /** Sent with each request; a credential stays on the host that it is for. */
  readonly headers?: Readonly<Record<string, string>>
  /** So many bytes of the segment; null: all of it, with its init segment, and its timeline is read. */
  readonly rangeBytes: number | null
  /** Which segment: 0 the first, 1 the last; a live stream is joined where players join it. */
  readonly position: number
  /** The last glance at the same playlist: what is live must have moved on since. */
  readonly before?: GlanceBefore | null
}

/** What is remembered of a live playlist. */
export interface GlanceBefore {
  readonly url: string
  readonly playlist: MediaPlaylist
  /** When something new was in it for the last time, monotonic. */
  readonly movedMs: number
}

export interface Glance {
  /** No fault; warnings do not count. */
  readonly ok: boolean
  /** From the first request until the first bytes of a segment were here; null: it did not come so far. */
  readonly startMs: number | null
  /** Seconds of media fetched in a second; null: only a part of a segment was fetched. */
  readonly speedRatio: number | null
  /** Of bodies. */
  readonly bytes: number
  readonly problems: readonly Problem[]
  /** To be given to the next glance; null: not live. */
  readonly live: GlanceBefore | null
}

/** Never rejects: whatever a server does is in the glance. */
export async function glanceAt(url: string, options: GlanceOptions): Promise<Glance> {
  const glancing = new Glancing(url, options)
  try {
    await glancing.walk()
  } catch (error) {
    glancing.failed(error)
  } finally {
    glancing.close()
  }
  return glancing.result()
}

class Glancing {
  readonly #url: string
  readonly #options: GlanceOptions
  readonly #getter: Getter
  readonly #startedMs: number
  readonly #problems: Problem[] = []
  #startMs: number | null = null
  #speedRatio: number | null = null
  #live: GlanceBefore | null = null

  constructor(url: string, options: GlanceOptions) {
    this.#url = url
    this.#options = options
    this.#getter = new Getter(options.clock)
    this.#startedMs = options.clock.monotonicMs()
  }

  close(): void {
    this.#getter.close()
  }

  result(): Glance {
    const problems = [...this.#problems]
    if (this.#startMs !== null) problems.push(...judgeStart(this.#startMs))
    if (this.#speedRatio !== null) problems.push(...judgeSpeed(this.#speedRatio))
    return {
      ok: problems.every(({ severity }) => severity !== 'fault'),
      startMs: this.#startMs,
      speedRatio: this.#speedRatio,
      bytes: this.#getter.receivedBytes,
      problems,
      live: this.#live,
    }
  }

  failed(error: unknown): void {
    if (!(error instanceof Fault)) throw error
    const code = error.code.startsWith('look-too-long')
      ? 'length'
      : error.code.startsWith('look-')
        ? 'no-answer'
        : 'not-hls'
    this.#fault(code, error.message)
  }

  async walk(): Promise<void> {
    const top = await this.#get(this.#url, 'playlist', { bytesMax: PLAYLIST_BYTES_MAX })
    if (top === null) return
    this.#problems.push(...judgeCertificate(top, this.#options.clock.wallMs()))
    const text = top.body.toString('utf8')
    if (!text.replace(/^\uFEFF/, '').startsWith('#EXTM3U')) {
      return this.#fault('not-hls', `${top.url}: expected #EXTM3U as the first line of a playlist`)
    }
    if (!text.includes('#EXT-X-STREAM-INF')) return await this.#media(top.url, readMedia(text))
    const { variants } = readMultivariant(text)
    // With content steering there is a copy of each variant for each pathway.
    const { host } = new URL(top.url)
    const variant = variants.find(({ uri }) => new URL(uri, top.url).host === host) ?? variants[0]
    if (variant === undefined) return this.#fault('no-variants', 'the multivariant playlist has no variants')
    const url = this.#here(variant.uri, top.url)
    const answer = url === null ? null : await this.#get(url, 'playlist', { bytesMax: PLAYLIST_BYTES_MAX })
    if (answer !== null) await this.#media(answer.url, readMedia(answer.body.toString('utf8')))
  }

  async #media(url: string, playlist: MediaPlaylist): Promise<void> {
    const isLive = !playlist.ended && playlist.playlistType !== 'VOD'
    if (isLive) this.#judgeLive(url, playlist)
    const { segments } = playlist
    if (segments.length === 0) return this.#fault('no-segments', 'the media playlist has no segments')
    const at = Math.floor(this.#options.position * segments.length)
    const segment = segments[isLive ? startIndex(playlist) : Math.min(at, segments.length - 1)]
    if (segment === undefined || segment.gap === true) return
    if (this.#options.rangeBytes === null) await this.#whole(url, playlist, segment)
    else await this.#part(url, segment, this.#options.rangeBytes)
  }

  #judgeLive(url: string, playlist: MediaPlaylist): void {
    const nowMs = this.#options.clock.monotonicMs()
    const before = this.#options.before ?? null
    const known = before?.url === url ? before : null
    const hasMoved = known === null || endSequence(playlist) > endSequence(known.playlist)
    const movedMs = hasMoved ? nowMs : known.movedMs
    this.#live = { url, playlist, movedMs }
    if (known === null) return
    this.#problems.push(...compareReadings(known.playlist, playlist))
    if (nowMs - movedMs <= playlist.targetDurationS * FRESH_TARGETS_MAX * 1000) return
    const seconds = Math.round((nowMs - movedMs) / 1000)
    this.#fault('stale', `no new segment in the live playlist for ${seconds} s: its source has stopped`)
  }

  /** The first bytes: status and time tell as much as all of it would, but for the speed. */
  async #part(url: string, segment: MediaSegment, bytes: number): Promise<void> {
    const at = this.#here(segment.uri, url)
    if (at === null) return
    const offset = segment.byteRange?.offset ?? 0
    const length = Math.min(bytes, segment.byteRange?.bytes ?? bytes)
    const answer = await this.#get(at, 'segment', {
      bytesMax: length,
      isCut: true,
      range: { offset, bytes: length },
    })
    if (answer === null) return
    this.#startMs = this.#options.clock.monotonicMs() - this.#startedMs
    if (answer.body.length === 0) this.#fault('length', `segment ${lastPart(segment.uri)} is empty`)
  }

  async #whole(url: string, playlist: MediaPlaylist, segment: MediaSegment): Promise<void> {
    const timeline = new Timeline('video')
    if (playlist.mapUri !== null) {
      const mapUrl = this.#here(playlist.mapUri, url)
      const init =
        mapUrl === null
          ? null
          : await this.#get(mapUrl, 'init segment', {
              bytesMax: SEGMENT_BYTES_MAX,
              ...(playlist.mapByteRange === undefined ? {} : { range: playlist.mapByteRange }),
            })
      if (init === null) return
      this.#problems.push(...timeline.init(init.body))
    }
    const at = this.#here(segment.uri, url)
    if (at === null) return
    const { byteRange } = segment
    const answer = await this.#get(at, 'segment', {
      bytesMax: SEGMENT_BYTES_MAX,
      ...(byteRange === undefined ? {} : { range: byteRange }),
    })
    if (answer === null) return
    this.#startMs = this.#options.clock.monotonicMs() - this.#startedMs
    if (byteRange !== undefined && answer.body.length !== byteRange.bytes) {
      return this.#fault('length', `${answer.body.length} bytes came, expected ${byteRange.bytes}`)
    }
    this.#speedRatio = answer.totalMs > 0 ? (segment.durationS * 1000) / answer.totalMs : null
    if (playlist.encrypted !== true) this.#problems.push(...timeline.add(segment, answer.body))
  }

  /** Null: it lies on another host, which nobody asked us to look at. */
  #here(uri: string, base: string): string | null {
    const url = URL.canParse(uri, base) ? new URL(uri, base) : null
    if (url !== null && url.host === new URL(this.#url).host && /^https?:$/.test(url.protocol))
      return url.href
    const text = `${lastPart(uri)} lies on ${url?.host ?? 'no host'}; a glance stays on its own host`
    this.#problems.push({ severity: 'warning', code: 'no-answer', text })
    return null
  }

  /** Null: it is a problem, and said. */
  async #get(url: string, what: string, options: GetOptions): Promise<Answer | null> {
    const { clock, headers = {} } = this.#options
    const leftMs = GLANCE_MS_MAX - (clock.monotonicMs() - this.#startedMs)
    if (leftMs <= 0) {
      this.#fault('no-answer', `${what}: not asked, ${GLANCE_MS_MAX / 1000} s are over`)
      return null
    }
    const answer = await this.#getter.get(url, {
      headers,
      staysOnHost: true,
      firstByteMsMax: Math.min(FIRST_BYTE_MS_MAX, leftMs),
      wholeMsMax: Math.min(WHOLE_MS_MAX, leftMs),
      ...options,
    })
    if (answer.status === 200 || answer.status === 206) return answer
    this.#fault('status', `${what} ${lastPart(url)}: status ${answer.status}, expected 200`)
    return null
  }

  #fault(code: Problem['code'], text: string): void {
    this.#problems.push({ severity: 'fault', code, text: text.slice(0, 512) })
  }
}
