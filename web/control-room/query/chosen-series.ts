// Owns which series of a large answer are drawn: those with the highest newest value, until a person chooses. Pure.
import { type Grid, newest } from '../charts/grid.ts'

/** Six colours in three kinds of line; more cannot be told apart. */
export const LINES_MAX = 18
const COLOURS = 6
const DASHES = [undefined, [8, 4], [2, 4]] as const

/** The highest first; series without a number last, by name. */
export function ranked(grid: Grid): string[] {
  const heights = new Map([...grid.columns.keys()].map(key => [key, heightOf(grid, key)]))
  const height = (key: string): number => heights.get(key) ?? Number.NEGATIVE_INFINITY
  return [...grid.columns.keys()].sort((a, b) => {
    const [left, right] = [height(a), height(b)]
    return left === right ? a.localeCompare(b, 'en', { numeric: true }) : right - left
  })
}

function heightOf(grid: Grid, key: string): number {
  const last = newest(grid, key)?.value
  return last === undefined || Number.isNaN(last) ? Number.NEGATIVE_INFINITY : last
}

export interface LineLook {
  readonly colour: string
  readonly dash?: readonly number[]
}

export function lineLook(place: number): LineLook {
  const dash = DASHES[Math.floor(place / COLOURS) % DASHES.length]
  const colour = `--series-${(place % COLOURS) + 1}`
  return dash === undefined ? { colour } : { colour, dash }
}

/** How many cells of the window are NaN or infinite, and in how many series. */
export function notNumbers(grid: Grid): { readonly series: number; readonly cells: number } {
  const counts = [...grid.columns.values()].map(
    column => column.filter(cell => cell !== null && !Number.isFinite(cell)).length,
  )
  return { series: counts.filter(Boolean).length, cells: counts.reduce((sum, count) => sum + count, 0) }
}
