// Owns label sets: their canonical key and order. It refuses nothing; the store checks names and sizes.
import type { Labels } from '#base'

export const METRIC_NAME = '__name__'

/** A string that two label sets share exactly when they are equal. Lengths make it unambiguous for any content. */
export function labelsKey(labels: Labels): string {
  const names = Object.keys(labels)
  if (names.length > 1) names.sort()
  let key = ''
  for (const name of names) {
    const value = labels[name] ?? ''
    key += `${name.length}:${name}${value.length}:${value}`
  }
  return key
}

/** The key of some of the labels; names that are absent count as empty. `names` must be sorted. */
export function keyOf(labels: Labels, names: readonly string[]): string {
  let key = ''
  for (const name of names) {
    const value = valueOf(labels, name)
    key += `${value.length}:${value}`
  }
  return key
}

/** The value of a label, empty when it is absent. Safe for names such as `constructor`. */
export function valueOf(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : ''
}

/** A copy in the order of the names, without labels that are empty. */
export function sortedLabels(labels: Labels): Labels {
  return fromEntries(Object.entries(labels).filter(([, value]) => value !== ''))
}

export function withoutLabels(labels: Labels, dropped: ReadonlySet<string>): Labels {
  return fromEntries(Object.entries(labels).filter(([name]) => !dropped.has(name)))
}

export function onlyLabels(labels: Labels, kept: readonly string[]): Labels {
  const entries: [string, string][] = []
  for (const name of kept) {
    const value = valueOf(labels, name)
    if (value !== '') entries.push([name, value])
  }
  return fromEntries(entries)
}

/** Sets, or with an empty value removes, one label. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  const entries = Object.entries(labels).filter(([other]) => other !== name)
  if (value !== '') entries.push([name, value])
  return fromEntries(entries)
}

const NAME_ONLY: ReadonlySet<string> = new Set([METRIC_NAME])

export function withoutName(labels: Labels): Labels {
  return Object.hasOwn(labels, METRIC_NAME) ? withoutLabels(labels, NAME_ONLY) : labels
}

function fromEntries(entries: [string, string][]): Labels {
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(entries)
}
