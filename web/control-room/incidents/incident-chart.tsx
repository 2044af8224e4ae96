// Owns the one chart of an incident: what viewers felt above the CPU of its servers, on one axis of time, from before it began.
import { type ReactNode, useMemo, useState } from 'react'
import type { IncidentView } from '#wire'
import { useServers } from '../api/use-control-room.tsx'
import { Cursor, CursorContext } from '../charts/cursor.tsx'
import {
  cpu,
  incidentHurt,
  instances,
  rebuffering,
  watching,
  watchingEstimated,
} from '../charts/expressions.ts'
import { seriesColour } from '../charts/palette.ts'
import type { FeedWindow } from '../charts/series-feed.ts'
import { useFeed } from '../charts/use-feed.ts'
import { useSilence } from '../parts/shell.tsx'
import { inOrder } from '../server-order.ts'
import { ChartWithShare } from '../viewers/watching-chart.tsx'

const BEFORE_MS = 5 * 60_000
const AFTER_MS = 2 * 60_000
/** More lines cannot be told apart. */
const SERVERS_MAX = 6

const HURT = { key: 'hurt', label: 'hurt', colour: '--text' }

export function IncidentChart({
  incident,
  now,
}: {
  readonly incident: IncidentView
  readonly now: number
}): ReactNode {
  const servers = useServers()
  const all = inOrder(servers.data ?? []).map(({ id }) => id)
  const shown = incident.servers.slice(0, SERVERS_MAX)
  const [cursor] = useState(() => new Cursor())
  const silentMs = useSilence()
  const matching = instances(all, shown)
  const { openedAt, resolvedAt } = incident
  const toS = Math.ceil(Math.min(now, (resolvedAt ?? now) + AFTER_MS) / 1000)
  const fromS = Math.floor((openedAt - BEFORE_MS) / 1000)
  const window: FeedWindow =
    resolvedAt === null
      ? { kind: 'live', seconds: Math.max(300, toS - fromS) }
      : { kind: 'fixed', fromS, toS }
  const feed = useFeed({
    queries: useMemo(
      () => [
        cpu(matching),
        watching(matching),
        watchingEstimated(matching),
        rebuffering(
          `estimate="no"${matching === '' ? '' : `,${matching}`}`,
          ({ instance }) => (instance === undefined ? null : `rebuffering/${instance}`),
          'instance',
        ),
        incidentHurt(incident.id),
      ],
      [matching, incident.id],
    ),
    queriesKey: `${incident.id} ${matching}`,
    window,
    widthPx: 600,
    paused: false,
  })
  const lines = (name: string): { key: string; label: string; colour: string }[] =>
    shown.map(id => ({ key: `${name}/${id}`, label: id, colour: seriesColour(id, all) }))
  if (shown.length === 0) return null
  // Players that tell nothing have no rebuffering: the chart is there only with something to draw.
  const felt = shown.some(id => feed.grid?.columns.get(`rebuffering/${id}`)?.some(cell => cell !== null))
  const charts = [
    {
      key: 'watching',
      title: 'Viewers',
      note: 'hurt, and watching each server',
      unit: 'count' as const,
      floorMax: 4,
      stepped: true,
    },
    {
      key: 'rebuffering',
      title: 'Rebuffering',
      note: 'measured, of viewing time',
      unit: 'percent' as const,
      floorMax: 0.02,
      stepped: false,
    },
    { key: 'cpu', title: 'CPU', note: 'cores', unit: 'cores' as const, floorMax: 1, stepped: false },
  ].filter(({ key }) => felt || key !== 'rebuffering')
  return (
    <section className="panel incident-chart" aria-label="Viewers above CPU">
      <CursorContext value={cursor}>
        {feed.problem === null ? null : (
          <p className="form-problem" role="alert">
            The chart is not fed: {feed.problem}
          </p>
        )}
        {charts.map(({ key, ...spec }) => (
          <ChartWithShare
            key={key}
            {...spec}
            series={key === 'watching' ? [HURT, ...lines(key)] : lines(key)}
            height={key === 'cpu' ? 132 : 110}
            showTimes={key === 'cpu'}
            grid={feed.grid}
            silentMs={silentMs}
            live={resolvedAt === null}
            onZoom={() => undefined}
            onBack={() => undefined}
          />
        ))}
      </CursorContext>
    </section>
  )
}
