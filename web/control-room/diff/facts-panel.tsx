// Owns the table of what differs: what, on A, on B, since when; packages in three groups with a filter.
import { type ReactNode, useState } from 'react'
import type { DiffAnswer, FactDifference } from '#wire'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import { filtered, kindName } from './diff-words.ts'

/** More rows are shown on demand. */
const SHOWN = 12

export function FactsPanel({ answer }: { readonly answer: DiffAnswer }): ReactNode {
  const { a, b, differences, packages } = answer
  const total = packages.onlyA.total + packages.onlyB.total + packages.otherVersion.total
  const told = a.facts !== null && b.facts !== null
  return (
    <section className="panel table-panel" aria-label="Differences">
      <header>
        <h2>Differences</h2>
        <span className="quiet">newest first, times in</span>
        <ZoneSwitch />
      </header>
      {differences.length === 0 ? (
        <p className="quiet">
          {told
            ? 'Versions, kernel and its parameters, hardware, configuration, certificates, time source and tags are equal.'
            : 'Region and tags are equal.'}
        </p>
      ) : (
        <Rows head="What" a={a.name} b={b.name} rows={differences} kinds />
      )}
      {total === 0 ? null : <Packages answer={answer} total={total} />}
    </section>
  )
}

function Packages({ answer, total }: { readonly answer: DiffAnswer; readonly total: number }): ReactNode {
  const { a, b, packages } = answer
  const [words, setWords] = useState('')
  const groups = [
    { title: 'Other version', ...packages.otherVersion },
    { title: `Only on ${a.name}`, ...packages.onlyA },
    { title: `Only on ${b.name}`, ...packages.onlyB },
  ]
  return (
    <>
      <div className="diff-packages">
        <h3>{total === 1 ? 'One package' : `${total} packages`}</h3>
        <input
          type="search"
          value={words}
          placeholder="Filter packages"
          aria-label="Filter packages"
          onChange={event => setWords(event.target.value)}
        />
      </div>
      {groups.map(({ title, total: all, list }) =>
        all === 0 ? null : <Group key={title} {...{ title, all, words, list, a: a.name, b: b.name }} />,
      )}
    </>
  )
}

interface GroupProps {
  readonly title: string
  readonly all: number
  readonly list: readonly FactDifference[]
  readonly words: string
  readonly a: string
  readonly b: string
}

function Group({ title, all, list, words, a, b }: GroupProps): ReactNode {
  const [open, setOpen] = useState(false)
  const found = filtered(list, words)
  const shown = open ? found : found.slice(0, SHOWN)
  return (
    <div className="diff-group">
      {found.length === 0 ? (
        <p className="quiet">
          {title}: none of {all} has “{words}”.
        </p>
      ) : (
        <Rows head={`${title} (${all})`} {...{ a, b }} rows={shown} kinds={false} />
      )}
      {found.length > SHOWN ? (
        <button type="button" className="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Show fewer' : `Show all ${found.length}`}
        </button>
      ) : null}
      {open && list.length < all ? (
        <p className="quiet">
          The newest {list.length} of {all} are listed.
        </p>
      ) : null}
    </div>
  )
}

interface RowsProps {
  readonly head: string
  readonly a: string
  readonly b: string
  readonly rows: readonly FactDifference[]
  readonly kinds: boolean
}

function Rows({ head, a, b, rows, kinds }: RowsProps): ReactNode {
  // What is only on one side has one column: the other would be empty.
  const sides = [
    { name: a, of: (row: FactDifference) => row.a },
    { name: b, of: (row: FactDifference) => row.b },
  ].filter(({ of }) => kinds || rows.some(row => of(row) !== null))
  return (
    <table className="diff-table diff-facts">
      {kinds ? null : <caption>{head}</caption>}
      <thead>
        <tr>
          <th scope="col">{kinds ? head : 'Package'}</th>
          {sides.map(({ name }) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(row => (
          <tr key={`${row.kind} ${row.subject}`}>
            <th scope="row">
              {row.subject}
              {kinds ? <small>{kindName(row.kind)}</small> : null}
            </th>
            {sides.map(({ name, of }) => (
              <Value key={name} side={name} value={of(row)} />
            ))}
            <td className="diff-since" data-side="Since">
              {row.since === null ? (
                <span className="quiet" title="It was so before anybody looked">
                  not known
                </span>
              ) : (
                <Moment at={row.since} />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Value({ side, value }: { readonly side: string; readonly value: string | null }): ReactNode {
  return (
    <td data-side={side}>
      {value === null ? <span className="quiet">not there</span> : <code>{value}</code>}
    </td>
  )
}
