// Owns what a holder of the sealed route does when the control room is gone: ask all edges, take the right to ring if
// more than half give it, ring once, and say so. It refuses to ring for an edge that is merely cut off itself.
import type { SealedRoute, WatcherAnswer, WatcherAsk } from '#wire'
import type { Vigil } from './vigil.ts'

/** Each reachable holder before us in the list has so long to ring and to say so. */
const STAGGER_MS = 15_000
/** No attempt begins later than this after the right was asked for; with its own deadline it ends before the right does. */
const RING_MS_MAX = 30_000
/** After others had the right, or nobody could be told. */
const PAUSE_MS = 5000
/** An Alertmanager forgets what it is not told again. */
const REMIND_MS = 60_000

export interface RingPort {
  /** Null: no answer in time. */
  ask(this: void, peer: string, ask: WatcherAsk): Promise<WatcherAnswer | null>
  /** One receiver is told, or refuses for good: true. */
  ring(
    this: void,
    receiver: string,
    lost: { readonly agreed: number; readonly lostMs: number },
  ): Promise<boolean>
  /** Those that forget are told again. */
  remind(this: void, lostMs: number): Promise<void>
}

export interface RingerOptions {
  readonly id: string
  readonly vigil: Vigil
  readonly port: RingPort
  monotonicMs(this: void): number
}

/** What the last look at the others gave, for metrics. */
export interface Looked {
  readonly reached: number
  readonly lost: number
}

export class Ringer {
  readonly #options: RingerOptions
  #route: SealedRoute | null = null
  #majoritySinceMs: number | null = null
  #pausedUntilMs = 0
  #remindAtMs = 0
  looked: Looked = { reached: 0, lost: 0 }

  constructor(options: RingerOptions) {
    this.#options = options
  }

  setRoute(route: SealedRoute): void {
    this.#route = route
  }

  get holds(): boolean {
    return this.#route?.held !== null && this.#route !== null
  }

  /** So that who could not be reached is known before it matters. */
  async look(): Promise<void> {
    await this.#askAll('look')
  }

  /** One turn; the next one begins after it has ended. */
  async turn(): Promise<void> {
    const { vigil, monotonicMs, port } = this.#options
    const route = this.#route
    if (route?.held == null || !vigil.isLost) {
      this.#majoritySinceMs = null
      return
    }
    const answers = await this.#askAll('look')
    if (!this.#isMajority(1 + answers.filter(answer => answer.lostMs >= route.afterMs).length)) {
      this.#majoritySinceMs = null
      return
    }
    const nowMs = monotonicMs()
    this.#majoritySinceMs ??= nowMs
    const before = route.holders.slice(0, Math.max(0, route.holders.indexOf(this.#options.id)))
    const ahead = before.filter(holder => answers.some(({ id }) => id === holder)).length
    if (vigil.kept.complete) {
      if (ahead > 0 || nowMs < this.#remindAtMs) return
      this.#remindAtMs = nowMs + REMIND_MS
      return port.remind(vigil.lostMs)
    }
    if (nowMs < this.#pausedUntilMs || nowMs - this.#majoritySinceMs < ahead * STAGGER_MS) return
    await this.#ringAll(route, route.held.receivers)
  }

  async #ringAll(route: SealedRoute, receivers: readonly { readonly name: string }[]): Promise<void> {
    const { vigil, port, monotonicMs, id } = this.#options
    const askedMs = monotonicMs()
    const { epoch } = vigil.kept
    const own = vigil.answer({ epoch, from: id, act: 'claim', done: [], complete: false })
    const granted = own.granted ? (await this.#askAll('claim')).filter(answer => answer.granted).length : 0
    const agreed = 1 + granted
    if (own.granted && this.#isMajority(agreed) && vigil.kept.epoch === epoch) {
      for (const { name } of receivers) {
        if (vigil.kept.done.includes(name)) continue
        // The right, the silence and the outage may have ended meanwhile.
        if (monotonicMs() - askedMs > RING_MS_MAX || !vigil.isLost || vigil.kept.epoch !== epoch) break
        if (await port.ring(name, { agreed, lostMs: vigil.lostMs })) this.#told(epoch, [name])
      }
      if (receivers.every(({ name }) => vigil.kept.done.includes(name))) this.#told(epoch, [], true)
      this.#remindAtMs = monotonicMs() + REMIND_MS
    }
    if (!vigil.kept.complete) this.#pausedUntilMs = monotonicMs() + PAUSE_MS * Math.max(1, rankOf(route, id))
    vigil.answer({ epoch, from: id, act: 'release', done: [], complete: false })
    await this.#askAll('release')
  }

  #told(epoch: number, names: readonly string[], complete = false): void {
    if (this.#options.vigil.kept.epoch === epoch) this.#options.vigil.told(names, complete)
  }

  /** Everybody hears who was told, and everybody's word is taken over. */
  async #askAll(act: WatcherAsk['act']): Promise<WatcherAnswer[]> {
    const { vigil, port, id } = this.#options
    const peers = this.#route?.held?.peers ?? []
    const { epoch, done, complete } = vigil.kept
    const ask = { epoch, from: id, act, done: [...done], complete }
    const answers = (await Promise.all(peers.map(peer => port.ask(peer.id, ask)))).filter(
      answer => answer !== null,
    )
    for (const answer of answers) {
      vigil.adopt(answer.epoch)
      if (answer.epoch === vigil.kept.epoch) vigil.told(answer.done, answer.complete)
    }
    const afterMs = this.#route?.afterMs ?? Number.POSITIVE_INFINITY
    this.looked = {
      reached: answers.length,
      lost: answers.filter(({ lostMs }) => lostMs >= afterMs).length,
    }
    return answers
  }

  /** Of all edges, not of those that answer. Two: one edge alone cannot tell who is cut off. */
  #isMajority(count: number): boolean {
    const members = this.#route?.members ?? 0
    return members >= 2 && count > members / 2
  }
}

function rankOf({ holders }: SealedRoute, id: string): number {
  return holders.indexOf(id) + 1
}
