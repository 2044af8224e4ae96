// Owns what the rules of one round share: results of expressions that several of them contain, at one moment.
// It refuses to keep what only one asked for in the round before: a fleet's rules have a hundred thousand rows.
import type { Expr } from './ast.ts'
import { exprText } from './format-query.ts'
import type { Frame } from './frame.ts'
import { InstantWriter, Planned } from './instant-frame.ts'
import type { InstantState } from './instant-operators.ts'
import { PlaceMemo } from './place-memo.ts'
import type { FollowedWindows } from './source.ts'

/** Rounds after which windows that nobody has asked for are closed. */
const FOLLOWED_ROUNDS = 64

type Closing = FollowedWindows & { close(): void }

interface SharedFrame {
  readonly frame: Frame
  /** Series that were looked at for it. */
  readonly series: number
}

export class SharedFrames {
  readonly #texts = new WeakMap<Expr, string>()
  readonly #memos = new WeakMap<Expr, Map<string, PlaceMemo<unknown>>>()
  #frames = new Map<string, SharedFrame>()
  /** By expression, how often it was asked for: in this round, and in the one before. */
  #uses = new Map<string, number>()
  #usesBefore: ReadonlyMap<string, number> | null = null
  readonly #states = new WeakMap<Expr, InstantState>()
  readonly #followed = new Map<string, { windows: Closing | null; round: number }>()
  #round = 0

  /** Samples may have come, and the moment is another one: nothing of the round before is given any more. */
  begin(): void {
    this.#frames = new Map()
    this.#usesBefore = this.#uses
    this.#uses = new Map()
    this.#round += 1
    if (this.#round % FOLLOWED_ROUNDS !== 0) return
    for (const [key, { windows, round }] of this.#followed) {
      if (this.#round - round < FOLLOWED_ROUNDS) continue
      windows?.close()
      this.#followed.delete(key)
    }
  }

  /** What an expression keeps from round to round. */
  state(expr: Expr): InstantState {
    let state = this.#states.get(expr)
    if (state === undefined) {
      state = {
        writer: new InstantWriter(),
        groups: new Planned(),
        names: new Planned(),
        pairs: new Planned(),
        histograms: new Planned(),
      }
      this.#states.set(expr, state)
    }
    return state
  }

  /** The windows of a range; null: none are followed. Several functions may look at the same ones. */
  followed(range: Expr, follow: () => Closing | null): FollowedWindows | null {
    const key = this.keyOf(range)
    let known = this.#followed.get(key)
    if (known === undefined) this.#followed.set(key, (known = { windows: follow(), round: 0 }))
    known.round = this.#round
    return known.windows
  }

  /** What `give` finds it by. All that is shared is of one moment, so that the expression says it all. */
  keyOf(expr: Expr): string {
    let text = this.#texts.get(expr)
    if (text === undefined) this.#texts.set(expr, (text = exprText(expr)))
    return text
  }

  /** The rows are shared: nobody changes them. */
  give(key: string): SharedFrame | undefined {
    this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1)
    return this.#frames.get(key)
  }

  /** What was made of the rows of an expression, place by place; `name` tells several of one expression apart. */
  memo<Value>(expr: Expr, name: string): PlaceMemo<Value> {
    let own = this.#memos.get(expr)
    if (own === undefined) this.#memos.set(expr, (own = new Map()))
    let memo = own.get(name)
    if (memo === undefined) own.set(name, (memo = new PlaceMemo<unknown>()))
    return memo as PlaceMemo<Value>
  }

  keep(key: string, frame: Frame, series: number): void {
    const before = this.#usesBefore?.get(key)
    if (before === undefined || before > 1) this.#frames.set(key, { frame, series })
  }
}
