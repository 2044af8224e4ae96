// Owns the remote-write bodies of the metrics bench, made before anything is measured and kept in memory.
// It refuses to be fair to one engine: all get the same bytes.
import { compressBlock } from '#metrics'
import { makeEdge, makeRandom } from './workload.ts'

export interface BodiesOptions {
  readonly edges: number
  readonly seconds: number
  /** Samples a series in one request. */
  readonly samplesASeries: number
  readonly edgesARequest: number
  readonly startMs: number
  /** A new order of series in every request. */
  readonly shuffled: boolean
  /** Stamps stray by up to this. */
  readonly jitterMs: number
  readonly only: ReadonlySet<string> | null
}

export interface Bodies {
  /** One list a connection: requests of an edge stay in their order. */
  readonly shards: readonly (readonly Uint8Array[])[]
  readonly samplesARequest: readonly number[]
  readonly samples: number
  readonly series: number
  readonly bytes: number
}

const SHARDS = 2
const SAMPLE_BYTES = 18 // 12 10 | 09 f64 | 10 varint of six bytes

export function makeBodies(options: BodiesOptions): Bodies {
  const shards: Uint8Array[][] = Array.from({ length: SHARDS }, () => [])
  const samplesARequest: number[] = []
  let samples = 0
  let series = 0
  let bytes = 0
  const random = makeRandom(77)
  const groups = Math.ceil(options.edges / options.edgesARequest)
  for (let group = 0; group < groups; group += 1) {
    const first = group * options.edgesARequest
    const writer = new GroupWriter(first, Math.min(options.edges, first + options.edgesARequest), options)
    series += writer.series
    samplesARequest[group % SHARDS] = writer.series * options.samplesASeries
    const list = shards[group % SHARDS] ?? []
    // Bodies of one time lie together, as they would arrive.
    for (let second = 0; second < options.seconds; second += options.samplesASeries) {
      const body = compressBlock(writer.body(second, random))
      const at = (second / options.samplesASeries) * Math.ceil((groups - (group % SHARDS)) / SHARDS)
      list[at + Math.floor(group / SHARDS)] = body
      samples += writer.series * options.samplesASeries
      bytes += body.length
    }
  }
  return { shards, samplesARequest, samples, series, bytes }
}

/** The body of some edges, as a template of which only values, stamps and order change. */
export class GroupWriter {
  readonly series: number
  readonly #options: BodiesOptions
  readonly #edges: readonly { readonly edge: ReturnType<typeof makeEdge>; readonly offsetMs: number }[]
  readonly #blocks: Buffer[] = []
  readonly #edgeOf: number[] = []
  readonly #sampleAt: number[] = []
  readonly #order: Uint32Array
  readonly #out: Buffer

  constructor(first: number, end: number, options: BodiesOptions) {
    this.#options = options
    this.#edges = Array.from({ length: end - first }, (_, at) => ({
      edge: makeEdge(first + at, options.only),
      offsetMs: ((first + at) * 7919) % 1000,
    }))
    for (const [at, { edge }] of this.#edges.entries()) {
      for (const labels of edge.labels) {
        const block = seriesBlock(labels, options.samplesASeries)
        this.#blocks.push(block)
        this.#edgeOf.push(at)
        this.#sampleAt.push(block.length - options.samplesASeries * SAMPLE_BYTES)
      }
    }
    this.series = this.#blocks.length
    this.#order = Uint32Array.from(this.#blocks, (_, at) => at)
    this.#out = Buffer.alloc(this.#blocks.reduce((sum, block) => sum + block.length, 0))
  }

  /** With `stampMs` all samples have this stamp. */
  body(second: number, random: () => number, stampMs: number | null = null): Uint8Array {
    const { samplesASeries, startMs, jitterMs, shuffled } = this.#options
    const values = new Float64Array(this.series)
    for (let sample = 0; sample < samplesASeries; sample += 1) {
      let base = 0
      for (const { edge, offsetMs } of this.#edges) {
        const own = values.subarray(base, base + edge.labels.length)
        edge.next(own)
        const strayMs = jitterMs === 0 ? 0 : Math.round((random() - 0.5) * 2 * jitterMs)
        const timeMs = stampMs ?? startMs + (second + sample) * 1000 + offsetMs + strayMs
        for (let at = 0; at < own.length; at += 1) {
          const block = this.#blocks[base + at]
          const from = (this.#sampleAt[base + at] ?? 0) + sample * SAMPLE_BYTES
          block?.writeDoubleLE(own[at] ?? 0, from + 3)
          if (block !== undefined) writeStamp(block, from + 12, timeMs)
        }
        base += edge.labels.length
      }
    }
    if (shuffled) shuffle(this.#order, random)
    let at = 0
    for (const index of this.#order) at += this.#blocks[index]?.copy(this.#out, at) ?? 0
    return this.#out
  }
}

function seriesBlock(labels: Readonly<Record<string, string>>, samples: number): Buffer {
  const parts: Buffer[] = []
  for (const name of Object.keys(labels).sort()) {
    const [a, b] = [Buffer.from(name), Buffer.from(labels[name] ?? '')]
    const inner = Buffer.concat([Buffer.from([0x0a, a.length]), a, Buffer.from([0x12, b.length]), b])
    parts.push(Buffer.from([0x0a, inner.length]), inner)
  }
  const sample = Buffer.alloc(SAMPLE_BYTES)
  sample.set([0x12, 0x10, 0x09], 0)
  sample[11] = 0x10
  for (let count = 0; count < samples; count += 1) parts.push(sample)
  const message = Buffer.concat(parts)
  const length = message.length < 128 ? [message.length] : [(message.length & 127) | 128, message.length >> 7]
  return Buffer.concat([Buffer.from([0x0a, ...length]), message])
}

/** Six bytes hold stamps from 1971 to 2109. */
function writeStamp(block: Buffer, at: number, timeMs: number): void {
  let rest = timeMs
  for (let byte = 0; byte < 5; byte += 1) {
    block[at + byte] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  block[at + 5] = rest
}

function shuffle(order: Uint32Array, random: () => number): void {
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1))
    const kept = order[at] ?? 0
    order[at] = order[other] ?? 0
    order[other] = kept
  }
}
