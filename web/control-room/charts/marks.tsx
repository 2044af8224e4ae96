// Owns the lane of events above the charts: state changes and alerts at their moments, as links to their servers.
import type { ReactNode } from 'react'
import type { AlertView, MarkView, ServerState } from '#wire'
import type { ServerChange } from '../api/use-control-room.tsx'
import { Link } from '../parts/link.tsx'
import { StateIcon } from '../parts/state.tsx'
import { toneOf } from '../parts/tone.ts'
import { useSettings } from '../settings.tsx'
import { timeOfDay } from '../time-format.ts'
import type { ChartMark } from './chart-options.ts'
import type { Grid } from './grid.ts'

const MARKS_MAX = 60 // more would be a wall; the pages of alerts and servers have them all

const SAME_EVENT_MS = 5_000
/** Characters of one tooltip. */
const TOGETHER_MAX = 400

export interface EventMark extends ChartMark {
  readonly key: string
  readonly text: string
  readonly server: string | null
  /** null: an alert, or a change. */
  readonly state: ServerState | null
  /** Something that somebody or some program changed. */
  readonly isChange?: true
}

export function eventMarks(changes: readonly ServerChange[], alerts: readonly AlertView[]): EventMark[] {
  const states = changes
    .filter(change => change.from !== null)
    .map(change => ({
      key: `${change.server}/${change.at}/${change.to}`,
      atMs: change.at,
      colour: `--${toneOf(change.to)}`,
      text: `${change.server} ${change.to}: ${change.reason}`,
      server: change.server,
      state: change.to,
    }))
  const fired = alerts.flatMap(alert =>
    alert.firedAt === null || isTold(alert, changes)
      ? []
      : [
          {
            key: `${alert.id}/${alert.firedAt}`,
            atMs: alert.firedAt,
            colour: '--unreachable',
            text: `Alert ${alert.rule}${alert.labels['instance'] === undefined ? '' : ` on ${alert.labels['instance']}`}`,
            server: alert.labels['instance'] ?? null,
            state: null,
          },
        ],
  )
  return [...states, ...fired].sort((a, b) => b.atMs - a.atMs).slice(0, MARKS_MAX)
}

/** What changed, at its moment; restarts of processes and packages by the dozen stand together. */
export function changeMarks(marks: readonly MarkView[]): EventMark[] {
  const shown: EventMark[] = []
  for (const { id, at, server, text } of marks) {
    const last = shown.at(-1)
    if (last !== undefined && last.server === server && Math.abs(last.atMs - at) < SAME_EVENT_MS) {
      shown[shown.length - 1] = { ...last, text: `${last.text}; ${text}`.slice(0, TOGETHER_MAX) }
    } else {
      const about = server === null ? '' : `${server}: `
      shown.push({
        key: `mark/${id}`,
        atMs: at,
        colour: '--accent',
        text: `${about}${text}`,
        server,
        state: null,
        isChange: true,
      })
    }
  }
  return shown.slice(0, MARKS_MAX)
}

/** A change of state that an alert follows says the same at the same place. */
function isTold(alert: AlertView, changes: readonly ServerChange[]): boolean {
  return changes.some(
    ({ server, at }) =>
      server === alert.labels['instance'] && Math.abs(at - (alert.firedAt ?? 0)) < SAME_EVENT_MS,
  )
}

export function EventLane({
  marks,
  grid,
}: {
  readonly marks: readonly EventMark[]
  readonly grid: Grid | null
}): ReactNode {
  const { zone } = useSettings()
  const shown = grid === null ? [] : marks.filter(mark => place(mark.atMs, grid) !== null)
  return (
    <ol className="lane" aria-label="State changes, alerts and what changed in this window">
      {shown.map(mark => {
        const text = `${timeOfDay(mark.atMs, zone)}  ${mark.text}`
        return (
          <li key={mark.key} style={{ left: `${place(mark.atMs, grid) ?? 0}%` }}>
            <Link
              href={mark.server === null ? '/alerts' : `/servers/${mark.server}`}
              title={text}
              aria-label={text}
              className="mark"
            >
              {mark.isChange === true ? (
                <ChangeIcon />
              ) : mark.state === null ? (
                <AlertIcon />
              ) : (
                <StateIcon state={mark.state} />
              )}
            </Link>
          </li>
        )
      })}
    </ol>
  )
}

function place(atMs: number, grid: Grid | null): number | null {
  if (grid === null) return null
  const part = (atMs / 1000 - grid.startS) / Math.max(1, (grid.length - 1) * grid.stepS)
  return part < 0 || part > 1.005 ? null : Math.min(part, 1) * 100
}

function ChangeIcon(): ReactNode {
  return (
    <svg className="state-icon change-icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M8 1.500 14.500 8 8 14.500 1.500 8z" />
    </svg>
  )
}

function AlertIcon(): ReactNode {
  return (
    <svg className="state-icon" viewBox="0 0 16 16" aria-hidden="true" data-tone="unreachable">
      <path d="M8 1a4.500 4.500 0 0 0-4.500 4.500V9L2 12h12l-1.500-3V5.500A4.500 4.500 0 0 0 8 1zM6.300 13a1.700 1.700 0 0 0 3.400 0z" />
    </svg>
  )
}
