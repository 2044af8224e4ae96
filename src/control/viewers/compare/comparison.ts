// Owns the verdict on every edge, turn by turn: gathers what peers went through, keeps each edge's own past, tests, and
// holds an alarm until it has been as usual for a while. Pure: counts and time arrive as arguments.
import { alphaOf, type Finding, likelyShare, type Now, PEERS_MIN, testEdge } from './edge-test.ts'
import { BLOCK_MS, type Block, History, newBlock, SUMS } from './history.ts'
import { type Channel, cellAt, channels, type EdgeCounts, type Measure, TURN_MS } from './measures.ts'

/** A stratum that few peers have is drawn towards the share of all of them, as if by so many sessions. */
const SHRINK_SESSIONS = 20
/** So long it has to be as usual before an alarm ends, and so long with too few before nothing is said any more. */
const CALM_MS = 60_000
const FEW_MS = 300_000
/** As usual again: nothing that would surprise once in twenty. */
const CALM_P = 0.05
/** What lasts longer than this is the new usual; until then the past is that of before. */
const HELD_MS_MAX = 24 * 3_600_000

export type Says = 'against' | 'usual' | 'too-few'

export interface ChannelWord {
  readonly channel: Channel
  readonly now: Now
  readonly finding: Finding
}

export interface EdgeVerdict {
  readonly says: Says
  /** Since when, ms. */
  readonly since: number
  /** Of every channel, in the order of `channels`. */
  readonly words: readonly ChannelWord[]
  /** What speaks against it; null: nothing. Held while it goes on. */
  readonly cause: Measure | null
  /** Minutes of its past that are known. */
  readonly pastMinutes: number
}

interface EdgeState {
  history: History
  block: Block | null
  verdict: EdgeVerdict | null
  calmFrom: number | null
  fewFrom: number | null
  /** By channel: when deviations were noted last, so that windows do not overlap. */
  readonly noted: number[]
}

/** Of a fleet whose strata are numbered by whoever counts. */
export class Comparison {
  readonly #edges = new Map<string, EdgeState>()

  /** Each TURN_MS: the verdict on every edge that is given. */
  turn(nowMs: number, counts: ReadonlyMap<string, EdgeCounts>): ReadonlyMap<string, EdgeVerdict> {
    const verdicts = new Map<string, EdgeVerdict>()
    const peers = this.#peers(counts)
    for (const [edge, own] of counts) {
      const state = this.#stateOf(edge)
      const isPeer = state.verdict?.says !== 'against'
      const nows = channels.map((_, channel) => nowOf(own.cells, peers, channel, isPeer))
      verdicts.set(edge, this.#judge(state, nows, nowMs, counts.size))
      remember(state, nows, own, nowMs)
    }
    return verdicts
  }

  verdict(edge: string): EdgeVerdict | null {
    return this.#edges.get(edge)?.verdict ?? null
  }

  /** Edges that are gone. */
  keep(edges: ReadonlySet<string>): void {
    for (const edge of this.#edges.keys()) if (!edges.has(edge)) this.#edges.delete(edge)
  }

  pack(edge: string): string | null {
    return this.#edges.get(edge)?.history.pack() ?? null
  }

  /** What was packed before a restart; false: it is not that. */
  load(edge: string, packed: string): boolean {
    const history = History.unpack(packed)
    if (history === null) return false
    this.#stateOf(edge).history = history
    return true
  }

  #stateOf(edge: string): EdgeState {
    let state = this.#edges.get(edge)
    if (state === undefined) {
      const noted = channels.map(() => Number.NEGATIVE_INFINITY)
      state = { history: new History(), block: null, verdict: null, calmFrom: null, fewFrom: null, noted }
      this.#edges.set(edge, state)
    }
    return state
  }

  /** All cells of those that nothing speaks against: what is ill is no measure for others. */
  #peers(counts: ReadonlyMap<string, EdgeCounts>): Float64Array {
    let width = 0
    for (const { cells } of counts.values()) width = Math.max(width, cells.length)
    const sums = new Float64Array(width)
    for (const [edge, { cells }] of counts) {
      if (this.#edges.get(edge)?.verdict?.says === 'against') continue
      for (let at = 0; at < cells.length; at += 1) sums[at] = (sums[at] ?? 0) + (cells[at] ?? 0)
    }
    return sums
  }

  #judge(state: EdgeState, nows: readonly Now[], nowMs: number, edges: number): EdgeVerdict {
    const words = channels.map((channel, at): ChannelWord => {
      const now = nows[at] ?? NOBODY
      const finding = testEdge(now, state.history.usual(at, nowMs), alphaOf(edges, channel.alphaShare))
      return { channel, now, finding }
    })
    const { says, cause } = settled(state, words, nowMs)
    const since = state.verdict?.says === says ? state.verdict.since : nowMs
    state.verdict = { says, since, words, cause, pastMinutes: state.history.minutes(nowMs) }
    return state.verdict
  }
}

const NOBODY: Now = { n: 0, x: 0, e: 0, peers: 0 }

/** One channel of an edge beside its peers: each stratum is compared with itself. */
function nowOf(own: Float64Array, all: Float64Array, channel: number, isPeer: boolean): Now {
  let [n, x, peers, hit] = [0, 0, 0, 0]
  const first = cellAt(0, channel)
  const step = cellAt(1, channel) - first
  const less = isPeer ? 1 : 0
  for (let at = first; at < all.length; at += step) {
    n += own[at] ?? 0
    x += own[at + 1] ?? 0
    peers += (all[at] ?? 0) - less * (own[at] ?? 0)
    hit += (all[at + 1] ?? 0) - less * (own[at + 1] ?? 0)
  }
  if (peers < PEERS_MIN) return { n, x, e: 0, peers }
  let e = 0
  for (let at = first; at < own.length; at += step) {
    const here = own[at] ?? 0
    if (here === 0) continue
    const [theirs, theirHit] = [(all[at] ?? 0) - less * here, (all[at + 1] ?? 0) - less * (own[at + 1] ?? 0)]
    e += here * ((theirHit + (SHRINK_SESSIONS * hit) / peers) / (theirs + SHRINK_SESSIONS))
  }
  return { n, x, e, peers }
}

function settled(
  state: EdgeState,
  words: readonly ChannelWord[],
  nowMs: number,
): Pick<EdgeVerdict, 'says' | 'cause'> {
  const against = words.find(({ finding }) => finding.kind === 'told' && finding.significant)
  const isTold = words.some(({ finding }) => finding.kind === 'told')
  const before = state.verdict
  if (against !== undefined) {
    state.calmFrom = null
    state.fewFrom = null
    return { says: 'against', cause: against.channel.measure }
  }
  if (before?.says !== 'against') return { says: isTold ? 'usual' : 'too-few', cause: null }
  const calm = words.every(({ finding }) => finding.kind !== 'told' || finding.p > CALM_P)
  state.calmFrom = calm && isTold ? (state.calmFrom ?? nowMs) : null
  state.fewFrom = isTold ? null : (state.fewFrom ?? nowMs)
  if (state.calmFrom !== null && nowMs - state.calmFrom >= CALM_MS) return { says: 'usual', cause: null }
  if (state.fewFrom !== null && nowMs - state.fewFrom >= FEW_MS) return { says: 'too-few', cause: null }
  return { says: 'against', cause: before.cause }
}

/** What becomes the past; not while something speaks against the edge, unless it has become usual. */
function remember(state: EdgeState, nows: readonly Now[], { entries }: EdgeCounts, nowMs: number): void {
  const { verdict } = state
  if (verdict?.says === 'against' && nowMs - verdict.since < HELD_MS_MAX) {
    state.block = null
    return
  }
  if (state.block !== null && nowMs >= state.block.from + BLOCK_MS) {
    // Half a block that a restart or an alarm left says less than it weighs.
    if (state.block.turns * TURN_MS >= BLOCK_MS / 2) state.history.add(state.block)
    state.block = null
  }
  const [first] = nows
  state.block ??= newBlock(nowMs, first?.n ?? 0)
  const { block } = state
  block.turns += 1
  block.entries += entries
  for (const [channel, now] of nows.entries()) note(state, block, channel, now, nowMs)
}

function note(state: EdgeState, block: Block, channel: number, now: Now, nowMs: number): void {
  const { n, x, e, peers } = now
  // Without peers there is no excess over them.
  if (n === 0 || peers < PEERS_MIN) return
  const at = channel * SUMS.width
  const add = (column: number, value: number): void => {
    block.sums[at + column] = (block.sums[at + column] ?? 0) + value
  }
  add(SUMS.n, n)
  add(SUMS.x, x)
  add(SUMS.e, e)
  const windowMs = (channels[channel]?.turns ?? 1) * TURN_MS
  if (nowMs - (state.noted[channel] ?? 0) < windowMs) return
  const usual = state.history.usual(channel, nowMs)
  if (usual.length === 0) return
  state.noted[channel] = nowMs
  const p = likelyShare(now, usual)
  if (p <= 0 || p >= 1) return
  add(SUMS.squares, (x - p * n) ** 2 / (n * p * (1 - p)))
  add(SUMS.looks, 1)
}
