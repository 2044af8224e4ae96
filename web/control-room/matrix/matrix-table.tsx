// Owns the matrix as a table: observers down, targets across, a symbol with a time in each cell, never a colour alone.
// Arrow keys go from cell to cell; what the chosen cell saw stands in words below.
import { type KeyboardEvent, type ReactNode, useState } from 'react'
import type { ProbeCell, ProbesAnswer, ProbeTargetView } from '#wire'
import { Link } from '../parts/link.tsx'
import { age } from '../time-format.ts'
import { type CellState, cellState, detailOf, type Matrix, shortMs } from './matrix.ts'

const WORDS: Readonly<Record<CellState, string>> = {
  well: 'reaches',
  doubted: 'reaches',
  lost: 'does not reach',
  old: 'has not looked lately at',
}
const SYMBOLS: Readonly<Record<CellState, string>> = {
  well: 'M3 8.500 6.500 12 13 4.500',
  doubted: 'M8 2.500 14.500 13.500H1.500zM8 6.500v3.500M8 11.800v.4',
  lost: 'M4 4l8 8M12 4l-8 8',
  old: 'M4 8h8',
}

interface TableProps {
  readonly answer: ProbesAnswer
  readonly matrix: Matrix
  readonly now: number
}

type Chosen = { readonly observer: string; readonly target: string } | null

export function MatrixTable({ answer, matrix, now }: TableProps): ReactNode {
  const [chosen, choose] = useState<Chosen>(null)
  const { observers, targets, cell } = matrix
  const first = observers.flatMap(({ id }) =>
    targets
      .filter(target => cell(id, target.id) !== null)
      .map(({ id: target }) => ({ observer: id, target })),
  )[0]
  const stop = chosen ?? first ?? null
  return (
    <>
      <div className="matrix-scroll">
        <table className="matrix" onKeyDown={moveFocus}>
          <caption className="visually-hidden">
            Observers in rows, servers that they look at in columns, worst first. Arrow keys go from cell to
            cell.
          </caption>
          <thead>
            <tr>
              <td className="matrix-corner">
                from <span aria-hidden="true">↓</span> to <span aria-hidden="true">→</span>
              </td>
              {targets.map(target => (
                <th scope="col" key={target.id}>
                  <Link href={`/servers/${target.id}`}>{target.id}</Link>
                  {target.role === 'edge' ? null : (
                    <small>{target.role === 'foreign' ? 'not ours' : target.role}</small>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {observers.map(({ id }) => (
              <tr key={id}>
                <th scope="row">{id === 'control' ? 'control room' : id}</th>
                {targets.map(target => {
                  const seen = cell(id, target.id)
                  if (seen === null)
                    return (
                      <td
                        key={target.id}
                        className="matrix-none"
                        aria-label={id === target.id ? 'itself' : 'does not look'}
                      />
                    )
                  const isStop = stop?.observer === id && stop.target === target.id
                  return <Cell key={target.id} {...{ seen, now, isStop, choose }} />
                })}
              </tr>
            ))}
          </tbody>
          <Foot answer={answer} targets={targets} />
        </table>
      </div>
      <Detail seen={stop === null ? null : cell(stop.observer, stop.target)} now={now} />
    </>
  )
}

interface CellProps {
  readonly seen: ProbeCell
  readonly now: number
  readonly isStop: boolean
  readonly choose: (chosen: Chosen) => void
}

function Cell({ seen, now, isStop, choose }: CellProps): ReactNode {
  const state = cellState(seen, now)
  const { observer, target } = seen
  const pick = (): void => choose({ observer, target })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: one stop of the table; arrow keys move it.
    <td data-state={state} data-chosen={isStop} tabIndex={isStop ? 0 : -1} onFocus={pick} onMouseEnter={pick}>
      <CellBody seen={seen} state={state} now={now} />
    </td>
  )
}

function CellBody({
  seen,
  state,
  now,
}: {
  readonly seen: ProbeCell
  readonly state: CellState
  readonly now: number
}): ReactNode {
  return (
    <span className="matrix-cell" data-state={state}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SYMBOLS[state]} />
      </svg>
      <span className="visually-hidden">{state === 'doubted' ? 'reaches, with doubt' : WORDS[state]}</span>
      <b>{seen.httpMs === null ? 'lost' : shortMs(seen.httpMs)}</b>
      <small>{age(Math.max(0, now - seen.at))}</small>
    </span>
  )
}

/** What looking at each costs, and how long its certificate lasts. */
function Foot({
  answer,
  targets,
}: {
  readonly answer: ProbesAnswer
  readonly targets: readonly ProbeTargetView[]
}): ReactNode {
  const hasTls = targets.some(({ certificateDays }) => certificateDays !== null)
  return (
    <tfoot>
      {hasTls ? (
        <tr>
          <th scope="row">certificate</th>
          {targets.map(({ id, certificateDays: days }) => (
            <td
              key={id}
              data-tone={days !== null && days < 14 ? (days < 3 ? 'unreachable' : 'degraded') : undefined}
            >
              {days === null ? '–' : `${Math.floor(days)} days${days < 14 ? ': renew' : ''}`}
            </td>
          ))}
        </tr>
      ) : null}
      <tr>
        <th scope="row">fetched {answer.past === undefined ? 'this' : 'that'} month</th>
        {targets.map(({ id, usedBytes }) => (
          <td key={id}>{usedBytes === null ? '–' : <Budget used={usedBytes} of={answer.budgetBytes} />}</td>
        ))}
      </tr>
    </tfoot>
  )
}

function Budget({ used, of }: { readonly used: number; readonly of: number }): ReactNode {
  const share = of === 0 ? 1 : Math.min(1, used / of)
  return (
    <span className="matrix-budget" data-tone={share >= 1 ? 'degraded' : undefined}>
      {bytesText(used)}
      <small>{of === 0 ? 'switched off' : `of ${bytesText(of)}${share >= 1 ? ': used up' : ''}`}</small>
      <i style={{ inlineSize: `${(share * 100).toFixed(1)}%` }} />
    </span>
  )
}

export function bytesText(bytes: number): string {
  const [unit, size] =
    bytes >= 1e9 ? (['GB', 1e9] as const) : bytes >= 1e6 ? (['MB', 1e6] as const) : (['kB', 1e3] as const)
  const value = bytes / size
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)} ${unit}`
}

function Detail({ seen, now }: { readonly seen: ProbeCell | null; readonly now: number }): ReactNode {
  if (seen === null) return null
  const state = cellState(seen, now)
  return (
    <p className="matrix-detail" data-state={state} aria-live="polite">
      <b>
        {seen.observer === 'control' ? 'The control room' : seen.observer} {WORDS[state]} {seen.target}
        {state === 'doubted' ? ', with doubt' : ''}
      </b>
      <span>{detailOf(seen)}</span>
    </p>
  )
}

/** Above 20 edges: one row a server, and the few that look at it. */
export function NeighbourTable({ matrix, answer, now }: TableProps): ReactNode {
  return (
    <div className="matrix-scroll">
      <table className="matrix matrix-neighbours">
        <caption className="visually-hidden">
          Servers, worst first, each with those that look at it now.
        </caption>
        <thead>
          <tr>
            <th scope="col">Server</th>
            <th scope="col">Seen by</th>
            <th scope="col">Fetched this month</th>
          </tr>
        </thead>
        <tbody>
          {matrix.targets.map(target => (
            <tr key={target.id}>
              <th scope="row">
                <Link href={`/servers/${target.id}`}>{target.id}</Link>
              </th>
              <td>
                <ul>
                  {matrix.observers.map(({ id }) => {
                    const seen = matrix.cell(id, target.id)
                    return seen === null ? null : (
                      <li key={id} title={detailOf(seen)}>
                        {id === 'control' ? 'control room' : id}{' '}
                        <CellBody seen={seen} state={cellState(seen, now)} now={now} />
                      </li>
                    )
                  })}
                </ul>
              </td>
              <td>
                {target.usedBytes === null ? '–' : <Budget used={target.usedBytes} of={answer.budgetBytes} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const STEPS: Readonly<Record<string, readonly [column: number, row: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

/** To the next cell in that direction that is one; empty ones are passed over. */
function moveFocus(event: KeyboardEvent<HTMLTableElement>): void {
  const [dx, dy] = STEPS[event.key] ?? [0, 0]
  const from = (event.target as HTMLElement).closest('td')
  if ((dx === 0 && dy === 0) || from === null) return
  event.preventDefault()
  const rows = [...event.currentTarget.tBodies].flatMap(body => [...body.rows])
  let y = rows.findIndex(row => row === from.parentElement) + dy
  let x = from.cellIndex + dx
  while (rows[y] !== undefined && rows[y]?.cells[x] !== undefined) {
    const next = rows[y]?.cells[x]
    if (next?.hasAttribute('tabindex') === true) return next.focus()
    y += dy
    x += dx
  }
}
