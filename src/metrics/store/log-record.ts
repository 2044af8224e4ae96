// Owns the payload of one log record: the series it defines and the samples that one write accepted.
// It refuses payloads that do not end where they should. Layout: docs/reference/metrics-store.md
import type { Labels } from '#base'

const SAMPLE_BYTES = 20

export interface RecordVisitor {
  series(id: number, labels: Labels): void
  sample(seriesId: number, timeMs: number, value: number): void
}

/** Collects one write. The buffer is kept between writes; `payload` is valid until the next `reset`. */
export class RecordBuilder {
  readonly #series: { id: number; labels: Labels }[] = []
  #samples = Buffer.allocUnsafe(64 * 1024)
  #count = 0

  reset(): void {
    this.#series.length = 0
    this.#count = 0
  }

  get empty(): boolean {
    return this.#count === 0 && this.#series.length === 0
  }

  addSeries(id: number, labels: Labels): void {
    this.#series.push({ id, labels })
  }

  addSample(seriesId: number, timeMs: number, value: number): void {
    const at = this.#count * SAMPLE_BYTES
    if (at + SAMPLE_BYTES > this.#samples.length) {
      const larger = Buffer.allocUnsafe(this.#samples.length * 2)
      larger.set(this.#samples)
      this.#samples = larger
    }
    this.#samples.writeUInt32LE(seriesId, at)
    this.#samples.writeDoubleLE(timeMs, at + 4)
    this.#samples.writeDoubleLE(value, at + 12)
    this.#count += 1
  }

  /** The parts of the payload, to be written one after the other. */
  payload(): readonly Buffer[] {
    const definitions = Buffer.from(
      this.#series.map(({ id, labels }) => `${JSON.stringify([id, labels])}\n`).join(''),
    )
    const head = Buffer.allocUnsafe(8)
    head.writeUInt32LE(definitions.length, 0)
    head.writeUInt32LE(this.#count, 4)
    return [head, definitions, this.#samples.subarray(0, this.#count * SAMPLE_BYTES)]
  }
}

/** Reads a payload that its checksum has proven whole; false when its inner lengths do not fit. */
export function readRecord(payload: Buffer, visitor: RecordVisitor): boolean {
  if (payload.length < 8) return false
  const definitionBytes = payload.readUInt32LE(0)
  const count = payload.readUInt32LE(4)
  if (payload.length !== 8 + definitionBytes + count * SAMPLE_BYTES) return false
  if (definitionBytes > 0) {
    for (const line of payload.toString('utf8', 8, 8 + definitionBytes).split('\n')) {
      if (line === '') continue
      const [id, labels] = JSON.parse(line) as [number, Labels]
      visitor.series(id, labels)
    }
  }
  const view = new DataView(payload.buffer, payload.byteOffset + 8 + definitionBytes, count * SAMPLE_BYTES)
  for (let at = 0; at < view.byteLength; at += SAMPLE_BYTES) {
    visitor.sample(view.getUint32(at, true), view.getFloat64(at + 4, true), view.getFloat64(at + 12, true))
  }
  return true
}
