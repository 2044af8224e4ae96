// Owns the band of normal behind charts: the switch, kept in the address so that a link shows it, and asking for it.
import { useQueries } from '@tanstack/react-query'
import { type ReactNode, useMemo } from 'react'
import { useSearchParams } from 'wouter'
import { bandAnswer } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import type { ChartBand } from './chart-options.ts'
import type { Grid } from './grid.ts'

/** What is normal changes slowly. */
const EVERY_MS = 60_000
const ALIGNED_S = 60

export interface BandLine {
  /** The chart's. */
  readonly key: string
  readonly expr: (stepS: number) => string
  readonly labels: Readonly<Record<string, string>>
}

export interface Bands {
  readonly on: boolean
  readonly toggle: () => void
}

export function useBandSwitch(): Bands {
  const [search, setSearch] = useSearchParams()
  const on = search.get('band') === '1'
  const toggle = (): void => {
    setSearch(
      before => {
        const next = new URLSearchParams(before)
        if (on) next.delete('band')
        else next.set('band', '1')
        return next
      },
      { replace: true },
    )
  }
  return { on, toggle }
}

/** By the key of the chart; empty while the switch is off. */
export function useBands(
  on: boolean,
  lines: readonly BandLine[],
  grid: Grid | null,
): ReadonlyMap<string, ChartBand> {
  const client = useClient()
  const stepS = grid?.stepS ?? null
  // Each minute, not each second: with a live window the address would never be the same twice.
  const fromS = grid === null ? 0 : Math.floor(grid.startS / ALIGNED_S) * ALIGNED_S
  const toS = grid === null ? 0 : Math.ceil((grid.startS + grid.length * grid.stepS) / ALIGNED_S) * ALIGNED_S
  const answers = useQueries({
    queries: lines.map(({ expr, labels }) => {
      const query = new URLSearchParams({
        expr: stepS === null ? '' : expr(stepS),
        labels: JSON.stringify(labels),
        from: String(fromS * 1000),
        to: String(toS * 1000),
      })
      return {
        queryKey: ['band', query.toString()],
        queryFn: ({ signal }: { signal: AbortSignal }) =>
          client.get(`/api/v1/normal/band?${query.toString()}`, bandAnswer, signal),
        enabled: on && stepS !== null,
        staleTime: EVERY_MS,
        gcTime: EVERY_MS,
        retry: false,
      }
    }),
  })
  const stamp = answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join()
  // The last one stays while the next minute's is on its way.
  const kept = useMemo(() => new Map<string, ChartBand>(), [lines.map(({ key }) => key).join()])
  return useMemo(() => {
    if (!on) return new Map()
    for (const [place, { data, isError }] of answers.entries()) {
      const key = lines[place]?.key ?? ''
      if (isError) kept.set(key, { text: 'normal: cannot be asked', points: [] })
      if (data === undefined) continue
      const text = data.basis === 'none' ? data.text : `normal: ${data.text}`
      kept.set(key, { text, points: data.points.map(({ at, low, high }) => ({ atS: at / 1000, low, high })) })
    }
    return new Map(kept)
  }, [on, stamp, kept, answers.some(({ isError }) => isError)])
}

export function BandSwitch({ on, toggle }: Bands): ReactNode {
  return (
    <button
      type="button"
      className="plain band-switch"
      aria-pressed={on}
      onClick={toggle}
      title="Draws behind each line what is normal for it: its own past at this hour, else its healthy peers, else its own minutes before"
    >
      Normal
    </button>
  )
}
