// Owns the figures behind the wall: asked from the metrics store when somebody looks, and once for all who look.
// It asks nothing while nobody looks.
import type { Labels, Log } from '#base'
import type { MetricsStore, Value } from '#metrics'
import type { WallRebuffering } from '#wire'
import type { WallFigures } from './wall-view.ts'

/** Walls ask each second; a figure older than this is asked again. */
const NEWEST_MS = 900
/** A spark line moves by one cell in this time. */
export const SPARK_STEP_S = 5
const SPARK_S = 300
const OFFSET_AGE = '15s' // agents push each second; older than this is no knowledge of now

const CPU = 'sum by (instance) (rate(vitrine_server_cpu_seconds_total[10s]))'
const SENT = 'sum by (instance) (rate(vitrine_edge_sent_bytes_total[5s])) * 8'
/** Five minutes: fewer tell little, and whoever looks wants to know of now. */
const FELT = '5m'
const REBUFFERING = `sum by (instance, estimate) (increase(vitrine_viewers_rebuffering_seconds_total[${FELT}]))`
const ASKED = `sum by (instance, estimate) (increase(vitrine_viewers_asked_seconds_total[${FELT}]))`
/** By its agent, else from outside to the second: over TLS a clock that is years off leaves its agent unheard. */
const SEEN = `last_over_time(vitrine_probe_clock_offset_seconds[${OFFSET_AGE}])`
const OFFSET = `max by (instance) (last_over_time(vitrine_clock_fleet_offset_seconds[${OFFSET_AGE}])) or max by (instance) (${SEEN} > 2 or ${SEEN} < -2)`

interface Kept<Answer> {
  readonly atMs: number
  readonly answer: Promise<Answer>
}

type ByServer<Figure> = ReadonlyMap<string, Figure>

interface Newest {
  readonly sent: ByServer<number>
  readonly offset: ByServer<number>
  readonly felt: ByServer<WallRebuffering>
}

export interface WallKeeperOptions {
  readonly store: MetricsStore
  readonly log: Log
  nowMs(this: void): number
}

export class WallKeeper {
  readonly #options: WallKeeperOptions
  #newest: Kept<Newest> | null = null
  #spark: Kept<ByServer<readonly (number | null)[]>> | null = null

  constructor(options: WallKeeperOptions) {
    this.#options = options
  }

  /** A store that cannot answer costs the figures, never the states. */
  async figures(): Promise<(id: string) => WallFigures> {
    const nowMs = Math.floor(this.#options.nowMs())
    const [newest, spark] = await Promise.all([this.#askNewest(nowMs), this.#askSpark(nowMs)])
    return id => ({
      throughputBps: newest.sent.get(id) ?? null,
      clockOffsetS: newest.offset.get(id) ?? null,
      rebuffering: newest.felt.get(id) ?? null,
      cpu: spark.get(id) ?? [],
    })
  }

  /** As they were at a moment in the past: asked for whoever looks, and not kept. */
  async figuresAt(atMs: number): Promise<(id: string) => WallFigures> {
    const at = Math.floor(atMs)
    const newest = await this.#newestAt(at)
    const spark = await this.#range(CPU, at, SPARK_STEP_S * 1000)
    return id => ({
      throughputBps: newest.sent.get(id) ?? null,
      clockOffsetS: newest.offset.get(id) ?? null,
      rebuffering: newest.felt.get(id) ?? null,
      cpu: spark.get(id) ?? [],
    })
  }

  #askNewest(nowMs: number): Promise<Newest> {
    if (this.#newest === null || Math.abs(nowMs - this.#newest.atMs) > NEWEST_MS) {
      this.#newest = { atMs: nowMs, answer: this.#newestAt(nowMs) }
    }
    return this.#newest.answer
  }

  async #newestAt(atMs: number): Promise<Newest> {
    const [sent, offset, rebuffering, asked] = await Promise.all([
      this.#instant(SENT, atMs),
      this.#instant(OFFSET, atMs),
      this.#instant(REBUFFERING, atMs, measuredOrNot),
      this.#instant(ASKED, atMs, measuredOrNot),
    ])
    return { sent, offset, felt: rebufferingOf(rebuffering, asked) }
  }

  #askSpark(nowMs: number): Promise<ByServer<readonly (number | null)[]>> {
    const stepMs = SPARK_STEP_S * 1000
    const toMs = Math.floor(nowMs / stepMs) * stepMs
    if (this.#spark?.atMs !== toMs) this.#spark = { atMs: toMs, answer: this.#range(CPU, toMs, stepMs) }
    return this.#spark.answer
  }

  async #instant(text: string, atMs: number, keyOf = serverOf): Promise<ByServer<number>> {
    const value = await this.#ask({ text, fromMs: atMs, toMs: atMs, stepMs: null })
    if (value?.kind !== 'vector') return new Map()
    return new Map(
      value.items.flatMap(({ labels, value: figure }) =>
        Number.isFinite(figure) ? [[keyOf(labels), figure] as const] : [],
      ),
    )
  }

  async #range(text: string, toMs: number, stepMs: number): Promise<ByServer<readonly (number | null)[]>> {
    const fromMs = toMs - SPARK_S * 1000
    const value = await this.#ask({ text, fromMs, toMs, stepMs })
    if (value?.kind !== 'matrix') return new Map()
    return new Map(
      value.items.map(({ labels, times, values }) => {
        const cells: (number | null)[] = Array.from({ length: SPARK_S / SPARK_STEP_S + 1 }, () => null)
        for (const [at, timeMs] of times.entries()) {
          const cell = Math.round((timeMs - fromMs) / stepMs)
          const figure = values[at] ?? Number.NaN
          if (Number.isFinite(figure) && cell >= 0 && cell < cells.length) cells[cell] = figure
        }
        return [labels['instance'] ?? '', cells] as const
      }),
    )
  }

  async #ask(question: Parameters<MetricsStore['ask']>[0]): Promise<Value | null> {
    try {
      return (await this.#options.store.ask(question)).value
    } catch (error) {
      this.#options.log.warn('wall-figures-missing', { error })
      return null
    }
  }
}

function serverOf(labels: Labels): string {
  return labels['instance'] ?? ''
}

function measuredOrNot(labels: Labels): string {
  return `${serverOf(labels)} ${labels['estimate'] ?? ''}`
}

/** Sum over sum. Measured where anybody measures, else estimated, and never both together. */
function rebufferingOf(
  rebuffering: ByServer<number>,
  asked: ByServer<number>,
): ReadonlyMap<string, WallRebuffering> {
  const found = new Map<string, WallRebuffering>()
  for (const [key, askedS] of asked) {
    const [id = '', estimate] = key.split(' ')
    const isEstimate = estimate === 'yes'
    if (askedS <= 0 || (isEstimate && found.has(id))) continue
    found.set(id, { ratio: (rebuffering.get(key) ?? 0) / askedS, askedS, estimated: isEstimate })
  }
  return found
}
