// Owns whom a stall is laid to, from what the player, the edge and the upstream said of the answers around it. Pure: the
// evidence in words comes with it. Where the evidence does not say, it is `unknown`.
import type { Blame } from '#wire'

/** An answer in which as much time was lost is slow; answers are faster than this between any two continents. */
export const SLOW_MS = 400
/** A request that was under way so long before the stall has to do with it. */
const BEFORE_MS = 4000
/** A player that has as much in its buffer does not lack media. */
const BUFFER_MS = 500
/** Who caused a stall lost at least this part of its length: an answer that ends one took as long, and longer. */
const EXPLAINED_PART = 1 / 3
/** Several answers that were none of them slow cause a stall of which they took as much, one after the other. */
const TOGETHER_PART = 0.6
const FAILED = 500
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

/**
 * Time in which an edge's process stood still, waited for the rest of its upstream's answer, or a player's page was too
 * busy to notice; at most `ms` of it.
 */
export interface Delay {
  readonly from: number
  readonly to: number
  readonly ms: number
  readonly by: 'edge' | 'page' | 'upstream'
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
  /** Those that watch the edge did not reach it around then. */
  readonly edgeUnreachable: boolean
}

export interface Judged {
  readonly blame: Blame
  readonly evidence: string
}

export function judgeStall(stall: StallEvidence): Judged {
  // What ended before the stall began only counts where nothing nearer explains it.
  return (
    judgeWithin(stall, APART_MS) ??
    judgeWithin(stall, BEFORE_MS) ??
    judgeTogether(stall) ??
    judgeBuffer(stall)
  )
}

/** Where time was lost, in ms of one stall; each answer's time is split among them, none counts twice. */
interface Losses {
  readonly origin: number
  readonly edge: number
  readonly path: number
  readonly player: number
}

interface Loss {
  readonly losses: Losses
  readonly evidence: Readonly<Record<keyof Losses, string>>
}

function judgeWithin(stall: StallEvidence, beforeMs: number): Judged | null {
  const answers = stall.answers.filter(one => touches(stall, one.at, one.at + one.durationMs, beforeMs))
  const replies = stall.replies.filter(one => touches(stall, one.askedAt, endOf(one), beforeMs))
  const failed = answers.find(({ status }) => status >= FAILED)
  if (failed !== undefined) return judgeFailed(failed)
  const reply = worst(replies, one => endOf(one) - one.askedAt)
  const slowest = worst(answers, one => one.durationMs)
  const told = reply === null ? slowest : beside(reply, stall.answers)
  const loss = split(stall, reply, told ?? (reply === null ? null : slowest), told !== null)
  const [[blame, ms] = ['origin', 0] as const] = Object.entries(loss.losses).toSorted(
    ([, one], [, other]) => other - one,
  ) as [keyof Losses, number][]
  const isEnough = ms >= SLOW_MS && ms >= (stall.to - stall.from) * EXPLAINED_PART
  if (isEnough) return { blame, evidence: loss.evidence[blame] }
  if (reply === null) return null
  // It waited, and neither the edge nor its agent says for what.
  const waitedMs = endOf(reply) - reply.askedAt
  const text = `the player waited ${inMs(waitedMs)} for an answer that no edge told of`
  return told === null && waitedMs >= SLOW_MS ? { blame: 'unknown', evidence: text } : null
}

/** `isSame`: the edge's answer is known to be the one that the player saw. */
function split(
  stall: StallEvidence,
  reply: SeenReply | null,
  answer: OwnAnswer | null,
  isSame: boolean,
): Loss {
  const waitedMs = reply === null ? Number.POSITIVE_INFINITY : endOf(reply) - reply.askedAt
  const heldMs = longest(stall, 'edge')
  const stoodMs = Math.min(waitedMs, Math.max(heldMs, (stall.edgeStoppedS ?? 0) * 1000))
  const restMs = longest(stall, 'upstream')
  const firstMs = Math.min(waitedMs, answer === null ? 0 : readyOf(answer))
  const upstreamMs = Math.min(firstMs, spent(answer?.upstreamMs))
  // What an edge measured while it stood still, also of its upstream, is its own standing.
  const originMs = Math.max(0, Math.min(waitedMs, upstreamMs + restMs) - stoodMs)
  const ownMs = Math.max(0, firstMs - upstreamMs - stoodMs)
  // Frozen with its agent, or cut off: nobody there can say it, and nobody else had an answer either.
  const isLost = reply?.status === 0 && stall.edgeUnreachable && originMs + Math.max(stoodMs, ownMs) < SLOW_MS
  const edgeMs = isLost ? stall.to - stall.from + SLOW_MS : Math.max(stoodMs, ownMs)
  const before = originMs + edgeMs
  let onWayMs = 0
  if (reply === null && answer !== null) {
    onWayMs = Math.max(0, answer.durationMs - readyOf(answer) - restMs - stoodMs)
  } else if (reply?.status === 0) {
    // However soon it was refused: no answer came, and nobody else is known to have kept it.
    onWayMs = before < SLOW_MS ? stall.to - stall.from + SLOW_MS : Math.max(0, waitedMs - before)
  } else if (isSame) onWayMs = Math.max(0, waitedMs - before)
  return {
    losses: { origin: originMs, edge: edgeMs, path: onWayMs, player: longest(stall, 'page') },
    evidence: {
      origin: originWords(answer, upstreamMs, restMs),
      edge: isLost
        ? 'the player got no answer, and nobody else reached the edge either'
        : edgeWords(answer, stoodMs, upstreamMs),
      path: pathWords(reply, answer, onWayMs),
      player: `its page was busy: it asked or took notice ${inMs(longest(stall, 'page'))} late`,
    },
  }
}

function judgeFailed({ upstreamMs, status }: OwnAnswer): Judged {
  const upstream = Number.isNaN(upstreamMs) ? '' : ` after ${inMs(upstreamMs)} of waiting for the upstream`
  return {
    blame: Number.isNaN(upstreamMs) ? 'edge' : 'origin',
    evidence: `the edge answered ${status}${upstream}`,
  }
}

function originWords(answer: OwnAnswer | null, upstreamMs: number, restMs: number): string {
  if (restMs > upstreamMs) return `the edge waited ${inMs(restMs)} for the rest of the upstream's answer`
  return `the edge's first byte took ${inMs(answer === null ? 0 : readyOf(answer))}, of which the upstream took ${inMs(upstreamMs)}`
}

function edgeWords(answer: OwnAnswer | null, stoodMs: number, upstreamMs: number): string {
  const firstMs = answer === null ? 0 : readyOf(answer)
  if (stoodMs > firstMs - upstreamMs) {
    return firstMs < SLOW_MS
      ? `the edge's process stood still for ${inMs(stoodMs)} meanwhile`
      : `the edge's first byte took ${inMs(firstMs)}; its process stood still for up to ${inMs(stoodMs)} of that`
  }
  const upstream = upstreamMs === 0 ? 'no upstream was asked' : `the upstream took ${inMs(upstreamMs)}`
  return `the edge's first byte took ${inMs(firstMs)}; ${upstream}`
}

function pathWords(reply: SeenReply | null, answer: OwnAnswer | null, onWayMs: number): string {
  const readyMs = answer === null ? 0 : readyOf(answer)
  if (reply === null) return `the edge was ready after ${inMs(readyMs)}, the way took ${inMs(onWayMs)}`
  const { ttfbMs, status } = reply
  if (status === 0) return 'the player got no answer, and the edge is not known to have stood still'
  const firstMs = Number.isNaN(ttfbMs) ? endOf(reply) - reply.askedAt : ttfbMs
  if (firstMs - readyMs >= onWayMs / 2) {
    return `the player's first byte took ${inMs(firstMs)}, the edge's own ${inMs(readyMs)}`
  }
  const lastMs = endOf(reply) - reply.askedAt
  return `first byte after ${inMs(firstMs)}, but the last only after ${inMs(lastMs)}: the way was slow`
}

/** None of them was slow, but one came after the other: pictures, then sound. */
function judgeTogether(stall: StallEvidence): Judged | null {
  const { from, to, bufferMs, answers } = stall
  if (bufferMs >= BUFFER_MS) return null
  const near = answers.filter(one => touches(stall, one.at, one.at + one.durationMs))
  const waited = (ends: (one: OwnAnswer) => number): number => {
    let [sum, until] = [0, from]
    for (const one of near.toSorted((a, b) => a.at - b.at)) {
      const end = Math.min(to, one.at + spent(ends(one)))
      sum += Math.max(0, end - Math.max(until, one.at))
      until = Math.max(until, end)
    }
    return sum
  }
  const edgeMs = waited(one => one.firstByteMs)
  if (edgeMs < SLOW_MS || edgeMs < (to - from) * TOGETHER_PART) return null
  const upstreamMs = waited(one => one.upstreamMs)
  const text = `the edge's first bytes, one answer after the other, took ${inMs(edgeMs)} of it`
  if (upstreamMs < edgeMs / 2) return { blame: 'edge', evidence: text }
  return { blame: 'origin', evidence: `${text}; the upstream took ${inMs(upstreamMs)}` }
}

/** Nothing was slow: then it was the player, if enough is known to say so. */
function judgeBuffer(stall: StallEvidence): Judged {
  const reply = worst(
    stall.replies.filter(one => touches(stall, one.askedAt, endOf(one))),
    one => endOf(one) - one.askedAt,
  )
  const answer = worst(
    stall.answers.filter(one => touches(stall, one.at, one.at + one.durationMs)),
    one => one.durationMs,
  )
  const fast = [
    ...(reply === null ? [] : [`the player's answers came within ${inMs(endOf(reply) - reply.askedAt)}`]),
    ...(answer === null ? [] : [`the edge gave its own within ${inMs(answer.durationMs)}`]),
  ]
  if (stall.bufferMs >= BUFFER_MS) {
    const text = [`${inMs(stall.bufferMs)} of media lay in the buffer`, ...fast].join('; ')
    return { blame: 'player', evidence: text }
  }
  if (reply !== null && answer !== null) return { blame: 'player', evidence: fast.join('; ') }
  if (fast.length > 0) return { blame: 'unknown', evidence: `${fast.join('; ')}; more is not known` }
  return { blame: 'unknown', evidence: 'nobody told of an answer around it' }
}

/** When it had something to give, or, where it never had, for how long it had the request. */
function readyOf({ firstByteMs, durationMs }: OwnAnswer): number {
  return Number.isNaN(firstByteMs) ? durationMs : firstByteMs
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

function touches(
  { from, to }: StallEvidence,
  begin: number,
  end: number,
  beforeMs: number = BEFORE_MS,
): boolean {
  return begin <= to + APART_MS && end >= from - beforeMs
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

function spent(value = 0): number {
  return Number.isNaN(value) ? 0 : value
}

function inMs(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : seconds(value)
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(1)} s`
}
