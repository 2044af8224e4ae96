// Owns one viewer: enters by /play, fetches in real time, changes edge at the first time-out, obeys steering.
// It shows nothing and keeps nothing of what it fetches.
import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, type Log, messageOf } from '#base'
import { type MediaPlaylist, readMedia, readMultivariant } from '#media'
import { viewerFaults } from './faults.ts'
import type { Fetcher } from './fetcher.ts'
import { chooseRung, type Ladder, type Rung, readLadder } from './ladder.ts'
import { Pathways } from './pathways.ts'
import { PlayClock } from './play-clock.ts'
import type { GroupCounts } from './stats.ts'
import { pollSteering } from './steering-poll.ts'

/** As our own player: more would hide what edges do. */
const BUFFER_SECONDS = 20
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
  #fedBy: string | null = null
  #throughputBps: number | null = null
  #entry: number
  /** Media time up to which picture and sound have been fetched, in this loop of the title. */
  #videoS = 0
  #audioS = 0

  constructor(options: PlayerOptions) {
    this.#options = options
    this.#userAgent = `vitrine-viewer/${options.number}`
    this.#entry = options.number
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

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    await this.#sleep(this.#options.startAfterMs)
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
        this.#options.counts.failures += 1
        this.#options.log.debug('viewer-failed', { viewer: this.#options.number, problem: messageOf(error) })
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
    const { body, url: at } = await fetcher.text(url, this.#userAgent, this.#abort.signal)
    return readLadder(readMultivariant(body), at)
  }

  /** Plays until every edge of the playlist has failed. */
  async #play(ladder: Ladder, signal: AbortSignal): Promise<void> {
    const { counts, clock, fetcher } = this.#options
    const pathways = new Pathways(ladder.pathways)
    const tracks = new Map<string, Track>()
    if (ladder.steeringUri !== null) {
      void pollSteering(ladder.steeringUri, {
        fetcher,
        userAgent: this.#userAgent,
        signal,
        state: () => ({ pathway: pathways.current, throughputBps: this.#throughputBps }),
        onPriority: priority => {
          if (pathways.steer(priority, clock.monotonicMs())) counts.movedBySteering += 1
        },
        sleep: ms => this.#sleep(ms, signal),
      })
    }
    while (!signal.aborted) {
      const pathway = pathways.current
      try {
        const rung = chooseRung(ladder.rungs.get(pathway) ?? [], this.#throughputBps)
        await this.#step(pathway, rung, tracks)
      } catch (error) {
        if (signal.aborted) return
        counts.failures += 1
        this.#options.log.debug('viewer-edge-failed', {
          viewer: this.#options.number,
          pathway,
          problem: messageOf(error),
        })
        if (!pathways.failed(pathway, clock.monotonicMs())) return
        counts.movedByTimeout += 1
      }
    }
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
    const roomS = BUFFER_SECONDS - next.durationS - this.#clock.bufferedS(clock.monotonicMs())
    if (roomS < 0) {
      // Not in one piece: steering may change the edge meanwhile, and then that one is to be asked.
      await this.#sleep(Math.min(1000, -roomS * 1000))
      return
    }
    await this.#fetch(pathway, video, next.uri, rung, 'v')
    if (rung.audioUri !== null) await this.#fetchSound(pathway, rung, tracks, next.endS)
    this.#videoS = next.endS
    this.#fedBy = pathway
    const stallMs = this.#clock.add(clock.monotonicMs(), next.durationS)
    if (stallMs === 0) return
    counts.stalls += 1
    counts.stalledMs += stallMs
    counts.edge(pathway).stalls += 1
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
    const { body } = await fetcher.text(url, this.#userAgent, this.#abort.signal)
    const playlist = readMedia(body)
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
    const { fetcher, clock, counts } = this.#options
    const { mapUri } = track.playlist
    if (mapUri !== null && !track.initFetched) {
      const init = withQuery(new URL(mapUri, track.url).href, this.#cmcd('i', null))
      counts.edge(pathway).bytes += await fetcher.drain(init, this.#userAgent, this.#abort.signal)
      track.initFetched = true
    }
    const url = withQuery(new URL(segment, track.url).href, this.#cmcd(type, rung))
    const startMs = clock.monotonicMs()
    const bytes = await fetcher.drain(url, this.#userAgent, this.#abort.signal)
    const ms = Math.max(1, clock.monotonicMs() - startMs)
    counts.edge(pathway).bytes += bytes
    if (type === 'v') this.#measured((bytes * 8000) / ms)
  }

  #measured(bps: number): void {
    const before = this.#throughputBps ?? bps
    this.#throughputBps = before + (bps - before) * THROUGHPUT_SHARE_NEW
  }

  /** CTA-5004 in the query: keys in alphabetical order, numbers in kbit/s and ms, rounded to 100. */
  #cmcd(type: 'm' | 'i' | 'v' | 'a', rung: Rung | null): string {
    const { sid, title, clock } = this.#options
    const bufferMs = Math.round((this.#clock.bufferedS(clock.monotonicMs()) * 1000) / 100) * 100
    const parts = [
      ...(type === 'v' || type === 'a' ? [`bl=${bufferMs}`] : []),
      ...(rung === null ? [] : [`br=${Math.round(rung.bandwidth / 1000)}`]),
      `cid="${title}"`,
      ...(this.#throughputBps === null ? [] : [`mtp=${Math.round(this.#throughputBps / 100_000) * 100}`]),
      `ot=${type}`,
      'sf=h',
      `sid="${sid}"`,
      'st=v',
    ]
    return `CMCD=${encodeURIComponent(parts.join(','))}`
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
