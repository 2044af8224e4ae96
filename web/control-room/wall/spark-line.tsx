// Owns a line without axes: the shape of the last minutes. Its figure stands beside it.
import type { ReactNode } from 'react'

const WIDTH = 200
const HEIGHT = 44
/** Half of the line's width: it must not be cut at the borders. */
const PAD = 2

export interface SparkLineProps {
  readonly cells: readonly (number | null)[]
  /** The highest value that the picture has room for; shared by all rows, so that they can be compared. */
  readonly top: number
}

export function SparkLine({ cells, top }: SparkLineProps): ReactNode {
  return (
    <svg className="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={sparkPath(cells, top)} vectorEffect="non-scaling-stroke" />
    </svg>
  )
}

/** A hole in the samples is a hole in the line. */
export function sparkPath(cells: readonly (number | null)[], top: number): string {
  let path = ''
  let drawing = false
  for (const [index, cell] of cells.entries()) {
    if (cell === null || !Number.isFinite(cell)) {
      drawing = false
      continue
    }
    const x = cells.length < 2 ? 0 : (index / (cells.length - 1)) * WIDTH
    const y = HEIGHT - PAD - (Math.min(Math.max(cell, 0), top) / top) * (HEIGHT - 2 * PAD)
    path += `${drawing ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
    drawing = true
  }
  return path
}
