// Owns whom something concerned: viewers who lost seconds or could not start in any span of time, measured and estimated
// apart, how many more than among their peers, each with its evidence, and all as a file. The address holds the question.
import { type FormEvent, type ReactNode, useState } from 'react'
import { useSearchParams } from 'wouter'
import { type AffectedAnswer, titleClasses } from '#wire'
import { useClient, useServers, useTitles } from '../api/use-control-room.tsx'
import { useAffected } from '../api/use-viewers.ts'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { ZoneSwitch } from '../parts/moment.tsx'
import { useSilence } from '../parts/shell.tsx'
import { formText } from '../people/form-text.ts'
import { inOrder } from '../server-order.ts'
import { useSettings } from '../settings.tsx'
import { rangeSeconds, withChoices } from '../url-state.ts'
import { AffectedCounted } from '../viewers/affected-counted.tsx'
import { AffectedTable } from '../viewers/affected-table.tsx'
import { Choice } from '../viewers/choice.tsx'
import { SpanPicker } from '../viewers/span-picker.tsx'
import { ViewerHead } from '../viewers/viewer-tabs.tsx'
import { peersOf } from '../viewers/viewer-words.ts'
import '../viewers/viewers.css'
import { useWindow } from './use-window.ts'

const FIELDS = ['edge', 'region', 'class', 'title', 'lostSMin', 'waitedSMin'] as const
type Chosen = Readonly<Partial<Record<(typeof FIELDS)[number], string>>>
const SECONDS_DEFAULT = '3'
/** A page of them; the file has all. */
const SHOWN = 100

export function AffectedPage(): ReactNode {
  const page = useWindow('1h')
  const client = useClient()
  const [search, setSearch] = useSearchParams()
  const chosen: Chosen = Object.fromEntries(
    FIELDS.flatMap(name => {
      const value = search.get(name) ?? ''
      return value === '' ? [] : [[name, value]]
    }),
  )
  const query = (): URLSearchParams => {
    const { feed } = page
    const now = client.clock.at(performance.now()) ?? 0
    const to = feed.kind === 'fixed' ? feed.toS * 1000 : Math.ceil(now)
    const from = feed.kind === 'fixed' ? feed.fromS * 1000 : Math.floor(to - feed.seconds * 1000)
    return new URLSearchParams({ from: String(from), to: String(to), ...chosen })
  }
  const affected = useAffected([chosen, page.feed], query, page.feed.kind === 'live')
  const silent = useSilence() > 0
  const set = (values: Chosen): void =>
    setSearch(before => withChoices(before, Object.fromEntries(FIELDS.map(name => [name, values[name]]))))
  return (
    <div className="page affected-page" data-silent={silent || affected.isPlaceholderData}>
      <ViewerHead title="Affected viewers" />
      <div className="viewer-tools">
        <SpanPicker page={page} />
      </div>
      <Asked key={JSON.stringify(chosen)} chosen={chosen} set={set} query={query} />
      {affected.error !== null && !silent ? (
        <Problem error={affected.error} what="Who was affected" />
      ) : affected.data === undefined ? (
        <Loading what="who was affected" />
      ) : (
        <Found
          answer={affected.data}
          chosen={chosen}
          isShort={page.window.kind === 'live' && rangeSeconds(page.window.range) <= 3600}
        />
      )}
    </div>
  )
}

interface FoundProps {
  readonly answer: AffectedAnswer
  readonly chosen: Chosen
  readonly isShort: boolean
}

function Found({ answer, chosen, isShort }: FoundProps): ReactNode {
  const { measured, estimated, viewers, truncated } = answer
  const [count, setCount] = useState(SHOWN)
  const all = measured.viewers + estimated.viewers
  if (all === 0) {
    return (
      <Empty title="Nobody watched in this time">
        <p>{isShort ? 'Choose a wider range, or fewer conditions.' : 'Ask with fewer conditions.'}</p>
      </Empty>
    )
  }
  const peers = peersOf(chosen)
  return (
    <>
      <div className="affected-counts">
        <AffectedCounted how="Measured" counts={measured} all={all} truncated={truncated} peers={peers} />
        <AffectedCounted how="Estimated" counts={estimated} all={all} truncated={truncated} peers={peers} />
      </div>
      {viewers.length === 0 ? (
        <Empty title="Nobody was affected">
          <p>Nobody lost so many seconds to stalls, and whoever wanted to start could.</p>
        </Empty>
      ) : (
        <>
          <AffectedTable viewers={viewers.slice(0, count)} />
          <nav className="pager" aria-label="More of them">
            <p className="quiet" role="status">
              {Math.min(count, viewers.length)} of {measured.affected + estimated.affected}, most seconds lost
              first. Times in <ZoneSwitch />
            </p>
            <button
              type="button"
              className="plain"
              disabled={count >= viewers.length}
              onClick={() => setCount(count + SHOWN)}
            >
              More
            </button>
          </nav>
        </>
      )}
    </>
  )
}

interface AskedProps {
  readonly chosen: Chosen
  readonly set: (values: Chosen) => void
  readonly query: () => URLSearchParams
}

function Asked({ chosen, set, query }: AskedProps): ReactNode {
  const { zone } = useSettings()
  const edges = inOrder(useServers().data ?? []).filter(({ role }) => role === 'edge')
  const titles = useTitles().data ?? []
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const values = FIELDS.map(name => [name, formText(fields, name).trim()] as const)
    set(
      Object.fromEntries(
        values.filter(([name, value]) => !name.endsWith('Min') || value !== SECONDS_DEFAULT),
      ),
    )
  }
  const file = (): string => {
    const asked = query()
    asked.set('tz', zone === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone)
    return `/api/v1/viewers/affected.csv?${asked.toString()}`
  }
  return (
    <form className="session-filters affected-filters" aria-label="Whom to look for" onSubmit={submit}>
      <Choice name="edge" label="Edge" any="any edge" chosen={chosen} values={edges.map(({ id }) => id)} />
      <label>
        Viewer’s region
        <input
          type="text"
          name="region"
          maxLength={64}
          placeholder="any region"
          defaultValue={chosen.region}
          spellCheck={false}
        />
      </label>
      <Choice name="class" label="Class" any="any class" chosen={chosen} values={titleClasses} />
      <Choice
        name="title"
        label="Title"
        any="any title"
        chosen={chosen}
        values={titles.map(({ id }) => id)}
      />
      <Seconds name="lostSMin" label="Lost at least, s" chosen={chosen} title="To stalls, within the time" />
      <Seconds
        name="waitedSMin"
        label="Left after waiting, s"
        chosen={chosen}
        title="Who leaves before the first frame after so long could not start"
      />
      <div className="session-buttons">
        <button type="submit" className="solid">
          Show
        </button>
        <a
          className="plain"
          href={file()}
          download
          // The range ends now, and not when the page was drawn.
          onClick={event => {
            event.currentTarget.href = file()
          }}
        >
          CSV
        </a>
      </div>
    </form>
  )
}

interface SecondsProps {
  readonly name: 'lostSMin' | 'waitedSMin'
  readonly label: string
  readonly title: string
  readonly chosen: Chosen
}

function Seconds({ name, label, title, chosen }: SecondsProps): ReactNode {
  return (
    <label title={title}>
      {label}
      <input
        type="number"
        name={name}
        min="0"
        max="3600"
        step="any"
        inputMode="decimal"
        defaultValue={chosen[name] ?? SECONDS_DEFAULT}
      />
    </label>
  )
}
