// Owns a session's time line as pages draw it: bands of states and edges, and what the player said as cells of the
// charts' grid. What nobody said stays a hole. Pure.
import type { SessionView, ViewerSessionAnswer } from '#wire'
import type { Cell, Grid } from '../charts/grid.ts'

/** A state holds until the next word, but no longer than this: as the control room counts (docs/operate/viewers.md). */
const SILENCE_MS_MAX = 90_000

export interface Band<Name> {
  readonly name: Name
  readonly fromMs: number
  readonly toMs: number
}

type Said = Pick<ViewerSessionAnswer, 'session' | 'timeline'>

export function stateBands({ session, timeline }: Said): Band<SessionView['state']>[] {
  if (session.estimated) return estimatedBands(session)
  const bands: { name: SessionView['state']; fromMs: number; toMs: number }[] = []
  const lastMs = Math.max(session.lastAt, timeline.at(-1)?.at ?? 0)
  for (const [at, said] of timeline.entries()) {
    const before = bands.at(-1)
    const next = timeline[at + 1]?.at ?? lastMs
    const toMs = Math.min(Math.max(said.at, next), said.at + SILENCE_MS_MAX)
    const name = said.state ?? before?.name
    if (name === undefined || name === 'ended' || name === 'quit' || name === 'failed') continue
    if (before !== undefined && before.name === name && before.toMs >= said.at) before.toMs = toMs
    else bands.push({ name, fromMs: said.at, toMs })
  }
  return bands.filter(({ fromMs, toMs }) => toMs > fromMs)
}

/** Nobody said anything: it played from the first frame on, but for the stalls that were made out. */
function estimatedBands({
  startedAt,
  lastAt,
  startTimeS,
  stalls,
}: SessionView): Band<SessionView['state']>[] {
  const bands: Band<SessionView['state']>[] = []
  const firstMs = startTimeS === null ? lastAt : Math.min(lastAt, startedAt + startTimeS * 1000)
  let fromMs = firstMs
  if (firstMs > startedAt) bands.push({ name: 'starting', fromMs: startedAt, toMs: firstMs })
  for (const { at, seconds } of stalls) {
    const endMs = at + seconds * 1000
    if (at > fromMs) bands.push({ name: 'playing', fromMs, toMs: at })
    bands.push({ name: 'rebuffering', fromMs: at, toMs: endMs })
    fromMs = endMs
  }
  if (lastAt > fromMs) bands.push({ name: 'playing', fromMs, toMs: lastAt })
  return bands
}

/** Which edge fed it: until the next one did, or until the end. */
export function edgeBands({ edges, lastAt }: SessionView): Band<SessionView['edges'][number]>[] {
  return edges.map((run, at) => ({
    name: run,
    fromMs: run.fromAt,
    toMs: Math.max(run.toAt, Math.min(edges[at + 1]?.fromAt ?? lastAt, lastAt)),
  }))
}

export function bandAt<Name>(bands: readonly Band<Name>[], atMs: number): Name | null {
  return bands.findLast(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs)?.name ?? null
}

/** The grid of the measured series, with what the player said beside them. */
export function withSaid(grid: Grid, answer: ViewerSessionAnswer): Grid {
  const { startS, stepS, length } = grid
  const empty = (): Cell[] => Array.from({ length }, () => null)
  const [buffer, bitrate] = [empty(), empty()]
  const cellOf = (atMs: number): number => Math.round((atMs / 1000 - startS) / stepS)
  const heard = [...answer.answers, ...answer.timeline].toSorted((a, b) => a.at - b.at)
  for (const { at, bufferS } of heard) {
    const cell = cellOf(at)
    if (bufferS !== null && cell >= 0 && cell < length) buffer[cell] = bufferS
  }
  for (const [index, { at, bitrateBps }] of answer.timeline.entries()) {
    if (bitrateBps === null) continue
    const next = answer.timeline.slice(index + 1).find(said => said.bitrateBps !== null)
    const to = Math.min(length - 1, cellOf(next?.at ?? answer.session.lastAt))
    for (let cell = Math.max(0, cellOf(at)); cell <= to; cell += 1) bitrate[cell] = bitrateBps
  }
  const columns = new Map(grid.columns)
  if (buffer.some(cell => cell !== null)) columns.set('buffer', buffer)
  if (bitrate.some(cell => cell !== null)) columns.set('bitrate', bitrate)
  return { ...grid, columns }
}
