// Owns the answer to "why was I on that edge?": where a session came in and each change, with version and reason.
import type { ReactNode } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useSessionPathways } from '../api/use-steering.ts'
import { Loading, Problem } from '../parts/answers.tsx'
import { Lasting, Moment } from '../parts/moment.tsx'

export function SessionTimeline({
  sid,
  choose,
}: {
  readonly sid: string
  readonly choose: (version: number) => void
}): ReactNode {
  const { data, error } = useSessionPathways(sid)
  if (data === undefined) {
    if (error === null) return <Loading what="the session" />
    if (error instanceof ApiProblem && error.status === 404) {
      return (
        <p className="quiet" role="status">
          No session with this id was fed by an edge in the last 7 days. Ids are told apart by upper and lower
          case.
        </p>
      )
    }
    return <Problem error={error} what="The session" />
  }
  const { changes, edge, estimated } = data
  const last = changes.at(-1)
  return (
    <>
      <p className="session-now" role="status">
        {edge === null ? 'It does not play now' : `It is on ${edge} now`}
        {last === undefined ? '' : `; title ${last.title}`}.
        {estimated
          ? ' The player tells no session id: others behind the same address with the same player count as this one.'
          : ''}
      </p>
      <ol className="pathways">
        {changes.map(({ at, edge: to, from, version, reason }, index) => (
          <li key={`${at}/${to}`}>
            <span className="pathway-when">
              <Moment at={at} />
            </span>
            <span className="pathway-edge">
              <b>{to}</b>
              <small>
                {from === null ? 'came in' : `from ${from}`}
                {', '}
                <Stay from={at} to={changes[index + 1]?.at ?? null} plays={edge !== null} />
              </small>
            </span>
            <span className="pathway-why">{reason}</span>
            {version === null ? (
              <span className="quiet">no version told</span>
            ) : (
              <button type="button" className="plain" onClick={() => choose(version)}>
                Version {version}
              </button>
            )}
          </li>
        ))}
      </ol>
    </>
  )
}

function Stay({
  from,
  to,
  plays,
}: {
  readonly from: number
  readonly to: number | null
  readonly plays: boolean
}): ReactNode {
  if (to === null) return plays ? <Lasting from={from} to={null} /> : <>its last</>
  return <Lasting from={from} to={to} />
}
