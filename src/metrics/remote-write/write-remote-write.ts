// Owns writing Prometheus remote write 1.0 bodies: protobuf in one snappy block.
// It refuses nothing; senders keep their batches below the receiver's limits. See https://prometheus.io/docs/specs/prw/remote_write_spec/
import type { WriteSeries } from '../store/store.ts'
import { compressBlock } from './snappy.ts'

export const REMOTE_WRITE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
}

/** A `prometheus.WriteRequest`; labels are sorted by name, as the specification asks. */
export function encodeRemoteWrite(series: readonly WriteSeries[]): Uint8Array {
  const writer = new ProtobufWriter()
  const inner = new ProtobufWriter()
  for (const one of series) {
    inner.reset()
    writeSeries(inner, one)
    writer.tag(1, 2)
    writer.bytes(inner.view())
  }
  return compressBlock(writer.view())
}

function writeSeries(writer: ProtobufWriter, { labels, samples }: WriteSeries): void {
  for (const name of Object.keys(labels).sort()) {
    const nameBytes = Buffer.from(name)
    const valueBytes = Buffer.from(labels[name] ?? '')
    const length =
      2 +
      varintLength(nameBytes.length) +
      nameBytes.length +
      varintLength(valueBytes.length) +
      valueBytes.length
    writer.tag(1, 2)
    writer.varint(length)
    writer.tag(1, 2)
    writer.bytes(nameBytes)
    writer.tag(2, 2)
    writer.bytes(valueBytes)
  }
  for (const { timestampMs, value } of samples) {
    // An int64 below zero always takes ten bytes.
    const stampLength = timestampMs < 0 ? 10 : varintLength(timestampMs)
    writer.tag(2, 2)
    writer.varint(1 + 8 + 1 + stampLength)
    writer.tag(1, 1)
    writer.double(value)
    writer.tag(2, 0)
    writer.int64(timestampMs)
  }
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length += 1
  return length
}

/** Grows as needed; `view` is valid until the next write. */
class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(64 * 1024)
  #at = 0

  reset(): void {
    this.#at = 0
  }

  view(): Uint8Array {
    return this.#buffer.subarray(0, this.#at)
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType)
  }

  varint(value: number): void {
    this.#reserve(10)
    let rest = value
    while (rest >= 128) {
      this.#buffer[this.#at++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#at++] = rest
  }

  int64(value: number): void {
    if (value >= 0) {
      this.varint(value)
      return
    }
    this.#reserve(10)
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest >= 128n) {
      this.#buffer[this.#at++] = Number(rest & 127n) | 128
      rest >>= 7n
    }
    this.#buffer[this.#at++] = Number(rest)
  }

  double(value: number): void {
    this.#reserve(8)
    this.#buffer.writeDoubleLE(value, this.#at)
    this.#at += 8
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes))
    larger.set(this.view())
    this.#buffer = larger
  }
}
