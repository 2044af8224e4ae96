// Owns the page of steering: what the table said when and why, and why one session was on an edge. Session and version
// stand in the address, so that an answer can be sent to whoever asked.
import { type FormEvent, type ReactNode, useState } from 'react'
import { useSearchParams } from 'wouter'
import { useSteeringVersion, useSteeringVersions } from '../api/use-steering.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import { SessionTimeline } from '../steering/session-timeline.tsx'
import { VersionDetail } from '../steering/version-detail.tsx'
import { VersionList } from '../steering/version-list.tsx'
import { withChoices } from '../url-state.ts'
import '../steering/steering.css'

export function SteeringPage(): ReactNode {
  const [search, setSearch] = useSearchParams()
  const session = search.get('session') ?? ''
  const text = search.get('version') ?? ''
  const version = /^\d{1,15}$/.test(text) ? Number(text) : null
  const set = (name: 'session' | 'version', value: string): void =>
    setSearch(before => withChoices(before, { [name]: value }))
  const choose = (chosen: number | null): void => set('version', chosen === null ? '' : String(chosen))
  return (
    <div className="page steering-page">
      <header className="page-head">
        <h1>Steering</h1>
        <p className="quiet">
          Which edge new viewers are sent to, since when, and why. Times in <ZoneSwitch />
        </p>
      </header>
      <section className="panel why-session" aria-label="One session">
        <header>
          <h2>Why was a viewer on that edge?</h2>
        </header>
        <SessionForm key={session} session={session} ask={sid => set('session', sid)} />
        {session === '' ? null : <SessionTimeline sid={session} choose={choose} />}
      </section>
      <Versions version={version} choose={choose} />
    </div>
  )
}

function SessionForm({
  session,
  ask,
}: {
  readonly session: string
  readonly ask: (sid: string) => void
}): ReactNode {
  const [text, setText] = useState(session)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    ask(text.trim())
  }
  return (
    <form className="session-form" onSubmit={submit}>
      <label htmlFor="session-id">Session id</label>
      <input
        id="session-id"
        type="search"
        maxLength={128}
        spellCheck={false}
        autoComplete="off"
        placeholder="shown by the player page, or the CMCD sid of the player"
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <button type="submit" className="solid">
        Show
      </button>
    </form>
  )
}

function Versions({
  version,
  choose,
}: {
  readonly version: number | null
  readonly choose: (version: number | null) => void
}): ReactNode {
  const { data, error } = useSteeringVersions()
  // Both panels come at once: the list would be pushed down by a table that comes after it.
  const first = useSteeringVersion(version ?? data?.versions[0]?.version ?? null)
  if (data === undefined || first.isLoading) {
    return error === null ? <Loading what="the versions" /> : <Problem error={error} what="The versions" />
  }
  const [newest] = data.versions
  if (newest === undefined) {
    return (
      <Empty title="No table has been made yet">
        <p>The first one is made when the first edge connects.</p>
      </Empty>
    )
  }
  return (
    <div className="steering-body">
      <VersionDetail
        version={version ?? newest.version}
        isNewest={(version ?? newest.version) === newest.version}
      />
      <section className="panel" aria-label="Versions">
        <header>
          <h2>Versions of the table</h2>
          {data.keptSince === null ? null : (
            <span className="quiet">
              kept since <Moment at={data.keptSince} />
            </span>
          )}
        </header>
        <VersionList versions={data.versions} chosen={version ?? newest.version} choose={choose} />
        {data.more ? (
          <p className="quiet">
            The newest {data.versions.length}. Older ones:{' '}
            <code>/api/v1/steering/versions?from=&amp;to=</code>
          </p>
        ) : null}
      </section>
    </div>
  )
}
