// Owns the ledger for people: what each server delivered on each day of a month, its sum, and a file for spreadsheets.
// The month stands in the address. It adds up what the API counts and estimates nothing.
import type { ReactNode } from 'react'
import { useSearchParams } from 'wouter'
import { useFleetNow, useLedger } from '../api/use-control-room.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { figureText, grouped } from '../units.ts'
import {
  type DayLine,
  ledgerCsv,
  ledgerLines,
  ledgerSum,
  monthSpan,
  nearMonth,
  readMonth,
} from './ledger-lines.ts'

export function LedgerPage(): ReactNode {
  const now = useFleetNow()
  if (now !== null) return <Ledger now={now} />
  return (
    <div className="page">
      <Loading what="the ledger" />
    </div>
  )
}

function Ledger({ now }: { readonly now: number }): ReactNode {
  const [search, setSearch] = useSearchParams()
  const month = readMonth(search.get('month'), now)
  const ledger = useLedger(monthSpan(month))
  const lines = ledger.data === undefined ? undefined : ledgerLines(ledger.data)
  return (
    <div className="page">
      <header className="page-head">
        <h1>Ledger</h1>
        <p className="quiet">What was delivered, by UTC day. Counted, not estimated; kept for 24 months.</p>
      </header>
      <div className="fleet-tools ledger-tools" role="group" aria-label="Month">
        <button type="button" className="plain" onClick={() => setSearch({ month: nearMonth(month, -1) })}>
          Month before
        </button>
        <input
          type="month"
          aria-label="Month"
          value={month}
          max={readMonth(null, now)}
          onChange={event => setSearch({ month: event.target.value })}
        />
        <button
          type="button"
          className="plain"
          disabled={month >= readMonth(null, now)}
          onClick={() => setSearch({ month: nearMonth(month, 1) })}
        >
          Month after
        </button>
        {lines === undefined || lines.length === 0 ? null : <Download lines={lines} month={month} />}
      </div>
      <Content lines={lines} error={ledger.error} month={month} />
    </div>
  )
}

function monthName(month: string): string {
  const style = { month: 'long', year: 'numeric', timeZone: 'UTC' } as const
  return new Intl.DateTimeFormat('en', style).format(monthSpan(month).fromMs)
}

interface ContentProps {
  readonly lines: readonly DayLine[] | undefined
  readonly error: Error | null
  readonly month: string
}

function Content({ lines, error, month }: ContentProps): ReactNode {
  if (lines === undefined) {
    return error === null ? <Loading what="the ledger" /> : <Problem error={error} what="The ledger" />
  }
  if (lines.length === 0) {
    return (
      <Empty title={`Nothing was delivered in ${monthName(month)}`}>
        <p>A day appears here within seconds of its first viewer.</p>
      </Empty>
    )
  }
  return <LedgerTable lines={lines} />
}

function LedgerTable({ lines }: { readonly lines: readonly DayLine[] }): ReactNode {
  const sum = ledgerSum(lines)
  return (
    <section className="panel table-panel ledger" aria-label="Days">
      <table>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Server</th>
            <th scope="col">Class</th>
            <th scope="col" className="number">
              Bytes
            </th>
            <th scope="col" className="number">
              Requests
            </th>
            <th scope="col" className="number">
              Viewer-hours
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, at) => (
            <tr key={`${line.day} ${line.server} ${line.class}`} data-first={line.day !== lines[at - 1]?.day}>
              <th scope="row">{line.day}</th>
              <td>{line.server}</td>
              <td>{line.role === 'origin' ? <span className="quiet">to edges</span> : line.class}</td>
              <Figures line={line} isViewers={line.role === 'edge'} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row" colSpan={3}>
              To viewers, all edges
            </th>
            <Figures line={sum} isViewers={true} />
          </tr>
        </tfoot>
      </table>
    </section>
  )
}

type Measures = Pick<DayLine, 'bytes' | 'requests' | 'viewerSeconds'>

function Figures({ line, isViewers }: { readonly line: Measures; readonly isViewers: boolean }): ReactNode {
  return (
    <>
      <td className="number" title={`${grouped(line.bytes)} bytes`}>
        {figureText(line.bytes, 'bytes')}
      </td>
      <td className="number">{grouped(line.requests)}</td>
      <td className="number">{isViewers ? (line.viewerSeconds / 3600).toFixed(2) : '–'}</td>
    </>
  )
}

function Download({
  lines,
  month,
}: {
  readonly lines: readonly DayLine[]
  readonly month: string
}): ReactNode {
  const file = `data:text/csv;charset=utf-8,${encodeURIComponent(ledgerCsv(lines))}`
  return (
    <a className="solid" href={file} download={`vitrine-ledger-${month}.csv`}>
      Download CSV
    </a>
  )
}
