// Owns how many different sessions had something happen to them within the last turns: each counts once, at its latest
// turn, whatever it went through. That is what makes heavy-tailed sessions harmless.

/** Turns are kept for the longest window: 5 min of 5 s. */
export const TURNS_MAX = 60
/** A session to which it has not happened. */
export const NEVER = -1

export class DistinctWindow {
  readonly #counts = new Int32Array(TURNS_MAX)
  #turn = 0

  /** Happens to a session in this turn; gives what is to be remembered of it. `before`: what was remembered. */
  happens(before: number): number {
    if (before === this.#turn) return before
    this.forget(before)
    this.#move(this.#turn, 1)
    return this.#turn
  }

  /** The session goes elsewhere and takes what happened to it along. */
  forget(before: number): void {
    if (before !== NEVER && before > this.#turn - TURNS_MAX) this.#move(before, -1)
  }

  /** To this turn; what falls out of the longest window is gone. */
  advance(turn: number): void {
    for (; this.#turn < turn; this.#turn += 1) {
      if (turn - this.#turn > TURNS_MAX) this.#turn = turn - TURNS_MAX
      this.#counts[(this.#turn + 1) % TURNS_MAX] = 0
    }
  }

  /** Sessions within the last so many turns, this one among them. */
  count(turns: number): number {
    let sum = 0
    for (let back = 0; back < Math.min(turns, TURNS_MAX, this.#turn + 1); back += 1) {
      sum += this.#counts[(this.#turn - back) % TURNS_MAX] ?? 0
    }
    return sum
  }

  #move(turn: number, by: number): void {
    this.#counts[turn % TURNS_MAX] = (this.#counts[turn % TURNS_MAX] ?? 0) + by
  }
}
