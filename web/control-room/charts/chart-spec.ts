// Owns what a page says of one of its charts, once for the screen, for exports and for shared snapshots.
import type { Unit } from '../units.ts'
import type { ChartMark, ChartSeries } from './chart-options.ts'
import type { Grid } from './grid.ts'

export interface ChartSpec {
  readonly key: string
  readonly title: string
  /** Said after the title, small: the unit or the formula in words. */
  readonly note: string
  readonly unit: Unit
  readonly series: readonly ChartSeries[]
  readonly height: number
  /** See ChartLook. */
  readonly floorMax: number
  readonly axisFrom?: 'zero' | 'values'
  readonly stepped?: boolean
  readonly showTimes?: boolean
  /** Names at the ends of the lines; not needed where there is one line. */
  readonly named?: boolean
  /** Why the picture is empty, and what to do; null while it is not. Left out: by the number of series. */
  readonly nothing?: string | null
}

/** A page's charts together, as they are taken along: one axis of time, one title, and what is said of them. */
export interface Sheet {
  readonly title: string
  /** For the names of files: `compare-cpu`. */
  readonly name: string
  readonly words: string | null
  readonly grid: Grid | null
  readonly charts: readonly ChartSpec[]
  readonly marks: readonly ChartMark[]
}

/** Charts without a line have nothing that could be taken along. */
export function drawnCharts({ charts, grid }: Sheet): ChartSpec[] {
  return charts.flatMap(chart => {
    const series = chart.series.filter(({ key }) => grid?.columns.has(key) === true)
    return series.length === 0 ? [] : [{ ...chart, series }]
  })
}

/** First and last cell, ms. */
export function spanMs({ startS, stepS, length }: Grid): { readonly fromMs: number; readonly toMs: number } {
  return { fromMs: startS * 1000, toMs: (startS + (length - 1) * stepS) * 1000 }
}
