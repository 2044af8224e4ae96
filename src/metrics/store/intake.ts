// Owns the way of a request into the store: its series are found or made, its samples judged and staged.
// It refuses nothing by itself; limits are those of the head and the staging, and undoing leaves no trace.
import type { Labels } from '#base'
import {
  decompressRequest,
  type RemoteWriteLimits,
  type RemoteWriteRequest,
  readLabels,
  readMessage,
} from '../remote-write/read-remote-write.ts'
import { type RequestVisitor, type Scanned, scanRemoteWrite } from '../remote-write/scan-remote-write.ts'
import type { Head } from './head.ts'
import { recordPayload } from './log-record.ts'
import { RawLabels } from './raw-labels.ts'
import { Series } from './series.ts'
import { type OlderValue, type Refusals, StagedSamples } from './staged-samples.ts'
import type { IngestRequest, RefusalReason, WriteSeries } from './store.ts'

/** What a request holds beside its samples. */
type Beside = Omit<RemoteWriteRequest, 'series'>

export class Intake implements RequestVisitor {
  readonly #head: Head
  readonly #forms: RawLabels
  readonly #older: OlderValue
  readonly #staged = new StagedSamples()
  #defined: Series[] = []
  #created: Series[] = []
  #sender: string | null = null
  #accept: ((labels: Labels) => void) | null = null
  #limits: RemoteWriteLimits | null = null
  /** The series of the samples that come next, or why they are refused. */
  #target: Series | RefusalReason = 'invalid'

  constructor(head: Head, seriesMax: number, older: OlderValue) {
    this.#head = head
    this.#forms = new RawLabels(seriesMax)
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
    for (const { labels, samples } of batch) {
      this.#target = this.#resolve(labels)
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
      if (version === '1.0') {
        const quick = this.#scan(bytes, limits)
        if (quick !== null) return { ...quick, metadata: [] }
      }
      const { series, ...beside } = readMessage(bytes, limits, version)
      if (accept !== null) for (const { labels } of series) accept(labels)
      this.batch(series)
      return beside
    } catch (error) {
      this.undo()
      throw error
    }
  }

  series(view: DataView, start: number, end: number): void {
    const known = this.#forms.find(view, start, end)
    if (known !== null) {
      this.#accept?.(known.labels)
      this.#target = known
      return
    }
    const bytes = new Uint8Array(view.buffer, view.byteOffset + start, end - start)
    if (this.#limits === null) throw new Error('a request has limits')
    const labels = readLabels(bytes, this.#limits)
    this.#accept?.(labels)
    this.#target = this.#resolve(labels)
    if (this.#target instanceof Series) this.#forms.add(view, start, end, this.#target)
  }

  sample(timeMs: number, value: number): void {
    const target = this.#target
    if (target instanceof Series) this.#staged.add(target, timeMs, value, this.#older)
    else this.#staged.refused[target] += 1
  }

  payload(): readonly Buffer[] {
    return recordPayload({ defined: this.#defined, ...this.#staged.columns() })
  }

  /** Gives the newest stamp. */
  apply(): number {
    for (const series of this.#defined) series.defined = true
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

  #scan(bytes: Uint8Array, limits: RemoteWriteLimits): Scanned | null {
    this.#forms.restart()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const scanned = scanRemoteWrite(view, limits, this)
    if (scanned === null) {
      // Unusual form: whatever was staged comes again through the full reader.
      const { refused } = this.#staged
      for (const reason of Object.keys(refused) as RefusalReason[]) refused[reason] = 0
      this.undo()
      return null
    }
    this.#settle()
    return scanned
  }

  #resolve(labels: Labels): Series | RefusalReason {
    const series = this.#head.resolve(labels, this.#sender)
    if (series instanceof Series && !series.defined && series.newestMs === Number.NEGATIVE_INFINITY) {
      if (this.#created.at(-1) !== series) this.#created.push(series)
    }
    return series
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
