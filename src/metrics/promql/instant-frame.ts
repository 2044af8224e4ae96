// Owns a vector at one instant as two columns: label sets beside values. Rules look at a hundred thousand series each
// second, and an object for each of them is what the collector would be busy with.
// It refuses to be changed once it is made; rows are made of it when somebody asks for them.
import type { Labels } from '#base'
import { instantRow, type Row } from './frame.ts'

export class InstantFrame {
  readonly kind = 'vector'
  /** The very same array as long as it holds the same label sets in the same order: what was made of it can be kept. */
  readonly labels: readonly Labels[]
  /** At least as long as `labels`; valid until the next round. */
  readonly values: Float64Array
  #rows: readonly Row[] | null = null

  constructor(labels: readonly Labels[], values: Float64Array) {
    this.labels = labels
    this.values = values
  }

  get rows(): readonly Row[] {
    this.#rows ??= this.labels.map((labels, at) => instantRow(labels, this.values[at] ?? 0))
    return this.#rows
  }
}

/** Makes one frame after the other of an expression: round for round mostly with the same label sets. */
export class InstantWriter {
  #known: readonly Labels[] = []
  /** Set once this round differs from the one before. */
  #own: Labels[] | null = null
  #values = new Float64Array(16)
  #count = 0

  /** What was given out before is not valid any more. */
  begin(): void {
    this.#own = null
    this.#count = 0
  }

  add(labels: Labels, value: number): void {
    const at = this.#count
    if (at === this.#values.length) this.#grow()
    this.#values[at] = value
    this.#count = at + 1
    if (this.#own !== null) this.#own.push(labels)
    else if (this.#known[at] !== labels) {
      this.#own = this.#known.slice(0, at)
      this.#own.push(labels)
    }
  }

  end(): InstantFrame {
    if (this.#own !== null) this.#known = this.#own
    else if (this.#known.length > this.#count) this.#known = this.#known.slice(0, this.#count)
    this.#own = null
    return new InstantFrame(this.#known, this.#values)
  }

  #grow(): void {
    const values = new Float64Array(this.#values.length * 4)
    values.set(this.#values)
    this.#values = values
  }
}

/** Keeps what was made of one array of label sets, or of two, until another one comes. */
export class Planned<Plan> {
  #first: readonly Labels[] | null = null
  #second: readonly Labels[] | null = null
  #plan: Plan | null = null

  of(first: readonly Labels[], second: readonly Labels[] | null, make: () => Plan): Plan {
    if (this.#plan !== null && this.#first === first && this.#second === second) return this.#plan
    const plan = make()
    this.#first = first
    this.#second = second
    this.#plan = plan
    return plan
  }
}
