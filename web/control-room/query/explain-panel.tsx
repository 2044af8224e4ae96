// Owns the explanation of a query: what the store says that it cost, by stage, and what this browser saw of it.
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useClient } from '../api/use-control-room.tsx'
import { alignDown, stepFor } from '../charts/grid.ts'
import type { PageWindow } from '../pages/use-window.ts'
import { Loading } from '../parts/answers.tsx'
import { figureText } from '../units.ts'
import { askToExplain, type Explanation, type Span } from './ask.ts'
import { fleetNowMs, waitForTime } from './fleet-time.ts'
import { ProblemBox } from './problem-box.tsx'
import type { ResultProps } from './result-table.tsx'
import type { Stage } from './stats.ts'

/** As wide as the graph's, so that the same question is explained. */
const WIDTH_PX = 1_000

export interface ExplainProps extends ResultProps {
  readonly page: PageWindow
}

export function ExplainPanel({ expr, goTo, page }: ExplainProps): ReactNode {
  const client = useClient()
  const answer = useQuery({
    queryKey: ['explain', expr, JSON.stringify(page.feed)],
    queryFn: ({ signal }) => {
      const span = spanOf(page, fleetNowMs(client))
      return askToExplain(client, expr, span, signal)
    },
    ...waitForTime,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  })
  if (answer.error !== null) return <ProblemBox error={answer.error} expr={expr} goTo={goTo} />
  if (answer.data === undefined) return <Loading what="the explanation" />
  return (
    <section className="panel explain" aria-label="Explanation">
      <header>
        <h2>What this question costs</h2>
        <button type="button" className="plain" onClick={() => void answer.refetch()}>
          Measure again
        </button>
      </header>
      <Costs explanation={answer.data} />
    </section>
  )
}

function spanOf({ feed }: PageWindow, nowMs: number): Span {
  if (feed.kind === 'fixed') {
    return { fromS: feed.fromS, toS: feed.toS, stepS: stepFor(feed.toS - feed.fromS, WIDTH_PX) }
  }
  const stepS = stepFor(feed.seconds, WIDTH_PX)
  const toS = alignDown(nowMs / 1000, stepS)
  return { fromS: alignDown(toS - feed.seconds, stepS), toS, stepS }
}

function Costs({ explanation }: { readonly explanation: Explanation }): ReactNode {
  const { series, samples, steps, answeredMs, stats } = explanation
  return (
    <>
      <dl className="facts-row">
        <Fact name="Answered in">{figureText(answeredMs / 1000, 'seconds')}</Fact>
        {stats?.totalMs === undefined || stats.totalMs === null ? null : (
          <Fact name="Of which in the store">{figureText(stats.totalMs / 1000, 'seconds')}</Fact>
        )}
        <Fact name="Series in the answer">{figureText(series, 'count')}</Fact>
        <Fact name="Samples in the answer">{figureText(samples, 'count')}</Fact>
        <Fact name="Moments evaluated">{figureText(steps, 'count')}</Fact>
        {(stats?.counts ?? []).map(({ name, value }) => (
          <Fact key={name} name={name}>
            {figureText(value, 'plain')}
          </Fact>
        ))}
      </dl>
      {stats === null ? (
        <p className="quiet">This metrics store does not tell which series and samples it touched.</p>
      ) : stats.stages.length === 0 ? null : (
        <Stages stages={stats.stages} />
      )}
    </>
  )
}

function Stages({ stages }: { readonly stages: readonly Stage[] }): ReactNode {
  const sumMs = stages.reduce((sum, { ms }) => sum + ms, 0)
  return (
    <table className="stages">
      <caption>Time by stage, {figureText(sumMs / 1000, 'seconds')} together</caption>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col" className="number">
            Time
          </th>
          <th scope="col">Share</th>
        </tr>
      </thead>
      <tbody>
        {stages.map(({ name, ms }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="number">{figureText(ms / 1000, 'seconds')}</td>
            <td>
              <meter
                min={0}
                max={1}
                value={sumMs === 0 ? 0 : ms / sumMs}
                aria-label={`${name}, share of the time`}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
