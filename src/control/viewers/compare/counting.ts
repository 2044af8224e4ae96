// Owns counting, edge by edge and stratum by stratum, which sessions were there and which were hit. It refuses what is
// told late: a stall of ten minutes ago that an edge tells now is no news of now.
import type { Figures } from '../figures.ts'
import { lastEdge, stallEdge } from '../figures.ts'
import type { Session } from '../session.ts'
import { DistinctWindow, NEVER, TURNS_MAX } from './distinct-window.ts'
import { cellAt, channels, type EdgeCounts, STRATA_MAX, TURN_MS } from './measures.ts'

/** What ended longer ago is past. */
const LATE_MS = 30_000
/** A start that took longer is slow: viewers begin to leave after 2 s (Krishnan and Sitaraman, IMC 2012). */
export const SLOW_START_S = 4
/** Sessions that nobody heard of for so long are forgotten; looked through once a minute. */
const SWEEP_TURNS = 60_000 / TURN_MS

/** What the metrics had been told of a session before. */
export interface Before {
  readonly watchedS: number
  readonly rebufferS: number
  readonly rebuffers: number
}

interface Cell {
  readonly there: DistinctWindow
  readonly stalled: DistinctWindow
  readonly starts: DistinctWindow
  readonly slow: DistinctWindow
  readonly failed: DistinctWindow
}

interface Slot {
  edge: string
  stratum: number
  there: number
  stalled: number
  started: boolean
  failed: boolean
}

export class Counting {
  readonly #edges = new Map<string, { readonly cells: (Cell | undefined)[]; entries: number }>()
  readonly #slots = new Map<string, Slot>()
  /** By title, network class and whether it is an estimate; the first is for what is beyond. */
  readonly #strata = new Map<string, number>()
  readonly #startMs: number
  #turn = 0

  constructor(nowMs: number) {
    this.#startMs = nowMs
  }

  /** After a session was accounted. */
  see(session: Session, figures: Figures, before: Before, nowMs: number): void {
    const edge = lastEdge(session)
    if (edge === null) return
    const isNew = !this.#slots.has(session.sid)
    const slot = this.#slotOf(session, figures, edge)
    const cell = this.#cellOf(slot)
    if (isNew) this.#skipOldStart(slot, session, figures, nowMs)
    if (figures.watchedS + figures.rebufferS > before.watchedS + before.rebufferS) this.#there(slot, cell)
    const more = figures.rebufferS > before.rebufferS || figures.rebuffers > before.rebuffers
    const stall = figures.stalls.at(-1)
    if (more && stall !== undefined && nowMs - (stall.at + stall.seconds * 1000) <= LATE_MS) {
      this.#stalled(slot, cell, stallEdge(session, stall.at) ?? edge)
    }
    this.#outcome(slot, cell, session, figures)
  }

  /** Of these edges, as of now. */
  counts(edges: readonly string[], nowMs: number): Map<string, EdgeCounts> {
    const width = STRATA_MAX * channels.length * 2
    const counts = new Map<string, EdgeCounts>()
    for (const edge of edges) {
      const own = this.#edges.get(edge)
      const cells = new Float64Array(own === undefined ? 0 : width)
      for (const [stratum, cell] of own?.cells.entries() ?? [])
        if (cell !== undefined) fill(cells, stratum, cell)
      counts.set(edge, { cells, entries: own?.entries ?? 0 })
      if (own !== undefined) own.entries = 0
    }
    this.#advance(Math.floor((nowMs - this.#startMs) / TURN_MS))
    const known = new Set(edges)
    for (const edge of this.#edges.keys()) if (!known.has(edge)) this.#edges.delete(edge)
    return counts
  }

  #advance(turn: number): void {
    if (turn <= this.#turn) return
    this.#turn = turn
    for (const { cells } of this.#edges.values()) for (const cell of cells) advance(cell, turn)
    if (turn % SWEEP_TURNS === 0) this.#sweep()
  }

  #sweep(): void {
    const used = new Set<number>()
    for (const [sid, slot] of this.#slots) {
      if (slot.there !== NEVER && slot.there <= this.#turn - TURNS_MAX) this.#slots.delete(sid)
      else used.add(slot.stratum)
    }
    for (const [key, stratum] of this.#strata) {
      if (used.has(stratum)) continue
      this.#strata.delete(key)
      for (const { cells } of this.#edges.values()) cells[stratum] = undefined
    }
  }

  #slotOf(session: Session, figures: Figures, edge: string): Slot {
    const stratum = this.#stratumOf(`${session.title}|${session.network}|${figures.estimated}`)
    const known = this.#slots.get(session.sid)
    if (known === undefined) {
      const slot = { edge, stratum, there: NEVER, stalled: NEVER, started: false, failed: false }
      this.#slots.set(session.sid, slot)
      return slot
    }
    // Elsewhere it is one more there; what happened to it here stays here.
    if (known.edge !== edge || known.stratum !== stratum)
      Object.assign(known, { edge, stratum, there: NEVER, stalled: NEVER })
    return known
  }

  #stratumOf(key: string): number {
    const known = this.#strata.get(key)
    if (known !== undefined) return known
    if (this.#strata.size >= STRATA_MAX - 1) return 0
    const taken = new Set(this.#strata.values())
    let free = 1
    while (taken.has(free)) free += 1
    this.#strata.set(key, free)
    return free
  }

  #cellOf({ edge, stratum }: Pick<Slot, 'edge' | 'stratum'>): Cell {
    let own = this.#edges.get(edge)
    if (own === undefined) {
      own = { cells: [], entries: 0 }
      this.#edges.set(edge, own)
    }
    let cell = own.cells[stratum]
    if (cell === undefined) {
      cell = {
        there: new DistinctWindow(),
        stalled: new DistinctWindow(),
        starts: new DistinctWindow(),
        slow: new DistinctWindow(),
        failed: new DistinctWindow(),
      }
      advance(cell, this.#turn)
      own.cells[stratum] = cell
    }
    return cell
  }

  #there(slot: Slot, { there }: Cell): void {
    const own = this.#edges.get(slot.edge)
    if (own !== undefined && (slot.there === NEVER || slot.there <= this.#turn - TURNS_MAX)) own.entries += 1
    slot.there = there.happens(slot.there)
  }

  /** A stall is of the edge that fed it when it began, also when the player has gone elsewhere because of it. */
  #stalled(slot: Slot, cell: Cell, edge: string): void {
    if (edge === slot.edge) {
      this.#there(slot, cell)
      slot.stalled = cell.stalled.happens(slot.stalled)
      return
    }
    const other = this.#cellOf({ edge, stratum: slot.stratum })
    other.there.happens(NEVER)
    other.stalled.happens(NEVER)
  }

  /** After a restart sessions come back whose starts are long over. */
  #skipOldStart(slot: Slot, { firstAt }: Session, { attempt, state }: Figures, nowMs: number): void {
    if (nowMs - firstAt < LATE_MS * 2) return
    slot.started = attempt !== 'starting'
    slot.failed = state === 'failed'
  }

  #outcome(slot: Slot, cell: Cell, session: Session, { attempt, state, startS }: Figures): void {
    if (!slot.failed && state === 'failed') {
      slot.failed = true
      this.#there(slot, cell)
      cell.failed.happens(NEVER)
    }
    if (slot.started || attempt === 'starting') return
    slot.started = true
    const waitedS = attempt === 'exit' ? (session.lastAt - session.firstAt) / 1000 : startS
    // Who left at once says nothing, and of some players the start is not known.
    if (attempt !== 'failure' && (Number.isNaN(waitedS) || (attempt === 'exit' && waitedS <= SLOW_START_S)))
      return
    cell.starts.happens(NEVER)
    if (attempt === 'failure' || waitedS > SLOW_START_S) cell.slow.happens(NEVER)
  }
}

function advance(cell: Cell | undefined, turn: number): void {
  if (cell === undefined) return
  for (const window of [cell.there, cell.stalled, cell.starts, cell.slow, cell.failed]) window.advance(turn)
}

function fill(cells: Float64Array, stratum: number, cell: Cell): void {
  for (const [channel, { measure, turns }] of channels.entries()) {
    const [all, hit] = {
      rebuffering: [cell.there, cell.stalled] as const,
      starts: [cell.starts, cell.slow] as const,
      failures: [cell.there, cell.failed] as const,
    }[measure]
    const at = cellAt(stratum, channel)
    cells[at] = all.count(turns)
    cells[at + 1] = hit.count(turns)
  }
}
