// Owns the set of live series and the index that finds them by label. It refuses series beyond its limits.
import type { Labels } from '#base'
import { labelsKey, METRIC_NAME, sortedLabels, valueOf } from '../labels.ts'
import type { Matcher } from '../matchers.ts'
import { type CheckedLabels, checkLabels } from './label-rules.ts'
import { type Memory, Series } from './series.ts'
import type { Cardinality, RefusalReason } from './store.ts'

export interface SeriesLimits {
  readonly seriesMax: number
  /** Series that one sender may have brought. */
  readonly senderSeriesMax: number
}

export class Head {
  readonly #byKey = new Map<string, Series>()
  /** Ids are given away one after the other. */
  readonly #byId: (Series | undefined)[] = []
  readonly #postings = new Map<string, Map<string, Set<Series>>>()
  readonly #bySender = new Map<string, number>()
  readonly #limits: SeriesLimits
  readonly #memory: Memory
  #nextId = 1
  /** Grows when series come or go: of all, and of each metric name. */
  #generation = 0
  readonly #generations = new Map<string, number>()
  /** What was found for the matchers of a query that is asked again and again. */
  readonly #selected = new WeakMap<
    readonly Matcher[],
    { readonly generation: number; readonly found: readonly Series[] }
  >()

  constructor(limits: SeriesLimits, memory: Memory) {
    this.#limits = limits
    this.#memory = memory
  }

  get size(): number {
    return this.#byKey.size
  }

  all(): Iterable<Series> {
    return this.#byKey.values()
  }

  /** Null: there are no samples. */
  oldestMs(): number | null {
    let oldestMs = Number.POSITIVE_INFINITY
    for (const series of this.#byKey.values()) if (series.oldestMs < oldestMs) ({ oldestMs } = series)
    return Number.isFinite(oldestMs) ? oldestMs : null
  }

  byId(id: number): Series | undefined {
    return this.#byId[id]
  }

  /** The series of a label set; a new one when it is unknown and allowed. */
  resolve(labels: Labels, sender: string | null = null): Series | RefusalReason {
    const known = this.#byKey.get(labelsKey(labels))
    if (known !== undefined) return known
    const refusal = checkLabels(labels)
    if (refusal !== null) return refusal
    const clean = sortedLabels(labels)
    return this.enter({ labels: clean, key: labelsKey(clean), refusal }, sender)
  }

  /** The same for one that is sorted and checked. */
  enter({ labels, key, refusal }: CheckedLabels, sender: string | null): Series | RefusalReason {
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    if (refusal !== null) return refusal
    if (this.#byKey.size >= this.#limits.seriesMax) return 'series-limit'
    if (sender !== null) {
      const own = this.#bySender.get(sender) ?? 0
      if (own >= this.#limits.senderSeriesMax) return 'sender-series-limit'
      this.#bySender.set(sender, own + 1)
    }
    const series = this.#add(this.#nextId, labels, key)
    series.sender = sender
    return series
  }

  /** Enters a series that the disk knows under this id. */
  restore(id: number, labels: Labels): Series {
    const known = this.#byId[id]
    if (known !== undefined) return known
    const series = this.#add(id, labels, labelsKey(labels))
    // A server writes series of its own `instance` only, so that a start need not forget who has brought how many.
    const sender = valueOf(labels, 'instance')
    if (sender !== '') {
      series.sender = sender
      this.#bySender.set(sender, (this.#bySender.get(sender) ?? 0) + 1)
    }
    return series
  }

  /** Ids below `nextId` are not given away any more. */
  reserveIds(nextId: number): void {
    this.#nextId = Math.max(this.#nextId, nextId)
  }

  remove(series: Series): void {
    this.#changed(series.labels)
    series.forget()
    if (series.sender !== null) {
      const left = (this.#bySender.get(series.sender) ?? 1) - 1
      if (left > 0) this.#bySender.set(series.sender, left)
      else this.#bySender.delete(series.sender)
    }
    this.#byKey.delete(series.key)
    this.#byId[series.id] = undefined
    for (const [name, value] of Object.entries(series.labels)) {
      const values = this.#postings.get(name)
      const members = values?.get(value)
      members?.delete(series)
      if (members?.size === 0) values?.delete(value)
      if (values?.size === 0) this.#postings.delete(name)
    }
  }

  cardinality(most: number): Cardinality {
    const top = (counts: [string, number][]): [string, number][] =>
      counts.sort(([, a], [, b]) => b - a).slice(0, most)
    const names = this.#postings.get(METRIC_NAME) ?? new Map<string, Set<Series>>()
    return {
      seriesByName: top([...names].map(([name, members]) => [name, members.size])),
      valuesByLabel: top([...this.#postings].map(([name, values]) => [name, values.size])),
    }
  }

  /** Series that satisfy all matchers, in the order of their ids. */
  select(matchers: readonly Matcher[]): readonly Series[] {
    const known = this.#selected.get(matchers)
    const generation = this.#generationOf(matchers)
    if (known !== undefined && known.generation === generation) return known.found
    const found = this.#find(matchers)
    this.#selected.set(matchers, { generation, found })
    return found
  }

  /** Of a query that names its metric, others' series change nothing. */
  #generationOf(matchers: readonly Matcher[]): number {
    for (const { name, operator, value } of matchers)
      if (name === METRIC_NAME && operator === '=' && value !== '') return this.#generations.get(value) ?? 0
    return this.#generation
  }

  #changed(labels: Labels): void {
    this.#generation += 1
    // Never the same number again, also for a name that was away.
    this.#generations.set(valueOf(labels, METRIC_NAME), this.#generation)
  }

  #find(matchers: readonly Matcher[]): Series[] {
    const found: Series[] = []
    const tests = matchers.map(matcher => ({ name: matcher.name, test: remembered(matcher) }))
    for (const series of this.#candidates(matchers)) {
      if (tests.every(({ name, test }) => test(valueOf(series.labels, name)))) found.push(series)
    }
    return found.sort((a, b) => a.id - b.id)
  }

  /** The smallest set that is sure to hold every match. */
  #candidates(matchers: readonly Matcher[]): Iterable<Series> {
    let best: Iterable<Series> = this.#byKey.values()
    let bestSize = this.#byKey.size
    for (const { name, operator, value } of matchers) {
      if (operator !== '=' || value === '') continue
      const members = this.#postings.get(name)?.get(value)
      if (members === undefined) return []
      if (members.size < bestSize) [best, bestSize] = [members, members.size]
    }
    return best
  }

  #add(id: number, labels: Labels, key: string): Series {
    const series = new Series(id, labels, key, this.#memory)
    this.#changed(labels)
    this.#byKey.set(key, series)
    this.#byId[id] = series
    this.#nextId = Math.max(this.#nextId, id + 1)
    for (const [name, value] of Object.entries(labels)) {
      let values = this.#postings.get(name)
      if (values === undefined) this.#postings.set(name, (values = new Map()))
      const members = values.get(value)
      if (members === undefined) values.set(value, new Set([series]))
      else members.add(series)
    }
    return series
  }
}

/** Few values repeat over many series: each is tested once. */
function remembered(matcher: Matcher): (value: string) => boolean {
  if (matcher.operator === '=' || matcher.operator === '!=') return matcher.test
  const results = new Map<string, boolean>()
  return value => {
    const known = results.get(value)
    if (known !== undefined) return known
    const result = matcher.test(value)
    results.set(value, result)
    return result
  }
}
