// Owns the part of an edge that watches the control room: what it keeps on disk, whom it asks, and what it sends when
// most edges have lost it. Without a sealed route it only answers what holders ask.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import {
  type Clock,
  type Closable,
  type Counters,
  every,
  type FleetTime,
  type Log,
  messageOf,
  writeFileAtomic,
} from '#base'
import {
  controlLostDelivery,
  controlLostMessage,
  makeReceiver,
  type NamedReceiver,
  type Outgoing,
  SecretBook,
  textLines,
  titleWords,
} from '#receivers'
import type { Trust } from '#trust'
import type { SealedRoute, ToControl, WatcherAnswer, WatcherAsk } from '#wire'
import { Peers } from './peers.ts'
import { Ringer } from './ringer.ts'
import { type Kept, NOTHING_KEPT, Vigil } from './vigil.ts'

const TICK_MS = 1000
/** While it is lost; a turn that takes longer delays the next. */
const TURN_MS = 2000
/** While it is heard: who cannot be reached should be known before it matters. */
const LOOK_MS = 60_000
const REPORT_MS = 5000
/** Of one receiver: three of them, one after the other, fit into the right to ring. */
const SEND_MS_MAX = 8000

const kept = z.object({
  epoch: z.number(),
  holder: z.string().nullable(),
  done: z.array(z.string()).max(20),
  complete: z.boolean(),
  firstAt: z.number().nullable(),
})

export interface WatcherOptions {
  readonly id: string
  readonly url: string
  readonly stateFolder: string
  readonly trust: Trust
  readonly clock: Clock
  readonly counters: Counters
  readonly log: Log
  fleetTime(this: void): FleetTime | null
  hears(this: void): boolean
  send(this: void, message: ToControl): boolean
}

export class Watcher implements Closable {
  readonly #options: WatcherOptions
  readonly #vigil: Vigil
  readonly #ringer: Ringer
  readonly #peers: Peers
  readonly #file: string
  readonly #timers: Closable[] = []
  #receivers: ReadonlyMap<string, NamedReceiver> = new Map()
  #secrets = new SecretBook({})
  #route: SealedRoute | null = null
  #routeKey = ''
  #lookedMs = Number.NEGATIVE_INFINITY
  #pages = 0
  #failures = 0

  constructor(options: WatcherOptions) {
    this.#options = options
    const { id, clock } = options
    this.#file = join(options.stateFolder, 'watcher.json')
    this.#peers = new Peers(options.trust)
    const { monotonicMs } = clock
    this.#vigil = new Vigil({
      id,
      kept: readKept(this.#file),
      store: own => writeFileAtomic(this.#file, JSON.stringify(own)),
      monotonicMs,
      fleetMs: this.#fleetMs,
    })
    const port = { ask: this.#peers.ask, ring: this.#ring, remind: this.#remind }
    this.#ringer = new Ringer({ id, vigil: this.#vigil, port, monotonicMs })
    this.#tell(options.counters)
  }

  start(): void {
    const { log, hears } = this.#options
    const failed = (error: unknown): void => log.error('watcher-failed', { error })
    this.#timers.push(
      every(TICK_MS, () => this.#vigil.tick(hears()), failed),
      every(TURN_MS, () => this.#turn(), failed),
      every(REPORT_MS, this.report, failed),
    )
  }

  /** In ms; 0: it hears the control room. */
  get lostMs(): number {
    return this.#vigil.lostMs
  }

  /** Since this edge has started. */
  get heard(): boolean {
    return this.#vigil.heard
  }

  /** Of the times that people read. */
  get zone(): string {
    return this.#route?.zone ?? 'UTC'
  }

  setRoute(route: SealedRoute): void {
    const { log } = this.#options
    this.#route = route
    this.#vigil.setRoute(route)
    this.#peers.set(route.held?.peers ?? [])
    const key = JSON.stringify(route.held?.receivers ?? [])
    if (key !== this.#routeKey) {
      this.#routeKey = key
      for (const receiver of this.#receivers.values()) void receiver.close()
      this.#secrets = new SecretBook({})
      const made = new Map<string, NamedReceiver>()
      for (const config of route.held?.receivers ?? []) {
        try {
          made.set(config.name, makeReceiver(config, this.#secrets, SEND_MS_MAX))
        } catch (error) {
          log.error('sealed-receiver-unusable', { receiver: config.name, problem: messageOf(error) })
        }
      }
      this.#receivers = made
    }
    const usable = (route.held?.receivers ?? []).filter(({ name }) => this.#receivers.has(name))
    this.#ringer.setRoute({
      ...route,
      held: route.held === null ? null : { ...route.held, receivers: usable },
    })
  }

  /** What another edge asks. */
  answer = (ask: WatcherAsk): WatcherAnswer => this.#vigil.answer(ask)

  /** The control room closes what edges told, so it must hear of it. */
  report = (): void => {
    const { epoch, done, firstAt } = this.#vigil.kept
    if (done.length === 0 || firstAt === null || !this.#options.hears()) return
    const agoMs = Math.max(0, this.#fleetMs() - firstAt)
    this.#options.send({ type: 'watcher-state', epoch, done: [...done], agoMs })
  }

  async close(): Promise<void> {
    for (const receiver of this.#receivers.values()) await receiver.close()
    await this.#peers.close() // what is under way ends at once
    for (const timer of this.#timers) await timer.close()
  }

  #fleetMs = (): number => this.#options.fleetTime()?.nowMs() ?? this.#options.clock.wallMs()

  async #turn(): Promise<void> {
    await this.#ringer.turn()
    const nowMs = this.#options.clock.monotonicMs()
    if (!this.#ringer.holds || this.#vigil.isLost || nowMs - this.#lookedMs < LOOK_MS) return
    this.#lookedMs = nowMs
    await this.#ringer.look()
  }

  #ring = async (
    name: string,
    lost: { readonly agreed: number; readonly lostMs: number },
  ): Promise<boolean> => {
    const receiver = this.#receivers.get(name)
    if (receiver === undefined) return true
    const { log } = this.#options
    const { agreed } = lost
    const text = `${agreed} of ${this.#route?.members ?? agreed} edges have not heard it for ${seconds(this.#route?.afterMs ?? 0)} or longer. Told by edge ${this.#options.id}.`
    const outcome = await receiver.send(this.#outgoing(name, lost.lostMs, text))
    if (outcome.ok) {
      this.#pages += 1
      log.warn('control-room-lost-told', { receiver: name, agreed })
      return true
    }
    this.#failures += 1
    const problem = this.#secrets.clean(outcome.problem)
    log.error('control-room-lost-not-told', { receiver: name, problem, final: outcome.final })
    return outcome.final
  }

  #remind = async (lostMs: number): Promise<void> => {
    for (const [name, { refresh }] of this.#receivers) {
      if (refresh !== undefined) await refresh([this.#outgoing(name, lostMs, 'It is still lost.')])
    }
  }

  #outgoing(name: string, lostMs: number, text: string): Outgoing {
    const { url } = this.#options
    const at = Math.round(this.#fleetMs())
    const { epoch } = this.#vigil.kept
    const since = at - Math.round(lostMs)
    const message = controlLostMessage({ epoch, at, since, text, resolvedAt: null })
    const { zone } = this
    const link = `${url}/wall`
    const words = {
      title: titleWords(message, zone),
      text: [...textLines(message, zone), `Last picture: ${link}`].join('\n'),
    }
    return { key: controlLostDelivery(epoch, name), message, words, link, url, at }
  }

  #tell(counters: Counters): void {
    const lost = counters.gauge(
      'vitrine_edge_control_lost_seconds',
      'For how long this edge has not heard the control room; 0: it hears it. Look at the network between them.',
    )
    const holds = counters.gauge(
      'vitrine_edge_watcher_holds',
      '1: this edge holds a sealed copy of the top route. Fewer than 2 in the fleet: nobody rings when the control room dies.',
    )
    const peers = counters.gauge(
      'vitrine_edge_watcher_peers',
      'Other edges that a holder asked a minute ago, by result. Below half of the fleet reached: it could not ring; look at their certificates and firewalls.',
    )
    const pages = counters.counter(
      'vitrine_edge_watcher_told_total',
      'Messages about a lost control room that this edge sent, by result: sent, failed.',
    )
    let told = { pages: 0, failures: 0 }
    counters.beforeCollect(() => {
      lost.set(this.#vigil.lostMs / 1000)
      holds.set(this.#ringer.holds ? 1 : 0)
      if (this.#ringer.holds) {
        const asked = this.#route?.held?.peers.length ?? 0
        const { reached } = this.#ringer.looked
        peers.set(reached, { result: 'reached' })
        peers.set(Math.max(0, asked - reached), { result: 'silent' })
      }
      pages.add(this.#pages - told.pages, { result: 'sent' })
      pages.add(this.#failures - told.failures, { result: 'failed' })
      told = { pages: this.#pages, failures: this.#failures }
    })
  }
}

/** A file that cannot be read is as none: then the others still know. */
function readKept(file: string): Kept {
  try {
    const parsed = kept.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    return parsed.success ? parsed.data : NOTHING_KEPT
  } catch {
    return NOTHING_KEPT
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
