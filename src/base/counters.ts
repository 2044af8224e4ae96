// Owns a role's own metrics: named counters, gauges and histograms with closed label sets.
// It refuses a name without help text and more than SERIES_MAX label sets a metric.

export type Labels = Readonly<Record<string, string>>
export type MetricType = 'counter' | 'gauge' | 'histogram'

/** One line of an exposition: `name{labels} value`. */
export interface SamplePoint {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

/** One metric with its points, as it is rendered for /metrics. */
export interface MetricFamily {
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly points: readonly SamplePoint[]
}

export interface Counter {
  add(this: void, value?: number, labels?: Labels): void
}
export interface Gauge {
  set(this: void, value: number, labels?: Labels): void
  /** Forgets one label set, so that a vanished thing is absent and not frozen. */
  remove(this: void, labels?: Labels): void
}
export interface Histogram {
  observe(this: void, value: number, labels?: Labels): void
}

const SERIES_MAX = 1000 // label sets a metric; more is a bug in the caller, and is counted

interface Cell {
  readonly labels: Labels
  value: number
}

interface HistogramCell {
  readonly labels: Labels
  readonly counts: number[]
  sum: number
  count: number
}

/** A role's registry. Collectors run at each collection, for values that are cheaper to read than to keep. */
export class Counters {
  readonly #families = new Map<string, () => MetricFamily>()
  readonly #collectors: (() => void)[] = []
  #dropped = 0

  counter(name: string, help: string): Counter {
    const cells = this.#register(name, 'counter', help)
    return {
      add: (value = 1, labels = {}) => {
        const cell = this.#cell(cells, labels)
        if (cell !== null) cell.value += value
      },
    }
  }

  gauge(name: string, help: string): Gauge {
    const cells = this.#register(name, 'gauge', help)
    return {
      set: (value, labels = {}) => {
        const cell = this.#cell(cells, labels)
        if (cell !== null) cell.value = value
      },
      remove: (labels = {}) => {
        cells.delete(labelKey(labels))
      },
    }
  }

  /** `bounds`: upper bounds in the metric's unit, ascending, without +Inf. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const cells = new Map<string, HistogramCell>()
    this.#add(name, () => ({ name, type: 'histogram', help, points: histogramPoints(name, bounds, cells) }))
    return {
      observe: (value, labels = {}) => {
        const key = labelKey(labels)
        let cell = cells.get(key)
        if (cell === undefined) {
          if (cells.size >= SERIES_MAX) {
            this.#dropped += 1
            return
          }
          cell = { labels, counts: bounds.map(() => 0), sum: 0, count: 0 }
          cells.set(key, cell)
        }
        cell.sum += value
        cell.count += 1
        const index = bounds.findIndex(bound => value <= bound)
        if (index >= 0) cell.counts[index] = (cell.counts[index] ?? 0) + 1
      },
    }
  }

  /** Runs before each collection. */
  beforeCollect(collector: () => void): void {
    this.#collectors.push(collector)
  }

  collect(): MetricFamily[] {
    for (const collector of this.#collectors) collector()
    const families = [...this.#families.values()].map(family => family())
    families.push({
      name: 'vitrine_base_label_sets_dropped_total',
      type: 'counter',
      help: 'Samples not counted because a metric had too many label sets. Should be 0: report it as a bug.',
      points: [{ name: 'vitrine_base_label_sets_dropped_total', labels: {}, value: this.#dropped }],
    })
    return families
  }

  #register(name: string, type: 'counter' | 'gauge', help: string): Map<string, Cell> {
    const cells = new Map<string, Cell>()
    this.#add(name, () => ({
      name,
      type,
      help,
      points: [...cells.values()].map(({ labels, value }) => ({ name, labels, value })),
    }))
    return cells
  }

  #add(name: string, family: () => MetricFamily): void {
    if (this.#families.has(name)) throw new TypeError(`metric ${name} is registered twice`)
    this.#families.set(name, family)
  }

  #cell(cells: Map<string, Cell>, labels: Labels): Cell | null {
    const key = labelKey(labels)
    const known = cells.get(key)
    if (known !== undefined) return known
    if (cells.size >= SERIES_MAX) {
      this.#dropped += 1
      return null
    }
    const cell = { labels, value: 0 }
    cells.set(key, cell)
    return cell
  }
}

function labelKey(labels: Labels): string {
  const names = Object.keys(labels)
  if (names.length === 0) return ''
  return names
    .sort()
    .map(name => `${name}\u0000${labels[name]}`)
    .join('\u0001')
}

function histogramPoints(
  name: string,
  bounds: readonly number[],
  cells: ReadonlyMap<string, HistogramCell>,
): SamplePoint[] {
  const points: SamplePoint[] = []
  for (const { labels, counts, sum, count } of cells.values()) {
    let cumulative = 0
    bounds.forEach((bound, index) => {
      cumulative += counts[index] ?? 0
      points.push({ name: `${name}_bucket`, labels: { ...labels, le: String(bound) }, value: cumulative })
    })
    points.push({ name: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count })
    points.push({ name: `${name}_sum`, labels, value: sum })
    points.push({ name: `${name}_count`, labels, value: count })
  }
  return points
}
