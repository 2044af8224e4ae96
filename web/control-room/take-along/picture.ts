// Owns a sheet of charts as a PNG: title, what is said of it, window, zone and units, and every chart at one width,
// whatever the screen it is made on.
import uPlot from 'uplot'
import { type ChartMark, chartOptions } from '../charts/chart-options.ts'
import { type ChartSpec, drawnCharts, type Sheet, spanMs } from '../charts/chart-spec.ts'
import { Cursor } from '../charts/cursor.tsx'
import type { Grid } from '../charts/grid.ts'
import { resolveColour } from '../charts/palette.ts'
import { dataOf } from '../charts/time-chart.tsx'
import { dayAndTime, duration, type Zone, zoneName } from '../time-format.ts'

const WIDTH = 1_280
const PAD = 28
const CHART_HEIGHT_MIN = 150
const HEAD_HEIGHT = 34
const FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

export async function pictureOf(sheet: Sheet, zone: Zone): Promise<Blob> {
  const { grid } = sheet
  if (grid === null) throw new Error('Nothing has been measured in this window yet.')
  const charts = drawnCharts(sheet)
  const drawn = await Promise.all(
    charts.map((chart, index) =>
      draw(chart, grid, { zone, marks: sheet.marks, last: index === charts.length - 1 }),
    ),
  )
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('This browser draws no pictures.')
  const lines = wrapped(context, sheet.words ?? '', WIDTH - 2 * PAD)
  const headHeight = PAD + 34 + lines.length * 21 + 30
  const height = headHeight + drawn.reduce((sum, { chart }) => sum + chart.height + HEAD_HEIGHT, 0) + PAD
  const ratio = devicePixelRatio
  canvas.width = WIDTH * ratio
  canvas.height = height * ratio
  context.scale(ratio, ratio)
  context.fillStyle = resolveColour('--surface')
  context.fillRect(0, 0, WIDTH, height)
  writeHead(context, { sheet, grid, zone, lines })
  let top = headHeight
  for (const { chart, picture } of drawn) {
    writeChartHead(context, chart, top)
    context.drawImage(picture, PAD, top + HEAD_HEIGHT, WIDTH - 2 * PAD, chart.height)
    top += chart.height + HEAD_HEIGHT
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob(blob => (blob === null ? reject(new Error('The picture is too large.')) : resolve(blob)))
  })
}

interface DrawLook {
  readonly zone: Zone
  readonly marks: readonly ChartMark[]
  readonly last: boolean
}

async function draw(
  spec: ChartSpec,
  grid: Grid,
  { zone, marks, last }: DrawLook,
): Promise<{ chart: ChartSpec; picture: HTMLCanvasElement }> {
  const chart = { ...spec, height: Math.max(spec.height, CHART_HEIGHT_MIN) }
  const look = {
    series: chart.series,
    unit: chart.unit,
    zone,
    stepped: chart.stepped === true,
    showTimes: last || chart.showTimes === true,
    named: true,
    floorMax: chart.floorMax,
    axisFrom: chart.axisFrom ?? 'zero',
    cursor: new Cursor(),
    marks: () => marks,
    onZoom: () => undefined,
  } as const
  const size = { width: WIDTH - 2 * PAD, height: chart.height }
  const place = document.createElement('div')
  const plot = await new Promise<uPlot>(resolve => {
    const options = chartOptions(look, size)
    const made = new uPlot(
      { ...options, hooks: { ...options.hooks, ready: [() => setTimeout(() => resolve(made))] } },
      dataOf(grid, chart.series),
      place,
    )
  })
  const picture = document.createElement('canvas')
  picture.width = plot.ctx.canvas.width
  picture.height = plot.ctx.canvas.height
  picture.getContext('2d')?.drawImage(plot.ctx.canvas, 0, 0)
  plot.destroy()
  return { chart, picture }
}

function writeHead(
  context: CanvasRenderingContext2D,
  { sheet, grid, zone, lines }: { sheet: Sheet; grid: Grid; zone: Zone; lines: readonly string[] },
): void {
  const { fromMs, toMs } = spanMs(grid)
  context.textBaseline = 'alphabetic'
  context.fillStyle = resolveColour('--text')
  context.font = `650 22px ${FONTS}`
  context.fillText(sheet.title, PAD, PAD + 18, WIDTH - 2 * PAD)
  context.font = `15px ${FONTS}`
  let top = PAD + 46
  for (const line of lines) {
    context.fillText(line, PAD, top)
    top += 21
  }
  context.fillStyle = resolveColour('--dim')
  context.font = `13px ${FONTS}`
  const window = `${dayAndTime(fromMs, zone)} to ${dayAndTime(toMs, zone)} ${zoneName(zone)}`
  context.fillText(`${window}. One value each ${duration(grid.stepS * 1000)}. Vitrine, fleet time.`, PAD, top)
}

function writeChartHead(context: CanvasRenderingContext2D, chart: ChartSpec, top: number): void {
  context.fillStyle = resolveColour('--text')
  context.font = `650 15px ${FONTS}`
  context.fillText(chart.title, PAD, top + 26)
  const right = context.measureText(chart.title).width + PAD + 8
  context.fillStyle = resolveColour('--dim')
  context.font = `13px ${FONTS}`
  context.fillText(chart.note, right, top + 26, 420)
  let left = WIDTH - PAD
  for (const { label, colour } of chart.series.toReversed()) {
    left -= Math.min(context.measureText(label).width, 200)
    if (left < right + 440) return // What has no room here stands at the end of its line.
    context.fillStyle = resolveColour('--dim')
    context.fillText(label, left, top + 26, 200)
    left -= 22
    context.fillStyle = resolveColour(colour)
    context.fillRect(left, top + 20, 16, 3)
    left -= 18
  }
}

function wrapped(context: CanvasRenderingContext2D, text: string, width: number): string[] {
  if (text === '') return []
  context.font = `15px ${FONTS}`
  const lines = ['']
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim()
    if (context.measureText(longer).width > width) lines.push(word)
    else lines[lines.length - 1] = longer
  }
  return lines
}
