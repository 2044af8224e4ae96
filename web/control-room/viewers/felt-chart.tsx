// Owns the chart of what viewers of one edge lost to stalls: it stands directly above the edge's CPU, on its axis.
import type { ReactNode } from 'react'
import type { ChartSpec } from '../charts/chart-spec.ts'
import { useCursorTime } from '../charts/cursor.tsx'
import { type Grid, newest, valueAt } from '../charts/grid.ts'
import { TimeChart, type TimeChartProps } from '../charts/time-chart.tsx'

const MEASURED = 'rebuffering/no'
const ESTIMATED = 'rebuffering/yes'

export function feltSpec(server: string, colour: string, height: number): ChartSpec {
  return {
    key: 'rebuffering',
    title: 'Rebuffering',
    note: 'of viewing time',
    unit: 'percent',
    series: [
      { key: MEASURED, label: server, colour },
      { key: ESTIMATED, label: 'estimated', colour: '--series-host', context: true },
    ],
    height,
    floorMax: 0.02,
    showTimes: true,
    named: false,
  }
}

export interface FeltChartProps
  extends Pick<TimeChartProps, 'grid' | 'marks' | 'silentMs' | 'live' | 'onZoom' | 'onBack'> {
  readonly server: string
  readonly colour: string
  readonly height: number
}

export function FeltChart({ server, colour, height, ...rest }: FeltChartProps): ReactNode {
  const { grid } = rest
  const timeS = useCursorTime()
  const { key: _, ...spec } = feltSpec(server, colour, height)
  const isThere = (key: string): boolean => grid?.columns.has(key) === true
  const shown = spec.series.filter(({ key }) => isThere(key))
  const series = shown.length === 0 ? spec.series.slice(0, 1) : shown
  return (
    <TimeChart
      {...spec}
      {...rest}
      note={nWords(grid, timeS)}
      series={series.map(one => (one.key === MEASURED ? { ...one, label: 'measured' } : one))}
      nothing={grid === null || shown.length > 0 ? null : 'Nobody watched from it in this window.'}
    />
  )
}

/** What the ratio is of: how many watched or waited, on the mean of half a minute. */
function nWords(grid: Grid | null, timeS: number | null): string {
  const of = (key: string): number | null =>
    grid === null ? null : timeS === null ? (newest(grid, key)?.value ?? null) : valueAt(grid, key, timeS)
  const measured = of('asked/no') ?? 0
  const estimated = of('asked/yes') ?? 0
  if (measured + estimated < 0.05) return 'of viewing time'
  const parts = [
    ...(measured >= 0.05 ? [viewers(measured)] : []),
    ...(estimated >= 0.05 ? [`${viewers(estimated)} whose players tell nothing`] : []),
  ]
  return `of the viewing time of ${parts.join(' and ')}`
}

function viewers(count: number): string {
  const people = Math.max(1, Math.round(count))
  return people === 1 ? '1 viewer' : `${people} viewers`
}
