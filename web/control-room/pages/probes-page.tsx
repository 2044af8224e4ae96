// Owns the page of probes: one sentence, and the matrix of who reaches whom below it. It is empty until a server joins.
import type { ReactNode } from 'react'
import type { ProbesAnswer } from '#wire'
import { useFleetNow, useProbes } from '../api/use-control-room.tsx'
import { matrixOf } from '../matrix/matrix.ts'
import { MatrixTable, NeighbourTable } from '../matrix/matrix-table.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { AroundThen } from '../past/around-then.tsx'
import { usePast } from '../past/past-context.tsx'
import '../matrix/matrix.css'

export function ProbesPage(): ReactNode {
  const probes = useProbes()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Probes</h1>
        <p className="quiet">Who reaches whom, each second, and whether it can be played from.</p>
      </header>
      {probes.data === undefined ? (
        probes.error === null ? (
          <Loading what="the probes" />
        ) : (
          <Problem error={probes.error} what="The probes" />
        )
      ) : (
        <Content answer={probes.data} />
      )}
    </div>
  )
}

function Content({ answer }: { readonly answer: ProbesAnswer }): ReactNode {
  const past = usePast()
  const now = useFleetNow() ?? answer.now
  if (answer.targets.length === 0) {
    return (
      <Empty title={past === null ? 'There is nobody to look at yet' : 'There was nobody to look at'}>
        <p>
          <code>npx vitrine server invite --region REGION</code> prints the line that makes a machine an edge;{' '}
          <code>npx vitrine server watch URL --id ID</code> looks at a server that is not ours.
        </p>
      </Empty>
    )
  }
  // Ages are counted from the moment that is shown.
  const matrix = matrixOf(past === null ? answer : { ...answer, now: past })
  const { tone, text } = matrix.sentence
  return (
    <>
      <p className="matrix-sentence" data-tone={tone} role="status">
        {past !== null && answer.cells.length === 0 ? 'Nothing is stored of looks at that moment.' : text}
      </p>
      <section className="panel matrix-panel" aria-label="Matrix">
        {answer.mesh === 'full' ? (
          <MatrixTable answer={answer} matrix={matrix} now={now} />
        ) : (
          <NeighbourTable answer={answer} matrix={matrix} now={now} />
        )}
      </section>
      <AroundThen />
      <p className="quiet matrix-key">
        A row is what one observer sees, a column is one server. A column of crosses is a sick server, a row
        of crosses a sick observer, a single cross a sick path.
      </p>
    </>
  )
}
