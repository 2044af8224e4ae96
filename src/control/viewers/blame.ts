// Owns whom a stall is laid to, from what the player, the edge and the upstream said of the answers around it. Pure: the
// evidence in words comes with it. Where the evidence does not say, it is `unknown`.
import type { Blame } from '#wire'

/** An answer in which as much time was lost is slow; answers are faster than this between any two continents. */
export const SLOW_MS = 400
/** A request that was under way so long before the stall has to do with it. */
const BEFORE_MS = 4000
/** A player that has as much in its buffer does not lack media. */
const BUFFER_MS = 500
/** Of the edge's first byte, at least this part was waiting for the upstream. */
const UPSTREAM_PART = 0.6
/** Of a stall, as much of it was one cause. */
const STALL_PART = 0.6
/** Clocks of the two differ by so much. */
const APART_MS = 1000

/** As the player saw it; NaN: it did not say. `askedAt`: when it asked, fleet time. */
export interface SeenReply {
  readonly askedAt: number
  readonly ttfbMs: number
  readonly ttlbMs: number
  readonly status: number
}

/** As the edge saw it. `at`: when the request came. */
export interface OwnAnswer {
  readonly at: number
  readonly firstByteMs: number
  readonly durationMs: number
  readonly upstreamMs: number
  readonly status: number
}

/** Time in which an edge's process stood still, or a player's page was too busy to notice; at most `ms` of it. */
export interface Delay {
  readonly from: number
  readonly to: number
  readonly ms: number
  readonly by: 'edge' | 'page'
}

export interface StallEvidence {
  /** Fleet time. */
  readonly from: number
  readonly to: number
  readonly replies: readonly SeenReply[]
  readonly answers: readonly OwnAnswer[]
  readonly delays: readonly Delay[]
  /** The buffer as the player told it within the stall; NaN: not said. */
  readonly bufferMs: number
  /** Seconds for which the edge's process stood still meanwhile, as its agent saw it; null: not known. */
  readonly edgeStoppedS: number | null
}

export interface Judged {
  readonly blame: Blame
  readonly evidence: string
}

export function judgeStall(stall: StallEvidence): Judged {
  const replies = stall.replies.filter(reply => touches(stall, reply.askedAt, endOf(reply)))
  const answers = stall.answers.filter(one => touches(stall, one.at, one.at + one.durationMs))
  const edgeHeldMs = longest(stall, 'edge')
  const failed = answers.find(({ status }) => status >= 500)
  const slowest = failed ?? worst(answers, one => spent(one.firstByteMs))
  const own = slowest === null ? null : judgeAnswer(slowest, edgeHeldMs)
  const reply = worst(replies, one => endOf(one) - one.askedAt)
  const told = reply === null ? null : beside(reply, stall.answers)
  const onWayMs = reply === null || told === null ? 0 : endOf(reply) - reply.askedAt - spent(told.firstByteMs)
  // Where more was lost than at the edge or behind it, there it is.
  const isMoreOnWay = edgeHeldMs < SLOW_MS && onWayMs > spent(slowest?.firstByteMs ?? Number.NaN)
  if (own !== null && (slowest === failed || !isMoreOnWay)) return own
  const stoodMs = Math.max(edgeHeldMs, (stall.edgeStoppedS ?? 0) * 1000)
  if (edgeHeldMs >= SLOW_MS || (stall.edgeStoppedS ?? 0) > 0) {
    return { blame: 'edge', evidence: `the edge's process stood still for ${seconds(stoodMs)} meanwhile` }
  }
  const lateMs = longest(stall, 'page')
  if (lateMs >= SLOW_MS && lateMs >= (reply === null ? 0 : endOf(reply) - reply.askedAt)) {
    return { blame: 'player', evidence: `its page was busy: it took notice ${ms(lateMs)} late` }
  }
  if (reply !== null) {
    const seen = judgeReply(reply, told)
    if (seen !== null) return seen
  }
  const answer = worst(answers, one => one.durationMs)
  if (answer !== null && answer.durationMs - spent(answer.firstByteMs) >= SLOW_MS) {
    const took = seconds(answer.durationMs - spent(answer.firstByteMs))
    return {
      blame: 'path',
      evidence: `the edge was ready after ${ms(answer.firstByteMs)}, the way took ${took}`,
    }
  }
  return (
    (stall.bufferMs >= BUFFER_MS ? null : judgeTogether(stall, answers)) ?? judgeBuffer(stall, reply, answer)
  )
}

/** None of them was slow, but one came after the other: pictures, then sound. */
function judgeTogether({ from, to }: StallEvidence, answers: readonly OwnAnswer[]): Judged | null {
  const waited = (ends: (one: OwnAnswer) => number): number => {
    let [sum, until] = [0, from]
    for (const one of answers.toSorted((a, b) => a.at - b.at)) {
      const end = Math.min(to, one.at + spent(ends(one)))
      sum += Math.max(0, end - Math.max(until, one.at))
      until = Math.max(until, end)
    }
    return sum
  }
  const edgeMs = waited(one => one.firstByteMs)
  if (edgeMs < SLOW_MS || edgeMs < (to - from) * STALL_PART) return null
  const upstreamMs = waited(one => one.upstreamMs)
  const text = `the edge's first bytes, one answer after the other, took ${ms(edgeMs)} of it`
  if (upstreamMs < edgeMs * UPSTREAM_PART) return { blame: 'edge', evidence: text }
  return { blame: 'origin', evidence: `${text}; the upstream took ${ms(upstreamMs)}` }
}

/** What the edge's own times say: it waited for its upstream, or it was slow itself. */
function judgeAnswer({ firstByteMs, upstreamMs, status }: OwnAnswer, heldMs: number): Judged | null {
  if (status >= 500) {
    const upstream = Number.isNaN(upstreamMs) ? '' : ` after ${ms(upstreamMs)} of waiting for the upstream`
    return {
      blame: Number.isNaN(upstreamMs) ? 'edge' : 'origin',
      evidence: `the edge answered ${status}${upstream}`,
    }
  }
  if (!(firstByteMs >= SLOW_MS)) return null
  // What it measured while it stood still, also of its upstream, is its own standing.
  if (heldMs >= firstByteMs * UPSTREAM_PART) {
    const text = `the edge's first byte took ${ms(firstByteMs)}; its process stood still for up to ${ms(heldMs)} of that`
    return { blame: 'edge', evidence: text }
  }
  if (upstreamMs >= firstByteMs * UPSTREAM_PART) {
    return {
      blame: 'origin',
      evidence: `the edge's first byte took ${ms(firstByteMs)}, of which the upstream took ${ms(upstreamMs)}`,
    }
  }
  const upstream = Number.isNaN(upstreamMs) ? 'no upstream was asked' : `the upstream took ${ms(upstreamMs)}`
  return { blame: 'edge', evidence: `the edge's first byte took ${ms(firstByteMs)}; ${upstream}` }
}

/** What the player saw, less what the edge needed. */
function judgeReply({ ttfbMs, ttlbMs, status }: SeenReply, answer: OwnAnswer | null): Judged | null {
  if (status === 0) {
    return {
      blame: 'path',
      evidence: 'the player got no answer, and the edge is not known to have stood still',
    }
  }
  const firstMs = Number.isNaN(ttfbMs) ? ttlbMs : ttfbMs
  const lastMs = Math.max(spent(ttfbMs), spent(ttlbMs))
  if (!(lastMs >= SLOW_MS)) return null
  if (answer === null) {
    return {
      blame: 'unknown',
      evidence: `the player waited ${ms(lastMs)} for an answer that no edge told of`,
    }
  }
  const readyMs = spent(answer.firstByteMs)
  if (firstMs - readyMs >= SLOW_MS) {
    const text = `the player's first byte took ${ms(firstMs)}, the edge's own ${ms(readyMs)}`
    return { blame: 'path', evidence: text }
  }
  if (lastMs - firstMs >= SLOW_MS) {
    const text = `first byte after ${ms(firstMs)}, but the last only after ${ms(lastMs)}: the way was slow`
    return { blame: 'path', evidence: text }
  }
  return null
}

function judgeBuffer(stall: StallEvidence, reply: SeenReply | null, answer: OwnAnswer | null): Judged {
  const fast = [
    ...(reply === null
      ? []
      : [`the player's answers came within ${ms(Math.max(reply.ttfbMs, spent(reply.ttlbMs)))}`]),
    ...(answer === null ? [] : [`the edge gave its own within ${ms(answer.durationMs)}`]),
  ]
  if (stall.bufferMs >= BUFFER_MS) {
    const text = [`${ms(stall.bufferMs)} of media lay in the buffer`, ...fast].join('; ')
    return { blame: 'player', evidence: text }
  }
  if (reply !== null && answer !== null) return { blame: 'player', evidence: fast.join('; ') }
  if (fast.length > 0) return { blame: 'unknown', evidence: `${fast.join('; ')}; more is not known` }
  return { blame: 'unknown', evidence: 'nobody told of an answer around it' }
}

/** When its last byte came. */
function endOf({ askedAt, ttfbMs, ttlbMs }: SeenReply): number {
  return askedAt + Math.max(spent(ttfbMs), spent(ttlbMs))
}

function longest(stall: StallEvidence, by: Delay['by']): number {
  const { from, to, delays } = stall
  const near = delays.filter(one => one.by === by && one.from <= to + APART_MS && one.to >= from - APART_MS)
  return near.reduce((most, delay) => Math.max(most, delay.ms), 0)
}

function touches({ from, to }: StallEvidence, begin: number, end: number): boolean {
  return begin <= to + APART_MS && end >= from - BEFORE_MS
}

function worst<One>(all: readonly One[], cost: (one: One) => number): One | null {
  let found: One | null = null
  for (const one of all) if (found === null || cost(one) > cost(found)) found = one
  return found
}

/** The edge's word on the same answer: the one that began or ended nearest to it. */
function beside(reply: SeenReply, answers: readonly OwnAnswer[]): OwnAnswer | null {
  const end = endOf(reply)
  // On a slow way the request itself comes late, or its answer stays away after it was given.
  const apart = (one: OwnAnswer): number =>
    Math.min(Math.abs(one.at - reply.askedAt), Math.abs(one.at + one.durationMs - end))
  let found: OwnAnswer | null = null
  for (const one of answers) {
    if (one.at < reply.askedAt - APART_MS || one.at > end + APART_MS) continue
    if (found === null || apart(one) < apart(found)) found = one
  }
  return found
}

function spent(value: number): number {
  return Number.isNaN(value) ? 0 : value
}

function ms(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : seconds(value)
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(1)} s`
}
