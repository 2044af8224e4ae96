// Owns the search for sessions of viewers: by edge, title, state, seconds of stalls, session id and reference, in any
// span of time, a page at a time, and all of them as a file. The address holds the whole question.
import { type FormEvent, type ReactNode, useId } from 'react'
import { useSearchParams } from 'wouter'
import { type SessionView, sessionStates, type ViewerSessionsAnswer } from '#wire'
import { useClient, useServers, useTitles } from '../api/use-control-room.tsx'
import { useViewerSessions } from '../api/use-viewers.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import { useSilence } from '../parts/shell.tsx'
import { formText } from '../people/form-text.ts'
import { inOrder } from '../server-order.ts'
import { duration } from '../time-format.ts'
import { figureText } from '../units.ts'
import { rangeSeconds, withChoices } from '../url-state.ts'
import { Choice } from '../viewers/choice.tsx'
import { SpanPicker } from '../viewers/span-picker.tsx'
import { StatePill } from '../viewers/state-pill.tsx'
import { ViewerHead } from '../viewers/viewer-tabs.tsx'
import { ratioText, shortSid, stallWords, startWords } from '../viewers/viewer-words.ts'
import '../viewers/viewers.css'
import { type PageWindow, useWindow } from './use-window.ts'

const PAGE = 50
const FILTERS = [
  'edge',
  'title',
  'state',
  'rebufferSMin',
  'sid',
  'viewerRef',
  'estimated',
  'attempt',
] as const

export function ViewerSessionsPage(): ReactNode {
  const page = useWindow('24h')
  const client = useClient()
  const [search, setSearch] = useSearchParams()
  const chosen = FILTERS.flatMap(name => {
    const value = search.get(name) ?? ''
    return value === '' ? [] : [[name, value] as const]
  })
  const before = search.get('before')
  const spanQuery = (): URLSearchParams => {
    const query = new URLSearchParams(chosen.map(([name, value]) => [name, value]))
    const now = client.clock.at(performance.now())
    const { window } = page
    if (window.kind === 'fixed') {
      query.set('from', String(window.fromS * 1000))
      query.set('to', String(window.toS * 1000))
    } else if (now !== null) query.set('from', String(Math.floor(now - rangeSeconds(window.range) * 1000)))
    return query
  }
  const pageQuery = (): URLSearchParams => {
    const query = spanQuery()
    query.set('limit', String(PAGE))
    if (before !== null) query.set('before', before)
    return query
  }
  const isLive = page.window.kind === 'live' && before === null
  const sessions = useViewerSessions([chosen, page.window, before], pageQuery, isLive)
  const silent = useSilence() > 0
  const set = (values: Readonly<Record<string, string>>): void =>
    setSearch(old => withChoices(old, { before: null, ...values }))
  return (
    <div className="page sessions-page" data-silent={silent || sessions.isPlaceholderData}>
      <ViewerHead title="Sessions" />
      <div className="viewer-tools">
        <SpanPicker page={page} />
      </div>
      <Filters key={JSON.stringify(chosen)} chosen={Object.fromEntries(chosen)} set={set} query={spanQuery} />
      {sessions.error !== null && !silent ? (
        <Problem error={sessions.error} what="The list" />
      ) : sessions.data === undefined ? (
        <Loading what="the sessions" />
      ) : (
        <Found answer={sessions.data} before={before} isNarrowed={chosen.length > 0} page={page} set={set} />
      )}
    </div>
  )
}

interface FoundProps {
  readonly answer: ViewerSessionsAnswer
  readonly before: string | null
  readonly isNarrowed: boolean
  readonly page: PageWindow
  readonly set: (values: Readonly<Record<string, string>>) => void
}

function Found({ answer, before, isNarrowed, page, set }: FoundProps): ReactNode {
  const { sessions, next } = answer
  if (sessions.length === 0) {
    return (
      <Empty title={before === null ? 'No session found' : 'There are no older ones'}>
        <p>
          {before !== null ? (
            <button type="button" className="zone-switch" onClick={() => set({ before: '' })}>
              To the newest
            </button>
          ) : isNarrowed ? (
            <button
              type="button"
              className="zone-switch"
              onClick={() => set(Object.fromEntries(FILTERS.map(name => [name, ''])))}
            >
              Search without filters
            </button>
          ) : page.window.kind === 'live' ? (
            'Nobody watched in this time. Choose a wider range.'
          ) : (
            'Nobody watched in this time.'
          )}
        </p>
      </Empty>
    )
  }
  return (
    <>
      <Table sessions={sessions} />
      <nav className="pager" aria-label="Pages of sessions">
        <p className="quiet" role="status">
          {sessions.length} sessions, newest first{before === null ? '' : ', older ones'}. Times in{' '}
          <ZoneSwitch />
        </p>
        {before === null ? null : (
          <button type="button" className="plain" onClick={() => set({ before: '' })}>
            Newest
          </button>
        )}
        <button
          type="button"
          className="plain"
          disabled={next === null}
          onClick={() => set({ before: next ?? '' })}
        >
          Older
        </button>
      </nav>
    </>
  )
}

interface FiltersProps {
  readonly chosen: Readonly<Record<string, string>>
  readonly set: FoundProps['set']
  readonly query: () => URLSearchParams
}

function Filters({ chosen, set, query }: FiltersProps): ReactNode {
  const id = useId()
  const edges = inOrder(useServers().data ?? []).filter(({ role }) => role === 'edge')
  const titles = useTitles().data ?? []
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    set(Object.fromEntries(FILTERS.map(name => [name, formText(fields, name).trim()])))
  }
  const file = `/api/v1/viewers/sessions`
  return (
    <form className="session-filters" role="search" aria-label="Find sessions" onSubmit={submit}>
      <Choice name="edge" label="Edge" any="any edge" chosen={chosen} values={edges.map(edge => edge.id)} />
      <Choice
        name="title"
        label="Title"
        any="any title"
        chosen={chosen}
        values={titles.map(title => title.id)}
      />
      <Choice name="state" label="State" any="any state" chosen={chosen} values={sessionStates} />
      <Choice
        name="attempt"
        label="Start"
        any="any"
        chosen={chosen}
        values={['started', 'starting', 'exit', 'failure']}
      />
      <Choice
        name="estimated"
        label="Known from"
        any="any"
        chosen={chosen}
        values={['no', 'yes']}
        words={{ no: 'the player', yes: 'an estimate' }}
      />
      <label>
        Stalled for at least, s
        <input
          type="number"
          name="rebufferSMin"
          min="0"
          step="any"
          inputMode="decimal"
          defaultValue={chosen['rebufferSMin']}
        />
      </label>
      <label>
        Session id
        <input type="text" name="sid" maxLength={128} defaultValue={chosen['sid']} spellCheck={false} />
      </label>
      <label htmlFor={id}>
        Reference
        <input
          id={id}
          type="text"
          name="viewerRef"
          maxLength={128}
          defaultValue={chosen['viewerRef']}
          spellCheck={false}
          title="As the operator’s own site knows the viewer"
        />
      </label>
      <div className="session-buttons">
        <button type="submit" className="solid">
          Find
        </button>
        {(['csv', 'ndjson'] as const).map(kind => (
          <a
            key={kind}
            className="plain"
            href={`${file}.${kind}?${query().toString()}`}
            download
            // The range ends now, and not when the page was drawn.
            onClick={event => {
              event.currentTarget.href = `${file}.${kind}?${query().toString()}`
            }}
          >
            {kind.toUpperCase()}
          </a>
        ))}
      </div>
    </form>
  )
}

function Table({ sessions }: { readonly sessions: readonly SessionView[] }): ReactNode {
  return (
    <section className="panel table-panel sessions-table" aria-label="Found">
      <table>
        <thead>
          <tr>
            <th scope="col">Session</th>
            <th scope="col">State</th>
            <th scope="col">Began</th>
            <th scope="col" className="number">
              Start time
            </th>
            <th scope="col" className="number">
              Watched
            </th>
            <th scope="col" className="number">
              Rebuffering
            </th>
            <th scope="col" className="number">
              Bitrate
            </th>
            <th scope="col">Edges</th>
            <th scope="col">Player</th>
          </tr>
        </thead>
        <tbody>
          {sessions.map(session => (
            <SessionRow key={session.sid} session={session} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function SessionRow({ session }: { readonly session: SessionView }): ReactNode {
  const { sid, title, state, startedAt, watchedS, rebufferS, rebuffers, bitrateBps } = session
  const edges = [...new Set(session.edges.map(({ id }) => id))]
  const asked = watchedS + rebufferS
  return (
    <tr>
      <th scope="row">
        <Link href={`/sessions/${encodeURIComponent(sid)}`} title={sid}>
          {shortSid(sid)}
        </Link>
        <small>
          {title ?? 'no title'}
          {session.viewerRef === null
            ? ''
            : `, ${session.viewerRef.slice(0, 12)} (${session.viewerRefIs ?? 'claimed'})`}
        </small>
      </th>
      <td data-label="State">
        <StatePill session={session} />
        {state !== 'failed' && session.errors > 0 ? (
          <small>
            {session.errors} {session.errors === 1 ? 'error' : 'errors'}
          </small>
        ) : null}
      </td>
      <td data-label="Began">
        <Moment at={startedAt} />
      </td>
      <td className="number" data-label="Start time">
        {startWords(session)}
      </td>
      <td className="number" data-label="Watched">
        {duration(watchedS * 1000)}
      </td>
      <td className="number" data-label="Rebuffering" data-lost={rebuffers > 0 || rebufferS > 0}>
        {stallWords(session)}
        {rebuffers > 0 || rebufferS > 0 ? (
          <small>
            {rebuffers} {rebuffers === 1 ? 'stall' : 'stalls'}
            {rebufferS > 0 ? `, ${ratioText(rebufferS / asked)}` : ''}
          </small>
        ) : null}
      </td>
      <td className="number" data-label="Bitrate">
        {figureText(bitrateBps, 'bits')}
      </td>
      <td data-label="Edges">{edges.length === 0 ? 'not known' : edges.join(', ')}</td>
      <td data-label="Player">
        {session.player ?? 'not known'}
        {session.viewerRegion === null ? null : <small>{session.viewerRegion}</small>}
      </td>
    </tr>
  )
}
