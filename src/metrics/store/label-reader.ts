// Owns reading the label set of a new series from its bytes: labels that other series have too are neither decoded nor checked again.
// It refuses, by giving null, forms that senders hardly use: names out of order, empty values, `__proto__`.
import { keyPart, METRIC_NAME } from '../labels.ts'
import { type RemoteWriteLimits, readLabels } from '../remote-write/read-remote-write.ts'
import { fieldEnd } from '../remote-write/scan-remote-write.ts'
import { type CheckedLabels, checkCount, checkLabel, checkMetricName } from './label-rules.ts'
import { RawForms } from './raw-forms.ts'
import type { RefusalReason } from './store.ts'

/** Most labels come with many series; some 300 bytes each. When there are more, all are learnt again. */
const KNOWN_MAX = 65_536
const LABEL_TAG = 0x0a

interface KnownLabel {
  readonly name: string
  readonly value: string
  /** What it adds to a key, and to an object in JSON. */
  readonly key: string
  readonly json: string
  readonly refusal: RefusalReason | null
}

export interface ReadLabels extends CheckedLabels {
  readonly json: string
}

export class LabelReader {
  #known = new RawForms<KnownLabel>(KNOWN_MAX)

  /** `view[start..end)` are fields 1 of a `TimeSeries`, in the form that the scan of a request accepts. */
  read(view: DataView, start: number, end: number, limits: RemoteWriteLimits): ReadLabels | null {
    const labels: Record<string, string> = {}
    let key = ''
    let json = ''
    let refusal: RefusalReason | null = null
    let metricName = ''
    let before = ''
    let count = 0
    this.#known.restart()
    for (let at = start; at < end; ) {
      const next = fieldEnd(view, at, end, LABEL_TAG)
      if (next < 0) return null
      const label = this.#known.find(view, at, next) ?? this.#learn(view, at, next, limits)
      if (label === null || (count > 0 && label.name <= before)) return null
      labels[label.name] = label.value
      if (label.name === METRIC_NAME) metricName = label.value
      key += label.key
      json += count === 0 ? label.json : `,${label.json}`
      refusal ??= label.refusal
      before = label.name
      count += 1
      at = next
    }
    refusal = checkCount(count) ?? refusal ?? checkMetricName(metricName)
    return { labels, key, json: `{${json}}`, refusal }
  }

  #learn(view: DataView, start: number, end: number, limits: RemoteWriteLimits): KnownLabel | null {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + start, end - start)
    const [[name, value] = ['', '']] = Object.entries(readLabels(bytes, limits))
    if (value === '' || name === '__proto__') return null
    const known: KnownLabel = {
      name,
      value,
      key: keyPart(name, value),
      json: `${JSON.stringify(name)}:${JSON.stringify(value)}`,
      refusal: checkLabel(name, value),
    }
    if (this.#known.isFull) this.#known.clear()
    this.#known.add(view, start, end, known)
    return known
  }
}
