// Owns the sums of the viewers' metrics, by edge, region, title class and player: closed sets, never a session. What is
// written to the metrics store was committed before, with the sessions that it is made of: after a kill it goes on from
// there, and never back.
import type { Labels } from '#base'
import type { WriteSeries } from '#metrics'
import { type Blame, blames } from '#wire'

/** Upper bounds in seconds: what is felt as at once, as short, as long, and what nobody waits for. */
export const startBuckets: readonly number[] = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 30, 60]

const SCALARS = [
  'sessions_total',
  'started_total',
  'exits_before_start_total',
  'start_failures_total',
  'failures_total',
  'watched_seconds_total',
  'asked_seconds_total',
  'rebuffering_seconds_total',
  'rebuffers_total',
  'switches_total',
  'errors_total',
  'bitrate_seconds_total',
  'bitrate_bits_total',
] as const
export type ScalarName = (typeof SCALARS)[number]

/** Columns: scalars, stalls and their seconds by blame, buckets, sum and count of start times. */
const STALLS = SCALARS.length
const STALL_SECONDS = STALLS + blames.length
const BUCKETS = STALL_SECONDS + blames.length
const SUM = BUCKETS + startBuckets.length
const COUNT = SUM + 1
const COLUMNS = COUNT + 1

/** What tells sums apart. */
export interface ViewerLabels {
  /** Of the edge; `none`: no edge is known to have fed it. */
  readonly instance: string
  /** Where the edge stands. */
  readonly region: string
  readonly viewer_region: string
  readonly class: string
  readonly player: string
  readonly estimate: 'yes' | 'no'
}

interface Combination {
  readonly labels: ViewerLabels
  readonly sums: number[]
  /** As they stand in the file, and so in the metrics. */
  committed: readonly number[]
  /** Whether the metrics store has it: the first time it is told that it came from nothing. */
  begun: boolean
}

/** Ten edges, ten regions, two classes, five players, measured and estimated; 45 series each. */
const COMBINATIONS_MAX = 2000
const REGIONS_MAX = 64
/** A zero stands this long before the first sample, about as long as one sum waits for the next. */
const FROM_ZERO_MS = 5000
const JOB = 'vitrine-control'

export class ViewerCounts {
  readonly #all = new Map<string, Combination>()
  readonly #changed = new Set<string>()
  readonly #regions = new Set<string>()
  #folded = 0

  of(labels: ViewerLabels): CountsOf {
    const bounded = { ...labels, viewer_region: this.#region(labels.viewer_region) }
    let key = keyOf(bounded)
    let found = this.#all.get(key)
    if (found === undefined) {
      const isFull = this.#all.size >= COMBINATIONS_MAX
      if (isFull) this.#folded += 1
      const kept = isFull ? { ...bounded, viewer_region: 'other', player: 'other', class: 'other' } : bounded
      key = keyOf(kept)
      found = this.#all.get(key) ?? { labels: kept, sums: zeros(), committed: [], begun: false }
      this.#all.set(key, found)
    }
    this.#changed.add(key)
    return new CountsOf(found.sums)
  }

  /** Sums that went to `other`, because there were too many to tell apart. */
  folded(): number {
    return this.#folded
  }

  /** What changed since the last time, as it is now. */
  takeChanged(): ReadonlyMap<string, string> {
    const rows = new Map<string, string>()
    for (const key of this.#changed) {
      const found = this.#all.get(key)
      if (found !== undefined) rows.set(key, JSON.stringify([found.labels, found.sums]))
    }
    this.#changed.clear()
    return rows
  }

  /** They stand in the file: metrics may say so. */
  committed(rows: ReadonlyMap<string, string>): void {
    for (const [key, text] of rows) {
      const found = this.#all.get(key)
      if (found !== undefined) found.committed = (JSON.parse(text) as [ViewerLabels, number[]])[1]
    }
  }

  /** They could not be stored. */
  putBack(rows: ReadonlyMap<string, string>): void {
    for (const key of rows.keys()) this.#changed.add(key)
  }

  load(rows: Iterable<string>): void {
    for (const text of rows) {
      const [labels, stored] = JSON.parse(text) as [ViewerLabels, number[]]
      const sums = zeros().map((zero, at) => stored[at] ?? zero)
      this.#all.set(keyOf(labels), { labels, sums, committed: sums, begun: true })
      this.#region(labels.viewer_region)
    }
  }

  /** Of these combinations; all of them when left out. */
  series(nowMs: number, keys?: Iterable<string>): WriteSeries[] {
    const chosen = keys === undefined ? [...this.#all.values()] : [...keys].map(key => this.#all.get(key))
    return chosen.flatMap(found => {
      if (found === undefined || found.committed.length === 0) return []
      // Else `increase` would never see what a combination began with: its first sessions would be missing.
      const zero = found.begun ? [] : [{ timestampMs: nowMs - FROM_ZERO_MS, value: 0 }]
      found.begun = true
      return seriesOf(found).map(({ labels, value }) => ({
        labels,
        samples: [...zero, { timestampMs: nowMs, value }],
      }))
    })
  }

  #region(region: string): string {
    if (this.#regions.has(region)) return region
    if (this.#regions.size >= REGIONS_MAX) return 'other'
    this.#regions.add(region)
    return region
  }
}

export class CountsOf {
  readonly #sums: number[]

  constructor(sums: number[]) {
    this.#sums = sums
  }

  add(name: ScalarName, value: number): void {
    this.#grow(SCALARS.indexOf(name), value)
  }

  start(seconds: number): void {
    for (const [at, bound] of startBuckets.entries()) if (seconds <= bound) this.#grow(BUCKETS + at, 1)
    this.#grow(SUM, seconds)
    this.#grow(COUNT, 1)
  }

  stall(blame: Blame, seconds: number): void {
    this.#grow(STALLS + blames.indexOf(blame), 1)
    this.#grow(STALL_SECONDS + blames.indexOf(blame), seconds)
  }

  #grow(at: number, value: number): void {
    if (value > 0) this.#sums[at] = (this.#sums[at] ?? 0) + value
  }
}

function zeros(): number[] {
  return Array.from({ length: COLUMNS }, () => 0)
}

function keyOf(labels: ViewerLabels): string {
  const { instance, region, viewer_region: viewerRegion, class: titleClass, player, estimate } = labels
  return [instance, region, viewerRegion, titleClass, player, estimate].join('|')
}

function seriesOf({ labels, committed }: Combination): { labels: Labels; value: number }[] {
  const points: { labels: Labels; value: number }[] = []
  const add = (name: string, at: number, more: Labels = {}): void => {
    const value = committed[at] ?? 0
    points.push({ labels: { ...more, ...labels, job: JOB, __name__: `vitrine_viewers_${name}` }, value })
  }
  for (const [at, name] of SCALARS.entries()) add(name, at)
  for (const [at, blame] of blames.entries()) {
    add('stalls_total', STALLS + at, { blame })
    add('stall_seconds_total', STALL_SECONDS + at, { blame })
  }
  for (const [at, bound] of startBuckets.entries())
    add('start_seconds_bucket', BUCKETS + at, { le: String(bound) })
  add('start_seconds_bucket', COUNT, { le: '+Inf' })
  add('start_seconds_sum', SUM)
  add('start_seconds_count', COUNT)
  return points
}
