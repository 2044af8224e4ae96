// Owns the page of two servers side by side: only what differs, newest first, then what is equal in one line, and how
// both behaved in the last hour. The pair stands in the address.
import type { ReactNode } from 'react'
import { useSearchParams } from 'wouter'
import type { DiffAnswer, DiffSide, ServerView } from '#wire'
import { useServers } from '../api/use-control-room.tsx'
import { useDiff } from '../api/use-differences.ts'
import { BehaviourPanel } from '../diff/behaviour-panel.tsx'
import { countDifferences, equalText, newestSince, readPair } from '../diff/diff-words.ts'
import { FactsPanel } from '../diff/facts-panel.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Age, Moment } from '../parts/moment.tsx'
import { inOrder } from '../server-order.ts'
import '../diff/diff.css'

export function DiffPage(): ReactNode {
  const servers = useServers()
  return (
    <div className="page diff-page">
      <header className="page-head">
        <h1>What differs</h1>
      </header>
      {servers.data !== undefined ? (
        <Pair servers={inOrder(servers.data)} />
      ) : servers.error === null ? (
        <Loading what="the servers" />
      ) : (
        <Problem error={servers.error} what="The fleet" />
      )}
    </div>
  )
}

function Pair({ servers }: { readonly servers: readonly ServerView[] }): ReactNode {
  const [search, setSearch] = useSearchParams()
  const pair = readPair(search, servers)
  const diff = useDiff(pair)
  if (pair === null) {
    return (
      <Empty title="There are no two servers to compare yet">
        <p>
          <code>npx vitrine server invite --region REGION</code> prints the line that makes a machine an edge.
        </p>
      </Empty>
    )
  }
  const { a, b } = pair
  const choose = (next: { a: string; b: string }): void =>
    setSearch({ ...Object.fromEntries(search), ...next })
  const choices = servers.filter(({ role }) => role !== 'control')
  return (
    <>
      <div className="diff-tools" role="group" aria-label="Servers">
        <ServerSelect
          label="A"
          value={a}
          servers={choices}
          // Choosing the other side's server swaps them.
          choose={id => choose(id === b ? { a: b, b: a } : { a: id, b })}
        />
        <button type="button" className="plain" title="Swap A and B" onClick={() => choose({ a: b, b: a })}>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M4 9h15l-4-4M20 15H5l4 4" />
          </svg>
          Swap
        </button>
        <ServerSelect
          label="B"
          value={b}
          servers={choices}
          choose={id => choose(id === a ? { a: b, b: a } : { a, b: id })}
        />
        <Link className="plain diff-compare" href={`/compare?servers=${a},${b}`}>
          Compare on a graph
        </Link>
      </div>
      {diff.data !== undefined ? (
        <Content answer={diff.data} />
      ) : diff.error === null ? (
        <Loading what="what differs" />
      ) : (
        <Problem error={diff.error} what="What differs" />
      )}
    </>
  )
}

interface SelectProps {
  readonly label: string
  readonly value: string
  readonly servers: readonly ServerView[]
  readonly choose: (id: string) => void
}

function ServerSelect({ label, value, servers, choose }: SelectProps): ReactNode {
  return (
    <label>
      {label}
      <select value={value} onChange={event => choose(event.target.value)}>
        {servers.map(({ id, role, tags }) => (
          <option key={id} value={id}>
            {tags.name === undefined ? id : `${tags.name} (${id})`}
            {role === 'edge' ? '' : `, ${role}`}
          </option>
        ))}
      </select>
    </label>
  )
}

function Content({ answer }: { readonly answer: DiffAnswer }): ReactNode {
  const { a, b, sameHost } = answer
  const untold = [a, b].filter(({ facts }) => facts === null)
  return (
    <>
      <Sentence answer={answer} />
      {untold.length === 0 ? null : (
        <p className="diff-untold" role="note">
          {untold.map(reason).join(' ')} Only what people said and what was measured is compared.
        </p>
      )}
      {sameHost ? (
        <p className="quiet diff-same">Both run on one host: its packages, kernel and clock are the same.</p>
      ) : null}
      <div className="diff-body">
        <FactsPanel answer={answer} />
        <div className="diff-side">
          <BehaviourPanel answer={answer} />
          <StartsPanel sides={[a, b]} />
        </div>
      </div>
    </>
  )
}

function reason({ id, role }: DiffSide): string {
  return role === 'foreign'
    ? `${id} is not ours: nobody tells what it consists of.`
    : `The agent beside ${id} has not told what it consists of.`
}

function Sentence({ answer }: { readonly answer: DiffAnswer }): ReactNode {
  const count = countDifferences(answer)
  const since = newestSince(answer)
  const equal = equalText(answer.equal)
  const told = answer.a.facts !== null && answer.b.facts !== null
  return (
    <p className="diff-sentence" role="status">
      <b>
        {count === 0
          ? told
            ? 'Nothing differs in what their agents tell.'
            : 'No difference is known.'
          : `${count} ${count === 1 ? 'thing differs' : 'things differ'}`}
      </b>
      {count === 0 ? null : since === null ? (
        '. '
      ) : (
        <>
          , the newest since <Moment at={since} /> (<Age at={since} />
          ).{' '}
        </>
      )}{' '}
      <span>{equal}</span>
    </p>
  )
}

/** Starts differ always, and say much: they are events, and no differences. */
function StartsPanel({ sides }: { readonly sides: readonly DiffSide[] }): ReactNode {
  const rows = [
    { name: 'Process started', of: ({ processStartedAt }: DiffSide) => processStartedAt },
    { name: 'Host booted', of: ({ bootedAt }: DiffSide) => bootedAt },
    { name: 'Facts told', of: ({ facts }: DiffSide) => facts?.toldAt ?? null },
  ]
  return (
    <section className="panel table-panel" aria-label="Starts">
      <table className="diff-table">
        <thead>
          <tr>
            <th scope="col">Last seen</th>
            {sides.map(({ id, name }) => (
              <th key={id} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, of }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {sides.map(side => {
                const at = of(side)
                return (
                  <td key={side.id}>
                    {at === null ? <span className="quiet">not known</span> : <Moment at={at} />}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
