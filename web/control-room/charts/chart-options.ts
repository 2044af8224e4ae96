// Owns how uPlot is set up: one look for every chart, axes that know their unit, names at the ends of the lines.
import uPlot from 'uplot'
import { dayAndTime, timeOfDay, type Zone } from '../time-format.ts'
import { axisLabels, type Unit } from '../units.ts'
import type { Cursor } from './cursor.tsx'
import { bandReach, drawBand, drawBandText } from './draw-band.ts'
import { resolveColour } from './palette.ts'

export interface ChartSeries {
  readonly key: string
  readonly label: string
  /** Name of a CSS variable. */
  readonly colour: string
  /** Thin and dashed: context, not the subject. */
  readonly context?: boolean
  /** Said now and then: a dot where it was said, and a line from one to the next. */
  readonly joined?: boolean
  /** Of lines that share a colour. */
  readonly dash?: readonly number[]
}

export interface ChartMark {
  readonly atMs: number
  /** Name of a CSS variable. */
  readonly colour: string
  /** Written beside the line, at its top. */
  readonly label?: string
}

/** What is normal, behind a line; `text` says by what, and stands inside the picture so that nothing moves. */
export interface ChartBand {
  readonly text: string
  readonly points: readonly { readonly atS: number; readonly low: number; readonly high: number }[]
}

export interface ChartLook {
  readonly series: readonly ChartSeries[]
  readonly unit: Unit
  readonly zone: Zone
  readonly stepped: boolean
  readonly showTimes: boolean
  /** Names at the ends of the lines. */
  readonly named: boolean
  /** The axis reaches at least this high, so that noise near zero does not fill the chart. */
  readonly floorMax: number
  /** The axis begins at 0, or where all values lie far from it, near the lowest of them. */
  readonly axisFrom: 'zero' | 'values'
  readonly cursor: Cursor
  /** Read at each drawing. */
  readonly marks: () => readonly ChartMark[]
  readonly onZoom: (fromS: number, toS: number) => void
  /** Read at each drawing. */
  readonly band?: () => ChartBand | null
}

export interface ChartSize {
  readonly width: number
  readonly height: number
}

const AXIS_WIDTH = 58
const NAMES_WIDTH = 104
const NARROW = 560
const LOW = 80
const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
const NAME_FONT = "600 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
/** Room for half of the last time under the axis. */
const UNNAMED_PAD = 26
const NAME_LINE = 15
const POWERS_OF_TWO = Array.from({ length: 44 }, (_, power) => 2 ** power)
const DAY_S = 86_400
const INTEGERS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000]

export function chartOptions(look: ChartLook, size: ChartSize): uPlot.Options {
  const named = look.named && size.width >= NARROW
  const rightPad = named ? NAMES_WIDTH : UNNAMED_PAD
  return {
    width: size.width,
    height: size.height,
    padding: [8, rightPad, 0, 0],
    legend: { show: false },
    tzDate: (timeS: number) => {
      const moment = new Date(timeS * 1000)
      if (look.zone === 'local') return moment
      return uPlot.tzDate(moment, look.zone === 'utc' ? 'Etc/UTC' : look.zone)
    },
    scales: {
      x: { time: true },
      y: { range: (_, min, max) => withBand(look, min ?? 0, max ?? 0) },
    },
    axes: [timeAxis(look.showTimes, look.zone), valueAxis(look, size)],
    series: [{}, ...look.series.map(series => line(series, look.stepped))],
    cursor: {
      sync: { key: 'vitrine' },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { size: 7 },
      bind: { dblclick: () => null },
      y: false,
    },
    hooks: {
      setCursor: [chart => look.cursor.point(pointedTime(chart))],
      setSelect: [chart => zoomed(chart, look.onZoom)],
      drawClear: [chart => drawBand(chart, look.band?.() ?? null), chart => drawMarks(chart, look.marks())],
      draw: [
        ...(named ? [(chart: uPlot) => drawNames(chart, look.series)] : []),
        chart => drawLabels(chart, look.marks()),
        chart => drawBandText(chart, look.band?.() ?? null),
      ],
    },
  }
}

function withBand(look: ChartLook, min: number, max: number): [number, number] {
  const reach = bandReach(look.band?.() ?? null)
  if (reach === null) return valueRange(look, min, max)
  return valueRange(look, Math.min(min, reach.low), Math.max(max, reach.high))
}

/** Below 0 only where values are; never cut at the bottom of what is measured from 0. */
function valueRange(look: ChartLook, min: number, max: number): [number, number] {
  if (look.axisFrom === 'zero') return [0, Math.max(max * 1.12, look.floorMax)]
  if (min === max && min === 0) return [0, 1]
  if (min >= 0 && min < max / 2) return [0, max * 1.08]
  const room = max > min ? (max - min) * 0.08 : Math.abs(max) * 0.05
  return [min - room, max + room]
}

function timeAxis(shown: boolean, zone: Zone): uPlot.Axis {
  return {
    show: true,
    size: shown ? 30 : 8,
    stroke: resolveColour('--dim'),
    font: FONT,
    grid: { stroke: resolveColour('--grid'), width: 1 },
    ticks: { show: false },
    space: 64,
    values: (_, ticks, __, ___, stepS) =>
      shown ? ticks.map(tick => tickLabel(tick, stepS, zone)) : ticks.map(() => ''),
  }
}

function tickLabel(tickS: number, stepS: number, zone: Zone): string {
  if (stepS >= DAY_S) return dayAndTime(tickS * 1000, zone).split(',')[0] ?? ''
  const time = timeOfDay(tickS * 1000, zone)
  return stepS >= 60 ? time.slice(0, 5) : time
}

function valueAxis(look: ChartLook, size: ChartSize): uPlot.Axis {
  return {
    size: AXIS_WIDTH,
    stroke: resolveColour('--dim'),
    font: FONT,
    grid: { stroke: resolveColour('--grid'), width: 1 },
    ticks: { show: false },
    space: size.height < LOW ? 18 : 28,
    gap: 8,
    ...(look.unit === 'count' ? { incrs: INTEGERS } : {}),
    ...(look.unit === 'bytes' ? { incrs: POWERS_OF_TWO } : {}),
    values: (_, ticks) => axisLabels(ticks, look.unit),
  }
}

function line(series: ChartSeries, stepped: boolean): uPlot.Series {
  const stepper = stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined
  return {
    label: series.label,
    stroke: resolveColour(series.colour),
    width: series.context === true ? 1.25 : 2,
    spanGaps: series.joined === true,
    points: { show: series.joined === true, size: 5 },
    ...(series.context === true ? { dash: [7, 4] } : {}),
    ...(series.dash === undefined ? {} : { dash: [...series.dash] }),
    ...(stepper === undefined ? {} : { paths: stepper }),
  }
}

/** Draws the page's cursor where another chart, the keyboard or a finger has put it. */
export function showCursor(chart: uPlot, timeS: number | null): void {
  if (timeS === pointedTime(chart)) return
  const [from, to] = [chart.scales['x']?.min, chart.scales['x']?.max]
  const isIn = timeS !== null && from != null && to != null && timeS >= from && timeS <= to
  chart.setCursor({ left: isIn ? chart.valToPos(timeS, 'x') : -10, top: isIn ? 0 : -10 }, false)
}

function pointedTime(chart: uPlot): number | null {
  const { idx, left } = chart.cursor
  if (idx === null || idx === undefined || left === undefined || left < 0) return null
  return chart.data[0][idx] ?? null
}

function zoomed(chart: uPlot, onZoom: ChartLook['onZoom']): void {
  const { left, width } = chart.select
  if (width < 6) return
  const fromS = chart.posToVal(left, 'x')
  const toS = chart.posToVal(left + width, 'x')
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  onZoom(fromS, toS)
}

function drawMarks(chart: uPlot, marks: readonly ChartMark[]): void {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio])
  for (const { atMs, colour } of marks) {
    const x = Math.round(chart.valToPos(atMs / 1000, 'x', true))
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.strokeStyle = resolveColour(colour)
    ctx.globalAlpha = 0.75
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.restore()
}

/** Over the lines, on a ground of its own: to the left of its mark where there is no room to the right. */
function drawLabels(chart: uPlot, marks: readonly ChartMark[]): void {
  const { ctx, bbox } = chart
  const ratio = devicePixelRatio
  ctx.save()
  ctx.font = NAME_FONT.replace('12px', `${12 * ratio}px`)
  ctx.textAlign = 'left'
  ctx.textBaseline = 'middle'
  for (const { atMs, label, colour } of marks) {
    const x = chart.valToPos(atMs / 1000, 'x', true)
    if (label === undefined || x < bbox.left || x > bbox.left + bbox.width) continue
    const width = ctx.measureText(label).width + 12 * ratio
    const left = x + width > bbox.left + bbox.width ? x - width : x
    ctx.fillStyle = resolveColour('--raised')
    ctx.fillRect(left, bbox.top, width, 20 * ratio)
    ctx.fillStyle = resolveColour(colour)
    ctx.fillText(label, left + 6 * ratio, bbox.top + 10.5 * ratio)
  }
  ctx.restore()
}

/** Each line's name beside its last sample: readable from afar, and without matching colours to a legend. */
function drawNames(chart: uPlot, series: readonly ChartSeries[]): void {
  const { ctx, bbox } = chart
  const ratio = devicePixelRatio
  const names = series.flatMap(({ label, colour }, index) => {
    const y = lastHeight(chart, index + 1)
    return y === null ? [] : [{ label, colour, y }]
  })
  spread(names, NAME_LINE * ratio, { top: bbox.top + 4 * ratio, bottom: bbox.top + bbox.height - 4 * ratio })
  ctx.save()
  ctx.font = NAME_FONT.replace('12px', `${12 * ratio}px`)
  ctx.textAlign = 'left'
  ctx.textBaseline = 'middle'
  for (const { label, colour, y } of names) {
    ctx.fillStyle = resolveColour(colour)
    ctx.fillText(label, bbox.left + bbox.width + 8 * ratio, y, (NAMES_WIDTH - 10) * ratio)
  }
  ctx.restore()
}

function lastHeight(chart: uPlot, index: number): number | null {
  const column = chart.data[index] ?? []
  // A line that ended long ago has its end inside the picture: its name is not put at the border.
  const from = Math.max(0, column.length - 1 - Math.max(6, Math.ceil(column.length / 30)))
  for (let at = column.length - 1; at >= from; at -= 1) {
    const value = column[at]
    if (value !== null && value !== undefined) return chart.valToPos(value, 'y', true)
  }
  return null
}

/** Moves names apart that would lie on each other, inside the plot. */
export function spread(names: { y: number }[], gap: number, room: { top: number; bottom: number }): void {
  names.sort((a, b) => a.y - b.y)
  for (let index = 1; index < names.length; index += 1) {
    const [above, name] = [names[index - 1], names[index]]
    if (above !== undefined && name !== undefined) name.y = Math.max(name.y, above.y + gap)
  }
  let limit = room.bottom
  for (const name of names.toReversed()) {
    name.y = Math.max(room.top, Math.min(name.y, limit))
    limit = name.y - gap
  }
}
