// Owns the words of a verdict, with its numbers: what people read beside the other witnesses. Pure.
import type { ChannelWord, EdgeVerdict, Says } from './comparison.ts'
import { SLOW_START_S } from './counting.ts'
import { PEERS_MIN } from './edge-test.ts'
import { BLOCK_MS, BLOCKS_MIN } from './history.ts'
import { type Channel, TURN_MS } from './measures.ts'

/** What a server's record keeps of it. */
export interface ViewersWord {
  readonly says: Says
  readonly text: string
  /** Monotonic. */
  readonly atMs: number
}

export function wordsOf({ says, cause, words, pastMinutes }: EdgeVerdict): string {
  const told = words.filter(({ finding }) => finding.kind === 'told')
  if (says === 'too-few' || told.length === 0) return tooFew(words, pastMinutes)
  if (says === 'usual') {
    const [shown] = told
    return shown === undefined ? tooFew(words, pastMinutes) : `as usual: ${channelText(shown)}`
  }
  const own = told.filter(({ channel }) => channel.measure === cause)
  // The shortest window that says so: what it saw is the newest.
  const shown = own.find(({ finding }) => finding.kind === 'told' && finding.significant) ?? own[0] ?? told[0]
  return shown === undefined ? tooFew(words, pastMinutes) : channelText(shown)
}

/** `1m` */
export function windowName({ turns }: Channel): string {
  return `${(turns * TURN_MS) / 60_000}m`
}

/** `31 of 204 viewers stalled within 1 min` */
export function hitText({ measure, turns }: Channel, x: number, n: number): string {
  const minutes = `${(turns * TURN_MS) / 60_000} min`
  if (measure === 'rebuffering') return `${x} of ${n} viewers stalled within ${minutes}`
  if (measure === 'failures') return `${x} of ${n} viewers met a fatal error within ${minutes}`
  return `${x} of ${n} starts within ${minutes} took over ${SLOW_START_S} s or failed`
}

function channelText({ channel, now, finding }: ChannelWord): string {
  const hit = hitText(channel, now.x, now.n)
  if (finding.kind !== 'told') return hit
  const chance = finding.p <= 0.001 ? ` (p = ${finding.p.toExponential(0)})` : ''
  return `${hit}; ${finding.expected.toFixed(1)} expected by its peers and its own past${chance}`
}

function tooFew(words: readonly ChannelWord[], pastMinutes: number): string {
  const [first] = words
  const few = `too few to tell (n=${first?.now.n ?? 0})`
  if (first === undefined || first.now.n === 0) return few
  if (first.finding.kind === 'no-peers')
    return `${few}: its peers have ${first.now.peers} viewers, a comparison takes ${PEERS_MIN}`
  const minutesMin = ((BLOCKS_MIN + 1) * BLOCK_MS) / 60_000
  if (first.finding.kind === 'no-past' && pastMinutes < minutesMin)
    return `${few}: what is usual here is known after ${minutesMin} min of viewers, now ${pastMinutes}`
  return few
}
