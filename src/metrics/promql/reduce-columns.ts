// Owns aggregation of rows, all steps of one row after the other: each step's result is in columns of its own.
// It refuses quantiles, which need all values of a step at once.
//
// Rows in the outer loop read each row's memory in its order, and the caller can stop between two of them. At each
// step values still meet in the order of the rows, so that sums come out the same as when they are made step by step.
import type { Row } from './frame.ts'
import { meanOf } from './reduce.ts'

/** What becomes of a group: rows are added one after the other, then it is finished. */
export interface ColumnReducer {
  add(row: Row): void
  finish(): void
}

type MakeReducer = (out: Row, members: readonly Row[]) => ColumnReducer

/** Neumaier's compensated sum, as sumOf in reduce.ts. */
class Sum implements ColumnReducer {
  readonly out: Row
  readonly #lost: Float64Array

  constructor(out: Row) {
    this.out = out
    this.#lost = new Float64Array(out.values.length)
  }

  add({ values, present }: Row): void {
    const { values: sums, present: any } = this.out
    const lost = this.#lost
    for (let step = 0; step < sums.length; step += 1) {
      if (present[step] === 0) continue
      any[step] = 1
      const value = values[step] ?? 0
      const sum = sums[step] ?? 0
      const next = sum + value
      if (next === Infinity || next === -Infinity) lost[step] = 0
      else if (Math.abs(sum) >= Math.abs(value)) lost[step] = (lost[step] ?? 0) + (sum - next + value)
      else lost[step] = (lost[step] ?? 0) + (value - next + sum)
      sums[step] = next
    }
  }

  finish(): void {
    const { values: sums } = this.out
    for (let step = 0; step < sums.length; step += 1) {
      const sum = sums[step] ?? 0
      if (Number.isFinite(sum)) sums[step] = sum + (this.#lost[step] ?? 0)
    }
  }
}

class Mean implements ColumnReducer {
  readonly #sum: Sum
  readonly #counts: Float64Array
  readonly #members: readonly Row[]

  constructor(out: Row, members: readonly Row[]) {
    this.#sum = new Sum(out)
    this.#counts = new Float64Array(out.values.length)
    this.#members = members
  }

  add(row: Row): void {
    this.#sum.add(row)
    addCounts(this.#counts, row.present)
  }

  finish(): void {
    this.#sum.finish()
    const { values: sums } = this.#sum.out
    for (let step = 0; step < sums.length; step += 1) {
      const sum = sums[step] ?? 0
      // A sum that overflows has a mean all the same.
      const isInfinite = sum === Infinity || sum === -Infinity
      sums[step] = isInfinite ? this.#running(step) : sum / (this.#counts[step] ?? 1)
    }
  }

  #running(step: number): number {
    const here = this.#members.filter(row => row.present[step] === 1)
    return meanOf(
      Float64Array.from(here, row => row.values[step] ?? 0),
      0,
      here.length,
    )
  }
}

/** The least or the most; NaN only when all are. */
class Extreme implements ColumnReducer {
  readonly #out: Row
  readonly #isMax: boolean

  constructor(out: Row, isMax: boolean) {
    this.#out = out
    this.#isMax = isMax
  }

  add({ values, present }: Row): void {
    const { values: best, present: any } = this.#out
    for (let step = 0; step < best.length; step += 1) {
      if (present[step] === 0) continue
      const value = values[step] ?? 0
      const known = best[step] ?? 0
      const isBetter = this.#isMax ? value > known : value < known
      if (any[step] === 0 || isBetter || Number.isNaN(known)) best[step] = value
      any[step] = 1
    }
  }

  finish(): void {}
}

class Count implements ColumnReducer {
  readonly #out: Row
  readonly #isGroup: boolean

  constructor(out: Row, isGroup: boolean) {
    this.#out = out
    this.#isGroup = isGroup
  }

  add({ present }: Row): void {
    addCounts(this.#out.values, present)
  }

  finish(): void {
    const { values, present } = this.#out
    for (let step = 0; step < values.length; step += 1) {
      if (values[step] === 0) continue
      present[step] = 1
      if (this.#isGroup) values[step] = 1
    }
  }
}

/** Population variance by Welford's method. */
class Variance implements ColumnReducer {
  readonly #out: Row
  readonly #means: Float64Array
  readonly #counts: Float64Array
  readonly #isDeviation: boolean

  constructor(out: Row, isDeviation: boolean) {
    this.#out = out
    this.#means = new Float64Array(out.values.length)
    this.#counts = new Float64Array(out.values.length)
    this.#isDeviation = isDeviation
  }

  add({ values, present }: Row): void {
    const { values: squares } = this.#out
    addCounts(this.#counts, present)
    for (let step = 0; step < squares.length; step += 1) {
      if (present[step] === 0) continue
      const value = values[step] ?? 0
      const before = this.#means[step] ?? 0
      const delta = value - before
      const mean = before + delta / (this.#counts[step] ?? 1)
      this.#means[step] = mean
      squares[step] = (squares[step] ?? 0) + delta * (value - mean)
    }
  }

  finish(): void {
    const { values: squares, present } = this.#out
    for (let step = 0; step < squares.length; step += 1) {
      const count = this.#counts[step] ?? 0
      if (count === 0) continue
      present[step] = 1
      const variance = (squares[step] ?? 0) / count
      squares[step] = this.#isDeviation ? Math.sqrt(variance) : variance
    }
  }
}

function addCounts(counts: Float64Array, present: Uint8Array): void {
  for (let step = 0; step < counts.length; step += 1)
    counts[step] = (counts[step] ?? 0) + (present[step] ?? 0)
}

export const COLUMN_REDUCERS: ReadonlyMap<string, MakeReducer> = new Map<string, MakeReducer>([
  ['sum', out => new Sum(out)],
  ['avg', (out, members) => new Mean(out, members)],
  ['min', out => new Extreme(out, false)],
  ['max', out => new Extreme(out, true)],
  ['count', out => new Count(out, false)],
  ['group', out => new Count(out, true)],
  ['stddev', out => new Variance(out, true)],
  ['stdvar', out => new Variance(out, false)],
])
