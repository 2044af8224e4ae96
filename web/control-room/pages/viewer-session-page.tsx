// Owns one session of a viewer: what it came to, its time line above the CPU of its edges, its stalls with whom they are
// laid to, and everything that was said, as text.
import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { mayAct, type ViewerSessionAnswer } from '#wire'
import { ApiProblem } from '../api/client.ts'
import { useMe } from '../api/use-control-room.tsx'
import { useDeleteSession, useViewerSession } from '../api/use-viewers.ts'
import { Cursor } from '../charts/cursor.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Link } from '../parts/link.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import { useSilence } from '../parts/shell.tsx'
import { useSettings } from '../settings.tsx'
import { duration, timeOfDay } from '../time-format.ts'
import { figureText } from '../units.ts'
import { SessionChart } from '../viewers/session-chart.tsx'
import { StallsPanel } from '../viewers/stalls-panel.tsx'
import { StatePill } from '../viewers/state-pill.tsx'
import { eventText, ratioText, saidBy, stallWords, startWords } from '../viewers/viewer-words.ts'
import '../viewers/viewers.css'

export function ViewerSessionPage({ sid }: { readonly sid: string }): ReactNode {
  const { data, error } = useViewerSession(sid)
  const [cursor] = useState(() => new Cursor())
  const silent = useSilence() > 0
  if (data === undefined) {
    const isGone = error instanceof ApiProblem && error.status === 404
    return (
      <div className="page">
        <h1 className="visually-hidden">Session</h1>
        {error === null ? (
          <Loading what="the session" />
        ) : isGone ? (
          <Empty title="No such session is stored">
            <p>
              Sessions are kept for some weeks (<code>control.viewers.retentionDays</code>), and can be
              deleted. <Link href="/sessions">To the sessions</Link>
            </p>
          </Empty>
        ) : (
          <Problem error={error} what="The session" />
        )}
      </div>
    )
  }
  return (
    <div className="page session-page" data-silent={silent}>
      <Head answer={data} />
      <SessionChart answer={data} cursor={cursor} />
      <div className="session-body">
        <StallsPanel session={data.session} cursor={cursor} />
        <EdgesPanel answer={data} />
      </div>
      <Said answer={data} />
    </div>
  )
}

function Head({ answer }: { readonly answer: ViewerSessionAnswer }): ReactNode {
  const { session, network, records, clockOffsetMs, lastError } = answer
  const { data: me } = useMe()
  const asked = session.watchedS + session.rebufferS
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Began', <Moment key="began" at={session.startedAt} />],
    [
      session.endedAt === null ? 'Goes on' : 'Lasted',
      duration((session.endedAt === null ? answer.now : session.lastAt) - session.startedAt),
    ],
    ['Start time', startWords(session)],
    ['Watched', duration(session.watchedS * 1000)],
    [
      'Rebuffering',
      session.rebuffers === 0 && session.rebufferS === 0
        ? 'none'
        : `${stallWords(session)} in ${session.rebuffers} ${session.rebuffers === 1 ? 'stall' : 'stalls'}${session.rebufferS === 0 ? '' : `, ${ratioText(session.rebufferS / asked)}`}`,
    ],
    [
      'Bitrate',
      session.bitrateBps === null
        ? 'not told'
        : `${figureText(session.bitrateBps, 'bits')}, at most ${figureText(session.bitratePeakBps, 'bits')}, ${session.switches} ${session.switches === 1 ? 'switch' : 'switches'}`,
    ],
    [
      'Errors',
      session.errors === 0 ? 'none' : `${session.errors}${lastError === null ? '' : `: ${lastError}`}`,
    ],
    ['Player', session.player ?? 'not known'],
    ['Region', session.viewerRegion ?? 'not known'],
    ...(network === null ? [] : [['Network', network] as const]),
    ...(session.viewerRef === null
      ? []
      : [[`Reference, ${session.viewerRefIs ?? 'claimed'}`, session.viewerRef] as const]),
    ...(session.grantRefused === null ? [] : [['Grant', `proves nothing: ${session.grantRefused}`] as const]),
    ...(session.unattributedS < 0.05
      ? []
      : [['Fed by no known edge', `${session.unattributedS.toFixed(1)} s`] as const]),
    [
      'Records',
      `${records.events} events, ${records.requests} requests${records.duplicates === 0 ? '' : `, ${records.duplicates} twice`}${records.late === 0 ? '' : `, ${records.late} late`}`,
    ],
    ...(clockOffsetMs === null ? [] : [['Clock of the player', clockWords(clockOffsetMs)] as const]),
  ]
  return (
    <header className="session-head">
      <p className="session-up">
        <Link href="/sessions">Sessions</Link>
      </p>
      <div className="session-title">
        <h1>{session.title ?? 'No title'}</h1>
        <StatePill session={session} />
        <ZoneSwitch />
        {me !== undefined && mayAct(me.role, 'admin') ? <Delete sid={session.sid} /> : null}
      </div>
      <p className="session-sid">
        <code>{session.sid}</code>
      </p>
      {session.estimated ? (
        <p className="estimate-note">
          This player tells nothing of itself: what stands here is estimated from its requests.
        </p>
      ) : null}
      <dl className="facts-row">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </header>
  )
}

/** `offset`: fleet time minus its clock. */
function clockWords(offsetMs: number): string {
  const size = Math.abs(offsetMs)
  if (size < 1000) return 'right within a second'
  return `${duration(size)} ${offsetMs > 0 ? 'behind' : 'ahead'}, corrected`
}

function Delete({ sid }: { readonly sid: string }): ReactNode {
  const [, goTo] = useLocation()
  const remove = useDeleteSession(sid, () => goTo('/sessions'))
  return (
    <div className="session-delete">
      <ConfirmButton
        verb="Delete"
        what="this session"
        warning="All that is stored of this session goes, for good; sums of metrics stay. It is noted in the audit."
        onConfirm={() => remove.mutate()}
      />
      {remove.error === null ? null : (
        <p className="form-problem" role="alert">
          It was not deleted: {remove.error.message}
        </p>
      )}
    </div>
  )
}

function EdgesPanel({ answer }: { readonly answer: ViewerSessionAnswer }): ReactNode {
  const { session } = answer
  return (
    <section className="panel" aria-label="Edges">
      <header>
        <h2>Edges</h2>
      </header>
      {session.edges.length === 0 ? (
        <p className="quiet">No edge is known to have fed it.</p>
      ) : (
        <ol className="edge-runs">
          {session.edges.map(({ id, fromAt, toAt, by }) => (
            <li key={`${id}/${fromAt}`}>
              <Moment at={fromAt} />
              <p>
                <Link href={`/servers/${id}`}>{id}</Link> for {duration(toAt - fromAt)}
                <span>so says {saidBy(by)}</span>
              </p>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

/** The whole of it as text, for those who read rather than look. */
function Said({ answer }: { readonly answer: ViewerSessionAnswer }): ReactNode {
  const { zone } = useSettings()
  const { timeline, answers } = answer
  return (
    <section className="panel session-said" aria-label="All that was said">
      <details>
        <summary>
          What the player said <span className="quiet">{timeline.length}</span>
        </summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Event</th>
              <th scope="col" className="number">
                Buffer
              </th>
              <th scope="col" className="number">
                Bitrate
              </th>
            </tr>
          </thead>
          <tbody>
            {timeline.map((said, at) => (
              <tr key={`${said.at}/${at}`}>
                <td>{timeOfDay(said.at, zone)}</td>
                <td>{eventText(said)}</td>
                <td className="number">{figureText(said.bufferS, 'seconds')}</td>
                <td className="number">{figureText(said.bitrateBps, 'bits')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
      <details>
        <summary>
          Last answers, as edges and the player saw them <span className="quiet">{answers.length}</span>
        </summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Edge</th>
              <th scope="col">Seen by</th>
              <th scope="col" className="number">
                Status
              </th>
              <th scope="col" className="number">
                First byte
              </th>
              <th scope="col" className="number">
                Last byte
              </th>
              <th scope="col" className="number">
                Origin
              </th>
            </tr>
          </thead>
          <tbody>
            {answers.map((one, at) => (
              <tr key={`${one.at}/${one.seenBy}/${at}`}>
                <td>{timeOfDay(one.at, zone)}</td>
                <td>{one.edge ?? 'not known'}</td>
                <td>{one.seenBy}</td>
                <td className="number">{one.status ?? '–'}</td>
                <td className="number">{inMs(one.firstByteMs)}</td>
                <td className="number">{inMs(one.lastByteMs)}</td>
                <td className="number">{inMs(one.upstreamMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  )
}

function inMs(ms: number | null): string {
  return figureText(ms === null ? null : ms / 1000, 'seconds')
}
