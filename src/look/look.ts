// Owns one look: a viewer without a picture that fetches playlists and segments as a player would, and says what
// it met. It refuses to go on after its time is up; what it has by then is the report.
import { setTimeout as pause } from 'node:timers/promises'
import { type Clock, Fault } from '#base'
import { type MediaPlaylist, type MediaSegment, readMedia, readMultivariant, type Variant } from '#media'
import { lookFaults } from './faults.ts'
import { type Answer, Getter } from './http-get.ts'
import {
  clockSkew,
  daysUntil,
  judgeCertificate,
  judgeClock,
  judgeContentType,
  judgeCors,
  judgeDurations,
  judgePlaylistCaching,
  judgeSegmentCaching,
  judgeSpeed,
  judgeStart,
  type Skew,
} from './judge.ts'
import { behindLiveS, compareReadings, endSequence, startIndex } from './live.ts'
import type { LookFetch, LookReport, LookVariant, Problem } from './report.ts'
import { lastPart, Timeline } from './timeline.ts'

export interface LookOptions {
  readonly clock: Clock
  /** Of each track. */
  readonly segments: number
  /** Which variant to play: `first` is what most players begin with. */
  readonly variant: 'first' | 'lowest' | 'highest'
  /** The site in whose pages players would run. */
  readonly origin: string
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>
  /** After each request, for people who wait. */
  readonly onFetch?: (fetch: LookFetch) => void
}

/** A day of a title in 1 s segments is 5 MB of playlist. */
const PLAYLIST_BYTES_MAX = 16 * 1024 * 1024
/** Ten seconds at 50 Mbit/s. */
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024
/** Then no further request is begun. */
const LOOK_MS_MAX = 90_000
/** A live playlist must have a new segment after one target duration; players complain after one and a half. */
const FRESH_TARGETS_MAX = 1.5
const FETCHES_MAX = 200

interface TrackState {
  readonly name: 'video' | 'audio'
  readonly url: string
  playlist: MediaPlaylist
  readonly timeline: Timeline
  next: number
}

/** Looks once at a playlist, multivariant or media. Fault: `look-bad-url`; everything else is in the report. */
export async function lookAt(url: string, options: LookOptions): Promise<LookReport> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    const found = JSON.stringify(url.slice(0, 200))
    throw lookFaults.fault(
      'look-bad-url',
      `${found}: expected an address that begins with http:// or https://`,
    )
  }
  const look = new Look(url, options)
  try {
    await look.walk()
  } finally {
    look.close()
  }
  return look.report()
}

class Look {
  readonly #url: string
  readonly #options: LookOptions
  readonly #getter: Getter
  readonly #startedMs: number
  readonly #fetches: LookFetch[] = []
  readonly #problems: Problem[] = []
  readonly #cacheStatus = new Set<string>()
  readonly #cacheControl: Record<'multivariant' | 'playlist' | 'segment', string | null> = {
    multivariant: null,
    playlist: null,
    segment: null,
  }
  #top: Answer | null = null
  #skew: Skew | null = null
  #variants: readonly Variant[] = []
  #played: Variant | null = null
  #kind: 'vod' | 'live' | null = null
  #startMs: number | null = null
  #behindLiveS: number | null = null

  constructor(url: string, options: LookOptions) {
    this.#url = url
    this.#options = options
    this.#getter = new Getter(options.clock)
    this.#startedMs = options.clock.monotonicMs()
  }

  close(): void {
    this.#getter.close()
  }

  async walk(): Promise<void> {
    const top = await this.#fetch('multivariant', null, this.#url, PLAYLIST_BYTES_MAX)
    if (top === null) return
    this.#judgeTop(top)
    if (top.status !== 200) return
    const text = top.body.toString('utf8')
    if (!text.replace(/^\uFEFF/, '').startsWith('#EXTM3U')) return this.#notHls(top, text)
    const tracks = await this.#open(top, text)
    if (tracks.length === 0) return
    await this.#play(tracks)
    const video = tracks[0]
    if (this.#kind === 'live' && video !== undefined) await this.#watchLive(video)
  }

  report(): LookReport {
    const segments = this.#fetches.filter(({ what, error }) => what === 'segment' && error === null)
    const bytes = sum(segments.map(one => one.bytes))
    const tookMs = sum(segments.map(one => one.totalMs ?? 0))
    const mediaS = sum(segments.map(one => one.mediaS ?? 0))
    const speedRatio = tookMs > 0 && mediaS > 0 ? (mediaS * 1000) / tookMs : null
    const problems = [...this.#problems]
    if (this.#startMs !== null) problems.push(...judgeStart(this.#startMs))
    if (speedRatio !== null) problems.push(...judgeSpeed(speedRatio))
    const certificate = this.#top?.certificate ?? null
    const wallMs = this.#options.clock.wallMs()
    return {
      url: this.#url,
      ok: problems.every(({ severity }) => severity !== 'fault'),
      kind: this.#kind,
      address: this.#top?.remoteAddress ?? null,
      server: this.#top?.headers['server'] ?? null,
      protocol: this.#top?.protocol ?? null,
      variants: this.#variants.map(viewOf),
      played: this.#played === null ? null : viewOf(this.#played),
      startMs: this.#startMs,
      speedBps: tookMs > 0 ? (bytes * 8000) / tookMs : null,
      speedRatio,
      mediaS,
      certificate:
        certificate === null ? null : { ...certificate, daysLeft: daysUntil(certificate.validTo, wallMs) },
      cors: this.#top?.headers['access-control-allow-origin'] ?? null,
      cacheControl: this.#cacheControl,
      cacheStatus: [...this.#cacheStatus],
      clockSkewS: this.#skew?.skewS ?? null,
      clockSkewUncertainS: this.#skew?.uncertainS ?? null,
      behindLiveS: this.#behindLiveS,
      fetches: this.#fetches,
      problems,
    }
  }

  #judgeTop(top: Answer): void {
    const wallMs = this.#options.clock.wallMs()
    this.#top = top
    this.#cacheControl.multivariant = top.headers['cache-control'] ?? null
    this.#skew = clockSkew(top, wallMs)
    this.#problems.push(...judgeCertificate(top, wallMs))
    if (this.#skew !== null) this.#problems.push(...judgeClock(this.#skew))
    if (top.status !== 200) return
    this.#problems.push(...judgeCors(top, this.#options.origin, 'playlist'), ...judgeContentType(top))
  }

  #notHls(top: Answer, text: string): void {
    const isDash = /<MPD[\s>]/.test(text.slice(0, 4096))
    const found = isDash ? 'a DASH manifest, which a look cannot play' : JSON.stringify(text.slice(0, 40))
    this.#problem('not-hls', `${top.url}: expected #EXTM3U, found ${found}`)
  }

  /** The tracks that a player would begin with: the picture first, sound beside it where it comes apart. */
  async #open(top: Answer, text: string): Promise<TrackState[]> {
    try {
      if (!text.includes('#EXT-X-STREAM-INF')) {
        this.#cacheControl.playlist = this.#cacheControl.multivariant
        this.#cacheControl.multivariant = null
        const track = this.#track('video', top, readMedia(text))
        return track === null ? [] : [track]
      }
      const playlist = readMultivariant(text)
      this.#variants = playlist.variants
      const variant = choose(playlist.variants, this.#options.variant)
      if (variant === undefined) {
        this.#problem('no-variants', 'the multivariant playlist has no variants')
        return []
      }
      this.#played = variant
      const sounds = playlist.renditions.filter(
        ({ type, groupId, uri }) => type === 'AUDIO' && uri !== null && groupId === variant.audioGroup,
      )
      const sound = sounds.find(one => one.default) ?? sounds[0]
      const video = await this.#openTrack('video', new URL(variant.uri, top.url).href)
      if (video === null) return []
      if (sound?.uri === undefined || sound.uri === null) return [video]
      const audio = await this.#openTrack('audio', new URL(sound.uri, top.url).href)
      return audio === null ? [video] : [video, audio]
    } catch (error) {
      this.#unreadable(top.url, error)
      return []
    }
  }

  async #openTrack(name: 'video' | 'audio', url: string): Promise<TrackState | null> {
    const answer = await this.#fetch('playlist', name, url, PLAYLIST_BYTES_MAX)
    if (answer === null || answer.status !== 200) return null
    try {
      return this.#track(name, answer, readMedia(answer.body.toString('utf8')))
    } catch (error) {
      this.#unreadable(url, error)
      return null
    }
  }

  #track(name: 'video' | 'audio', answer: Answer, playlist: MediaPlaylist): TrackState | null {
    if (name === 'video') {
      this.#kind = playlist.ended || playlist.playlistType === 'VOD' ? 'vod' : 'live'
      this.#cacheControl.playlist ??= answer.headers['cache-control'] ?? null
      if (this.#kind === 'live') this.#behindLiveS = behindLiveS(playlist, this.#options.clock.wallMs())
    }
    this.#problems.push(...judgeDurations(playlist, name), ...judgePlaylistCaching(answer, playlist))
    if (playlist.segments.length === 0) {
      this.#problem('no-segments', `the ${name} playlist has no segments`)
      return null
    }
    return { name, url: answer.url, playlist, timeline: new Timeline(name), next: startIndex(playlist) }
  }

  async #play(tracks: readonly TrackState[]): Promise<void> {
    for (const track of tracks) if (!(await this.#init(track))) return
    for (let turn = 0; turn < this.#options.segments; turn += 1) {
      for (const track of tracks) {
        if (track.next < track.playlist.segments.length && !(await this.#segment(track))) return
      }
      if (turn === 0) this.#startMs = this.#options.clock.monotonicMs() - this.#startedMs
    }
  }

  async #init(track: TrackState): Promise<boolean> {
    const { mapUri, mapByteRange } = track.playlist
    if (mapUri === null) return true
    const url = new URL(mapUri, track.url).href
    const answer = await this.#fetch('init', track.name, url, SEGMENT_BYTES_MAX, { range: mapByteRange })
    if (answer === null || !isOk(answer)) return false
    this.#problems.push(...track.timeline.init(answer.body))
    return true
  }

  async #segment(track: TrackState): Promise<boolean> {
    const segment = track.playlist.segments[track.next]
    track.next += 1
    if (segment === undefined || segment.gap === true) return true
    const url = new URL(segment.uri, track.url).href
    const answer = await this.#fetch('segment', track.name, url, SEGMENT_BYTES_MAX, {
      range: segment.byteRange,
      mediaS: segment.durationS,
    })
    if (answer === null || !isOk(answer)) return false
    this.#judgeSegment(track, segment, answer)
    return true
  }

  #judgeSegment(track: TrackState, segment: MediaSegment, answer: Answer): void {
    const bytes = segment.byteRange?.bytes
    if (bytes !== undefined && answer.body.length !== bytes) {
      const text = `${lastPart(segment.uri)}: ${answer.body.length} bytes came, expected the ${bytes} of its byte range`
      this.#problem('length', text)
      return
    }
    if (track.playlist.encrypted !== true) this.#problems.push(...track.timeline.add(segment, answer.body))
    for (const name of ['cache-status', 'x-cache', 'cf-cache-status', 'x-cache-status']) {
      const value = answer.headers[name]
      if (value !== undefined) this.#cacheStatus.add(`${name}: ${value}`.slice(0, 200))
    }
    if (this.#cacheControl.segment !== null) return
    this.#cacheControl.segment = answer.headers['cache-control'] ?? ''
    this.#problems.push(...judgeSegmentCaching(answer), ...judgeCors(answer, this.#options.origin, 'segment'))
  }

  /** Reads the playlist again until something new is in it: it must be, after little more than a target duration. */
  async #watchLive(track: TrackState): Promise<void> {
    const { clock } = this.#options
    const { targetDurationS } = track.playlist
    const untilMs = clock.monotonicMs() + targetDurationS * FRESH_TARGETS_MAX * 1000
    for (;;) {
      // Section 6.3.4: half a target duration after a reading that brought nothing new.
      await pause((targetDurationS * 1000) / 2)
      const answer = await this.#fetch('reload', track.name, track.url, PLAYLIST_BYTES_MAX)
      if (answer === null || answer.status !== 200) return
      try {
        const playlist = readMedia(answer.body.toString('utf8'))
        this.#problems.push(...compareReadings(track.playlist, playlist))
        if (endSequence(playlist) > endSequence(track.playlist) || playlist.ended) return
        track.playlist = playlist
      } catch (error) {
        this.#unreadable(track.url, error)
        return
      }
      if (clock.monotonicMs() <= untilMs) continue
      const limitS = (targetDurationS * FRESH_TARGETS_MAX).toFixed(1)
      this.#problem('stale', `no new segment in the live playlist for ${limitS} s: its source has stopped`)
      return
    }
  }

  async #fetch(
    what: LookFetch['what'],
    track: LookFetch['track'],
    url: string,
    bytesMax: number,
    extra: { range?: MediaSegment['byteRange'] | undefined; mediaS?: number } = {},
  ): Promise<Answer | null> {
    const { clock, headers, origin, onFetch } = this.#options
    const mediaS = extra.mediaS ?? null
    const nothing = { status: null, bytes: 0, dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null }
    const late = clock.monotonicMs() - this.#startedMs > LOOK_MS_MAX || this.#fetches.length >= FETCHES_MAX
    let entry: LookFetch
    let answer: Answer | null = null
    try {
      if (late)
        throw lookFaults.fault('look-no-answer', `not asked: the look took ${LOOK_MS_MAX / 1000} s already`)
      answer = await this.#getter.get(url, {
        bytesMax,
        headers: { origin, ...headers },
        ...(extra.range === undefined ? {} : { range: extra.range }),
      })
      const { status, body, dnsMs, connectMs, tlsMs, firstByteMs, totalMs } = answer
      const error = isOk(answer) ? null : `status ${status}, expected 200`
      const times = { dnsMs, connectMs, tlsMs, firstByteMs, totalMs }
      entry = { what, track, url, status, bytes: body.length, ...times, mediaS, error }
      if (error !== null) this.#problem('status', `${nameOf(what, track)} ${url}: ${error}`)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      entry = { what, track, url, ...nothing, totalMs: null, mediaS, error: error.message }
      const code = error.code === 'look-too-long' ? 'length' : 'no-answer'
      this.#problem(code, `${nameOf(what, track)}: ${error.message}`)
    }
    this.#fetches.push(entry)
    onFetch?.(entry)
    return answer
  }

  #unreadable(url: string, error: unknown): void {
    if (!(error instanceof Fault)) throw error
    this.#problem('not-hls', `${url}: ${error.message}`)
  }

  #problem(code: Problem['code'], text: string): void {
    this.#problems.push({ severity: 'fault', code, text })
  }
}

function nameOf(what: LookFetch['what'], track: LookFetch['track']): string {
  const noun = { multivariant: 'playlist', playlist: 'playlist', init: 'init segment', segment: 'segment' }
  const word = what === 'reload' ? 'playlist, read again' : noun[what]
  return track === null ? word : `${track} ${word}`
}

function isOk({ status }: Answer): boolean {
  return status === 200 || status === 206
}

function choose(variants: readonly Variant[], which: LookOptions['variant']): Variant | undefined {
  if (which === 'first') return variants[0]
  const sorted = variants.toSorted((a, b) => a.bandwidth - b.bandwidth)
  return which === 'lowest' ? sorted[0] : sorted.at(-1)
}

function viewOf({ bandwidth, averageBandwidth, resolution, codecs }: Variant): LookVariant {
  const size = resolution === null ? null : `${resolution.width}x${resolution.height}`
  return { bandwidth, averageBandwidth, resolution: size, codecs }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
