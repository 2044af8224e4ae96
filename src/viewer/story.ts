// Owns what a simulated viewer tells of itself, and when: its states at the moments at which they began, however late
// it noticed, and each answer, also those that did not come. It refuses to say that it plays while its buffer is empty.
import type { Clock } from '#base'
import { type EventFacts, eventRecord, type PlayerState } from './cmcd.ts'
import type { PlayClock } from './play-clock.ts'
import type { Reporter } from './reporter.ts'

/** As the buffer's clock: a shorter gap is seen by nobody. */
const STALL_SEEN_MS = 130

export interface StoryOptions {
  readonly sid: string
  readonly title: string
  readonly clock: Clock
  readonly playClock: PlayClock
  readonly reporter: Pick<Reporter, 'add'>
}

export class Story {
  bandwidthBps: number | null = null
  throughputBps: number | null = null
  readonly #options: StoryOptions
  #state: PlayerState = 's'
  #starved: NodeJS.Timeout | null = null
  /** Of the last word about its state: none begins before it. */
  #saidAtMs = 0

  /** From monotonic to wall time, once: a clock that is set meanwhile would tear its stalls apart. */
  readonly #epochMs: number

  constructor(options: StoryOptions) {
    this.#options = options
    this.#epochMs = options.clock.wallMs() - options.clock.monotonicMs()
  }

  /** It has shown a first frame. */
  get started(): boolean {
    return this.#state !== 's'
  }

  /** It wishes to play. */
  asked(): void {
    this.#say({ kind: 'ps' }, 'soon')
  }

  /** Goes on as it was. */
  interval(): void {
    this.#say({ kind: 't' }, 'soon')
  }

  failed(errorCode: string): void {
    this.#say({ kind: 'e', errorCode }, 'soon')
  }

  /** An answer: stamped with the moment of its request, as CTA-5004-B has it. */
  answered(response: NonNullable<EventFacts['response']>): void {
    const atMs = this.#nowMs() - response.wholeMs
    this.#record({ kind: 'rr', response, atMs }, response.status === 200 ? 'later' : 'soon')
  }

  /** Media came, and is in the buffer already: it plays, again or for the first time. `stallMs`: what that ended. */
  arrived(stallMs: number, startDelayMs: number): void {
    // Before the timer of the stall ran.
    if (this.#state === 'p' && stallMs > 0) this.#enter('r', { backMs: stallMs })
    if (this.#state === 's') this.#enter('p', { startDelayMs })
    else if (this.#state === 'r') this.#enter('p', { starvedMs: stallMs })
    this.#quiet()
    const { clock, playClock } = this.#options
    const emptyMs = playClock.bufferedS(clock.monotonicMs()) * 1000 + STALL_SEEN_MS
    this.#starved = setTimeout(() => this.#look(), emptyMs)
  }

  /** It says no more. */
  quit(): void {
    this.#quiet()
    this.#enter('q')
  }

  #quiet(): void {
    if (this.#starved !== null) clearTimeout(this.#starved)
    this.#starved = null
  }

  /** The picture stands since the buffer was empty, whenever this was called. */
  #look(): void {
    const { clock, playClock } = this.#options
    const stallMs = playClock.stallMs(clock.monotonicMs())
    if (this.#state === 'p' && stallMs > 0) this.#enter('r', { backMs: stallMs })
  }

  #enter(
    state: PlayerState,
    { backMs = 0, ...more }: Partial<EventFacts> & { readonly backMs?: number } = {},
  ): void {
    this.#state = state
    const atMs = Math.max(this.#saidAtMs + 1, this.#nowMs() - backMs)
    this.#saidAtMs = atMs
    this.#record({ kind: 'ps', atMs, ...more }, 'soon')
  }

  /** A word that carries its state, at this moment. */
  #say(facts: Pick<EventFacts, 'kind'> & Partial<EventFacts>, urgency: 'soon' | 'later'): void {
    this.#look()
    const atMs = this.#nowMs()
    this.#saidAtMs = Math.max(this.#saidAtMs, atMs)
    this.#record({ atMs, ...facts }, urgency)
  }

  #nowMs(): number {
    return this.#epochMs + this.#options.clock.monotonicMs()
  }

  #record(facts: Pick<EventFacts, 'kind' | 'atMs'> & Partial<EventFacts>, urgency: 'soon' | 'later'): void {
    const { sid, title, clock, playClock, reporter } = this.#options
    const bufferS = playClock.bufferedS(clock.monotonicMs())
    const { bandwidthBps, throughputBps } = this
    const now = { sid, title, bufferS, state: this.#state, bandwidthBps, throughputBps }
    reporter.add(number => eventRecord({ ...now, ...facts, number }), urgency)
  }
}
