// Owns what was made of the label set at each place of a list that looks the same again and again: a rule's rows each
// second. It refuses to trust the place alone: the label set that stands there must be the very same object.
import type { Labels } from '#base'

export class PlaceMemo<Value> {
  readonly #labels: Labels[] = []
  readonly #values: Value[] = []

  of(at: number, labels: Labels, make: (labels: Labels) => Value): Value {
    if (this.#labels[at] === labels) return this.#values[at] as Value
    const value = make(labels)
    this.#labels[at] = labels
    this.#values[at] = value
    return value
  }

  /** The list is this long now: what stood behind is let go. */
  end(length: number): void {
    if (this.#labels.length <= length) return
    this.#labels.length = length
    this.#values.length = length
  }
}
