// Owns what labels of a series may be. It refuses by reason, and changes nothing.
import type { Labels } from '#base'
import { METRIC_NAME, valueOf } from '../labels.ts'
import type { RefusalReason } from './store.ts'

const LABELS_MAX = 64 // Vitrine's own series have at most 7; node_exporter's at most a dozen
const LABEL_NAME_BYTES_MAX = 256
const LABEL_VALUE_BYTES_MAX = 4096

// Such a string has no UTF-8 form, so it would come back from disk as another one.
const LONE_SURROGATE = /\p{Surrogate}/u
const METRIC_NAME_FORM = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/

/** A label set in the order of its names and without empty values, its key, and why it may not be a new series. */
export interface CheckedLabels {
  readonly labels: Labels
  readonly key: string
  readonly refusal: RefusalReason | null
}

export function checkLabels(labels: Labels): RefusalReason | null {
  const entries = Object.entries(labels)
  const refusal = checkCount(entries.length)
  if (refusal !== null) return refusal
  for (const [name, value] of entries) {
    const wrong = checkLabel(name, value)
    if (wrong !== null) return wrong
  }
  return checkMetricName(valueOf(labels, METRIC_NAME))
}

export function checkCount(labels: number): RefusalReason | null {
  return labels > LABELS_MAX ? 'label-limit' : null
}

export function checkLabel(name: string, value: string): RefusalReason | null {
  if (name === '') return 'invalid'
  if (Buffer.byteLength(name) > LABEL_NAME_BYTES_MAX) return 'label-limit'
  if (value.length > LABEL_VALUE_BYTES_MAX || Buffer.byteLength(value) > LABEL_VALUE_BYTES_MAX) {
    return 'label-limit'
  }
  return LONE_SURROGATE.test(value) || LONE_SURROGATE.test(name) ? 'invalid' : null
}

export function checkMetricName(name: string): RefusalReason | null {
  return METRIC_NAME_FORM.test(name) ? null : 'invalid'
}
