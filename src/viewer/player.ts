// Owns one viewer: enters by /play, fetches in real time, changes edge at the first time-out, obeys steering, and
// tells of itself as players do. It shows nothing and keeps nothing of what it fetches.
import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, Fault, type Log, messageOf } from '#base'
import { type MediaPlaylist, readMultivariant } from '#media'
import { addClones } from './clones.ts'
import { requestQuery } from './cmcd.ts'
import { viewerFaults } from './faults.ts'
import type { Drained, Fetcher } from './fetcher.ts'
import { chooseRung, type Ladder, type Rung, readLadder } from './ladder.ts'
import { Pathways } from './pathways.ts'
import { PlayClock, roomFor } from './play-clock.ts'
import type { PlaylistBook } from './playlist-book.ts'
import { Reporter } from './reporter.ts'
import type { GroupCounts } from './stats.ts'
import { pollSteering } from './steering-poll.ts'
import { Story } from './story.ts'

/** CTA-5004-B: the default of the time interval event. */
const TELL_EVERY_MS = 30_000
const BACK_OFF_MS_MIN = 500
const BACK_OFF_MS_MAX = 10_000
/** Weight of the newest measurement. */
const THROUGHPUT_SHARE_NEW = 0.3
/** Playlists that one viewer remembers: every rung on every pathway. */
const PLAYLISTS_MAX = 64

export interface PlayerOptions {
  readonly number: number
  readonly sid: string
  readonly title: string
  readonly entries: readonly string[]
  readonly startAfterMs: number
  readonly penaltyMs: number
  readonly bufferS: number
  readonly playlists: PlaylistBook
  readonly fetcher: Fetcher
  readonly counts: GroupCounts
  readonly clock: Clock
  readonly log: Log
}

/** A playlist with the place at which the viewer is in it. */
interface Track {
  readonly url: string
  readonly playlist: MediaPlaylist
  initFetched: boolean
}

export class Player {
  readonly #options: PlayerOptions
  readonly #abort = new AbortController()
  readonly #clock = new PlayClock()
  readonly #userAgent: string
  readonly #running: Promise<void>
  readonly #reporter: Reporter
  readonly #story: Story
  #ladder: Ladder | null = null
  #pathways: Pathways | null = null
  /** When this viewer first wished to play. */
  #wishedMs: number | null = null
  #fedBy: string | null = null
  #entry: number
  /** Media time up to which picture and sound have been fetched, in this loop of the title. */
  #videoS = 0
  #audioS = 0

  constructor(options: PlayerOptions) {
    this.#options = options
    this.#userAgent = `vitrine-simulated-viewer/${options.number}`
    this.#entry = options.number
    const { fetcher, counts, sid, title, clock } = options
    const targets = (): readonly string[] => this.#edges()
    this.#reporter = new Reporter({ fetcher, userAgent: this.#userAgent, counts, targets })
    this.#story = new Story({ sid, title, clock, playClock: this.#clock, reporter: this.#reporter })
    this.#running = this.#run()
  }

  /** The edge that feeds it; null: none yet. */
  get fedBy(): string | null {
    return this.#fedBy
  }

  get started(): boolean {
    return this.#clock.started()
  }

  /** Length of the present stall, ms; 0: none. */
  stallMs(nowMs: number): number {
    return this.#clock.stallMs(nowMs)
  }

  /** Since it wished to play. */
  askedMs(nowMs: number): number {
    return this.#wishedMs === null ? 0 : nowMs - this.#wishedMs
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#running
    if (this.#wishedMs !== null) this.#story.quit()
    await this.#reporter.close()
  }

  async #run(): Promise<void> {
    await this.#sleep(this.#options.startAfterMs)
    if (this.#abort.signal.aborted) return
    this.#wishedMs = this.#options.clock.monotonicMs()
    this.#story.asked()
    const interval = setInterval(() => this.#story.interval(), TELL_EVERY_MS)
    try {
      await this.#watch()
    } finally {
      clearInterval(interval)
    }
  }

  async #watch(): Promise<void> {
    let attempt = 0
    while (!this.#abort.signal.aborted) {
      const session = new AbortController()
      const signal = AbortSignal.any([this.#abort.signal, session.signal])
      try {
        const ladder = await this.#enter()
        await this.#play(ladder, signal)
        if (this.#clock.bufferedS(this.#options.clock.monotonicMs()) > 0) attempt = 0
      } catch (error) {
        if (this.#abort.signal.aborted) return
        this.#failed(null, error)
      } finally {
        session.abort()
      }
      this.#options.counts.restarts += 1
      this.#entry += 1
      // Half to whole of a doubling wait, so that a group does not come back in one instant.
      const ceilingMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** attempt)
      attempt += 1
      await this.#sleep(ceilingMs * (0.5 + Math.random() / 2))
    }
  }

  async #enter(): Promise<Ladder> {
    const { entries, title, sid, fetcher } = this.#options
    const base = entries[this.#entry % entries.length]
    if (base === undefined) throw viewerFaults.fault('viewer-bad-answer', 'no entry to play from was given')
    const url = `${base}/play/${title}.m3u8?sid=${encodeURIComponent(sid)}&${this.#cmcd('m', null)}`
    this.#options.counts.requests += 1
    const { body, url: at } = await fetcher.text(url, this.#userAgent, this.#abort.signal)
    return readLadder(readMultivariant(body), at)
  }

  /** Plays until every edge of the playlist has failed. */
  async #play(ladder: Ladder, signal: AbortSignal): Promise<void> {
    const { counts, clock, penaltyMs } = this.#options
    const pathways = new Pathways(ladder.pathways, penaltyMs)
    this.#ladder = ladder
    this.#pathways = pathways
    const tracks = new Map<string, Track>()
    if (ladder.steeringUri !== null) this.#steer(ladder.steeringUri, pathways, signal)
    while (!signal.aborted) {
      const pathway = pathways.current
      try {
        const rung = chooseRung(this.#ladder.rungs.get(pathway) ?? [], this.#story.throughputBps)
        await this.#step(pathway, rung, tracks)
      } catch (error) {
        if (signal.aborted) return
        this.#failed(pathway, error)
        if (!pathways.failed(pathway, clock.monotonicMs())) return
        counts.movedByTimeout += 1
      }
    }
  }

  #steer(uri: string, pathways: Pathways, signal: AbortSignal): void {
    const { counts, clock, fetcher } = this.#options
    void pollSteering(uri, {
      fetcher,
      userAgent: this.#userAgent,
      signal,
      state: () => ({ pathway: pathways.current, throughputBps: this.#story.throughputBps }),
      onAnswer: (priority, clones) => {
        counts.requests += 1
        if (this.#ladder !== null && clones.length > 0) {
          this.#ladder = addClones(this.#ladder, clones)
          pathways.learn(this.#ladder.pathways)
        }
        if (pathways.steer(priority, clock.monotonicMs())) counts.movedBySteering += 1
      },
      sleep: ms => this.#sleep(ms, signal),
    })
  }

  #failed(pathway: string | null, error: unknown): void {
    const { counts, number, log } = this.#options
    counts.failures += 1
    const errorCode = error instanceof Fault ? error.code : 'viewer-failed'
    this.#story.failed(errorCode)
    log.debug('viewer-edge-failed', { viewer: number, pathway, problem: messageOf(error) })
  }

  /** Waits for room in the buffer, then fetches the next segment of picture, and sound up to there. */
  async #step(pathway: string, rung: Rung, tracks: Map<string, Track>): Promise<void> {
    const { clock, counts } = this.#options
    const video = await this.#track(rung.uri, tracks)
    const next = segmentAt(video.playlist, this.#videoS)
    if (next === null) {
      this.#videoS = 0 // the title is over: it is played again
      this.#audioS = 0
      return
    }
    const roomS = roomFor(next.durationS, this.#options.bufferS) - this.#clock.bufferedS(clock.monotonicMs())
    if (roomS < 0) {
      // Not in one piece: steering may change the edge meanwhile, and then that one is to be asked.
      await this.#sleep(Math.min(1000, -roomS * 1000))
      return
    }
    await this.#fetch(pathway, video, next.uri, rung, 'v')
    if (rung.audioUri !== null) await this.#fetchSound(pathway, rung, tracks, next.endS)
    this.#videoS = next.endS
    // A stall is that one's that fed it when it began.
    const stalledBy = this.#fedBy ?? pathway
    this.#fedBy = pathway
    const stallMs = this.#clock.add(clock.monotonicMs(), next.durationS)
    const startDelayMs = this.askedMs(clock.monotonicMs())
    if (!this.#story.started) counts.started(startDelayMs)
    this.#story.arrived(stallMs, startDelayMs)
    if (stallMs === 0) return
    counts.stalls += 1
    counts.stalledMs += stallMs
    counts.edge(stalledBy).stalls += 1
  }

  /** Where reports go: the edge that feeds, then the others as steering ranks them, at last the entries. */
  #edges(): readonly string[] {
    const ids = this.#pathways?.order() ?? []
    const urls = ids.flatMap(id => this.#ladder?.rungs.get(id)?.[0]?.uri ?? [])
    return [...new Set([...urls.map(url => new URL(url).origin), ...this.#options.entries])]
  }

  async #fetchSound(pathway: string, rung: Rung, tracks: Map<string, Track>, untilS: number): Promise<void> {
    const audio = await this.#track(rung.audioUri ?? rung.uri, tracks)
    for (;;) {
      const next = segmentAt(audio.playlist, this.#audioS)
      // A segment that begins where the picture ends can wait for the next step.
      if (next === null || next.startS >= untilS - TIME_ERROR_S) return
      await this.#fetch(pathway, audio, next.uri, rung, 'a')
      this.#audioS = next.endS
    }
  }

  async #track(uri: string, tracks: Map<string, Track>): Promise<Track> {
    const known = tracks.get(uri)
    if (known !== undefined) return known
    const { fetcher } = this.#options
    const url = withQuery(uri, this.#cmcd('m', null))
    this.#options.counts.requests += 1
    const { body } = await fetcher.text(url, this.#userAgent, this.#abort.signal)
    const playlist = this.#options.playlists.read(body)
    if (playlist.segments.length === 0) {
      throw viewerFaults.fault('viewer-bad-playlist', `${uri} has no segments, expected one or more`)
    }
    if (playlist.mapByteRange !== undefined || playlist.segments[0]?.byteRange !== undefined) {
      const message = `${uri} has byte ranges, expected whole segments as Vitrine's edges serve them`
      throw viewerFaults.fault('viewer-bad-playlist', message)
    }
    if (tracks.size >= PLAYLISTS_MAX) tracks.clear()
    const track: Track = { url: uri, playlist, initFetched: false }
    tracks.set(uri, track)
    return track
  }

  async #fetch(pathway: string, track: Track, segment: string, rung: Rung, type: 'v' | 'a'): Promise<void> {
    const { mapUri } = track.playlist
    if (mapUri !== null && !track.initFetched) {
      await this.#drain(pathway, new URL(mapUri, track.url).href, this.#cmcd('i', null))
      track.initFetched = true
    }
    this.#story.bandwidthBps = rung.bandwidth
    const url = new URL(segment, track.url).href
    const startMs = this.#options.clock.monotonicMs()
    try {
      const { bytes, firstByteMs, wholeMs, cmsd } = await this.#drain(pathway, url, this.#cmcd(type, rung))
      if (type === 'v') this.#measured((bytes * 8000) / Math.max(1, wholeMs))
      this.#story.answered({ url, status: 200, firstByteMs, wholeMs, cmsd })
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#unanswered(url, startMs, error)
      throw error
    }
  }

  /** Zero stands for no answer at all (CTA-5004-B, `rc`). */
  #unanswered(url: string, startMs: number, error: unknown): void {
    const status = error instanceof Fault ? Number(error.facts['status'] ?? 0) : 0
    const wholeMs = this.#options.clock.monotonicMs() - startMs
    this.#story.answered({ url, status, firstByteMs: null, wholeMs, cmsd: null })
  }

  async #drain(pathway: string, url: string, query: string): Promise<Drained> {
    const { fetcher, counts } = this.#options
    counts.requests += 1
    const drained = await fetcher.drain(withQuery(url, query), this.#userAgent, this.#abort.signal)
    counts.edge(pathway).bytes += drained.bytes
    return drained
  }

  #measured(bps: number): void {
    const before = this.#story.throughputBps ?? bps
    this.#story.throughputBps = before + (bps - before) * THROUGHPUT_SHARE_NEW
  }

  #cmcd(type: 'm' | 'i' | 'v' | 'a', rung: Rung | null): string {
    const { sid, title, clock } = this.#options
    const bufferS = this.#clock.bufferedS(clock.monotonicMs())
    const bandwidthBps = rung?.bandwidth ?? null
    return requestQuery({ sid, title, type, bufferS, bandwidthBps, throughputBps: this.#story.throughputBps })
  }

  async #sleep(ms: number, signal: AbortSignal = this.#abort.signal): Promise<void> {
    // An abort ends the wait; whoever waits looks at the signal afterwards.
    await delay(ms, undefined, { signal }).catch(() => {})
  }
}

/** Durations are decimal fractions; their sum may be off by less than this. */
const TIME_ERROR_S = 0.001

interface Segment {
  readonly uri: string
  readonly startS: number
  readonly endS: number
  readonly durationS: number
}

/** The segment that holds a media time; null: the time lies at or behind the end. */
function segmentAt(playlist: MediaPlaylist, timeS: number): Segment | null {
  let startS = 0
  for (const { uri, durationS } of playlist.segments) {
    const endS = startS + durationS
    if (timeS < endS - TIME_ERROR_S) return { uri, startS, endS, durationS }
    startS = endS
  }
  return null
}

function withQuery(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`
}
