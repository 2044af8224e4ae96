// Owns the way of a request into the store: its series are found or made, its samples judged and staged.
// It refuses nothing by itself; limits are those of the head and the staging, and undoing leaves no trace.
import { Fault, type Labels } from '#base'
import {
  decompressRequest,
  type RemoteWriteLimits,
  type RemoteWriteRequest,
  readLabels,
  readMessage,
} from '../remote-write/read-remote-write.ts'
import { type RequestVisitor, type Scanned, scanRemoteWrite } from '../remote-write/scan-remote-write.ts'
import { RemoteWrite2Scanner } from '../remote-write/scan-remote-write-2.ts'
import type { Head } from './head.ts'
import { LabelReader } from './label-reader.ts'
import { recordPayload } from './log-record.ts'
import { RawForms } from './raw-forms.ts'
import { Series } from './series.ts'
import { type OlderValue, type Refusals, StagedSamples } from './staged-samples.ts'
import type { IngestRequest, RefusalReason, WriteSeries } from './store.ts'

/** What a request holds beside its samples. */
type Beside = Omit<RemoteWriteRequest, 'series'>

/** A sender may order labels in its own way, so that a series can have more than one form. */
const FORMS_A_SERIES = 2
/** Smaller batches come from many writers, whose places would drive each other out. */
const PLACES_MIN = 1000

interface Place {
  readonly labels: Labels
  readonly series: Series
}

export class Intake implements RequestVisitor {
  readonly #head: Head
  readonly #forms: RawForms<Series>
  readonly #labels = new LabelReader()
  readonly #older: OlderValue
  readonly #scanner2 = new RemoteWrite2Scanner()
  readonly #staged = new StagedSamples()
  #defined: Series[] = []
  #created: Series[] = []
  #sender: string | null = null
  #accept: ((labels: Labels) => void) | null = null
  #limits: RemoteWriteLimits | null = null
  readonly #likely: (Series | null)[] = []
  readonly #places: Place[] = []
  #missesBefore = 0
  #expected = 0
  /** The series of the samples that come next, or why they are refused. */
  #target: Series | RefusalReason = 'invalid'

  constructor(head: Head, seriesMax: number, older: OlderValue) {
    this.#head = head
    this.#forms = new RawForms(seriesMax * FORMS_A_SERIES)
    this.#older = older
  }

  get count(): number {
    return this.#staged.count
  }

  get refused(): Refusals {
    return this.#staged.refused
  }

  get newSeries(): number {
    return this.#defined.length
  }

  begin(nowMs: number, oldestMs: number): void {
    this.#staged.begin(nowMs, oldestMs)
    this.#defined = []
    this.#created = []
    this.#sender = null
    this.#accept = null
  }

  batch(batch: readonly WriteSeries[]): void {
    const places = batch.length >= PLACES_MIN ? this.#places : null
    if (places !== null) places.length = Math.min(places.length, batch.length)
    for (const [at, { labels, samples }] of batch.entries()) {
      this.#target = places === null ? this.#resolve(labels) : this.#resolveAt(places, at, labels)
      for (const sample of samples) this.sample(sample.timestampMs, sample.value)
    }
    this.#settle()
  }

  /** Throws when the body is malformed or has a series that may not be written; then nothing is staged. */
  request({ body, version, limits, sender, accept }: IngestRequest): Beside {
    this.#sender = sender
    this.#accept = accept
    this.#limits = limits
    try {
      const bytes = decompressRequest(body, limits)
      const quick = this.#scan(bytes, limits, version)
      if (quick !== null) return quick
      const { series, ...beside } = readMessage(bytes, limits, version)
      if (accept !== null) for (const { labels } of series) accept(labels)
      this.batch(series)
      return beside
    } catch (error) {
      this.undo()
      throw error
    }
  }

  /** Worth it only where the order of series is not that of the last time. */
  expect(view: DataView, starts: Int32Array, ends: Int32Array, count: number): void {
    const misses = this.#forms.misses
    const isShuffled = misses - this.#missesBefore > this.#expected / 2
    this.#missesBefore = misses
    this.#expected = count
    if (!isShuffled) return
    this.#forms.expect(view, starts, ends, this.#likely, count)
    let sum = 0
    for (let at = 0; at < count; at += 1) sum += this.#likely[at]?.newestMs ?? 0
    for (let at = 0; at < count; at += 1) sum += this.#likely[at]?.peek() ?? 0
    this.#forms.touched += sum
  }

  series(view: DataView, start: number, end: number): void {
    const known = this.#forms.find(view, start, end)
    if (known !== null) {
      this.#accept?.(known.labels)
      this.#target = known
      return
    }
    this.#target = this.#read(view, start, end)
    if (this.#target instanceof Series) this.#forms.add(view, start, end, this.#target)
  }

  #read(view: DataView, start: number, end: number): Series | RefusalReason {
    if (this.#limits === null) throw new Error('a request has limits')
    const read = this.#labels.read(view, start, end, this.#limits)
    if (read === null) {
      const bytes = new Uint8Array(view.buffer, view.byteOffset + start, end - start)
      const labels = readLabels(bytes, this.#limits)
      this.#accept?.(labels)
      return this.#resolve(labels)
    }
    this.#accept?.(read.labels)
    const series = this.#head.enter(read, this.#sender)
    if (this.#noteCreated(series)) series.definition = read.json
    return series
  }

  sample(timeMs: number, value: number): void {
    const target = this.#target
    // Rates and sums of all servers would be wrong by one that lies. Others may name a gauge so.
    if (value < 0 && this.#sender !== null && isCounter(target)) this.#staged.refused['negative-counter'] += 1
    else if (target instanceof Series) this.#staged.add(target, timeMs, value, this.#older)
    else this.#staged.refused[target] += 1
  }

  payload(): readonly Buffer[] {
    return recordPayload({ defined: this.#defined, ...this.#staged.columns() })
  }

  /** Gives the newest stamp. */
  apply(): number {
    for (const series of this.#defined) {
      series.defined = true
      series.definition = null
    }
    return this.#staged.apply()
  }

  undo(): void {
    this.#staged.undo()
    if (this.#created.length === 0) return
    for (const series of this.#created) this.#head.remove(series)
    this.#created = []
    this.#defined = []
    this.#forms.clear()
  }

  /** After series were removed. */
  forgetForms(): void {
    this.#forms.clear()
  }

  #scan(bytes: Uint8Array, limits: RemoteWriteLimits, version: '1.0' | '2.0'): Scanned | null {
    this.#forms.restart()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let scanned: Scanned | null = null
    try {
      scanned =
        version === '1.0' ? scanRemoteWrite(view, limits, this) : this.#scanner2.scan(view, limits, this)
    } catch (error) {
      // Labels that may not be written: the full reader says which, and where they stand.
      if (!(error instanceof Fault)) throw error
    }
    if (scanned === null) {
      // Whatever was staged comes again through the full reader.
      const { refused } = this.#staged
      for (const reason of Object.keys(refused) as RefusalReason[]) refused[reason] = 0
      this.undo()
      return null
    }
    this.#settle()
    return scanned
  }

  /** What rules record comes each second, with the same label sets at the same places. */
  #resolveAt(places: Place[], at: number, labels: Labels): Series | RefusalReason {
    const known = places[at]
    if (known !== undefined && known.labels === labels && this.#head.byId(known.series.id) === known.series)
      return known.series
    const series = this.#resolve(labels)
    // Only one that has samples: others may go away again.
    if (series instanceof Series && series.defined) places[at] = { labels, series }
    return series
  }

  #resolve(labels: Labels): Series | RefusalReason {
    const series = this.#head.resolve(labels, this.#sender)
    this.#noteCreated(series)
    return series
  }

  #noteCreated(series: Series | RefusalReason): series is Series {
    if (!(series instanceof Series)) return false
    if (series.defined || series.newestMs !== Number.NEGATIVE_INFINITY) return false
    if (this.#created.at(-1) !== series) this.#created.push(series)
    return true
  }

  /** A series of which nothing was taken must not use up a place. */
  #settle(): void {
    if (this.#created.length === 0) return
    let isForgotten = false
    for (const series of new Set(this.#created)) {
      if (series.newestMs > Number.NEGATIVE_INFINITY) this.#defined.push(series)
      else {
        this.#head.remove(series)
        isForgotten = true
      }
    }
    this.#created = [...this.#defined]
    if (isForgotten) this.#forms.clear()
  }
}

/** OpenMetrics 1.0, section "Counter": a total must not be negative. */
function isCounter(target: Series | RefusalReason): boolean {
  return target instanceof Series && target.labels['__name__']?.endsWith('_total') === true
}
