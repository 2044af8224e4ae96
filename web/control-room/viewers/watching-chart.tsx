// Owns the chart of how many watch: beside its name stands the share of them that is estimated, at the cursor or now.
import type { ReactNode } from 'react'
import { useCursorTime } from '../charts/cursor.tsx'
import { newest, valueAt } from '../charts/grid.ts'
import { TimeChart, type TimeChartProps } from '../charts/time-chart.tsx'
import { estimatedWords } from './viewer-words.ts'

const WATCHING = 'watching'
const ESTIMATED = 'watching-estimated'

/** Any chart of a page; where it draws who watches, it says the share. Its columns are `watching` or `watching/{id}`. */
export function ChartWithShare(props: TimeChartProps): ReactNode {
  const drawsViewers = props.series.some(({ key }) => key === WATCHING || key.startsWith(`${WATCHING}/`))
  return drawsViewers ? <WatchingChart {...props} /> : <TimeChart {...props} />
}

function WatchingChart(props: TimeChartProps): ReactNode {
  const { grid, series, note } = props
  const timeS = useCursorTime()
  const sum = (name: string): number =>
    series
      .map(({ key }) => (key.startsWith(WATCHING) ? key.replace(WATCHING, name) : null))
      .map(key => {
        if (key === null || grid === null) return 0
        return (timeS === null ? newest(grid, key)?.value : valueAt(grid, key, timeS)) ?? 0
      })
      .reduce((all, one) => all + one, 0)
  const share = estimatedWords({ watching: sum(WATCHING), estimated: sum(ESTIMATED) })
  return <TimeChart {...props} note={share === '' ? note : `${note}, ${share}`} />
}
