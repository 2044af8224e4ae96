// Owns asking the store what is normal for a server, and whether it is within. What is normal changes slowly and is kept
// for a minute; what is measured now is asked anew.
import type { Log } from '#base'
import type { MetricsStore } from '#metrics'
import type { NormalAnswer, SignalView } from '#wire'
import type { Fleet, ServerRecord } from '../fleet/fleet.ts'
import type { Servers } from '../state/servers.ts'
import { type Band, type Basis, bandOf, judgeSignal, overall, PEERS_MIN } from './judge-band.ts'
import { type Signal, signalExpr, signals } from './signals.ts'

const DAY_MS = 86_400_000
const HOUR_HALF_MS = 1_800_000
const OWN_STEP_MS = 60_000
/** Half an hour of one earlier day. */
const OWN_VALUES_MIN = 30
/** Days back: the last week, and this weekday of two weeks before. */
const OWN_DAYS = [1, 2, 3, 4, 5, 6, 7, 14]
const SHORT_MS_MIN = 60_000
const SHORT_MS_MAX = 600_000
const SHORT_STEP_MS = 5000
const SHORT_VALUES_MIN = 6
/** It began before it was seen. */
const ONSET_MS = 10_000
const KEPT_MS = 60_000
const KEPT_MAX = 20_000
/** A value is asked for at most so often. */
const VALUE_KEPT_MS = 2000

type Standing = NormalAnswer['servers'][number]

export interface BandKeeperOptions {
  readonly store: MetricsStore
  readonly fleet: Fleet
  readonly servers: Servers
  readonly log: Log
  nowMs(this: void): number
}

export class BandKeeper {
  readonly #options: BandKeeperOptions
  readonly #bands = new Map<string, { readonly at: number; readonly band: Promise<Band | null> }>()
  readonly #values = new Map<string, { readonly at: number; readonly value: Promise<number | null> }>()

  constructor(options: BandKeeperOptions) {
    this.#options = options
  }

  /** Whether it is within its normal ranges; `names` null: all signals, as far as they are measured. */
  async check(record: ServerRecord, names: readonly string[] | null): Promise<Standing> {
    const wanted = names === null ? signals : signals.filter(({ name }) => names.includes(name))
    const views: SignalView[] = []
    for (const signal of wanted) {
      const [value, band] = [await this.#value(record.id, signal), await this.#band(record, signal)]
      views.push(judgeSignal(signal, value, band))
    }
    return { id: record.id, state: record.standing.state, ...overall(views, names !== null), signals: views }
  }

  #band(record: ServerRecord, signal: Signal): Promise<Band | null> {
    const { nowMs } = this.#options
    const key = `${record.id} ${signal.name}`
    const known = this.#bands.get(key)
    if (known !== undefined && nowMs() - known.at < KEPT_MS) return known.band
    const band = this.#basis(record, signal).then(basis => bandOf(signal, basis))
    if (this.#bands.size >= KEPT_MAX) this.#bands.clear()
    this.#bands.set(key, { at: nowMs(), band })
    return band
  }

  /** Its own of this hour, else its peers', else its own of some minutes. */
  async #basis(record: ServerRecord, signal: Signal): Promise<Basis> {
    const own = await this.#own(record.id, signal)
    if (own.length >= OWN_VALUES_MIN) return { basis: 'own', values: own }
    const peers = await this.#peers(record, signal)
    if (peers.length >= PEERS_MIN) return { basis: 'peers', values: peers }
    const short = await this.#short(record, signal)
    return short.length >= SHORT_VALUES_MIN
      ? { basis: 'short baseline', values: short }
      : { basis: 'none', values: [] }
  }

  async #own(id: string, signal: Signal): Promise<number[]> {
    const { store, nowMs } = this.#options
    const now = nowMs()
    const oldest = store.stats().oldestMs ?? now
    const values: number[] = []
    for (const days of OWN_DAYS) {
      const middle = now - days * DAY_MS
      if (middle - HOUR_HALF_MS < oldest) break
      values.push(
        ...(await this.#range(id, signal, {
          fromMs: middle - HOUR_HALF_MS,
          toMs: middle + HOUR_HALF_MS,
          stepMs: OWN_STEP_MS,
        })),
      )
    }
    return values
  }

  async #peers(record: ServerRecord, signal: Signal): Promise<number[]> {
    const now = this.#options.nowMs()
    const peers = this.#options.fleet
      .all()
      .filter(
        ({ id, role, standing, since }) =>
          id !== record.id &&
          role === record.role &&
          standing.state === 'healthy' &&
          now - since >= SHORT_MS_MIN,
      )
      .slice(0, 20)
    const values = await Promise.all(peers.map(({ id }) => this.#value(id, signal)))
    return values.filter(value => value !== null)
  }

  /** While it was healthy last, for a minute at least. */
  async #short({ id }: ServerRecord, signal: Signal): Promise<number[]> {
    const { servers, nowMs } = this.#options
    const now = nowMs()
    const changes = await servers.history(id, null)
    for (const [place, { at, to }] of changes.entries()) {
      if (to !== 'healthy') continue
      const left = changes[place - 1]?.at
      const toMs = left === undefined ? now - SHORT_MS_MIN : left - ONSET_MS
      const fromMs = Math.max(at, toMs - SHORT_MS_MAX)
      if (toMs - fromMs < SHORT_MS_MIN - ONSET_MS) continue
      return await this.#range(id, signal, { fromMs, toMs, stepMs: SHORT_STEP_MS })
    }
    return []
  }

  async #range(
    id: string,
    signal: Signal,
    span: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
  ): Promise<number[]> {
    try {
      const { value } = await this.#options.store.ask({ text: signalExpr(signal, id), ...span })
      return value.kind === 'matrix' ? [...(value.items[0]?.values ?? [])].filter(Number.isFinite) : []
    } catch (error) {
      this.#options.log.warn('band-missing', { server: id, signal: signal.name, error })
      return []
    }
  }

  #value(id: string, signal: Signal): Promise<number | null> {
    const { store, log, nowMs } = this.#options
    const now = nowMs()
    const key = `${id} ${signal.name}`
    const known = this.#values.get(key)
    if (known !== undefined && now - known.at < VALUE_KEPT_MS) return known.value
    const value = store
      .ask({ text: signalExpr(signal, id), fromMs: now, toMs: now, stepMs: null })
      .then(({ value: answer }) => {
        const one = answer.kind === 'vector' ? answer.items[0]?.value : undefined
        return one === undefined || !Number.isFinite(one) ? null : one
      })
      .catch((error: unknown) => {
        log.warn('signal-missing', { server: id, signal: signal.name, error })
        return null
      })
    if (this.#values.size >= KEPT_MAX) this.#values.clear()
    this.#values.set(key, { at: now, value })
    return value
  }
}
