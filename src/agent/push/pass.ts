// Owns one pass of measurements: values of one instant, small enough to keep ten minutes of them.
import type { Labels } from '#base'

/** 0x7ff0000000000002: says in remote write that a series has ended. It is written by its bits, never computed. */
export const STALE_BITS = 0x7ff0000000000002n

export interface Pass {
  /** BOOTTIME of this host; converted to fleet time when it is sent. */
  readonly bootMs: number
  /** Fleet time, of a pass of an earlier boot: its BOOTTIME says nothing today. */
  readonly stampMs?: number
  readonly labels: readonly Labels[]
  /** One value a label set; Float64Array keeps the bits of a stale marker. */
  readonly values: Float64Array
}

/** Collects the values of one pass. */
export class PassBuilder {
  readonly #bootMs: number
  readonly #labels: Labels[] = []
  readonly #values: number[] = []
  readonly #stale: number[] = []

  constructor(bootMs: number) {
    this.#bootMs = bootMs
  }

  add(labels: Labels, value: number): void {
    this.#labels.push(labels)
    this.#values.push(value)
  }

  /** The series has ended: it was there at the pass before. */
  end(labels: Labels): void {
    this.#stale.push(this.#values.length)
    this.add(labels, Number.NaN)
  }

  build(): Pass {
    const values = Float64Array.from(this.#values)
    const bits = new BigUint64Array(values.buffer)
    for (const index of this.#stale) bits[index] = STALE_BITS
    return { bootMs: this.#bootMs, labels: this.#labels, values }
  }
}
