// Owns one playback: hls.js on a video element, its moves between edges, and what the viewer went through.
// It draws nothing: pages listen to its events and read its state.
import HlsJs, { type ErrorData, ErrorDetails, ErrorTypes, Events, type FragLoadedData } from 'hls.js'
import type { WatchTable } from '#wire'
import { EdgeMemory, RELOADS_MAX, recover } from './failover.ts'
import { failedUrl, failoverSteering } from './failover-steering.ts'
import { hlsSettings } from './hls-settings.ts'
import { pictureAloneLoader } from './picture-alone.ts'
import { bufferedAhead, cmsdName, labelOf, playUrl, type Rendition, renditionsOf } from './readings.ts'
import { ViewerReports } from './reports/index.ts'
import { StallClock } from './stall-clock.ts'
import { EdgeTable, TABLE_REFRESH_MS } from './watch-table.ts'

const SAMPLE_MS = 100 // STALL_MS_MIN needs at least two looks
const MEDIA_RECOVERIES_MAX = 3
/** What is left of a film when its picture stands at the last frame, which sound may outlast a little. */
const END_S = 0.5
/** After giving up: how often the fleet is asked whether it is back. */
const COMEBACK_MS = 5_000

export type PlayerPhase = 'loading' | 'playing' | 'paused' | 'stalled' | 'recovering' | 'blocked' | 'failed'

export interface PlayerState {
  readonly phase: PlayerPhase
  /** The edge that sent the last fragment; null before the first. */
  readonly edge: string | null
  readonly rendition: string | null
  readonly renditions: readonly Rendition[]
  readonly renditionChosen: number
  readonly bufferedAheadS: number
  readonly stalls: number
  readonly stalledMs: number
  /** Muted because the browser allows no sound before a click. */
  readonly mutedByBrowser: boolean
  /** The sound's codecs where this browser plays none of them, so that the picture plays alone. */
  readonly lostSound: readonly string[]
  readonly problem: string | null
}

export interface EdgeMove {
  readonly from: string | null
  readonly to: string
  /** Monotonic ms. */
  readonly atMs: number
}

interface PlayerEvents {
  readonly edge: EdgeMove
  readonly stall: { readonly stalled: boolean; readonly totalMs: number }
  readonly state: PlayerState
  /** `edge` is the one that did not answer, where known. */
  readonly error: { readonly text: string; readonly fatal: boolean; readonly edge: string | null }
}

export interface PlayerOptions {
  readonly video: HTMLVideoElement
  readonly title: string
  /** Origin of the page: its first address to play from. */
  readonly home: string
  /** An edge asked for by name. */
  readonly via: string | null
  readonly startMuted: boolean
  /** Opaque, of the page's own; told with the events. */
  readonly viewerRef?: string
  /** What the page knows of edges before it has asked. */
  readonly edges?: WatchTable['pathways']
}

type Listener<Name extends keyof PlayerEvents> = (event: PlayerEvents[Name]) => void

export class VitrinePlayer {
  readonly table: EdgeTable
  readonly #options: PlayerOptions
  readonly #memory = new EdgeMemory()
  readonly #stallClock = new StallClock()
  readonly #reports: ViewerReports
  readonly #closing = new AbortController()
  readonly #listeners = new Map<keyof PlayerEvents, Set<(event: never) => void>>()
  readonly #timers: ReturnType<typeof setInterval>[] = []
  #recovery: ReturnType<typeof setTimeout> | null = null
  #hls: HlsJs | null = null
  #edge: string | null = null
  #asked: string | null = null
  #attempt = 0
  #restarts = 0
  #mediaRecoveries = 0
  #blocked = false
  /** A person, or the start, asked for playing: a reload pauses the element by itself. */
  #wanted = true
  /** From a reload to the next picture: the picture stands, whatever the element says. */
  #reloading = false
  #positionS = 0
  #asking = false
  #mutedByBrowser = false
  #wasStalled = false
  #lostSound: readonly string[] = []
  #problem: string | null = null
  #failed = false
  /** False where trying again cannot help: no such title, no such codec. */
  #mayComeBack = false

  constructor(options: PlayerOptions) {
    this.#options = options
    this.table = new EdgeTable(options.home, options.edges)
    const { title: contentId, viewerRef } = options
    this.#reports = new ViewerReports({
      edges: () => this.#reportTo(),
      contentId,
      recovers: true,
      ...(viewerRef === undefined ? {} : { viewerRef }),
    })
    options.video.muted = options.startMuted
    options.video.loop = true
  }

  /** Starts loading and, where the browser allows it, playing. */
  start(): void {
    const { signal } = this.#closing
    for (const name of ['play', 'pause', 'seeking', 'seeked', 'volumechange'] as const) {
      this.#options.video.addEventListener(name, () => this.#changed(), { signal })
    }
    this.#timers.push(setInterval(() => this.#look(), SAMPLE_MS))
    this.#timers.push(setInterval(() => void this.#refreshTable(), TABLE_REFRESH_MS))
    this.#timers.push(setInterval(() => void this.#comeBack(), COMEBACK_MS))
    this.#reports.asked()
    void this.#refreshTable()
    const via = this.#options.via
    this.#asked = via
    this.#load(playUrl(this.#options.home, this.#options.title, via), -1)
    this.#reports.watch(this.#options.video)
  }

  on<Name extends keyof PlayerEvents>(name: Name, listener: Listener<Name>): () => void {
    const all = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, all.add(listener))
    return () => all.delete(listener)
  }

  /** The CMCD session id: by it the control room tells which edges fed this playback, and why. */
  get sessionId(): string {
    return this.#reports.sessionId
  }

  get state(): PlayerState {
    const hls = this.#hls
    const nowMs = performance.now()
    return {
      phase: this.#phase(),
      edge: this.#edge,
      rendition: hls === null ? null : labelOf(hls.levels[hls.currentLevel]),
      renditions: hls === null ? [] : renditionsOf(hls),
      renditionChosen: hls === null || hls.autoLevelEnabled ? -1 : hls.loadLevel,
      bufferedAheadS: bufferedAhead(this.#options.video),
      stalls: this.#stallClock.count,
      stalledMs: this.#stallClock.totalMs(nowMs),
      mutedByBrowser: this.#mutedByBrowser && this.#options.video.muted,
      lostSound: this.#lostSound,
      problem: this.#problem,
    }
  }

  /** How long the picture stood between two moments of performance.now. */
  stoppedBetweenMs(fromMs: number, toMs: number): number {
    return this.#stallClock.stoppedBetweenMs(fromMs, Math.min(toMs, performance.now()))
  }

  chooseRendition(index: number): void {
    if (this.#hls !== null) this.#hls.nextLevel = index
    this.#changed()
  }

  toggle(): void {
    const { video } = this.#options
    if (this.#failed) this.retry()
    else if (video.paused) void this.#play()
    else {
      this.#wanted = false
      video.pause()
    }
  }

  seek(toS: number): void {
    const { video } = this.#options
    const end = Number.isFinite(video.duration) ? video.duration : 0
    video.currentTime = Math.min(Math.max(0, toS), Math.max(0, end - 0.1))
  }

  setMuted(muted: boolean): void {
    this.#options.video.muted = muted
    if (!muted && this.#options.video.volume === 0) this.#options.video.volume = 1
    this.#mutedByBrowser = false
    this.#changed()
  }

  /** From the start, after everything failed: by a person, or by the player when an edge answers again. */
  retry(edge: string | null = null): void {
    this.#attempt = 0
    this.#restarts = 0
    this.#failed = false
    this.#problem = null
    const [best] = this.#memory.order(this.table.ids, performance.now())
    this.#reload(edge ?? best ?? null)
  }

  close(): void {
    this.#closing.abort()
    for (const timer of this.#timers) clearInterval(timer)
    if (this.#recovery !== null) clearTimeout(this.#recovery)
    this.#hls?.destroy()
    this.#hls = null
    this.#reports.close()
    this.#listeners.clear()
  }

  #load(url: string, startPosition: number): void {
    this.#hls?.destroy()
    // oxlint-disable-next-line import/no-named-as-default-member -- hls.js's types declare it as a static only
    if (!HlsJs.isSupported()) {
      this.#fail('This browser cannot play: it has no Media Source Extensions.')
      return
    }
    const steering = failoverSteering({
      memory: this.#memory,
      nowMs: () => performance.now(),
      edgeOf: address => this.table.edgeOf(address),
      moved: (from, to) =>
        this.#emit('error', {
          text: `${from} did not answer; going on from ${to}`,
          edge: from,
          fatal: false,
        }),
    })
    const hls = new HlsJs({
      ...hlsSettings({ cmcd: this.#reports.cmcd, startPosition }),
      pLoader: pictureAloneLoader(codecs => {
        this.#lostSound = codecs
      }),
      ...(steering === undefined ? {} : { contentSteeringController: steering as never }),
    })
    this.#hls = hls
    this.#reports.follow(hls)
    hls.on(Events.FRAG_LOADED, (_, data) => this.#onFragment(data))
    hls.on(Events.ERROR, (_, data) => this.#onError(data))
    hls.on(Events.LEVEL_SWITCHED, () => this.#changed())
    hls.on(Events.MANIFEST_PARSED, () => {
      this.#changed()
      if (!this.#blocked && this.#wanted) void this.#play()
    })
    hls.attachMedia(this.#options.video)
    hls.loadSource(url)
    this.#changed()
  }

  async #play(): Promise<void> {
    const { video } = this.#options
    try {
      this.#wanted = true
      await video.play()
      this.#blocked = false
    } catch (thrown) {
      if (!(thrown instanceof DOMException) || thrown.name !== 'NotAllowedError') return
      if (video.muted) {
        this.#blocked = true
      } else {
        video.muted = true
        this.#mutedByBrowser = true
        await this.#play()
      }
    }
    this.#changed()
  }

  #onFragment(data: FragLoadedData): void {
    this.#attempt = 0
    this.#restarts = 0
    this.#problem = null
    const edge = this.table.edgeOf(data.frag.url) ?? cmsdName(data.networkDetails)
    if (edge === null || edge === this.#edge) return
    const from = this.#edge
    this.#edge = edge
    this.#emit('edge', { from, to: edge, atMs: performance.now() })
    this.#changed()
  }

  #onError(data: ErrorData): void {
    if (!data.fatal) return
    if (data.type === ErrorTypes.NETWORK_ERROR) {
      this.#recover(data)
    } else if (data.type === ErrorTypes.MEDIA_ERROR && this.#mediaRecoveries < MEDIA_RECOVERIES_MAX) {
      this.#mediaRecoveries += 1
      this.#hls?.recoverMediaError()
    } else {
      this.#fail(`The picture could not be decoded (${data.details}).`)
    }
  }

  #recover(data: ErrorData): void {
    const nowMs = performance.now()
    const lastEdge =
      this.table.edgeOf(data.frag?.url ?? data.context?.url ?? data.url ?? '') ?? this.#asked ?? this.#edge
    if (lastEdge !== null && (failedUrl(data) !== null || data.details.startsWith('manifest'))) {
      this.#memory.failed(lastEdge, nowMs)
    }
    if (data.response?.code === 404 && data.details === ErrorDetails.MANIFEST_LOAD_ERROR) {
      this.#fail(`There is no title “${this.#options.title}” here.`)
      return
    }
    const step = recover(
      {
        attempt: this.#attempt,
        restarts: this.#restarts,
        bufferedAheadS: bufferedAhead(this.#options.video),
        hasPathways: (this.#hls?.levels.length ?? 0) > 0,
        lastEdge,
        edges: this.table.ids,
      },
      this.#memory,
      nowMs,
    )
    if (step.kind === 'give-up') {
      this.#fail('No edge answers. Playing goes on by itself when one is back.', true)
      return
    }
    if (step.kind === 'reload') this.#attempt += 1
    else this.#restarts += 1
    this.#problem =
      step.kind === 'reload'
        ? `Trying ${step.edge ?? 'again'} (${this.#attempt} of ${RELOADS_MAX})`
        : 'Trying the other edges'
    this.#emit('error', { text: `${lastEdge ?? 'the server'} did not answer`, fatal: false, edge: lastEdge })
    this.#changed()
    if (this.#recovery !== null) clearTimeout(this.#recovery)
    this.#recovery = setTimeout(() => {
      if (step.kind === 'restart') this.#restart()
      else this.#reload(step.edge)
    }, step.delayMs)
  }

  /** Loads on in place, so that what is buffered stays on the screen. */
  #restart(): void {
    const hls = this.#hls
    if (hls === null) return
    hls.pathwayPriority = this.#memory.order(hls.pathways, performance.now())
    hls.startLoad()
  }

  /** From another edge's own entry; `via` keeps its table from sending us back to the one that failed. */
  #reload(edge: string | null): void {
    const base = (edge === null ? null : this.table.urlOf(edge)) ?? this.#options.home
    this.#asked = edge
    this.#reloading = true
    this.#load(playUrl(base, this.#options.title, edge), this.#positionS > 0 ? this.#positionS : -1)
  }

  /** One at a time: with a frozen fleet one round takes longer than the pause between two. */
  async #refreshTable(): Promise<string | null> {
    if (this.#asking) return null
    this.#asking = true
    const base = await this.table.refresh(this.#closing.signal)
    this.#asking = false
    if (base !== null) this.#changed()
    return base
  }

  async #comeBack(): Promise<void> {
    if (!this.#failed || !this.#mayComeBack) return
    const base = await this.#refreshTable()
    if (base !== null && this.#failed) this.retry(this.table.edgeOf(base))
  }

  #look(): void {
    const { video } = this.#options
    const nowMs = performance.now()
    const hasPicture = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.seeking
    if (hasPicture) {
      this.#positionS = video.currentTime
      this.#reloading = false
    }
    const resting =
      !this.#wanted || this.#blocked || (!this.#reloading && (video.seeking || video.ended || video.paused))
    this.#stallClock.sample({ atMs: nowMs, positionS: this.#positionS, resting })
    if (this.#stallClock.stalled !== this.#wasStalled) {
      this.#wasStalled = this.#stallClock.stalled
      this.#emit('stall', { stalled: this.#wasStalled, totalMs: this.#stallClock.totalMs(nowMs) })
      this.#changed()
    }
    // hls.js 1.7.4 does not end the stream again when the pathway changes while the last fragments play:
    // the picture stands one frame before the end, and the element never loops.
    const atEnd = video.duration - video.currentTime < END_S
    if (hasPicture && !resting && this.#stallClock.stalled && atEnd) video.currentTime = 0
  }

  /**
   * The edge that feeds first, then the others: a dead one must not take what is known of it along. Where the page
   * comes from may be a control room, which takes no reports; it is asked while no edge is known.
   */
  #reportTo(): string[] {
    const feeding = this.#edge === null ? null : this.table.urlOf(this.#edge)
    const others = this.table.table.pathways.map(({ url }) => url)
    // A page of the control room names none: what is to be told waits for its first table.
    if (others.length === 0) return this.#options.edges === undefined ? [] : [this.#options.home]
    return [...(feeding === null ? [] : [feeding]), ...others]
  }

  #fail(text: string, mayComeBack = false): void {
    this.#failed = true
    this.#reports.failed('player-failed')
    this.#mayComeBack = mayComeBack
    this.#edge = null
    this.#problem = text
    this.#emit('error', { text, fatal: true, edge: null })
    this.#changed()
  }

  #phase(): PlayerPhase {
    const { video } = this.#options
    if (this.#failed) return 'failed'
    if (this.#blocked && video.paused) return 'blocked'
    if (this.#stallClock.stalled) return 'stalled'
    if (this.#problem !== null) return 'recovering'
    if (!this.#stallClock.begun && !video.paused) return 'loading'
    if (video.paused) return this.#hls?.levels.length === 0 ? 'loading' : 'paused'
    return 'playing'
  }

  #changed(): void {
    this.#emit('state', this.state)
  }

  #emit<Name extends keyof PlayerEvents>(name: Name, event: PlayerEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) (listener as Listener<Name>)(event)
  }
}
