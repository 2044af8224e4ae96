// Owns a sheet of charts as a snapshot that can be stored, and back. Pure.
import { SNAPSHOT_LIMITS, type Snapshot } from '#wire'
import { type ChartSpec, drawnCharts, type Sheet, spanMs } from '../charts/chart-spec.ts'
import type { Cell } from '../charts/grid.ts'
import { type Zone, zoneForLink } from '../time-format.ts'

/** More cannot be seen in a picture, and would only be stored. */
const DIGITS = 6
const TEXT_MAX = 512

/** Null: there is nothing to freeze. */
export function snapshotOf(sheet: Sheet, zone: Zone): Snapshot | null {
  const { grid } = sheet
  const charts = drawnCharts(sheet)
  if (grid === null || charts.length === 0) return null
  const { fromMs, toMs } = spanMs(grid)
  return {
    title: sheet.title.slice(0, 256),
    words: sheet.words,
    zone: zoneForLink(zone),
    startS: grid.startS,
    stepS: grid.stepS,
    length: grid.length,
    charts: charts.slice(0, SNAPSHOT_LIMITS.charts).map(chart => ({
      title: chart.title.slice(0, TEXT_MAX),
      note: chart.note.slice(0, TEXT_MAX),
      unit: chart.unit,
      height: chart.height,
      floorMax: chart.floorMax,
      axisFrom: chart.axisFrom ?? 'zero',
      stepped: chart.stepped ?? false,
      series: chart.series.slice(0, SNAPSHOT_LIMITS.series).map(({ key, label, colour, context, dash }) => ({
        label: label.slice(0, TEXT_MAX),
        colour,
        context: context ?? false,
        dash: dash === undefined ? null : [...dash],
        values: (grid.columns.get(key) ?? []).map(short),
      })),
    })),
    marks: sheet.marks
      .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
      .slice(0, SNAPSHOT_LIMITS.marks)
      .map(({ atMs, colour, label }) => ({ atMs, colour, label: label?.slice(0, TEXT_MAX) ?? null })),
  }
}

function short(cell: Cell): Cell {
  return cell === null || !Number.isFinite(cell) ? null : Number(cell.toPrecision(DIGITS))
}

export function sheetOf(snapshot: Snapshot): Sheet {
  const { title, words, startS, stepS, length, charts, marks } = snapshot
  const key = (chart: number, series: number): string => `${chart}/${series}`
  const columns = new Map(
    charts.flatMap((chart, at) => chart.series.map(({ values }, index) => [key(at, index), values] as const)),
  )
  const specs = charts.map(
    ({ series, ...chart }, at): ChartSpec => ({
      ...chart,
      key: String(at),
      showTimes: at === charts.length - 1,
      series: series.map(({ label, colour, context, dash }, index) => ({
        key: key(at, index),
        label,
        colour,
        context,
        ...(dash === null ? {} : { dash }),
      })),
    }),
  )
  return {
    title,
    name: 'shared',
    words,
    grid: { startS, stepS, length, columns },
    charts: specs,
    marks: marks.map(({ atMs, colour, label }) => ({ atMs, colour, ...(label === null ? {} : { label }) })),
  }
}
