// Owns the quick way through a remote write 2.0 request in the form that senders really use: symbols, then series.
// It refuses, by giving null, whatever else the protocol allows or forbids: the full reader then reads or names it.
// See https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
import { isUtf8 } from 'node:buffer'
import { METRIC_NAME } from '../labels.ts'
import { familyOf, type MetricMetadata, typeName } from './metadata.ts'
import type { RemoteWriteLimits } from './read-remote-write.ts'
import {
  fieldEnd,
  lengthAt,
  lengthBytes,
  type RequestVisitor,
  type Scanned,
  sampleAt,
} from './scan-remote-write.ts'

const SYMBOLS_TAG = 0x22
const SERIES_TAG = 0x2a
const REFERENCES_TAG = 0x0a
const SAMPLE_TAG = 0x12
const HISTOGRAM_TAG = 0x1a
const EXEMPLAR_TAG = 0x22
const METADATA_TAG = 0x2a
const FIRST_SYMBOLS = 1024
const SCRATCH_BYTES = 64 * 1024
/** Of a label beside its texts: two tags and lengths inside, one tag and length around, lengths of two bytes each. */
const LABEL_BYTES_AROUND = 9
/** Two of them and what is around them have a length of two bytes. */
const SYMBOL_BYTES_MAX = 8000
const NAME: Buffer = Buffer.from(METRIC_NAME)

/** Buffers are kept between requests. */
export class RemoteWrite2Scanner {
  /** Start and length of each symbol. */
  #symbols = new Int32Array(FIRST_SYMBOLS * 2)
  #count = 0
  /** The labels of a series as a request of 1.0 has them, so that both versions know a series by the same bytes. */
  #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  #scratchView = new DataView(this.#scratch.buffer)
  #written = 0
  /** The symbol that is `__name__`, or -1. */
  #nameLabel = -1
  /** The symbol that is the value of `__name__` in the series at hand; -1 when it has none. */
  #nameSymbol = -1
  #exemplars = 0
  #histograms = 0
  #samples = 0
  #metadata: MetricMetadata[] = []
  /** By the symbol of the name: what was told last. Most series of a request have a name that others have too. */
  readonly #told = new Map<number, readonly [type: number, help: number, unit: number]>()

  scan(view: DataView, limits: RemoteWriteLimits, visitor: RequestVisitor): Scanned | null {
    this.#exemplars = 0
    this.#histograms = 0
    this.#samples = 0
    this.#metadata = []
    this.#told.clear()
    const end = view.byteLength
    let at = this.#readSymbols(view, limits)
    if (at < 0) return null
    for (let series = 0; at < end; series += 1) {
      if (series === limits.seriesMax) return null
      const seriesEnd = fieldEnd(view, at, end, SERIES_TAG)
      if (seriesEnd < 0) return null
      const start = at + 1 + lengthBytes(lengthAt(view, at + 1, end))
      if (!this.#scanSeries(view, start, seriesEnd, limits, visitor)) return null
      at = seriesEnd
    }
    return { exemplars: this.#exemplars, histograms: this.#histograms, metadata: this.#metadata }
  }

  /** Gives where they end, or -1. */
  #readSymbols(view: DataView, limits: RemoteWriteLimits): number {
    const end = view.byteLength
    let at = 0
    let count = 0
    this.#nameLabel = -1
    while (at < end && view.getUint8(at) === SYMBOLS_TAG) {
      const length = lengthAt(view, at + 1, end)
      const start = at + 1 + lengthBytes(length)
      if (length < 0 || length > Math.min(limits.labelBytesMax, SYMBOL_BYTES_MAX) || start + length > end)
        return -1
      // The first one is empty, as the specification says, and the full reader takes no more than this.
      if ((count === 0 && length > 0) || count === limits.seriesMax * 4) return -1
      if (!isAscii(view, start, length) && !isUtf8(bytesAt(view, start, length))) return -1
      if (length === NAME.length && NAME.equals(bytesAt(view, start, length))) {
        if (this.#nameLabel >= 0) return -1
        this.#nameLabel = count
      }
      if (count * 2 === this.#symbols.length) this.#growSymbols()
      this.#symbols[count * 2] = start
      this.#symbols[count * 2 + 1] = length
      count += 1
      at = start + length
    }
    this.#count = count
    return at
  }

  #scanSeries(
    view: DataView,
    start: number,
    end: number,
    limits: RemoteWriteLimits,
    visitor: RequestVisitor,
  ): boolean {
    let at = fieldEnd(view, start, end, REFERENCES_TAG)
    if (at < 0) return false
    const references = start + 1 + lengthBytes(lengthAt(view, start + 1, end))
    if (!this.#writeLabels(view, references, at, limits.labelsMax)) return false
    visitor.series(this.#scratchView, 0, this.#written)
    while (at < end && view.getUint8(at) === SAMPLE_TAG) {
      if (++this.#samples > limits.samplesMax) return false
      at = sampleAt(view, at, end, visitor)
      if (at < 0) return false
    }
    for (let isTold = false; at < end; ) {
      const tag = view.getUint8(at)
      const next = fieldEnd(view, at, end, tag)
      if (next < 0) return false
      if (tag === HISTOGRAM_TAG) this.#histograms += 1
      else if (tag === EXEMPLAR_TAG) this.#exemplars += 1
      else {
        // Of several the last one counts, which the full reader knows.
        if (tag !== METADATA_TAG || isTold) return false
        isTold = true
        const inside = at + 1 + lengthBytes(lengthAt(view, at + 1, end))
        if (!this.#readMetadata(view, inside, next)) return false
      }
      at = next
    }
    return true
  }

  /** Pairs of references become fields 1 of a `TimeSeries` of 1.0. */
  #writeLabels(view: DataView, start: number, end: number, labelsMax: number): boolean {
    this.#written = 0
    this.#nameSymbol = -1
    let labels = 0
    for (let at = start; at < end; labels += 1) {
      if (labels === labelsMax) return false
      const name = lengthAt(view, at, end)
      if (name < 0 || name >= this.#count) return false
      at += lengthBytes(name)
      const value = lengthAt(view, at, end)
      if (value < 0 || value >= this.#count) return false
      at += lengthBytes(value)
      this.#writeLabel(view, name, value)
    }
    return labels > 0
  }

  #writeLabel(view: DataView, name: number, value: number): void {
    const symbols = this.#symbols
    const nameLength = symbols[name * 2 + 1] ?? 0
    const valueLength = symbols[value * 2 + 1] ?? 0
    const bytes = nameLength + valueLength + LABEL_BYTES_AROUND
    if (this.#written + bytes > this.#scratch.length) this.#growScratch(bytes)
    const out = this.#scratch
    const inner = 2 + lengthBytes(nameLength) + nameLength + lengthBytes(valueLength) + valueLength
    out[this.#written] = 0x0a
    let at = writeLength(out, this.#written + 1, inner)
    out[at] = 0x0a
    at = writeLength(out, at + 1, nameLength)
    at = copy(view, symbols[name * 2] ?? 0, nameLength, out, at)
    out[at] = 0x12
    at = writeLength(out, at + 1, valueLength)
    this.#written = copy(view, symbols[value * 2] ?? 0, valueLength, out, at)
    if (name === this.#nameLabel) this.#nameSymbol = value
  }

  /** `Metadata`: type = 1, help_ref = 3, unit_ref = 4. */
  #readMetadata(view: DataView, start: number, end: number): boolean {
    let type = 0
    let help = 0
    let unit = 0
    for (let at = start; at < end; ) {
      const tag = view.getUint8(at)
      const value = lengthAt(view, at + 1, end)
      if (value < 0) return false
      if (tag === 0x08) type = value
      else if (tag === 0x18) help = value
      else if (tag === 0x20) unit = value
      else return false
      at += 1 + lengthBytes(value)
    }
    if (this.#nameSymbol < 0) return true
    const told = this.#told.get(this.#nameSymbol)
    if (told !== undefined && told[0] === type && told[1] === help && told[2] === unit) return true
    this.#told.set(this.#nameSymbol, [type, help, unit])
    const name = familyOf(this.#text(view, this.#nameSymbol), typeName(type))
    if (name === '') return true
    this.#metadata.push({
      name,
      type: typeName(type),
      help: this.#text(view, help),
      unit: this.#text(view, unit),
    })
    return true
  }

  #text(view: DataView, symbol: number): string {
    if (symbol >= this.#count) return ''
    const start = this.#symbols[symbol * 2] ?? 0
    return Buffer.from(view.buffer, view.byteOffset + start, this.#symbols[symbol * 2 + 1]).toString('utf8')
  }

  #growSymbols(): void {
    const larger = new Int32Array(this.#symbols.length * 2)
    larger.set(this.#symbols)
    this.#symbols = larger
  }

  #growScratch(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow((this.#scratch.length + bytes) * 2)
    larger.set(this.#scratch.subarray(0, this.#written))
    this.#scratch = larger
    this.#scratchView = new DataView(larger.buffer)
  }
}

function bytesAt(view: DataView, start: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, length)
}

function isAscii(view: DataView, start: number, length: number): boolean {
  let at = 0
  for (; at + 4 <= length; at += 4) if ((view.getInt32(start + at, true) & 0x80808080) !== 0) return false
  for (; at < length; at += 1) if (view.getUint8(start + at) >= 128) return false
  return true
}

/** In one or two bytes. Gives where the next one goes. */
function writeLength(out: Uint8Array, at: number, length: number): number {
  if (length < 128) {
    out[at] = length
    return at + 1
  }
  out[at] = (length & 127) | 128
  out[at + 1] = length >>> 7
  return at + 2
}

/** Most texts are short: a loop is quicker than a call that has to make a view of them first. */
function copy(view: DataView, from: number, length: number, out: Uint8Array, to: number): number {
  for (let at = 0; at < length; at += 1) out[to + at] = view.getUint8(from + at)
  return to + length
}
