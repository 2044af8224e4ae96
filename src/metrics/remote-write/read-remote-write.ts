// Owns reading remote write bodies, 1.0 and 2.0. It refuses malformed or oversized ones, naming what and where.
// See https://prometheus.io/docs/specs/prw/remote_write_spec/ and .../remote_write_spec_2_0/
import type { Fault, Labels } from '#base'
import { metricsFaults } from '../faults.ts'
import { METRIC_NAME, valueOf } from '../labels.ts'
import type { WriteSeries } from '../store/store.ts'
import { familyOf, type MetricMetadata, typeName } from './metadata.ts'
import { ProtobufReader } from './protobuf-reader.ts'
import { decompressBlock } from './snappy.ts'

export interface RemoteWriteLimits {
  readonly compressedBytesMax: number
  readonly bytesMax: number
  readonly seriesMax: number
  readonly samplesMax: number
  readonly labelsMax: number
  readonly labelBytesMax: number
}

/** Ten times what Prometheus sends by default (2000 samples a request), and then some for backlogs. */
export const REMOTE_WRITE_LIMITS: RemoteWriteLimits = {
  compressedBytesMax: 8 * 1024 * 1024,
  bytesMax: 32 * 1024 * 1024,
  seriesMax: 50_000,
  samplesMax: 200_000,
  labelsMax: 64,
  labelBytesMax: 4096,
}

/** The version that a `Content-Type` promises: `proto=io.prometheus.write.v2.Request` is 2.0, all else 1.0. */
export function remoteWriteVersion(contentType: string | undefined): '1.0' | '2.0' {
  return /;\s*proto\s*=\s*"?io\.prometheus\.write\.v2\.Request"?\s*(;|$)/.test(contentType ?? '')
    ? '2.0'
    : '1.0'
}

/** The series of a request in its order, and nothing else of it. */
export function decodeRemoteWrite(
  body: Uint8Array,
  limits: RemoteWriteLimits = REMOTE_WRITE_LIMITS,
  version: '1.0' | '2.0' = '1.0',
): readonly WriteSeries[] {
  return readMessage(decompressRequest(body, limits), limits, version).series
}

/** The protobuf message of a body. */
export function decompressRequest(body: Uint8Array, limits: RemoteWriteLimits): Uint8Array {
  if (body.length > limits.compressedBytesMax) {
    throw tooLarge(`expected at most ${limits.compressedBytesMax} bytes of body, got ${body.length}`)
  }
  const bytes = decompressBlock(body, limits.bytesMax)
  if ('kind' in bytes) throw bytes.kind === 'too-large' ? tooLarge(bytes.message) : invalid(bytes.message)
  return bytes
}

export interface RemoteWriteRequest {
  readonly series: readonly WriteSeries[]
  /** Counted and skipped. */
  readonly exemplars: number
  readonly histograms: number
  readonly metadata: readonly MetricMetadata[]
}

export function readMessage(
  bytes: Uint8Array,
  limits: RemoteWriteLimits,
  version: '1.0' | '2.0',
): RemoteWriteRequest {
  const reader = new ProtobufReader(bytes, invalid)
  const request = new RequestReader(limits)
  const series = version === '1.0' ? request.read(reader) : request.read2(reader)
  const { exemplars, histograms, metadata } = request
  return { series, exemplars, histograms, metadata }
}

/** The labels that stand in `bytes[start..end)` as fields 1 of a `TimeSeries`. */
export function readLabels(bytes: Uint8Array, limits: RemoteWriteLimits): Labels {
  const request = new RequestReader(limits)
  return request.labels(new ProtobufReader(bytes, invalid), bytes.length)
}

type Sample = WriteSeries['samples'][number]

/** Holds the counts of one request against its limits. */
class RequestReader {
  readonly #limits: RemoteWriteLimits
  #samples = 0
  exemplars = 0
  histograms = 0
  readonly metadata: MetricMetadata[] = []

  constructor(limits: RemoteWriteLimits) {
    this.#limits = limits
  }

  labels(reader: ProtobufReader, end: number): Labels {
    return this.#series(reader, end).labels
  }

  /** `prometheus.WriteRequest`: timeseries = 1, metadata = 3. */
  read(reader: ProtobufReader): WriteSeries[] {
    const series: WriteSeries[] = []
    while (!reader.done()) {
      const { field, wireType } = reader.tag('WriteRequest')
      if (field === 3) this.#metadata(reader, reader.enter(wireType, 'WriteRequest.metadata'))
      if (field !== 1) {
        if (field !== 3) reader.skip(wireType, 'WriteRequest')
        continue
      }
      this.#countSeries(series.length)
      const end = reader.enter(wireType, 'WriteRequest.timeseries')
      series.push(this.#series(reader, end))
    }
    return series
  }

  /** `io.prometheus.write.v2.Request`: symbols = 4, timeseries = 5. Series may stand before the symbols. */
  read2(reader: ProtobufReader): WriteSeries[] {
    const symbols: string[] = []
    const pending: PendingSeries[] = []
    while (!reader.done()) {
      const { field, wireType } = reader.tag('Request')
      if (field === 4) {
        // Each series has at most labelsMax names and values of its own; more symbols cannot be of use.
        if (symbols.length > this.#limits.seriesMax * 4) throw tooLarge('too many symbols')
        symbols.push(reader.text(wireType, 'Request.symbols', this.#limits.labelBytesMax))
      } else if (field === 5) {
        this.#countSeries(pending.length)
        const end = reader.enter(wireType, 'Request.timeseries')
        pending.push(this.#series2(reader, end))
      } else {
        reader.skip(wireType, 'Request')
      }
    }
    if (symbols.length > 0 && symbols[0] !== '') throw invalid('Request.symbols[0]: expected an empty string')
    return pending.map(({ refs, samples, told }, index) => {
      const labels = resolve(refs, symbols, index)
      if (told !== null) this.#tell(labels, told, symbols)
      return { labels, samples }
    })
  }

  #countSeries(count: number): void {
    if (count >= this.#limits.seriesMax) throw tooLarge(`expected at most ${this.#limits.seriesMax} series`)
  }

  /** `TimeSeries`: labels = 1, samples = 2, exemplars = 3, histograms = 4. */
  #series(reader: ProtobufReader, end: number): WriteSeries {
    const labels: Record<string, string> = {}
    const samples: Sample[] = []
    let count = 0
    while (reader.within(end, 'TimeSeries')) {
      const { field, wireType } = reader.tag('TimeSeries')
      if (field === 1) {
        count += 1
        if (count > this.#limits.labelsMax) {
          throw tooLarge(`@${reader.at()}: expected at most ${this.#limits.labelsMax} labels a series`)
        }
        this.#label(reader, reader.enter(wireType, 'TimeSeries.labels'), labels)
      } else if (field === 2) {
        samples.push(this.#sample(reader, reader.enter(wireType, 'TimeSeries.samples')))
      } else {
        this.#dropped(field, wireType)
        reader.skip(wireType, 'TimeSeries')
      }
    }
    return { labels, samples }
  }

  /** v2 `TimeSeries`: labels_refs = 1 (packed), samples = 2. */
  #series2(reader: ProtobufReader, end: number): PendingSeries {
    const refs: number[] = []
    const samples: Sample[] = []
    let told: ToldMetadata | null = null
    while (reader.within(end, 'TimeSeries')) {
      const { field, wireType } = reader.tag('TimeSeries')
      if (field === 1) {
        this.#refs(reader, wireType, refs)
      } else if (field === 2) {
        samples.push(this.#sample(reader, reader.enter(wireType, 'TimeSeries.samples')))
      } else if (field === 5) {
        told = metadata2(reader, reader.enter(wireType, 'TimeSeries.metadata'))
      } else {
        // 2.0 has them the other way round: histograms = 3, exemplars = 4.
        this.#dropped(field === 3 ? 4 : field === 4 ? 3 : field, wireType)
        reader.skip(wireType, 'TimeSeries')
      }
    }
    return { refs, samples, told }
  }

  /** `MetricMetadata`: type = 1, metric_family_name = 2, help = 4, unit = 5. */
  #metadata(reader: ProtobufReader, end: number): void {
    const where = 'MetricMetadata'
    const texts = new Map<number, string>()
    let type = 0
    while (reader.within(end, where)) {
      const { field, wireType } = reader.tag(where)
      if (field === 1 && wireType === 0) type = reader.varint(where)
      else if (field === 2 || field === 4 || field === 5) {
        texts.set(field, reader.text(wireType, where, this.#limits.labelBytesMax))
      } else reader.skip(wireType, where)
    }
    const text = (field: number): string => texts.get(field) ?? ''
    this.#keep({ name: text(2), type: typeName(type), help: text(4), unit: text(5) })
  }

  #tell(labels: Labels, { type, help, unit }: ToldMetadata, symbols: readonly string[]): void {
    const name = familyOf(valueOf(labels, METRIC_NAME), typeName(type))
    this.#keep({ name, type: typeName(type), help: symbols[help] ?? '', unit: symbols[unit] ?? '' })
  }

  #keep(metadata: MetricMetadata): void {
    if (this.metadata.length >= this.#limits.seriesMax) {
      throw tooLarge(`expected metadata of at most ${this.#limits.seriesMax} metrics`)
    }
    if (metadata.name !== '') this.metadata.push(metadata)
  }

  #dropped(field: number, wireType: number): void {
    if (wireType !== 2) return
    if (field === 3) this.exemplars += 1
    else if (field === 4) this.histograms += 1
  }

  /** Packed, or one by one: a reader must take both (protobuf encoding, packed fields). */
  #refs(reader: ProtobufReader, wireType: number, refs: number[]): void {
    const where = 'TimeSeries.labels_refs'
    if (wireType === 0) refs.push(reader.varint(where))
    else {
      const end = reader.enter(wireType, where)
      while (reader.within(end, where) && refs.length <= this.#limits.labelsMax * 2) {
        refs.push(reader.varint(where))
      }
    }
    if (refs.length > this.#limits.labelsMax * 2) {
      throw tooLarge(`@${reader.at()}: expected at most ${this.#limits.labelsMax} labels a series`)
    }
  }

  #label(reader: ProtobufReader, end: number, labels: Record<string, string>): void {
    let name = ''
    let value = ''
    while (reader.within(end, 'Label')) {
      const { field, wireType } = reader.tag('Label')
      if (field === 1) name = reader.text(wireType, 'Label.name', this.#limits.labelBytesMax)
      else if (field === 2) value = reader.text(wireType, 'Label.value', this.#limits.labelBytesMax)
      else reader.skip(wireType, 'Label')
    }
    setLabel(labels, name, value, `@${reader.at()}: Label`)
  }

  /** `Sample`: value = 1 (double), timestamp = 2 (int64, ms). */
  #sample(reader: ProtobufReader, end: number): Sample {
    this.#samples += 1
    if (this.#samples > this.#limits.samplesMax) {
      throw tooLarge(`expected at most ${this.#limits.samplesMax} samples in a request`)
    }
    let value = 0
    let timestampMs = 0
    while (reader.within(end, 'Sample')) {
      const { field, wireType } = reader.tag('Sample')
      if (field === 1) value = reader.double(wireType, 'Sample.value')
      else if (field === 2) timestampMs = reader.int64(wireType, 'Sample.timestamp')
      else reader.skip(wireType, 'Sample')
    }
    return { timestampMs, value }
  }
}

interface PendingSeries {
  readonly refs: number[]
  readonly samples: Sample[]
  readonly told: ToldMetadata | null
}

/** Help and unit are places in the list of symbols. */
interface ToldMetadata {
  type: number
  help: number
  unit: number
}

/** v2 `Metadata`: type = 1, help_ref = 3, unit_ref = 4. */
function metadata2(reader: ProtobufReader, end: number): ToldMetadata {
  const told = { type: 0, help: 0, unit: 0 }
  const where = 'Metadata'
  while (reader.within(end, where)) {
    const { field, wireType } = reader.tag(where)
    const key = field === 1 ? 'type' : field === 3 ? 'help' : field === 4 ? 'unit' : null
    if (key === null || wireType !== 0) reader.skip(wireType, where)
    else told[key] = reader.varint(where)
  }
  return told
}

function resolve(refs: readonly number[], symbols: readonly string[], index: number): Labels {
  const where = `Request.timeseries[${index}].labels_refs`
  if (refs.length % 2 !== 0) throw invalid(`${where}: expected pairs, got ${refs.length} references`)
  const labels: Record<string, string> = {}
  for (let at = 0; at < refs.length; at += 2) {
    const name = symbols[refs[at] ?? -1]
    const value = symbols[refs[at + 1] ?? -1]
    if (name === undefined || value === undefined) {
      throw invalid(
        `${where}: expected references below ${symbols.length}, got ${refs[at]} and ${refs[at + 1]}`,
      )
    }
    setLabel(labels, name, value, where)
  }
  return labels
}

function setLabel(labels: Record<string, string>, name: string, value: string, where: string): void {
  if (name === '') throw invalid(`${where}: expected a label name, got an empty one`)
  if (Object.hasOwn(labels, name)) throw invalid(`${where}: label ${JSON.stringify(name)} is given twice`)
  // An empty value means that the label is absent (data model of Prometheus). defineProperty: also `__proto__`.
  if (value === '') return
  Object.defineProperty(labels, name, { value, enumerable: true, writable: true, configurable: true })
}

function invalid(message: string): Fault {
  return metricsFaults.fault('metrics-remote-write-invalid', `remote write: ${message}`)
}

function tooLarge(message: string): Fault {
  return metricsFaults.fault('metrics-remote-write-too-large', `remote write: ${message}`)
}
