// Owns what a back-test says in words, and as a picture: its grid, its marks, the places of its spans. Pure.
import type { BackTestResult, BackTestSet } from '#wire'
import type { ChartMark } from '../charts/chart-options.ts'
import type { Column, Grid } from '../charts/grid.ts'
import { setDuration } from '../time-format.ts'

export const BOUND = 'bound'
/** More lines than these hide the chart. */
const MARKS_MAX = 60

export function summary(result: BackTestResult): string {
  const { alerts, neverFired, longestMs, from, to, hadData, sets } = result
  const span = spanWords(to - from)
  if (!hadData) return `Nothing was stored in ${span} that this expression looks at. Is a name misspelt?`
  const rest =
    neverFired === 0
      ? ''
      : ` ${times(neverFired, 'It was', 'times it was')} pending and over before it fired.`
  if (alerts === 0) return `It would not have fired in ${span}.${rest}`
  const where = sets > 1 ? ` on ${sets} label sets` : ''
  return `It would have fired ${alerts === 1 ? 'once' : `${alerts} times`} in ${span}${where}, the longest for ${setDuration(longestMs)}.${rest}`
}

function times(count: number, one: string, many: string): string {
  return count === 1 ? `Once ${one.toLowerCase()}` : `${count} ${many}`
}

export function spanWords(ms: number): string {
  const days = ms / 86_400_000
  if (days >= 1.5) return `${Number(days.toFixed(1))} days`
  return setDuration(Math.round(ms / 60_000) * 60_000)
}

export interface View {
  readonly fromMs: number
  readonly toMs: number
}

/** Cells of the chart: each point in its own, holes where nothing was stored. */
export function gridOf({ watched, from, to }: BackTestResult, view: View): Grid {
  const stepS = watched.stepMs / 1000
  const first = Math.max(0, Math.floor((view.fromMs - from) / watched.stepMs))
  const last = Math.min(
    Math.floor((to - from) / watched.stepMs),
    Math.ceil((view.toMs - from) / watched.stepMs),
  )
  const length = Math.max(1, last - first + 1)
  const columns = new Map<string, Column>()
  watched.series.forEach(({ points }, place) => {
    const cells = Array.from<number | null>({ length }).fill(null)
    for (const [at, value] of points) {
      const cell = Math.round((at - from) / watched.stepMs) - first
      if (cell >= 0 && cell < length) cells[cell] = value
    }
    columns.set(String(place), cells)
  })
  if (watched.bound !== null)
    columns.set(
      BOUND,
      Array.from({ length }, () => watched.bound),
    )
  return { startS: from / 1000 + first * stepS, stepS, length, columns }
}

/** Where alerts would have begun to fire. */
export function marksOf(sets: readonly BackTestSet[]): ChartMark[] {
  return sets
    .flatMap(({ spans }) => spans.filter(({ state }) => state === 'firing').map(({ from }) => from))
    .toSorted((a, b) => a - b)
    .slice(0, MARKS_MAX)
    .map(atMs => ({ atMs, colour: '--unreachable' }))
}

/** In percent of what is shown; null: outside of it. */
export function placeOf(
  span: { readonly from: number; readonly to: number | null },
  view: View,
): { readonly left: number; readonly width: number } | null {
  const whole = view.toMs - view.fromMs
  const from = Math.max(span.from, view.fromMs)
  const to = Math.min(span.to ?? view.toMs, view.toMs)
  if (to < from || whole <= 0) return null
  return { left: ((from - view.fromMs) / whole) * 100, width: ((to - from) / whole) * 100 }
}
