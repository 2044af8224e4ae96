// Owns the page of the audit: who changed what, filtered by who, action, subject and time, and taken along as a file.
import { useInfiniteQuery } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useId } from 'react'
import { useSearchParams } from 'wouter'
import { type AuditEntry, auditAnswer, mayAct } from '#wire'
import { useClient, useMe } from '../api/use-control-room.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import { formText } from '../people/form-text.ts'
import { Waiting } from '../people/lists.tsx'
import '../people/people.css'

const SPANS = [
  { name: 'an hour', ms: 3_600_000 },
  { name: 'a day', ms: 86_400_000 },
  { name: 'a week', ms: 7 * 86_400_000 },
  { name: '90 days', ms: 90 * 86_400_000 },
] as const
const FILTERS = ['who', 'action', 'subject', 'span'] as const
const FACTS_MAX = 400

export function AuditPage(): ReactNode {
  const me = useMe()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Audit</h1>
        <p className="quiet">
          Who changed what, newest first. Times in <ZoneSwitch />
        </p>
      </header>
      {me.data === undefined ? (
        <Waiting error={me.error} what="the audit" />
      ) : mayAct(me.data.role, 'admin') ? (
        <Audit />
      ) : (
        <p className="quiet">The audit holds addresses of people: it is for admins.</p>
      )}
    </div>
  )
}

function Audit(): ReactNode {
  const client = useClient()
  const [search, setSearch] = useSearchParams()
  const chosen = Object.fromEntries(FILTERS.map(name => [name, search.get(name) ?? '']))
  const queryOf = (): URLSearchParams => {
    const query = new URLSearchParams()
    for (const name of ['who', 'action', 'subject'] as const) {
      if (chosen[name] !== '') query.set(name, chosen[name] ?? '')
    }
    const span = SPANS.find(({ name }) => name === chosen['span'])
    const now = client.clock.at(performance.now())
    if (span !== undefined && now !== null) query.set('from', String(Math.floor(now - span.ms)))
    return query
  }
  const pages = useInfiniteQuery({
    queryKey: ['audit', chosen],
    initialPageParam: null as string | null,
    queryFn: ({ signal, pageParam }) => {
      const query = queryOf()
      if (pageParam !== null) query.set('before', pageParam)
      return client.get(`/api/v1/audit?${query.toString()}`, auditAnswer, signal)
    },
    getNextPageParam: last => last.next,
  })
  const filter = (name: string, value: string): void =>
    setSearch(old => {
      if (value === '') old.delete(name)
      else old.set(name, value)
      return old
    })
  const entries = pages.data?.pages.flatMap(page => page.entries)
  return (
    <section className="panel" aria-label="Changes">
      <Filters chosen={chosen} filter={filter} csv={`/api/v1/audit.csv?${queryOf().toString()}`} />
      {entries === undefined ? (
        <Waiting error={pages.error} what="the audit" />
      ) : entries.length === 0 ? (
        <p className="quiet none">Nothing was changed that fits.</p>
      ) : (
        <Entries entries={entries} filter={filter} />
      )}
      {pages.hasNextPage ? (
        <div className="people-line">
          <button
            type="button"
            className="plain"
            disabled={pages.isFetchingNextPage}
            onClick={() => void pages.fetchNextPage()}
          >
            {pages.isFetchingNextPage ? 'Loading…' : 'Show older ones'}
          </button>
        </div>
      ) : null}
    </section>
  )
}

interface FiltersProps {
  readonly chosen: Readonly<Record<string, string>>
  readonly filter: (name: string, value: string) => void
  readonly csv: string
}

function Filters({ chosen, filter, csv }: FiltersProps): ReactNode {
  const id = useId()
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    for (const name of ['who', 'action', 'subject']) filter(name, formText(fields, name).trim())
  }
  return (
    <form className="link-form" onSubmit={submit} key={JSON.stringify(chosen)}>
      {(
        [
          ['who', 'Who', 'a person, a token'],
          ['action', 'What', 'user-role'],
          ['subject', 'About', 'eu-west'],
        ] as const
      ).map(([name, label, placeholder]) => (
        <label key={name} className="short">
          {label}
          <input
            type="text"
            name={name}
            defaultValue={chosen[name]}
            maxLength={128}
            placeholder={placeholder}
          />
        </label>
      ))}
      <label className="short" htmlFor={id}>
        Of the last
        <select id={id} value={chosen['span']} onChange={event => filter('span', event.target.value)}>
          <option value="">ever</option>
          {SPANS.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <button type="submit" className="plain">
        Show
      </button>
      <a className="plain as-button" href={csv} download>
        CSV
      </a>
    </form>
  )
}

interface EntriesProps {
  readonly entries: readonly AuditEntry[]
  readonly filter: (name: string, value: string) => void
}

function Entries({ entries, filter }: EntriesProps): ReactNode {
  return (
    <table className="people-table audit">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">About</th>
          <th scope="col">Facts</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(entry => (
          <tr key={entry.id}>
            <td data-label="When" className="figures">
              <Moment at={entry.at} />
            </td>
            <td data-label="Who">
              <button type="button" className="zone-switch" onClick={() => filter('who', entry.by)}>
                {entry.by}
              </button>
              <span className="quiet">{whoElse(entry)}</span>
            </td>
            <td data-label="What">
              <button type="button" className="zone-switch" onClick={() => filter('action', entry.action)}>
                {entry.action}
              </button>
            </td>
            <td data-label="About">
              <button type="button" className="zone-switch" onClick={() => filter('subject', entry.subject)}>
                {entry.subject}
              </button>
            </td>
            <td data-label="Facts" className="facts">
              {factWords(entry.facts)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** What the name alone does not say. */
function whoElse({ by, actor, person, address, via }: AuditEntry): string {
  const parts = [
    ...(actor === 'token' ? ['token'] : []),
    ...(person !== null && person !== by ? [`of ${person}`] : []),
    ...(actor === 'command' && via !== '' ? [`as ${via}`] : []),
    ...(address === '' ? [] : [`from ${address}`]),
  ]
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`
}

function factWord(name: string, value: unknown): string {
  // Moments are told with their zone, since they are read apart from the column of times.
  if (typeof value === 'number' && /(At|Ms)$/.test(name) && value > 0 && value < 8.64e15) {
    return new Date(value).toISOString().slice(0, 19).concat('Z')
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Values in short; whoever needs them whole takes the file. */
function factWords(facts: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(facts)
    .filter(
      ([, value]) => value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0),
    )
    .map(([name, value]) => `${name} ${factWord(name, value)}`)
    .join(', ')
  return text.length <= FACTS_MAX ? text : `${text.slice(0, FACTS_MAX)}…`
}
