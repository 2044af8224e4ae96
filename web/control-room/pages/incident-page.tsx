// Owns the page of one incident, made for a phone at night: whether to get up, whom it hurts, why, who has it; what
// proves it stands below. The control room writes its first screen; this takes over as soon as it can show as much.
import { type ReactNode, useLayoutEffect, useState } from 'react'
import { useAct, useIncident } from '../api/use-incidents.ts'
import { AffectedPanel } from '../incidents/affected-panel.tsx'
import { DoingPanel, ThumbBar } from '../incidents/doing-panel.tsx'
import { takeOver } from '../incidents/first-screen.ts'
import { IncidentChart } from '../incidents/incident-chart.tsx'
import { toneOfIncident } from '../incidents/incident-words.ts'
import { Changes, Evidence, Showing } from '../incidents/proof-panels.tsx'
import { RunsPanel } from '../incidents/runs-panel.tsx'
import { StoryPanel } from '../incidents/story-panel.tsx'
import { Timeline } from '../incidents/timeline-panel.tsx'
import { CausePanel, VerdictPanel } from '../incidents/verdict-panel.tsx'
import { Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { RunTheFix } from '../runbooks/run-the-fix.tsx'
import '../incidents/incidents.css'

export function IncidentPage({ id }: { readonly id: string }): ReactNode {
  const answer = useIncident(id)
  const act = useAct(id)
  const [fixing, setFixing] = useState(false)
  const isHere = answer.data !== undefined
  useLayoutEffect(() => {
    // While there is nothing to show, what the control room wrote stays: it can be read, and its forms work.
    if (isHere) takeOver()
  }, [isHere])
  if (answer.data === undefined) {
    return (
      <div className="page">
        {answer.error === null ? (
          <Loading what="the incident" />
        ) : (
          <Problem error={answer.error} what="The incident" />
        )}
        <p>
          <Link href="/incidents">All incidents</Link>
        </p>
      </div>
    )
  }
  const { incident } = answer.data
  return (
    <div className="page incident-page" data-tone={toneOfIncident(incident)}>
      <div className="incident-body">
        <div>
          <VerdictPanel answer={answer.data} />
          <CausePanel incident={incident} />
          <DoingPanel answer={answer.data} act={act} />
          <ThumbBar answer={answer.data} act={act} fixing={fixing} onFix={() => setFixing(!fixing)} />
          {fixing ? <RunTheFix incident={id} /> : null}
        </div>
        <div>
          <Evidence incident={incident} />
          <Changes answer={answer.data} />
          <Showing answer={answer.data} />
        </div>
        <div className="incident-wide">
          <StoryPanel answer={answer.data} />
          <IncidentChart incident={incident} now={answer.data.now} />
          <RunsPanel incident={id} />
          <Timeline answer={answer.data} act={act} />
          <AffectedPanel answer={answer.data} />
        </div>
      </div>
    </div>
  )
}
