// Owns what was usual on one edge: its sessions that were hit, and how many would have been at its peers' rate, in blocks
// of five minutes for two hours and of an hour for seven days. Bounded; plain values, so that it survives a restart.
import { channels } from './measures.ts'

const HOUR_MS = 3_600_000
export const BLOCK_MS = 300_000
/** The newest of these are `now against the last 30 min to 2 h`. */
export const BLOCKS_MAX = 24
export const BLOCKS_MIN = 6
/** What has just begun must not become usual before it is found: the newest block is not used yet. */
const BLOCKS_FRESH = 1
export const HOURS_MAX = 168
/** Older blocks say nothing of today. */
const BLOCK_AGE_MS_MAX = 24 * HOUR_MS

/** Sums over turns: sessions, hit, expected at the peers' rate; squared deviations and how many. */
export const SUMS = { n: 0, x: 1, e: 2, squares: 3, looks: 4, width: 5 } as const

export interface Block {
  from: number
  /** Turns in it. */
  turns: number
  /** Sessions that were there at its beginning, and those that came. */
  present: number
  entries: number
  sums: number[]
}

/** What is expected of one channel, from one piece of the past. */
export interface Usual {
  /** Share of the edge's own sessions that were hit, and what it would have been with its peers. */
  readonly own: number
  readonly peers: number
  /** The quotient of both. */
  readonly times: number
  /** Independent sessions that this is known from. */
  readonly known: number
  readonly minutes: number
}

export function newBlock(from: number, present: number): Block {
  return { from, turns: 0, present, entries: 0, sums: channels.flatMap(() => [0, 0, 0, 0, 0]) }
}

export class History {
  #blocks: Block[] = []
  #hours: Block[] = []
  /** Until a block comes or five minutes have passed the answer is the same. */
  #known: { key: number; readonly usual: (readonly Usual[] | undefined)[] } = { key: Number.NaN, usual: [] }

  add(block: Block): void {
    this.#known = { key: Number.NaN, usual: [] }
    this.#blocks.push(block)
    if (this.#blocks.length > BLOCKS_MAX + BLOCKS_FRESH) this.#blocks.shift()
    const from = Math.floor(block.from / HOUR_MS) * HOUR_MS
    const last = this.#hours.at(-1)
    if (last?.from === from) merge(last, block)
    else this.#hours.push({ ...block, from, sums: [...block.sums] })
    while (this.#hours.length > 0 && (this.#hours[0]?.from ?? 0) <= from - HOURS_MAX * HOUR_MS)
      this.#hours.shift()
  }

  /** Of the last two hours, and of this time of the day on the days before. */
  usual(channel: number, nowMs: number): readonly Usual[] {
    const key = Math.floor(nowMs / BLOCK_MS)
    if (key !== this.#known.key) this.#known = { key, usual: [] }
    const known = this.#known.usual[channel] ?? this.#usual(channel, nowMs)
    this.#known.usual[channel] = known
    return known
  }

  #usual(channel: number, nowMs: number): Usual[] {
    const settled = this.#blocks.slice(0, Math.max(0, this.#blocks.length - BLOCKS_FRESH))
    const recent = settled.filter(({ from }) => nowMs - from <= BLOCK_AGE_MS_MAX)
    const daily = this.#hours.filter(({ from }) => isSameHour(from, nowMs))
    const spread = spreadOf(this.#hours, channel)
    const found = [
      recent.length < BLOCKS_MIN ? null : usualOf(recent, channel, spread),
      usualOf(daily, channel, spread),
    ]
    return found.flatMap(usual => usual ?? [])
  }

  /** Minutes that are known of the last day. */
  minutes(nowMs: number): number {
    return (this.#blocks.filter(({ from }) => nowMs - from <= BLOCK_AGE_MS_MAX).length * BLOCK_MS) / 60_000
  }

  pack(): string {
    const round = (block: Block): unknown[] => [
      block.from,
      block.turns,
      block.present,
      block.entries,
      ...block.sums.map(sum => Number(sum.toPrecision(6))),
    ]
    return JSON.stringify([this.#blocks.map(round), this.#hours.map(round)])
  }

  /** What was packed; null: it is not that, or of other channels. */
  static unpack(text: string): History | null {
    const lists = readLists(text)
    if (lists === null) return null
    const history = new History()
    const [blocks, hours] = lists
    history.#blocks = blocks.slice(-(BLOCKS_MAX + BLOCKS_FRESH))
    history.#hours = hours.slice(-HOURS_MAX)
    return history
  }
}

const WIDTH = 4 + channels.length * SUMS.width

function readLists(text: string): [Block[], Block[]] | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!Array.isArray(value) || value.length !== 2) return null
  const lists = value.map(readBlocks)
  const [blocks, hours] = lists
  return blocks == null || hours == null ? null : [blocks, hours]
}

function readBlocks(list: unknown): Block[] | null {
  if (!Array.isArray(list)) return null
  const blocks: Block[] = []
  for (const row of list as unknown[]) {
    const isRow = Array.isArray(row) && row.length === WIDTH && row.every(cell => Number.isFinite(cell))
    if (!isRow) return null
    const [from = 0, turns = 0, present = 0, entries = 0, ...sums] = row as number[]
    blocks.push({ from, turns, present, entries, sums })
  }
  return blocks
}

function merge(into: Block, block: Block): void {
  into.turns += block.turns
  into.entries += block.entries
  for (const [at, value] of block.sums.entries()) into.sums[at] = (into.sums[at] ?? 0) + value
}

/** Not today's own hours: an hour around this time, on days before. */
function isSameHour(from: number, nowMs: number): boolean {
  const apart = nowMs - (from + HOUR_MS / 2)
  const days = Math.round(apart / (24 * HOUR_MS))
  return days >= 1 && Math.abs(apart - days * 24 * HOUR_MS) <= 1.5 * HOUR_MS
}

/**
 * By how much the sessions that are hit vary more than if each were hit for itself; 1: they do not. What chance alone
 * makes of so many looks is taken off.
 */
function spreadOf(hours: readonly Block[], channel: number): number {
  const looks = total(hours, channel, SUMS.looks)
  if (looks < LOOKS_MIN) return 1
  return Math.max(1, total(hours, channel, SUMS.squares) / looks - 2 * Math.sqrt(2 / looks))
}

function total(blocks: readonly Block[], channel: number, column: number): number {
  const at = channel * SUMS.width + column
  return blocks.reduce((sum, { sums }) => sum + (sums[at] ?? 0), 0)
}

function usualOf(blocks: readonly Block[], channel: number, spread: number): Usual | null {
  const sum = (column: number): number => total(blocks, channel, column)
  const [n, x, e] = [sum(SUMS.n), sum(SUMS.x), sum(SUMS.e)]
  if (n === 0) return null
  const turns = blocks.reduce((total, block) => total + block.turns, 0)
  // A session weighs as one, however long it stays and however often it is hit.
  const known = distinct(blocks)
  const size = n / Math.max(1, turns)
  // Sessions that are hit together are fewer witnesses than there are sessions.
  const together = spread <= 1 ? Number.POSITIVE_INFINITY : Math.max(1, (size - 1) / (spread - 1) - 1)
  return {
    own: x / n,
    peers: e / n,
    times: (x + 1) / (e + 1),
    known: Math.min(known, together),
    minutes: Math.round((turns * BLOCK_MS) / TURNS_A_BLOCK / 60_000),
  }
}

const TURNS_A_BLOCK = 60
/** Fewer squares say nothing of how sessions hang together. */
const LOOKS_MIN = 24

function distinct(blocks: readonly Block[]): number {
  let sum = 0
  let until = Number.NEGATIVE_INFINITY
  for (const { from, present, entries, turns } of blocks) {
    sum += entries + (from > until ? present : 0)
    until = from + Math.max(1, turns / TURNS_A_BLOCK) * BLOCK_MS * 1.5
  }
  return sum
}
