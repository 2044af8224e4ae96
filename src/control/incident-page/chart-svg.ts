// Owns a chart as one piece of SVG: lines over time with axes, units and marks, and the same said in words for those
// who do not see it. Pure; every text in it is escaped.
import { clockWords } from '#receivers'
import type { Line } from './figures.ts'
import { escape, text } from './html.ts'

const WIDTH = 960
const LEFT = 56
const RIGHT = 12
const TOP = 26
const BOTTOM = 24
/** Of the time axis, at most. */
const TICKS_MAX = 7
const STEPS_MS = [10e3, 30e3, 60e3, 120e3, 300e3, 600e3, 1800e3, 3600e3, 7200e3, 21_600e3, 43_200e3, 86_400e3]

export interface Chart {
  readonly title: string
  /** As it stands beside the axis: `viewers`, `cores`. */
  readonly unit: string
  readonly from: number
  readonly to: number
  /** Points further apart than two of these are not joined: nothing was measured there. */
  readonly stepMs: number
  readonly lines: readonly (Line & { readonly look: string })[]
  readonly height: number
  readonly zone: string
  /** Moments that a line is drawn at. */
  readonly marks: readonly { readonly at: number; readonly name: string }[]
}

export function chartSvg(chart: Chart): string {
  const { from, to, height, lines, title, unit, zone, marks } = chart
  const most = niceTop(Math.max(0, ...lines.flatMap(({ points }) => points.map(({ value }) => value))))
  const x = (at: number): number => LEFT + ((at - from) / Math.max(1, to - from)) * (WIDTH - LEFT - RIGHT)
  const y = (value: number): number => height - BOTTOM - (value / most) * (height - TOP - BOTTOM)
  const rows = [0, 0.5, 1].map(part => {
    const at = y(part * most).toFixed(1)
    return `<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${at}" dy="4" text-anchor="end">${figure(part * most)}</text>`
  })
  const columns = ticks(from, to).map(at => {
    const place = x(at).toFixed(1)
    return `<path class="grid" d="M${place} ${TOP}V${height - BOTTOM}"/><text x="${place}" y="${height - 6}" text-anchor="middle">${escape(clockWords(at, zone).slice(0, 5))}</text>`
  })
  const drawn = lines.map(
    ({ points, look }) => `<path class="line ${look}" d="${path(points, chart.stepMs, x, y)}"/>`,
  )
  const marked = marks
    .filter(({ at }) => at >= from && at <= to)
    .map(
      ({ at, name }) =>
        `<path class="mark" d="M${x(at).toFixed(1)} ${TOP}V${height - BOTTOM}"/><text class="mark-name" x="${x(at).toFixed(1)}" y="${TOP - 4}" text-anchor="middle">${text(name)}</text>`,
    )
  const words = wordsOf(chart)
  return `<figure><figcaption><b>${text(title)}</b>, ${text(unit)}; times in ${escape(zone)}${legend(lines)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(words)}">${rows.join('')}${columns.join('')}${marked.join('')}${drawn.join('')}</svg>
<p class="dim">${escape(words)}</p></figure>`
}

function path(
  points: Line['points'],
  stepMs: number,
  x: (at: number) => number,
  y: (value: number) => number,
): string {
  let drawn = ''
  let before = Number.NEGATIVE_INFINITY
  for (const { at, value } of points) {
    drawn += `${at - before > 2 * stepMs ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`
    before = at
  }
  return drawn
}

function legend(lines: Chart['lines']): string {
  if (lines.length === 0) return ''
  return ` <span class="legend">${lines.map(({ name, look }) => `<span><svg viewBox="0 0 18 8" width="18" height="8" aria-hidden="true"><path class="line ${look}" d="M0 4H18"/></svg> ${text(name)}</span>`).join('')}</span>`
}

function wordsOf({ lines, title, unit }: Chart): string {
  if (lines.every(({ points }) => points.length === 0)) return `${title}: nothing was measured.`
  const said = lines.flatMap(({ name, points }) => {
    const [first] = points
    const last = points.at(-1)
    if (first === undefined || last === undefined) return []
    const values = points.map(({ value }) => value)
    return `${name}: ${figure(first.value)} at first, ${figure(Math.min(...values))} to ${figure(Math.max(...values))}, ${figure(last.value)} at last`
  })
  return `${title} in ${unit}. ${said.join('; ')}.`
}

function niceTop(most: number): number {
  if (most <= 0) return 1
  const scale = 10 ** Math.floor(Math.log10(most))
  const found = [1, 2, 2.5, 5, 10].find(factor => factor * scale >= most)
  return (found ?? 10) * scale
}

function figure(value: number): string {
  if (value === 0 || Number.isInteger(value)) return value.toLocaleString('en-GB')
  return value.toLocaleString('en-GB', { maximumSignificantDigits: 3 })
}

function ticks(from: number, to: number): number[] {
  const step = STEPS_MS.find(each => (to - from) / each <= TICKS_MAX) ?? Math.ceil((to - from) / TICKS_MAX)
  const found: number[] = []
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at)
  return found
}
