// Owns growing a sample table sample by sample, as fragments come. It gives a compact table at the end.
import type { SampleTable } from './sample-table.ts'

type Numbers = Uint32Array | Int32Array | Float64Array

/** An array that doubles when it is full. */
class Growing<Kind extends Numbers> {
  #array: Kind
  length = 0

  constructor(array: Kind) {
    this.#array = array
  }

  push(value: number): void {
    if (this.length === this.#array.length) {
      const Type = this.#array.constructor as new (length: number) => Kind
      const larger = new Type(Math.max(64, this.length * 2))
      larger.set(this.#array)
      this.#array = larger
    }
    this.#array[this.length] = value
    this.length += 1
  }

  last(): number | null {
    return this.length === 0 ? null : (this.#array[this.length - 1] as number)
  }

  /** A copy of what is filled, behind `before`, with `shift` added to each new value. */
  after(before: Kind, shift: number): Kind {
    const Type = this.#array.constructor as new (length: number) => Kind
    const joined = new Type(before.length + this.length)
    joined.set(before)
    for (let index = 0; index < this.length; index += 1) {
      joined[before.length + index] = (this.#array[index] as number) + shift
    }
    return joined
  }
}

export const emptyTable: SampleTable = {
  count: 0,
  sizes: new Uint32Array(0),
  chunks: { first: new Uint32Array(0), offsetBytes: new Float64Array(0) },
  timing: { first: new Uint32Array(0), decodeTicks: new Float64Array(0), deltaTicks: new Uint32Array(0) },
  composition: null,
  sync: new Uint32Array(0),
}

/** Collects samples in decode order; the next one starts at `decodeTicks`, which `tfdt` may set. */
export class TableBuilder {
  /** Decode time of the next sample. */
  decodeTicks: number
  readonly #sizes = new Growing<Uint32Array>(new Uint32Array(0))
  readonly #chunkFirst = new Growing<Uint32Array>(new Uint32Array(0))
  readonly #chunkOffset = new Growing<Float64Array>(new Float64Array(0))
  readonly #timeFirst = new Growing<Uint32Array>(new Uint32Array(0))
  readonly #timeTicks = new Growing<Float64Array>(new Float64Array(0))
  readonly #timeDelta = new Growing<Uint32Array>(new Uint32Array(0))
  readonly #offsetFirst = new Growing<Uint32Array>(new Uint32Array(0))
  readonly #offsetTicks = new Growing<Int32Array>(new Int32Array(0))
  readonly #sync = new Growing<Uint32Array>(new Uint32Array(0))
  #expectedTicks = Number.NaN
  #allSync = true
  #allZero = true

  constructor(decodeTicks: number) {
    this.decodeTicks = decodeTicks
  }

  get count(): number {
    return this.#sizes.length
  }

  /** Sets the decode time of the next sample (`tfdt`); false when it lies before the sample that came last. */
  jumpTo(decodeTicks: number): boolean {
    const lastDelta = this.#timeDelta.last() ?? 0
    // Writers that round let fragments overlap by a little: the last sample is then that much shorter.
    if (this.count > 0 && decodeTicks < this.decodeTicks - lastDelta) return false
    this.decodeTicks = decodeTicks
    return true
  }

  startChunk(offsetBytes: number): void {
    this.#chunkFirst.push(this.count)
    this.#chunkOffset.push(offsetBytes)
  }

  add(sizeBytes: number, durationTicks: number, offsetTicks: number, isSync: boolean): void {
    const sample = this.count
    if (this.#timeDelta.last() !== durationTicks || this.#expectedTicks !== this.decodeTicks) {
      this.#timeFirst.push(sample)
      this.#timeTicks.push(this.decodeTicks)
      this.#timeDelta.push(durationTicks)
    }
    if (this.#offsetTicks.last() !== offsetTicks) {
      this.#offsetFirst.push(sample)
      this.#offsetTicks.push(offsetTicks)
      if (offsetTicks !== 0) this.#allZero = false
    }
    if (isSync) this.#sync.push(sample)
    else this.#allSync = false
    this.#sizes.push(sizeBytes)
    this.decodeTicks += durationTicks
    this.#expectedTicks = this.decodeTicks
  }

  /** The samples of `before` (those that `moov` itself holds), then the collected ones. */
  appendTo(before: SampleTable): SampleTable {
    if (this.count === 0) return before
    const head = before.count === 0 ? emptyTable : before
    const shift = head.count
    const bothSync = this.#allSync && (head.count === 0 || head.sync === null)
    const noOffsets = this.#allZero && head.composition === null
    return {
      count: shift + this.count,
      sizes: this.#sizes.after(head.sizes, 0),
      chunks: {
        first: this.#chunkFirst.after(head.chunks.first, shift),
        offsetBytes: this.#chunkOffset.after(head.chunks.offsetBytes, 0),
      },
      timing: {
        first: this.#timeFirst.after(head.timing.first, shift),
        decodeTicks: this.#timeTicks.after(head.timing.decodeTicks, 0),
        deltaTicks: this.#timeDelta.after(head.timing.deltaTicks, 0),
      },
      composition: noOffsets
        ? null
        : {
            first: this.#offsetFirst.after(compositionFirst(head), shift),
            offsetTicks: this.#offsetTicks.after(compositionTicks(head), 0),
          },
      sync: bothSync ? null : this.#sync.after(allSamples(head), shift),
    }
  }
}

function compositionFirst(table: SampleTable): Uint32Array {
  return table.composition?.first ?? new Uint32Array(table.count === 0 ? 0 : 1)
}

function compositionTicks(table: SampleTable): Int32Array {
  return table.composition?.offsetTicks ?? new Int32Array(table.count === 0 ? 0 : 1)
}

function allSamples(table: SampleTable): Uint32Array {
  return table.sync ?? Uint32Array.from({ length: table.count }, (_, sample) => sample)
}
