// Owns the answer of one instant as a table: labels in columns where they fit, sortable, each value with its age.
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useMemo, useState } from 'react'
import { useClient } from '../api/use-control-room.tsx'
import { Empty, Loading } from '../parts/answers.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import { age } from '../time-format.ts'
import { type AnswerRow, askInstant, type Instant } from './ask.ts'
import { fleetNowMs, waitForTime } from './fleet-time.ts'
import { ProblemBox } from './problem-box.tsx'
import { selectorText, valueText } from './series-name.ts'
import { type Sorting, sorted, type TableModel, tableOf } from './table-model.ts'

const EVERY_MS = 2_000
/** More rows nobody reads; sorting reaches the others. */
const ROWS_MAX = 500
/** Three intervals of an agent, and what the way of a sample takes. */
const FRESH_S_MAX = 5

export interface ResultProps {
  readonly expr: string
  readonly goTo: (at: number) => void
}

export function ResultTable({ expr, goTo }: ResultProps): ReactNode {
  const client = useClient()
  const answer = useQuery({
    queryKey: ['instant', expr],
    queryFn: ({ signal }) => {
      const nowMs = fleetNowMs(client)
      return askInstant(client, expr, Math.floor(nowMs / 1000), signal)
    },
    ...waitForTime,
    refetchInterval: EVERY_MS,
  })
  if (answer.error !== null) return <ProblemBox error={answer.error} expr={expr} goTo={goTo} />
  if (answer.data === undefined) return <Loading what="the answer" />
  if (answer.data.rows.length === 0) {
    return (
      <div className="panel">
        <Empty title="No series at this moment">
          <p>
            The expression is understood, and nothing matches it now. The graph also looks at the time before.
          </p>
        </Empty>
      </div>
    )
  }
  return <Table key={expr} instant={answer.data} />
}

function Table({ instant }: { readonly instant: Instant }): ReactNode {
  const [sorting, setSorting] = useState<Sorting | null>(null)
  const table = useMemo(() => tableOf(instant.rows), [instant.rows])
  const rows = useMemo(
    () => (sorting === null ? [...table.rows] : sorted(table.rows, sorting)),
    [table, sorting],
  )
  const aged = rows.some(({ ageS }) => ageS !== null)
  const head = { sorting, setSorting }
  return (
    <section className="panel table-panel answer" aria-label="Answer">
      <TableNote instant={instant} table={table} />
      <table>
        <thead>
          <tr>
            {table.columns === null ? (
              <Head {...head} by="series" name="Series" />
            ) : (
              table.columns.map(name => (
                <Head
                  key={name}
                  {...head}
                  by={`label:${name}`}
                  name={name === '__name__' ? 'metric' : name}
                />
              ))
            )}
            <Head {...head} by="value" name="Value" number />
            {instant.kind === 'matrix' ? (
              <th scope="col" className="number">
                Samples
              </th>
            ) : null}
            {aged ? <Head {...head} by="age" name="Age" number /> : null}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS_MAX).map(row => (
            <Row key={selectorText(row.labels)} row={row} columns={table.columns} aged={aged} />
          ))}
        </tbody>
      </table>
      {rows.length > ROWS_MAX ? (
        <p className="quiet">
          The first {ROWS_MAX} of {rows.length} rows in this order. Sort, or narrow the expression, to see
          others.
        </p>
      ) : null}
    </section>
  )
}

function TableNote({
  instant,
  table,
}: {
  readonly instant: Instant
  readonly table: TableModel<AnswerRow>
}): ReactNode {
  const shared = Object.entries(table.shared)
  const many = instant.rows.length
  return (
    <p className="answer-note">
      <span>
        {instant.kind === 'scalar'
          ? 'A scalar'
          : instant.kind === 'string'
            ? 'A string'
            : `${many} ${many === 1 ? 'series' : 'series'}`}{' '}
        at <Moment at={instant.atS * 1000} /> <ZoneSwitch />
        {instant.kind === 'matrix' ? ', the newest sample of each' : ''}
      </span>
      {shared.length === 0 ? null : (
        <span>
          all with{' '}
          {shared.map(([name, value]) => (
            <code key={name}>{name === '__name__' ? value : `${name}="${value}"`}</code>
          ))}
        </span>
      )}
    </p>
  )
}

interface HeadProps {
  readonly sorting: Sorting | null
  readonly setSorting: (sorting: Sorting | null) => void
  readonly by: string
  readonly name: string
  readonly number?: boolean
}

/** First click: values downwards, words upwards; second: the other way; third: the order of the answer. */
function Head({ sorting, setSorting, by, name, number = false }: HeadProps): ReactNode {
  const mine = sorting?.by === by ? sorting : null
  const first = number && by === 'value'
  const next = mine === null ? { by, down: first } : mine.down === first ? { by, down: !first } : null
  return (
    <th
      scope="col"
      className={number ? 'number' : undefined}
      aria-sort={mine === null ? 'none' : mine.down ? 'descending' : 'ascending'}
    >
      <button type="button" className="sort" onClick={() => setSorting(next)}>
        {name}
        <svg
          viewBox="0 0 10 12"
          aria-hidden="true"
          data-way={mine === null ? 'none' : mine.down ? 'down' : 'up'}
        >
          <path className="up" d="M5 1 8.500 5h-7z" />
          <path className="down" d="M5 11 1.500 7h7z" />
        </svg>
      </button>
    </th>
  )
}

interface RowProps {
  readonly row: AnswerRow
  readonly columns: readonly string[] | null
  readonly aged: boolean
}

function Row({ row, columns, aged }: RowProps): ReactNode {
  const { labels, value, text, ageS, samples } = row
  const old = ageS !== null && ageS > FRESH_S_MAX
  return (
    <tr data-stale={old}>
      {columns === null ? (
        <td>
          <code>{selectorText(labels)}</code>
        </td>
      ) : (
        columns.map(name => <td key={name}>{labels[name] ?? <span className="quiet">none</span>}</td>)
      )}
      <td className="number value" title={text === null ? String(value) : undefined}>
        {text ?? valueText(value)}
      </td>
      {samples === null ? null : <td className="number">{samples}</td>}
      {aged ? <td className="number age">{ageS === null ? 'not known' : age(ageS * 1000)}</td> : null}
    </tr>
  )
}
