// Owns one object for each label set, so that ten minutes of passes share them.
// It refuses more than LABEL_SETS_MAX of them: what is over is left out and counted.
import type { Labels } from '#base'

const LABEL_SETS_MAX = 20_000 // a busy edge shows some hundred series; more is a flood

export class LabelTable {
  readonly #sets = new Map<string, Labels>()
  #refused = 0

  /** The one object for these labels; null when the table is full. */
  intern(labels: Labels): Labels | null {
    const key = JSON.stringify(labels)
    const known = this.#sets.get(key)
    if (known !== undefined) return known
    if (this.#sets.size >= LABEL_SETS_MAX) {
      this.#refused += 1
      return null
    }
    this.#sets.set(key, labels)
    return labels
  }

  refused(): number {
    return this.#refused
  }
}
