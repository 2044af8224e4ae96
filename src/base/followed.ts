// Owns what fleet time has followed of the hosts' whole seconds, as a function of BOOTTIME: it never jumps, it goes at
// most FOLLOW_PPM_MAX each way, and what it said of an instant it says again later.

/** A second in 100 s: fleet time always goes forwards, at 99 % of its pace at least. */
export const FOLLOW_PPM_MAX = 10_000
/** More seconds than were ever inserted in three years. */
const PIECES_MAX = 8

interface Piece {
  readonly sinceBootMs: number
  readonly fromMs: number
  readonly toMs: number
}

/** What the control room tells of it. `room` differs after each start of the control room: its count begins anew. */
export interface FollowedState {
  readonly room: number
  readonly nowMs: number
  readonly toMs: number
}

export class Followed {
  #pieces: Piece[]

  constructor(fromMs = 0) {
    this.#pieces = [{ sinceBootMs: Number.NEGATIVE_INFINITY, fromMs, toMs: fromMs }]
  }

  get toMs(): number {
    return this.#last.toMs
  }

  get #last(): Piece {
    return this.#pieces.at(-1) as Piece
  }

  /** Instants before the first piece have what it began from. */
  at(bootMs: number): number {
    const piece = this.#pieces.findLast(({ sinceBootMs }) => sinceBootMs <= bootMs)
    return piece === undefined ? (this.#pieces[0]?.fromMs ?? 0) : valueOf(piece, bootMs)
  }

  /** From `bootMs` on towards `toMs`. */
  follow(bootMs: number, toMs: number): void {
    if (toMs === this.toMs) return
    const sinceBootMs = Math.max(bootMs, this.#last.sinceBootMs)
    this.#pieces.push({ sinceBootMs, fromMs: this.at(sinceBootMs), toMs })
    if (this.#pieces.length > PIECES_MAX) this.#pieces.shift()
  }

  /** Counts from another zero; nothing moves but the figures. */
  shift(byMs: number): void {
    this.#pieces = this.#pieces.map(({ sinceBootMs, fromMs, toMs }) => ({
      sinceBootMs,
      fromMs: fromMs + byMs,
      toMs: toMs + byMs,
    }))
  }
}

function valueOf({ sinceBootMs, fromMs, toMs }: Piece, bootMs: number): number {
  if (fromMs === toMs) return toMs
  const mostMs = ((bootMs - sinceBootMs) * FOLLOW_PPM_MAX) / 1e6
  return fromMs + Math.max(-mostMs, Math.min(mostMs, toMs - fromMs))
}
