// Owns who watches now: one number with its definition, by edge, title, region and player, and the last hour of it.
import type { ReactNode } from 'react'
import type { ViewersNowAnswer } from '#wire'
import { useViewersNow } from '../api/use-viewers.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { useSilence } from '../parts/shell.tsx'
import { grouped } from '../units.ts'
import { Defined } from '../viewers/defined.tsx'
import { Multiples } from '../viewers/multiples.tsx'
import { PartsPanel } from '../viewers/parts-panel.tsx'
import { ViewerHead } from '../viewers/viewer-tabs.tsx'
import { estimatedWords, WATCHING_DEFINITION } from '../viewers/viewer-words.ts'
import '../viewers/viewers.css'

export function ViewersPage(): ReactNode {
  const { data, error } = useViewersNow()
  const silent = useSilence() > 0
  return (
    <div className="page viewers-page" data-silent={silent}>
      <ViewerHead title="Viewers" />
      {data !== undefined ? (
        <Now answer={data} />
      ) : error === null ? (
        <Loading what="the viewers" />
      ) : (
        <Problem error={error} what="Who is watching" />
      )}
    </div>
  )
}

function Now({ answer }: { readonly answer: ViewersNowAnswer }): ReactNode {
  const { watching, simulated, byEdge, byTitle, byRegion, byPlayer } = answer
  return (
    <>
      <p className="watching-now">
        <b>{grouped(watching)}</b>
        <span>
          <Defined definition={WATCHING_DEFINITION}>
            {watching === 1 ? 'viewer is watching' : 'viewers are watching'}
          </Defined>
          <small>
            {[estimatedWords(answer), simulated === 0 ? '' : `${grouped(simulated)} simulated`]
              .filter(text => text !== '')
              .join(', ')}
          </small>
        </span>
      </p>
      {watching === 0 ? (
        <Empty title="Nobody is watching">
          <p>
            Open <a href="/watch/sample">the sample title</a> in another tab, or let{' '}
            <code>npx vitrine simulate viewers</code> make some. <Link href="/sessions">Sessions</Link> has
            those of the last days.
          </p>
        </Empty>
      ) : (
        <div className="parts-grid">
          <PartsPanel
            title="By edge"
            parts={byEdge}
            watching={watching}
            hrefOf={name => (name === 'unknown' || name === 'other' ? null : `/servers/${name}`)}
          />
          <PartsPanel
            title="By title"
            parts={byTitle}
            watching={watching}
            hrefOf={name =>
              name === 'unknown' || name === 'other' ? null : `/sessions?title=${encodeURIComponent(name)}`
            }
          />
          <PartsPanel title="By viewer’s region" parts={byRegion} watching={watching} />
          <PartsPanel title="By player" parts={byPlayer} watching={watching} />
        </div>
      )}
      <Multiples />
    </>
  )
}
