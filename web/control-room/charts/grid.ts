// Owns the samples that a page draws: columns on one grid of equal steps, shared by every chart of the page.
// A missing sample stays a hole; nothing is carried forward, so a dead series cannot look alive.

export type Cell = number | null
export type Column = readonly Cell[]

export interface Grid {
  /** Time of the first cell, in s; a multiple of the step. */
  readonly startS: number
  readonly stepS: number
  readonly length: number
  readonly columns: ReadonlyMap<string, Column>
}

/** Points of one series: seconds and value, oldest first. */
export type Points = readonly (readonly [number, number])[]

export interface Tail {
  /** What the answer covers; cells before it are kept from the grid so far. */
  readonly fromS: number
  readonly toS: number
  readonly windowS: number
  readonly stepS: number
  readonly series: ReadonlyMap<string, Points>
  /** NaN and infinities stay in their cells, for pages that tell of them; else they are holes. */
  readonly keepsNotNumbers?: boolean
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]
const PIXELS_PER_POINT = 1 // closer points cannot be told apart

/** One second where the width has room for it, else the next round step. */
export function stepFor(windowS: number, widthPx: number): number {
  const wanted = (windowS * PIXELS_PER_POINT) / Math.max(widthPx, 200)
  return STEPS_S.find(step => step >= wanted) ?? 3_600
}

export function alignDown(timeS: number, stepS: number): number {
  return Math.floor(timeS / stepS) * stepS
}

/** From where the next answer must begin: the new tail, and the last cells again, for samples that came late. */
export function tailFrom(
  grid: Grid | null,
  window: { fromS: number; stepS: number },
  overlapS: number,
): number {
  if (grid === null || grid.stepS !== window.stepS) return window.fromS
  const endS = grid.startS + (grid.length - 1) * grid.stepS
  // A window that now begins before the grid has to be fetched whole.
  if (grid.startS > window.fromS) return window.fromS
  return Math.max(window.fromS, alignDown(endS - Math.max(overlapS, 2 * window.stepS), window.stepS))
}

/** The grid moved on to `toS`: old cells, then the answer's. Cells that the answer covers and lacks become holes. */
export function mergeTail(before: Grid | null, tail: Tail): Grid {
  const { stepS } = tail
  const endS = alignDown(tail.toS, stepS)
  const startS = alignDown(endS - tail.windowS, stepS)
  const length = Math.max(1, Math.round((endS - startS) / stepS) + 1)
  const old = before !== null && before.stepS === stepS ? before : null
  const keys = new Set([...(old?.columns.keys() ?? []), ...tail.series.keys()])
  const columns = new Map<string, Column>()
  for (const key of keys) {
    const column: Cell[] = Array.from({ length }, () => null)
    const kept = old?.columns.get(key)
    if (old !== null && kept !== undefined) copyKept(column, startS, { grid: old, kept, beforeS: tail.fromS })
    for (const [timeS, value] of tail.series.get(key) ?? []) {
      const index = Math.round((timeS - startS) / stepS)
      if (!Number.isFinite(value) && tail.keepsNotNumbers !== true) continue
      if (timeS >= tail.fromS && index >= 0 && index < length) column[index] = value
    }
    if (column.some(cell => cell !== null)) columns.set(key, column)
  }
  return { startS, stepS, length, columns }
}

function copyKept(
  column: Cell[],
  startS: number,
  from: { readonly grid: Grid; readonly kept: Column; readonly beforeS: number },
): void {
  const { grid, kept, beforeS } = from
  const shift = Math.round((startS - grid.startS) / grid.stepS)
  const last = Math.ceil((beforeS - startS) / grid.stepS)
  for (let index = Math.max(0, -shift); index < Math.min(column.length, last); index += 1) {
    column[index] = kept[index + shift] ?? null
  }
}

export function times(grid: Grid): number[] {
  return Array.from({ length: grid.length }, (_, index) => grid.startS + index * grid.stepS)
}

/** The newest sample of a series and how old it is at the end of the grid. */
export function newest(grid: Grid, key: string): { value: number; atS: number; ageS: number } | null {
  const column = grid.columns.get(key)
  if (column === undefined) return null
  for (let index = column.length - 1; index >= 0; index -= 1) {
    const value = column[index]
    if (value !== null && value !== undefined) {
      const atS = grid.startS + index * grid.stepS
      return { value, atS, ageS: (column.length - 1 - index) * grid.stepS }
    }
  }
  return null
}

export function valueAt(grid: Grid, key: string, timeS: number): Cell {
  const index = Math.round((timeS - grid.startS) / grid.stepS)
  return grid.columns.get(key)?.[index] ?? null
}

/** Younger than this a figure is current: three intervals. */
export const FRESH_INTERVALS = 3
export function isStale(ageS: number, stepS: number): boolean {
  return ageS > FRESH_INTERVALS * stepS
}
