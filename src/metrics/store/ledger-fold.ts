// Owns the arithmetic of the ledger: from new samples, and what is known of their series, to what each day gains.
// It writes nothing. Late samples are judged again with their neighbours; samples that were folded before add nothing.
import type { Labels } from '#base'
import { valueOf } from '../labels.ts'
import { isStale } from '../stale.ts'
import { DAY_MS } from './ledger-day.ts'
import { type LedgerMeasure, type LedgerRole, type LedgerRule, ruleOf, sinceRole } from './ledger-rules.ts'
import type { Samples } from './sample-column.ts'

/** The control room writes each second: over a longer silence nobody knows who was watching. */
const GAUGE_GAP_MS_MAX = 30_000
/** The sample before a late one is looked for this far back first, then everywhere. */
const NEIGHBOUR_MS = 3_600_000

/** What is known of a counter or gauge; found by its labels, which outlive the series in the store. */
export interface CounterRow {
  readonly firstMs: number
  /** 1: its first value was counted as a whole. */
  readonly whole: number
  /** Nothing up to here changes any more, because samples were deleted; null: all may. */
  readonly baseMs: number | null
  readonly baseValue: number | null
  readonly lastMs: number
  readonly lastValue: number
}

export interface ServerRow {
  readonly role: LedgerRole
  /** Its first sample of any counter; null: none yet. */
  readonly firstMs: number | null
  /** When it began to count at zero, as it says itself; null: it has not said. */
  readonly sinceMs: number | null
}

/** What earlier seals have left. */
export interface Known {
  counter(labels: string): CounterRow | undefined
  server(server: string): ServerRow | undefined
  /** The first sample of the whole ledger; null: it is empty. */
  birthMs(): number | null
}

/** The samples of the series that SQLite has already. */
export type ReadOld = (fromMs: number, toMs: number) => Samples

export interface DayGain {
  readonly day: number
  readonly server: string
  readonly measure: LedgerMeasure
  readonly class: string
  readonly value: number
}

export interface Folded {
  readonly days: readonly DayGain[]
  readonly counters: ReadonlyMap<string, CounterRow>
  readonly servers: ReadonlyMap<string, ServerRow>
}

type Point = readonly [timeMs: number, value: number]
type Days = Map<number, number>

interface First {
  readonly key: string
  readonly labels: Labels
  readonly rule: LedgerRule
  readonly point: Point
}

/** Collects the gains of one seal, or of what no seal holds yet. */
export class Folding {
  readonly #known: Known
  readonly #days: DayGain[] = []
  readonly #counters = new Map<string, CounterRow>()
  readonly #servers = new Map<string, ServerRow>()
  /** Counters that are new: whether their first value counts is known when all of them are here. */
  readonly #firsts: First[] = []

  constructor(known: Known) {
    this.#known = known
  }

  add(labels: Labels, samples: Samples, readOld: ReadOld): void {
    const server = valueOf(labels, 'instance')
    const since = sinceRole(labels)
    if (since !== null) this.#addSince(server, since, points(samples))
    const rule = ruleOf(labels)
    if (rule === null) return
    const key = JSON.stringify(labels)
    const known = this.#known.counter(key)
    const fresh = points(samples).filter(([timeMs]) => timeMs > (known?.baseMs ?? Number.NEGATIVE_INFINITY))
    const [first] = fresh
    const newest = fresh.at(-1)
    if (first === undefined || newest === undefined) return
    const days: Days = new Map()
    if (known === undefined) {
      growth(fresh, rule, days, 1)
      if (rule.isCounter) this.#firsts.push({ key, labels, rule, point: first })
    } else if (first[0] > known.lastMs) growth([[known.lastMs, known.lastValue], ...fresh], rule, days, 1)
    else addLate(known, fresh, rule, days, readOld)
    this.#gain(labels, rule, days)
    const last = known === undefined || newest[0] > known.lastMs ? newest : [known.lastMs, known.lastValue]
    this.#counters.set(key, {
      firstMs: Math.min(known?.firstMs ?? first[0], first[0]),
      whole: known?.whole ?? 0,
      baseMs: known?.baseMs ?? null,
      baseValue: known?.baseValue ?? null,
      lastMs: last[0] ?? 0,
      lastValue: last[1] ?? 0,
    })
  }

  finish(): Folded {
    for (const first of this.#firsts) {
      if (!this.#countsWhole(first)) continue
      const { key, labels, rule, point } = first
      this.#gain(labels, rule, new Map([[dayOf(point[0]), point[1]]]))
      const row = this.#counters.get(key)
      if (row !== undefined) this.#counters.set(key, { ...row, whole: 1 })
    }
    for (const { labels, rule, point } of this.#firsts)
      this.#seen(valueOf(labels, 'instance'), rule, point[0])
    this.#firsts.length = 0
    return { days: this.#days, counters: this.#counters, servers: this.#servers }
  }

  /**
   * The first value of a counter is growth where it is sure to have been zero: its server was here before and did not
   * have it, or began to count on that day, or since this ledger began. Else only what is added from now on counts.
   */
  #countsWhole({ labels, point: [timeMs] }: First): boolean {
    const server = valueOf(labels, 'instance')
    const known = this.#known.server(server)
    if (known !== undefined && known.firstMs !== null && known.firstMs < timeMs) return true
    if (this.#earlierHere(server, timeMs)) return true
    const sinceMs = this.#servers.get(server)?.sinceMs ?? known?.sinceMs ?? 0
    if (sinceMs <= 0) return false
    return dayOf(sinceMs) === dayOf(timeMs) || sinceMs >= (this.#known.birthMs() ?? Number.POSITIVE_INFINITY)
  }

  /** Another counter of this server, in the same seal, began before. */
  #earlierHere(server: string, timeMs: number): boolean {
    return this.#firsts.some(
      ({ labels, point }) => point[0] < timeMs && valueOf(labels, 'instance') === server,
    )
  }

  #addSince(server: string, role: LedgerRole, all: readonly Point[]): void {
    const newest = all.at(-1)
    if (newest === undefined) return
    const known = this.#servers.get(server) ?? this.#known.server(server)
    this.#servers.set(server, { role, firstMs: known?.firstMs ?? null, sinceMs: newest[1] * 1000 })
  }

  #seen(server: string, { role }: LedgerRule, timeMs: number): void {
    const known = this.#servers.get(server) ?? this.#known.server(server)
    const firstMs = Math.min(known?.firstMs ?? timeMs, timeMs)
    if (known?.firstMs !== firstMs) this.#servers.set(server, { role, sinceMs: null, ...known, firstMs })
  }

  #gain(labels: Labels, { measure }: LedgerRule, days: Days): void {
    const server = valueOf(labels, 'instance')
    const titleClass = valueOf(labels, 'class')
    for (const [day, value] of days) {
      if (value !== 0) this.#days.push({ day, server, measure, class: titleClass, value })
    }
  }
}

/** What this stretch of time counted is taken out, and put in again with the new samples in their places. */
function addLate(
  known: CounterRow,
  fresh: readonly Point[],
  rule: LedgerRule,
  days: Days,
  readOld: ReadOld,
): void {
  const firstMs = fresh[0]?.[0] ?? 0
  const old = oldAround(known, firstMs, readOld)
  const oldFirst = old[0]
  const isEarliest = firstMs < known.firstMs
  // Without the sample before it, nobody can tell what a late one adds.
  const usable = isEarliest ? fresh : fresh.filter(([timeMs]) => timeMs >= (oldFirst?.[0] ?? known.lastMs))
  if (oldFirst === undefined) {
    growth(
      [[known.lastMs, known.lastValue], ...usable.filter(([timeMs]) => timeMs > known.lastMs)],
      rule,
      days,
      1,
    )
    return
  }
  const joined = join(old, usable)
  growth(old, rule, days, -1)
  growth(joined, rule, days, 1)
  const newFirst = joined[0]
  if (!isEarliest || newFirst === undefined || known.whole === 0) return
  // The first value was counted as a whole: now another one is the first.
  addTo(days, oldFirst[0], -oldFirst[1])
  addTo(days, newFirst[0], newFirst[1])
}

/** The samples from the last one before `fromMs` on, as far as they are kept; up to the last that was folded. */
function oldAround(
  { baseMs, baseValue, firstMs, lastMs }: CounterRow,
  fromMs: number,
  readOld: ReadOld,
): Point[] {
  const afterBase = (all: readonly Point[]): Point[] =>
    baseMs === null ? [...all] : [[baseMs, baseValue ?? 0], ...all.filter(([timeMs]) => timeMs > baseMs)]
  const near = afterBase(points(readOld(fromMs - NEIGHBOUR_MS, lastMs)))
  const isEnough = (near[0]?.[0] ?? Number.POSITIVE_INFINITY) < fromMs || fromMs < firstMs
  return isEnough ? near : afterBase(points(readOld(Number.NEGATIVE_INFINITY, lastMs)))
}

function points({ times, values }: Samples): Point[] {
  const found: Point[] = []
  for (let at = 0; at < times.length; at += 1) {
    const value = values[at] ?? 0
    if (Number.isFinite(value) && !isStale(value)) found.push([times[at] ?? 0, value])
  }
  return found
}

/** By time; of two samples at one instant the old one stays. */
function join(old: readonly Point[], fresh: readonly Point[]): Point[] {
  const byTime = new Map<number, Point>()
  for (const point of [...fresh, ...old]) byTime.set(point[0], point)
  return [...byTime.values()].sort(([a], [b]) => a - b)
}

/** Adds what each sample but the first has grown by, to the day of that sample. A counter that falls began at zero. */
function growth(all: readonly Point[], rule: LedgerRule, days: Days, sign: 1 | -1): void {
  for (let at = 1; at < all.length; at += 1) {
    const [beforeMs, before] = all[at - 1] ?? [0, 0]
    const [timeMs, value] = all[at] ?? [0, 0]
    let grown = 0
    if (rule.isCounter) grown = value >= before ? value - before : value
    else if (timeMs - beforeMs <= GAUGE_GAP_MS_MAX) grown = (before * (timeMs - beforeMs)) / 1000
    addTo(days, timeMs, sign * grown)
  }
}

function addTo(days: Days, timeMs: number, value: number): void {
  const day = dayOf(timeMs)
  days.set(day, (days.get(day) ?? 0) + value)
}

function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS)
}
