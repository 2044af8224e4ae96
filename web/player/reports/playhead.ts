// Owns when the picture stopped and went on, which events tell late: a busy page hears of `waiting` a second after it
// happened. Where the playhead stands says when, because until then it kept step with the clock. Pure.

/** Two seconds of `timeupdate`: the film's clock and the page's drift apart in hours. */
const LOOKS_MAX = 8

export class Playhead {
  /** Clock minus film, in ms, of the last looks; the least was least delayed. */
  #offsets: number[] = []
  #positionS = Number.NaN
  #rate = 1

  /** While it plays. */
  look(atMs: number, positionS: number, rate: number): void {
    if (positionS < this.#positionS || rate !== this.#rate) this.jumped()
    if (positionS === this.#positionS || !(rate > 0)) return
    this.#positionS = positionS
    this.#rate = rate
    this.#offsets = [...this.#offsets, atMs - (positionS / rate) * 1000].slice(-LOOKS_MAX)
  }

  /** A seek: what was seen before says nothing. */
  jumped(): void {
    this.#offsets = []
    this.#positionS = Number.NaN
  }

  /** It stands at `positionS`: since when; never in the future. */
  stoppedMs(atMs: number, positionS: number): number {
    if (this.#offsets.length === 0 || positionS < this.#positionS) return atMs
    return Math.min(atMs, Math.min(...this.#offsets) + (positionS / this.#rate) * 1000)
  }

  /** It goes on from `fromS` and is at `positionS` by now: since when. */
  static resumedMs(atMs: number, fromS: number, positionS: number, rate: number): number {
    return positionS > fromS && rate > 0 ? atMs - ((positionS - fromS) / rate) * 1000 : atMs
  }
}
