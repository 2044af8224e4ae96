// The door of the player library: what a viewer goes through, told to the edges as CMCD version 2 events (CTA-5004-B).
// With hls.js its own reporter speaks and this corrects it (docs/watch/player-library.md); a plain <video> is watched here.
import { Playhead } from './playhead.ts'
import { quoted, type RecordKeys, readKeys, unquoted } from './record.ts'
import { ReportSender } from './sender.ts'
import { sinceEpochMs, Timings } from './timings.ts'

/** Time between two `t` records. */
const INTERVAL_S = 10
const CID_CHARACTERS_MAX = 128
const REF_CHARACTERS_MAX = 128
/** What an edge keeps of a string. */
const GRANT_CHARACTERS_MAX = 1024
/** `viewerRefKey` of wire, which would bring its validators along. */
export const VIEWER_REF_KEY = 'com.vitrine-viewer'
/** `viewerGrantKey` of wire. */
export const GRANT_KEY = 'com.vitrine-grant'
/** `viewerLateKey` of wire. */
export const LATE_KEY = 'com.vitrine-late'
/** A page is always a little late. */
const LATE_MS_MIN = 100
/** Less may be hls.js, which steps over a hole. */
const GOES_ON_S_MIN = 0.5
const URL_CHARACTERS_MAX = 512

export interface ReportsOptions {
  /** Base URLs of edges, the best first: `https://eu.example`. A function where they change. */
  readonly edges: readonly string[] | (() => readonly string[])
  /** What is played: the title's id. */
  readonly contentId?: string
  /** An opaque reference of your own to who watches: no name, no address. It is called claimed until a grant proves it. */
  readonly viewerRef?: string
  /** Signed by your site for `sessionId` and `contentId`: it proves who watches. A function where it comes later. */
  readonly viewerGrant?: string | (() => string | undefined)
  /** At most 64 characters; left out: a new one. */
  readonly sessionId?: string
  /** Fatal errors of hls.js are answered by this player itself, which says so by `failed()` when it gives up. */
  readonly recovers?: boolean
}

/** The part of an hls.js that is listened to. */
export interface HlsLike {
  on(event: never, listener: never): void
}

/** For `new Hls({ cmcd })`. */
export interface HlsCmcd {
  sessionId: string
  contentId?: string
  useHeaders: false
  version: 1
  eventTargets: { url: string; events: never[]; interval: number; batchSize: number }[]
  loader: (request: { body?: unknown }) => Promise<{ status: number }>
}

const EVENTS = ['ps', 'e', 't', 'rr', 'bc', 'pr', 'c']

interface FragmentFailure {
  readonly details?: string
  readonly frag?: {
    readonly url?: string
    readonly stats?: { readonly loading?: { readonly start?: number } }
  }
  readonly response?: { readonly code?: number }
}

interface FragmentLoaded {
  readonly frag?: { readonly url?: string }
  readonly networkDetails?: unknown
}

/** Tells of one playback; one of these for each. */
export class ViewerReports {
  readonly sessionId: string
  /** hls.js speaks version 1 with its requests, and version 2 as events through us. */
  readonly cmcd: HlsCmcd
  readonly #options: ReportsOptions
  readonly #sender: ReportSender
  readonly #closing = new AbortController()
  readonly #playhead = new Playhead()
  readonly #timings = new Timings()
  #video: HTMLVideoElement | null = null
  #isPlain = true
  #sn = 0
  #state = ''
  /** hls.js is at the first frame, which has not moved yet. */
  #begun = false
  #askedMs: number | null = null
  #startPosition: number | null = null
  #muted = false
  /** Of the present rebuffering. */
  #starvedMs: number | null = null
  #stoodAtS = 0
  /** Of the last state: none begins before the one before it. */
  #enteredMs = 0
  /** The last record that says the present state at the present time. */
  #lastSaid: RecordKeys | null = null
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(options: ReportsOptions) {
    this.#options = options
    const { edges, contentId, sessionId = crypto.randomUUID() } = options
    this.sessionId = sessionId.slice(0, 64)
    this.#sender = new ReportSender(() => (typeof edges === 'function' ? edges() : edges))
    this.cmcd = {
      sessionId: this.sessionId,
      ...(contentId === undefined ? {} : { contentId }),
      useHeaders: false,
      version: 1,
      // The address is not used: the loader knows where to.
      eventTargets: [{ url: 'cmcd:', events: EVENTS as never[], interval: INTERVAL_S, batchSize: 1 }],
      loader: ({ body }) => {
        for (const line of String(body).split('\n')) if (line !== '') this.#fromHls(readKeys(line))
        return Promise.resolve({ status: 204 })
      },
    }
  }

  /** Records that no edge took. */
  get lost(): number {
    return this.#sender.lost
  }

  /** Begins to watch an element; `hls` where hls.js plays on it with `cmcd`. Once. */
  watch(video: HTMLVideoElement, hls: HlsLike | null = null): this {
    if (hls !== null) this.follow(hls)
    this.#video = video
    const { signal } = this.#closing
    const on = (target: EventTarget, names: string, listener: () => void): void => {
      for (const name of names.split(' ')) target.addEventListener(name, listener, { signal })
    }
    on(video, 'play', () => this.asked())
    if (video.autoplay || !video.paused) this.asked()
    on(video, 'playing', () => this.#onPlaying())
    on(video, 'timeupdate', () => {
      this.#moved()
      if (video.seeking) return
      if (this.#state === 'r' && this.#goesOn(video)) this.#enter('p')
      if (this.#state === 'p') this.#playhead.look(performance.now(), video.currentTime, video.playbackRate)
    })
    on(video, 'seeking', () => {
      this.#startPosition = null
      this.#playhead.jumped()
    })
    on(video, 'volumechange', () => this.#onVolume(video.muted))
    on(document, 'fullscreenchange', () => this.#tell(document.fullscreenElement === null ? 'pc' : 'pe'))
    on(document, 'visibilitychange', () => {
      this.#tell('b', document.hidden ? [['bg', '']] : [['bg', '?0']])
      // On a phone it may be the last that is heard of this page.
      if (document.hidden) this.#sender.leave()
    })
    on(window, 'pagehide', () => this.#quit())
    this.#muted = video.muted
    this.#timings.observe()
    if (hls === null && this.#isPlain) this.#watchPlain(video, on)
    return this
  }

  /** A new hls.js on the same element, as after a reload: the session goes on. */
  follow(hls: HlsLike): void {
    this.#isPlain = false
    const on = hls.on.bind(hls) as (event: string, listener: (event: string, data: unknown) => void) => void
    on('hlsFragLoaded', (_, data) => this.#echo(data as FragmentLoaded))
    on('hlsError', (_, data) => this.#onError(data as FragmentFailure))
  }

  /** The viewer wants to play, before the element knows. The start time counts from the first call. */
  asked(): void {
    if (this.#askedMs !== null) return
    this.#askedMs = performance.now()
    if (this.#state === '' || this.#state === 'd') this.#enter('s')
  }

  /** It cannot be played, and will not be tried again. */
  failed(code: string): void {
    this.#tell('e', [['ec', `(${quoted(code, 64)})`]])
    this.#enter('f')
  }

  /** Ends the session; what waits is sent. */
  close(): void {
    this.#quit()
    this.#closing.abort()
    this.#timings.close()
    clearInterval(this.#timer)
  }

  /** Corrects what hls.js's reporter says. Read against hls.js 1.7.4. */
  #fromHls(keys: RecordKeys): void {
    const event = keys.get('e')
    const said = keys.get('sta')
    if (this.#state === 'q') return // hls.js may outlast the session
    if (event === 'ps') {
      const state = this.#stateOf(said ?? '')
      if (state === 'p' && !this.#begun) return // the playhead has not moved: `#moved` says so
      if (state !== null) this.#enter(state, keys)
      return
    }
    // Fatal for hls.js, but not for who plays on.
    if (event === 'e' && this.#options.recovers === true) keys.delete('sta')
    if (event === 'rr') this.#completeResponse(keys)
    if (event === 't' && this.#state === '') return // before anything happened
    this.#add(keys, event === 'e')
  }

  /** Null: nothing changed for the viewer. */
  #stateOf(said: string): string | null {
    // It begins anew with each reload; for who was watching, the picture stands.
    if (said === 's' || said === 'd')
      return this.#begun ? 'r' : said === 'd' && this.#askedMs !== null ? null : said
    // `waiting` comes with every seek.
    if (said === 'r' && this.#video?.seeking === true) return 'k'
    if (said === 'f' && this.#options.recovers === true) return this.#begun ? 'r' : null
    if (said === 'a' && !this.#begun) return null
    return said
  }

  #enter(state: string, keys: RecordKeys = this.#newKeys('ps'), more: [string, string][] = []): void {
    if (state === this.#state || this.#state === 'q') return
    const heardMs = performance.now()
    const atMs = Math.max(this.#enteredMs, this.#agree(state, this.#momentOf(state, heardMs)))
    this.#enteredMs = atMs
    if (this.#starvedMs !== null) {
      keys.set('bs', '')
      keys.set('bsd', `(${Math.round(atMs - this.#starvedMs)})`)
    }
    if (heardMs - atMs >= LATE_MS_MIN) keys.set(LATE_KEY, String(Math.round(heardMs - atMs)))
    this.#starvedMs = state === 'r' ? atMs : null
    this.#stoodAtS = this.#video?.currentTime ?? 0
    keys.set('ts', String(sinceEpochMs(atMs)))
    this.#state = state
    for (const [key, value] of more) keys.set(key, value)
    this.#add(keys, true)
  }

  /** What was said between a change of state and its notice said the wrong state: that is put right, or stands if sent. */
  #agree(state: string, atMs: number): number {
    const { waiting } = this.#sender
    const said = this.#lastSaid
    const saidMs = Number(said?.get('ts') ?? 0) - performance.timeOrigin
    if (said === null || saidMs <= atMs) return atMs
    if (!waiting.includes(said)) return saidMs
    for (const keys of waiting) {
      const isBetween = Number(keys.get('ts')) - performance.timeOrigin > atMs
      if (isBetween && keys.get('e') !== 'ps') keys.set('sta', state)
    }
    return atMs
  }

  /** When it stopped or went on, which the page may hear late. */
  #momentOf(state: string, nowMs: number): number {
    const video = this.#video
    if (video === null || video.seeking) return nowMs
    const { currentTime, playbackRate } = video
    if (state === 'r' && this.#state === 'p') return this.#playhead.stoppedMs(nowMs, currentTime)
    if (state !== 'p' || this.#state !== 'r') return nowMs
    return Playhead.resumedMs(nowMs, this.#stoodAtS, currentTime, playbackRate)
  }

  /** It moves with the clock: `playing` came before the word that it waits, which a busy page hears late. */
  #goesOn({ currentTime, playbackRate }: HTMLVideoElement): boolean {
    const movedS = currentTime - this.#stoodAtS
    const thereS = ((performance.now() - this.#enteredMs) / 1000) * playbackRate
    return movedS >= GOES_ON_S_MIN && movedS <= thereS + GOES_ON_S_MIN
  }

  #onPlaying(): void {
    if (this.#begun) {
      this.#enter('p')
      return
    }
    this.#startPosition = this.#video?.currentTime ?? 0
    const look = (): void => {
      if (this.#begun || this.#closing.signal.aborted) return
      this.#moved()
      requestAnimationFrame(look)
    }
    look()
  }

  /** The first frame with a moving playhead ends the start. */
  #moved(): void {
    if (this.#begun || this.#startPosition === null || this.#video === null) return
    if (this.#video.currentTime <= this.#startPosition) return
    this.#begun = true
    const startMs = performance.now() - (this.#askedMs ?? performance.now())
    this.#enter('p', this.#newKeys('ps'), [['msd', String(Math.round(startMs))]])
  }

  #watchPlain(
    video: HTMLVideoElement,
    on: (target: EventTarget, names: string, listener: () => void) => void,
  ): void {
    on(video, 'waiting', () => {
      if (this.#begun) this.#enter(video.seeking ? 'k' : 'r')
    })
    on(video, 'seeking', () => {
      if (this.#begun) this.#enter('k')
    })
    on(video, 'seeked pause', () => {
      if (this.#begun && video.paused && !video.ended) this.#enter('a')
    })
    on(video, 'ended', () => this.#enter('e'))
    on(video, 'ratechange', () => this.#tell('pr', [['pr', String(video.playbackRate)]]))
    on(video, 'error', () => this.failed(`media-${video.error?.code ?? 0}`))
    this.#timer = setInterval(() => {
      if (this.#state !== '' && this.#state !== 'f') this.#tell('t')
    }, INTERVAL_S * 1000)
  }

  #onVolume(muted: boolean): void {
    if (muted === this.#muted) return
    this.#muted = muted
    this.#tell(muted ? 'm' : 'um')
  }

  #onError({ details = '', frag, response }: FragmentFailure): void {
    if (frag?.url === undefined || !details.startsWith('fragLoad')) return
    const startMs = frag.stats?.loading?.start ?? 0
    const keys = this.#newKeys('rr')
    keys.set('rc', String(response?.code ?? 0))
    keys.set('url', quoted(frag.url.split('?')[0] ?? '', URL_CHARACTERS_MAX))
    if (startMs > 0) {
      // A response is stamped with the time of its request.
      keys.set('ts', String(sinceEpochMs(startMs)))
      keys.set('ttlb', String(Math.round(performance.now() - startMs)))
    }
    keys.set('ec', `(${quoted(details, 64)})`)
    this.#completeResponse(keys)
    this.#add(keys, true)
  }

  /** Which host answered, and how long it took by the browser's account instead of the busy page's. */
  #completeResponse(keys: RecordKeys): void {
    const url = unquoted(keys.get('url') ?? '')
    try {
      keys.set('h', quoted(new URL(url).host, 128))
    } catch {
      // hls.js gave no whole address; the record says what it can
    }
    const wantedMs = Number(keys.get('ts')) - performance.timeOrigin
    const tookMs = Number(keys.get('ttlb') ?? Number.NaN)
    const timing = this.#timings.of(url.split('?')[0] ?? '', wantedMs, wantedMs + tookMs)
    if (timing === null || !keys.has('ttfb')) return
    const { startMs, firstMs, endMs } = timing
    // Until it asked, and after the last byte was there.
    const lateMs = tookMs - (endMs - startMs)
    keys.set('ts', String(sinceEpochMs(startMs)))
    keys.set('ttfb', String(Math.round(firstMs - startMs)))
    keys.set('ttlb', String(Math.round(endMs - startMs)))
    if (lateMs >= LATE_MS_MIN) keys.set(LATE_KEY, String(Math.round(lateMs)))
  }

  /** CTA-5006: what the server said of itself goes back to who collects, as Base64 (CTA-5004-B, `cmsds`). */
  #echo({ frag, networkDetails }: FragmentLoaded): void {
    if (!(networkDetails instanceof XMLHttpRequest) || frag?.url === undefined) return
    const said = networkDetails.getResponseHeader('CMSD-Static')
    if (said === null || said.length > 256) return
    const url = frag.url.split('?')[0]
    const record = this.#sender.waiting.findLast(
      keys =>
        keys.get('e') === 'rr' && !keys.has('cmsds') && unquoted(keys.get('url') ?? '').split('?')[0] === url,
    )
    record?.set('cmsds', `"${btoa(said)}"`)
  }

  #quit(): void {
    if (this.#state !== '' && !['e', 'f', 'q'].includes(this.#state)) this.#enter('q')
    this.#sender.leave()
  }

  #tell(event: string, more: [string, string][] = []): void {
    if (this.#state === '') return
    const keys = this.#newKeys(event)
    for (const [key, value] of more) keys.set(key, value)
    this.#add(keys, event !== 't')
  }

  #newKeys(event: string): RecordKeys {
    return new Map([
      ['e', event],
      ['ts', String(sinceEpochMs(performance.now()))],
      ['v', '2'],
    ])
  }

  #add(keys: RecordKeys, soon: boolean): void {
    const { contentId, viewerRef, viewerGrant } = this.#options
    this.#sn += 1
    // Of one clock that never steps; hls.js stamps responses by it, too, and all else by the wall clock. States know when.
    const event = keys.get('e') ?? ''
    if (event !== 'rr' && event !== 'ps') keys.set('ts', String(sinceEpochMs(performance.now())))
    keys.set('sid', quoted(this.sessionId, 64))
    keys.set('sn', String(this.#sn))
    if (this.#state !== '') keys.set('sta', this.#state)
    if (contentId !== undefined) keys.set('cid', quoted(contentId, CID_CHARACTERS_MAX))
    if (viewerRef !== undefined && event !== 'rr')
      keys.set(VIEWER_REF_KEY, quoted(viewerRef, REF_CHARACTERS_MAX))
    const grant = typeof viewerGrant === 'function' ? viewerGrant() : viewerGrant
    // A record can be lost, and a change of state comes again.
    if (grant !== undefined && event === 'ps') keys.set(GRANT_KEY, quoted(grant, GRANT_CHARACTERS_MAX))
    this.#addBuffer(keys)
    if (event !== 'rr') this.#lastSaid = keys
    this.#sender.add(keys, soon)
  }

  /** What lies ahead now; hls.js repeats what it told at its last load. */
  #addBuffer(keys: RecordKeys): void {
    const video = this.#video
    if (video === null || video.readyState === 0) return
    const { buffered, currentTime } = video
    keys.set('bl', '(0)')
    for (let n = 0; n < buffered.length; n += 1) {
      if (buffered.start(n) > currentTime + 0.1 || buffered.end(n) < currentTime) continue
      keys.set('bl', `(${Math.round((buffered.end(n) - currentTime) * 1000)})`)
    }
  }
}
