// Owns the words behind the words of an expression: what a function, an aggregation or a metric means.
import {
  aggregateOpModifierTerms,
  aggregateOpTerms,
  atModifierTerms,
  binOpModifierTerms,
  functionIdentifierTerms,
} from '@prometheus-io/codemirror-promql/dist/esm/complete/promql.terms.js'
import { METRIC_NOTES } from './metric-notes.ts'

export interface WordNote {
  readonly word: string
  /** `function`, `aggregation`, `counter`, ... */
  readonly kind: string
  readonly text: string
}

/** What the API says of metrics; answers come from its cache. */
export type Metadata = Readonly<Record<string, readonly { readonly type: string; readonly help: string }[]>>

interface Term {
  readonly label: string
  readonly detail?: string
  readonly info?: unknown
}

const GRAMMAR: ReadonlyMap<string, WordNote> = new Map(
  [
    ...terms(functionIdentifierTerms, 'function'),
    ...terms(aggregateOpTerms, 'aggregation'),
    ...terms(aggregateOpModifierTerms, 'modifier'),
    ...terms(binOpModifierTerms, 'modifier'),
    ...terms(atModifierTerms, 'modifier'),
    note('offset', 'modifier', 'Look at the series as it was that long before'),
  ].map(entry => [entry.word, entry]),
)

function terms(list: readonly Term[], kind: string): WordNote[] {
  return list.flatMap(({ label, info }) => (typeof info === 'string' ? [note(label, kind, info)] : []))
}

function note(word: string, kind: string, text: string): WordNote {
  return { word, kind, text }
}

export function noteOn(word: string, metadata: Metadata): WordNote | null {
  const known = GRAMMAR.get(word)
  if (known !== undefined) return known
  const base = word.replace(/_(bucket|sum|count)$/, '')
  const [told] = metadata[word] ?? metadata[base] ?? []
  const own = told ?? METRIC_NOTES.get(word) ?? METRIC_NOTES.get(base)
  return own === undefined ? null : note(word, own.type, own.help)
}

/** The API’s metadata, and for Vitrine’s own metrics the notes where it is silent. */
export function withOwnNotes(metadata: Metadata): Record<string, { type: string; help: string }[]> {
  const own = [...METRIC_NOTES].map(([name, { type, help }]) => ({ name, entries: [{ type, help }] }))
  const told = Object.entries(metadata).map(([name, entries]) => ({ name, entries: [...entries] }))
  return Object.fromEntries([...own, ...told].map(({ name, entries }) => [name, entries]))
}
