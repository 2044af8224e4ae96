// Owns drawing the band of normal: a flat ground behind the line, its borders, and in words by what it was made.
import type uPlot from 'uplot'
import type { ChartBand } from './chart-options.ts'
import { resolveColour } from './palette.ts'

const FONT_PX = 11
const LINE_PX = 17
const PAD_PX = 5
/** A band without width is seen all the same. */
const HEIGHT_PX_MIN = 2

/** What the axis of values has to have room for. */
export function bandReach(band: ChartBand | null): { readonly low: number; readonly high: number } | null {
  if (band === null || band.points.length === 0) return null
  return {
    low: Math.min(...band.points.map(({ low }) => low)),
    high: Math.max(...band.points.map(({ high }) => high)),
  }
}

export function drawBand(chart: uPlot, band: ChartBand | null): void {
  if (band === null || band.points.length < 2) return
  const { ctx, bbox } = chart
  const ratio = devicePixelRatio
  const x = (atS: number): number => chart.valToPos(atS, 'x', true)
  const y = (value: number): number => chart.valToPos(value, 'y', true)
  const upper = band.points.map(({ atS, high }) => [x(atS), y(high)] as const)
  const lower = band.points.map(
    ({ atS, low, high }) => [x(atS), Math.max(y(low), y(high) + HEIGHT_PX_MIN * ratio)] as const,
  )
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  ctx.fillStyle = resolveColour('--band')
  trace(ctx, [...upper, ...lower.toReversed()])
  ctx.closePath()
  ctx.fill()
  ctx.strokeStyle = resolveColour('--band-line')
  ctx.lineWidth = ratio
  ctx.setLineDash([])
  for (const border of [upper, lower]) {
    trace(ctx, border)
    ctx.stroke()
  }
  ctx.restore()
}

function trace(ctx: CanvasRenderingContext2D, points: readonly (readonly [number, number])[]): void {
  ctx.beginPath()
  for (const [place, [x, y]] of points.entries()) {
    if (place === 0) ctx.moveTo(x, y)
    else ctx.lineTo(x, y)
  }
}

/** At the top on the left, over the lines, on a ground of its own. */
export function drawBandText(chart: uPlot, band: ChartBand | null): void {
  if (band === null) return
  const { ctx, bbox } = chart
  const ratio = devicePixelRatio
  ctx.save()
  ctx.font = `${FONT_PX * ratio}px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'middle'
  const room = bbox.width - 4 * PAD_PX * ratio
  const width = Math.min(room, ctx.measureText(band.text).width)
  ctx.globalAlpha = 0.85
  ctx.fillStyle = resolveColour('--surface')
  ctx.fillRect(bbox.left + PAD_PX * ratio, bbox.top, width + 2 * PAD_PX * ratio, LINE_PX * ratio)
  ctx.globalAlpha = 1
  ctx.fillStyle = resolveColour('--dim')
  ctx.fillText(band.text, bbox.left + 2 * PAD_PX * ratio, bbox.top + (LINE_PX / 2) * ratio, room)
  ctx.restore()
}
