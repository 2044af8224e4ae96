// Owns the page behind a share link: charts as they were frozen, for whoever has the link. It asks for nothing else.
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { SHARE_HEADER, type SharedAnswer, sharedAnswer } from '#wire'
import { ApiProblem } from '../api/client.ts'
import { useClient } from '../api/use-control-room.tsx'
import { spanMs } from '../charts/chart-spec.ts'
import { Cursor, CursorContext } from '../charts/cursor.tsx'
import { TimeChart } from '../charts/time-chart.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { ZoneSwitch } from '../parts/moment.tsx'
import { useSettings } from '../settings.tsx'
import { sheetOf } from '../take-along/snapshot.ts'
import { TakeAlong } from '../take-along/take-along.tsx'
import { dayAndTime } from '../time-format.ts'

const nothing = (): void => undefined

export function SharedPage(): ReactNode {
  const client = useClient()
  const [code] = useState(() => new URLSearchParams(location.hash.slice(1)).get('code') ?? '')
  const shared = useQuery({
    queryKey: ['shared', code],
    queryFn: ({ signal }) => client.get('/api/v1/shared', sharedAnswer, signal, { [SHARE_HEADER]: code }),
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  })
  return (
    <main className="page shared">
      {shared.data !== undefined ? (
        <Frozen answer={shared.data} />
      ) : shared.error === null ? (
        <Loading what="the shared graph" />
      ) : shared.error instanceof ApiProblem && shared.error.status === 404 ? (
        <Empty title="There is nothing behind this link">
          <p>It was revoked, has expired, or is not whole. Ask whoever sent it for another one.</p>
        </Empty>
      ) : (
        <Problem error={shared.error} what="The shared graph" />
      )}
    </main>
  )
}

function Frozen({ answer }: { readonly answer: SharedAnswer }): ReactNode {
  const { createdAt, expiresAt } = answer
  const [sheet] = useState(() => sheetOf(answer.snapshot))
  const [cursor] = useState(() => new Cursor())
  const { zone } = useSettings()
  const { title, words, grid, charts, marks } = sheet
  const span = grid === null ? null : spanMs(grid)
  return (
    <CursorContext value={cursor}>
      <header className="shared-head">
        <div>
          <h1>{title}</h1>
          <p className="quiet">
            {span === null ? '' : `${dayAndTime(span.fromMs, zone)} to ${dayAndTime(span.toMs, zone)}`}{' '}
            <ZoneSwitch />
          </p>
        </div>
        <TakeAlong sheet={() => sheet} frozen />
      </header>
      {words === null ? null : <p className="shared-words">{words}</p>}
      <section className="panel charts" aria-label="Charts">
        {charts.map(({ key, ...spec }) => (
          <TimeChart
            key={key}
            {...spec}
            grid={grid}
            marks={marks}
            silentMs={0}
            live={false}
            onZoom={nothing}
            onBack={nothing}
          />
        ))}
      </section>
      <p className="quiet">
        <img src="/watch-assets/mark.svg" alt="" width="18" height="18" /> A copy from a Vitrine control room,
        frozen {dayAndTime(createdAt, zone)}; this link ends {dayAndTime(expiresAt, zone)}.
      </p>
    </CursorContext>
  )
}
