// Owns label sets: their canonical key and order. It refuses nothing; the store checks names and sizes.
import type { Labels } from '#base'

export const METRIC_NAME = '__name__'

/** A string that two label sets share exactly when they are equal. Lengths make it unambiguous for any content. */
export function labelsKey(labels: Labels): string {
  const names = Object.keys(labels)
  if (names.length > 1) names.sort()
  let key = ''
  for (const name of names) key += keyPart(name, labels[name] ?? '')
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

/** The same object for the same label set, so that what is remembered of it is found again by the next query. */
export function withoutName(labels: Labels): Labels {
  return Object.hasOwn(labels, METRIC_NAME) ? unnamed.of(labels) : labels
}

/** `labelsKey` of label sets that live on, such as those of the store's series. */
export function rememberedKey(labels: Labels): string {
  return keys.of(labels)
}

/** A label set as JSON, remembered. */
export function rememberedJson(labels: Labels): string {
  return jsons.of(labels)
}

/** Some 1 KB each at most for usual labels: 20 MB. Series that a page shows are hundreds. */
const REMEMBERED_MAX = 20_000

/**
 * What was made of label sets, for as long as they live. Making a key takes a microsecond, and every query needs one
 * for each series: for small queries that is most of their time.
 */
class Remembered<Value> {
  readonly #make: (labels: Labels) => Value
  #made = new WeakMap<Labels, Value>()
  #count = 0

  constructor(make: (labels: Labels) => Value) {
    this.#make = make
  }

  of(labels: Labels): Value {
    const known = this.#made.get(labels)
    if (known !== undefined) return known
    if (this.#count === REMEMBERED_MAX) {
      this.#made = new WeakMap()
      this.#count = 0
    }
    const value = this.#make(labels)
    this.#made.set(labels, value)
    this.#count += 1
    return value
  }
}

const unnamed: Remembered<Labels> = new Remembered(labels => withoutLabels(labels, NAME_ONLY))
const keys: Remembered<string> = new Remembered(labelsKey)
const jsons: Remembered<string> = new Remembered(labels => JSON.stringify(labels))

/** The key of all labels but some, without making the label set. */
export function keyWithout(labels: Labels, dropped: ReadonlySet<string>): string {
  const names = Object.keys(labels)
  if (names.length > 1) names.sort()
  let key = ''
  for (const name of names) if (!dropped.has(name)) key += keyPart(name, labels[name] ?? '')
  return key
}

/** What one label adds to a key. */
export function keyPart(name: string, value: string): string {
  return `${name.length}:${name}${value.length}:${value}`
}

function fromEntries(entries: [string, string][]): Labels {
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(entries)
}
