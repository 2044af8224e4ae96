// Owns the page of drills: the one that goes on, beginning one, and how the past ones went.
import { type ReactNode, useState } from 'react'
import { type DrillsAnswer, drillKinds, mayAct } from '#wire'
import { useMe } from '../api/use-control-room.tsx'
import { useBeginDrill, useDrills } from '../api/use-drills.ts'
import { DrillReport, LiveDrill } from '../drills/drill-report.tsx'
import { drillTitles } from '../drills/drill-words.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import '../runbooks/runbooks.css'

export function DrillsPage(): ReactNode {
  const { data, error } = useDrills()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Drills</h1>
      </header>
      {data === undefined ? (
        error === null ? (
          <Loading what="drills" />
        ) : (
          <Problem error={error} what="Drills" />
        )
      ) : (
        <Drills answer={data} />
      )}
    </div>
  )
}

function Drills({ answer }: { readonly answer: DrillsAnswer }): ReactNode {
  const running = answer.drills.filter(({ state }) => state === 'running')
  const [last, ...earlier] = answer.drills.filter(({ state }) => state !== 'running')
  return (
    <>
      <p className="drill-said">
        A drill hurts marked servers of the local fleet and undoes everything. It stands in for the operator
        only: finding, explaining and moving viewers are the control room’s own. This machine’s clock is never
        touched.
      </p>
      {running.map(drill => (
        <LiveDrill key={drill.id} drill={drill} />
      ))}
      {running.length > 0 ? null : <Begin answer={answer} />}
      {last === undefined ? (
        running.length > 0 ? null : (
          <Empty title="Nothing was rehearsed yet">
            <p>Its score will stand here, with the incident that it opened.</p>
          </Empty>
        )
      ) : (
        <>
          <h2>Last drill</h2>
          <DrillReport key={last.id} drill={last} open />
        </>
      )}
      {earlier.length === 0 ? null : <h2>Earlier drills</h2>}
      {earlier.map(drill => (
        <DrillReport key={drill.id} drill={drill} open={false} />
      ))}
    </>
  )
}

function Begin({ answer }: { readonly answer: DrillsAnswer }): ReactNode {
  const { data: me } = useMe()
  const begin = useBeginDrill()
  const [ring, setRing] = useState(false)
  const may = me !== undefined && mayAct(me.role, 'admin')
  const problem =
    answer.problem ?? (answer.targets.length === 0 ? 'No server is marked as a drill target.' : null)
  const why = problem ?? (may ? null : 'Admins begin drills.')
  return (
    <>
      <div className="drill-kinds">
        {drillKinds.map(kind => {
          const { title, text } = drillTitles[kind]
          return (
            <section key={kind} className="panel" aria-label={title}>
              <h3>{title}</h3>
              <p>{text}</p>
              {why !== null ? null : (
                <button
                  type="button"
                  className="plain"
                  aria-label={`Begin: ${title}`}
                  disabled={begin.isPending}
                  onClick={() => begin.mutate({ drill: kind, ring })}
                >
                  Begin
                </button>
              )}
            </section>
          )
        })}
      </div>
      {why !== null ? (
        <p>{why}</p>
      ) : (
        <div className="drill-acts">
          <label className="drill-ring">
            <input type="checkbox" checked={ring} onChange={event => setRing(event.target.checked)} /> Ring
            people as on a real night; else nobody is told
          </label>
          <span>May be hurt: {answer.targets.join(', ')}</span>
        </div>
      )}
      {begin.error === null ? null : <Problem error={begin.error} what="The drill" />}
    </>
  )
}
