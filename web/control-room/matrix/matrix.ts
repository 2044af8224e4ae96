// Owns what the matrix of probes says: who is sick (an edge, an observer, or a path between two), and in which order
// rows and columns stand. Pure. It believes nobody who reaches nobody, as the control room does.
import type { ProbeCell, ProbesAnswer, ProbeTargetView } from '#wire'

/** Looks come each second; what is older says nothing about now. */
export const CELL_OLD_MS = 6000

export type CellState = 'well' | 'doubted' | 'lost' | 'old'

export interface Matrix {
  /** Worst first. */
  readonly targets: readonly ProbeTargetView[]
  /** Worst first; the control room before others that are as bad. */
  readonly observers: readonly { readonly id: string; readonly region: string }[]
  cell(this: void, observer: string, target: string): ProbeCell | null
  readonly sentence: Sentence
}

export interface Sentence {
  readonly tone: 'healthy' | 'degraded' | 'unreachable' | 'resting'
  readonly text: string
}

export function cellState(cell: ProbeCell, now: number): CellState {
  if (now - cell.at > CELL_OLD_MS) return 'old'
  if (!cell.ok) return 'lost'
  return cell.problem !== null || cell.play?.ok === false ? 'doubted' : 'well'
}

export function matrixOf(answer: ProbesAnswer): Matrix {
  const { cells, now } = answer
  const byPair = new Map(cells.map(cell => [`${cell.observer} ${cell.target}`, cell]))
  const badness = (own: readonly ProbeCell[]): number =>
    own.reduce((sum, cell) => sum + weightOf(cell, now), 0) / Math.max(1, own.length)
  const worst = <Item extends { readonly id: string }>(
    items: readonly Item[],
    of: (cell: ProbeCell) => string,
  ): Item[] => {
    const bad = new Map(items.map(({ id }) => [id, badness(cells.filter(cell => of(cell) === id))]))
    return items.toSorted((a, b) => (bad.get(b.id) ?? 0) - (bad.get(a.id) ?? 0))
  }
  return {
    targets: worst(answer.targets, ({ target }) => target),
    observers: worst(answer.observers, ({ observer }) => observer),
    cell: (observer, target) => byPair.get(`${observer} ${target}`) ?? null,
    sentence: sentenceOf(answer),
  }
}

/** Failures first, then what cannot be played. Slowness alone is for the eye. */
function weightOf(cell: ProbeCell, now: number): number {
  const state = cellState(cell, now)
  return state === 'lost' ? 100 : state === 'doubted' ? 10 : state === 'old' ? 1 : 0
}

/** One sentence: a sick column is an edge, a sick row an observer, a single cell a path. */
function sentenceOf({ cells, targets, now }: ProbesAnswer): Sentence {
  const fresh = cells.filter(cell => now - cell.at <= CELL_OLD_MS)
  if (fresh.length === 0) return { tone: 'resting', text: 'Nobody has looked at anybody lately.' }
  const observers = [...new Set(fresh.map(({ observer }) => observer))]
  const blind = observers.filter(id =>
    isLost(
      fresh.filter(({ observer }) => observer === id),
      2,
    ),
  )
  const believed = fresh.filter(({ observer }) => !blind.includes(observer))
  const sick = targets.filter(({ id }) =>
    isLost(
      believed.filter(({ target }) => target === id),
      1,
    ),
  )
  const paths = believed.filter(({ ok, target }) => !ok && !sick.some(({ id }) => id === target))
  const parts = [...sickParts(sick), ...blindParts(blind), ...pathParts(paths)]
  if (observers.length === blind.length) {
    return {
      tone: 'unreachable',
      text: 'Nobody reaches anybody: look at the network of the observers first.',
    }
  }
  if (parts.length > 0) {
    return { tone: sick.length > 0 ? 'unreachable' : 'degraded', text: `${parts.join('; ')}.` }
  }
  return doubts(fresh, now) ?? { tone: 'healthy', text: 'Everybody reaches everybody.' }
}

function isLost(cells: readonly ProbeCell[], min: number): boolean {
  return cells.length >= min && cells.every(({ ok }) => !ok)
}

function sickParts(sick: readonly ProbeTargetView[]): string[] {
  if (sick.length === 0) return []
  const who = list(sick.map(({ id }) => id))
  return [
    sick.length === 1
      ? `${who} answers nobody: it is sick itself`
      : `${who} answer nobody: they are sick themselves`,
  ]
}

function blindParts(blind: readonly string[]): string[] {
  if (blind.length === 0) return []
  const [verb, is] = blind.length === 1 ? ['reaches', 'this observer is'] : ['reach', 'these observers are']
  return [`${list(blind)} ${verb} nobody: ${is} sick, not those that it looks at`]
}

function pathParts(paths: readonly ProbeCell[]): string[] {
  const [first, ...others] = paths
  if (first === undefined) return []
  const one = `${first.observer} does not reach ${first.target}, others do: the path between them is sick`
  return others.length === 0 ? [one] : [`${one}, and ${others.length} more like it`]
}

/** All answer; but some answers are no good to players. */
function doubts(fresh: readonly ProbeCell[], now: number): Sentence | null {
  const doubted = fresh.filter(cell => cellState(cell, now) === 'doubted')
  if (doubted.length === 0) return null
  const who = list([...new Set(doubted.map(({ target }) => target))])
  const refused = doubted.find(({ problem }) => problem !== null)
  const what =
    refused === undefined ? 'cannot be played from' : `is refused by players (${refused.problem ?? ''})`
  return { tone: 'degraded', text: `Everybody answers; ${who} ${what}.` }
}

function list(names: readonly string[]): string {
  if (names.length > 4) return `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}

/** Everything about one look, for people. */
export function detailOf(cell: ProbeCell): string {
  const steps = [
    cell.pingMs === null ? null : `ping ${shortMs(cell.pingMs)}`,
    connectText(cell),
    cell.tlsMs === null ? null : `TLS ${shortMs(cell.tlsMs)}`,
    cell.httpMs === null ? 'no HTTP answer' : `HTTP answer after ${shortMs(cell.httpMs)}`,
    cell.problem,
    cell.play?.text ?? null,
  ]
  return steps.filter(step => step !== null).join(' · ')
}

/** Of the past, only whether it connected is stored. */
function connectText({ connectMs, connected }: ProbeCell): string {
  if (connectMs !== null) return `TCP connect ${shortMs(connectMs)}`
  return connected === true ? 'TCP connects' : 'no TCP connect'
}

export function shortMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}
