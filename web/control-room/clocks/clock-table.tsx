// Owns the table of clocks: one row a server, the worst first; its time servers below it where something is known of them.
import type { ReactNode } from 'react'
import type { ClockRow } from '#wire'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import {
  clockState,
  clockTone,
  daemonText,
  leapText,
  plainS,
  signedS,
  smearText,
  worstClocksFirst,
} from './clock-words.ts'

/** Of a large fleet the rest is well, or on the chart. */
const ROWS_MAX = 200

export function ClockTable({ rows }: { readonly rows: readonly ClockRow[] }): ReactNode {
  const ordered = worstClocksFirst(rows)
  const left = ordered.length - ROWS_MAX
  return (
    <section className="panel table-panel clock-table" aria-label="Servers">
      <table>
        <thead>
          <tr>
            <th scope="col">Server</th>
            <th scope="col" className="number">
              Offset
            </th>
            <th scope="col" className="number">
              At most off by
            </th>
            <th scope="col">Kept by</th>
            <th scope="col">Timers</th>
            <th scope="col">Last step</th>
            <th scope="col">Time servers</th>
          </tr>
        </thead>
        <tbody>
          {ordered.slice(0, ROWS_MAX).map(row => (
            <Row key={row.id} row={row} />
          ))}
        </tbody>
      </table>
      {left > 0 ? <p className="quiet clock-more">{left} more, none of them worse than these.</p> : null}
    </section>
  )
}

function Row({ row }: { readonly row: ClockRow }): ReactNode {
  const { id, name, word, text, offsetS, outlier, errorBoundS, unreadable } = row
  return (
    <tr data-tone={clockTone(row)} data-word={word}>
      <th scope="row" data-label="Server">
        <Link href={`/servers/${id}`}>{name}</Link> <span className="clock-state">{clockState(row)}</span>
        {word === 'ok' || word === 'unknown' ? null : <p className="clock-text">{text}</p>}
        {unreadable.length === 0 ? null : (
          <p className="quiet">Its agent cannot read {unreadable.join(', ')}.</p>
        )}
      </th>
      <td className="number" data-label="Offset" data-wrong={outlier}>
        {signedS(offsetS)}
        {outlier ? <small> outlier</small> : null}
      </td>
      <td className="number" data-label="At most off by">
        {plainS(errorBoundS)}
      </td>
      <td data-label="Kept by">{daemonText(row)}</td>
      <td data-label="Timers">
        <Timers row={row} />
      </td>
      <td data-label="Last step">
        <Steps row={row} />
      </td>
      <td data-label="Time servers">
        <Sources row={row} />
      </td>
    </tr>
  )
}

function Timers({ row: { earlyS, earlySince, hrtimerErrorS } }: { readonly row: ClockRow }): ReactNode {
  const kernel = hrtimerErrorS === null ? null : <small> kernel {signedS(hrtimerErrorS)}</small>
  if (earlyS === null && hrtimerErrorS === null) return 'not measured'
  if ((earlyS ?? 0) <= 0) return <>in time{kernel}</>
  return (
    <>
      <b>{plainS(earlyS)} early</b>
      {earlySince === null ? null : (
        <small>
          {' '}
          since <Moment at={earlySince} />
        </small>
      )}
      {kernel}
    </>
  )
}

function Steps({ row: { stepS, stepAt, steps } }: { readonly row: ClockRow }): ReactNode {
  if (stepS === null) return 'not measured'
  if (stepS === 0) return 'none'
  return (
    <>
      {signedS(stepS)}{' '}
      <small>
        {stepAt === null ? 'more than an hour ago' : <Moment at={stepAt} />}
        {steps !== null && steps > 1 ? `, ${steps} since its agent began` : ''}
      </small>
    </>
  )
}

function Sources({ row }: { readonly row: ClockRow }): ReactNode {
  const { sources, leapPending } = row
  const kernel =
    leapPending === null || leapPending === 0 ? null : (
      <p>
        <b>Its kernel: {leapText(leapPending > 0 ? 1 : 2)}</b>
      </p>
    )
  if (sources.length === 0)
    return (
      <>
        {kernel}
        <span className="quiet">none is asked{row.smear === null ? '' : `; ${smearText(row)}`}</span>
      </>
    )
  return (
    <>
      {kernel}
      <ul className="clock-sources">
        {sources.map(({ server, leap, offsetS, rttS, stratum }) => (
          <li key={server} data-wrong={leap !== null && leap !== 0}>
            <span>{server}</span> {signedS(offsetS)}
            <small>
              {' '}
              leap {leapText(leap)}
              {stratum === null ? '' : `, stratum ${stratum}`}
              {rttS === null ? '' : `, ${plainS(rttS)} away`}
            </small>
          </li>
        ))}
      </ul>
      <small>{smearText(row)}</small>
    </>
  )
}
