// Owns what ran and what the kernel said at the charts' cursor: under the mouse, by arrow keys, or where a finger was.
// Without a cursor it shows the newest. Its height never changes.
import { type ReactNode, useContext, useEffect, useState } from 'react'
import type { KernelMessagesAnswer, ProcessesAnswer } from '#wire'
import { useFleetNow, useKernelMessages, useProcesses } from '../api/use-control-room.tsx'
import { CursorContext, useCursorTime } from '../charts/cursor.tsx'
import type { Grid } from '../charts/grid.ts'
import { useSettings } from '../settings.tsx'
import { timeOfDay } from '../time-format.ts'
import { figure } from '../units.ts'
import './at-cursor.css'

/** Looks come each 5 s: a pointer that passes over asks once for each. */
const SLOT_MS = 5000
const SETTLED_MS = 120
/** Around the moment: what the kernel said before it matters more. */
const BEFORE_MS = 120_000
const AFTER_MS = 30_000
const ROWS = 5
const LEVELS = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'] as const

export interface AtCursorProps {
  readonly server: string
  readonly grid: Grid | null
}

export function AtCursor({ server, grid }: AtCursorProps): ReactNode {
  const { zone } = useSettings()
  const now = useFleetNow()
  const pointedS = useCursorTime()
  const momentMs = pointedS === null ? now : pointedS * 1000
  const asked = useSettled(momentMs === null ? null : Math.round(momentMs / SLOT_MS) * SLOT_MS)
  const processes = useProcesses(server, asked)
  const kernel = useKernelMessages(server, asked, { beforeMs: BEFORE_MS, afterMs: AFTER_MS })
  const time = momentMs === null ? '--:--:--' : timeOfDay(momentMs, zone)
  return (
    <section className="at-cursor" aria-label="At the cursor" data-pointed={pointedS !== null}>
      <header>
        <h3>
          {pointedS === null ? 'Now' : 'At the cursor'} <small>{time}</small>
        </h3>
        <MomentSlider grid={grid} />
      </header>
      <div className="at-cursor-body">
        <Processes answer={processes.data} error={processes.error} />
        <Kernel answer={kernel.data} error={kernel.error} momentMs={asked} />
      </div>
    </section>
  )
}

/** The same cursor without a mouse: arrow keys go from sample to sample, Home and End to the ends. */
function MomentSlider({ grid }: { readonly grid: Grid | null }): ReactNode {
  const cursor = useContext(CursorContext)
  const timeS = useCursorTime()
  const { zone } = useSettings()
  const last = grid === null ? 0 : grid.length - 1
  const place = grid === null || timeS === null ? last : Math.round((timeS - grid.startS) / grid.stepS)
  const at = Math.min(Math.max(place, 0), last)
  // Of a window that moves on, the cursor may be left behind: it is still where it was put.
  const shownS = timeS ?? (grid === null ? null : grid.startS + at * grid.stepS)
  const text = shownS === null ? 'no samples' : timeOfDay(shownS * 1000, zone)
  return (
    <input
      type="range"
      aria-label="Moment of the cursor"
      aria-valuetext={text}
      disabled={grid === null}
      min={0}
      max={last}
      value={at}
      onChange={event => {
        if (grid !== null) cursor.rest(grid.startS + event.target.valueAsNumber * grid.stepS)
      }}
      onKeyDown={event => {
        if (event.key !== 'Escape' || cursor.restS === null) return
        event.preventDefault()
        cursor.rest(null)
      }}
    />
  )
}

function Processes({
  answer,
  error,
}: {
  readonly answer: ProcessesAnswer | undefined
  readonly error: Error | null
}): ReactNode {
  const rows = answer?.processes ?? []
  return (
    <div className="at-processes">
      <h4>
        Top processes <small>CPU of one core, over 5 s</small>
        {answer?.recovered === true ? <Recovered /> : null}
      </h4>
      {rows.length > 0 ? (
        <table>
          <thead className="visually-hidden">
            <tr>
              <th scope="col">Command</th>
              <th scope="col" className="number">
                Process
              </th>
              <th scope="col" className="number">
                CPU
              </th>
              <th scope="col" className="number">
                Memory
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, ROWS).map(({ pid, name, cpu, residentBytes }) => {
              const memory = figure(residentBytes, 'bytes')
              return (
                <tr key={pid}>
                  <th scope="row">{name}</th>
                  <td className="number at-pid">pid {pid}</td>
                  <td className="number">{(cpu * 100).toFixed(1)}%</td>
                  <td className="number">
                    {memory.value} {memory.unit}
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      ) : (
        <p className="quiet">
          {error === null
            ? answer === undefined
              ? 'Loading…'
              : answer.at === null
                ? 'No look is stored of this moment: its agent was away or older, or it is longer ago than 15 days.'
                : 'No process used a two-hundredth of a core.'
            : `Not shown: ${error.message}`}
        </p>
      )}
    </div>
  )
}

function Kernel({
  answer,
  error,
  momentMs,
}: {
  readonly answer: KernelMessagesAnswer | undefined
  readonly error: Error | null
  readonly momentMs: number | null
}): ReactNode {
  const { zone } = useSettings()
  const all = answer?.messages ?? []
  // Nearest first: what is read first is what was said then.
  const near = all.toSorted((a, b) => Math.abs(a.at - (momentMs ?? 0)) - Math.abs(b.at - (momentMs ?? 0)))
  return (
    <div className="at-kernel">
      <h4>
        Kernel messages <small>2 min before to 30 s after, nearest first</small>
        {all.some(({ recovered }) => recovered) ? <Recovered /> : null}
      </h4>
      {near.length > 0 ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard.
        <ol tabIndex={0} aria-label="Kernel messages">
          {near.map(({ at, level, text }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the kernel says the same twice in a second.
            <li key={`${at}/${index}`} data-level={level <= 3 ? 'bad' : level === 4 ? 'warning' : 'info'}>
              <time dateTime={new Date(at).toISOString()}>{timeOfDay(at, zone)}</time>
              <span>
                {level <= 4 ? <b>{LEVELS[level]}: </b> : null}
                {text}
              </span>
            </li>
          ))}
          {(answer?.leftOut ?? 0) > 0 ? (
            <li className="quiet">{answer?.leftOut} more were too many to keep.</li>
          ) : null}
        </ol>
      ) : (
        <p className="quiet">{error === null ? nothingSaid(answer) : `Not shown: ${error.message}`}</p>
      )}
    </div>
  )
}

function nothingSaid(answer: KernelMessagesAnswer | undefined): string {
  if (answer === undefined) return 'Loading…'
  if (answer.readable === null) return 'No agent told anything of this time.'
  return answer.readable
    ? 'The kernel said nothing.'
    : 'Not permitted: its agent may not read /dev/kmsg. Run it as root or with CAP_SYSLOG to see what the kernel says.'
}

function Recovered(): ReactNode {
  return (
    <span className="recovered" title="It came late, from the agent’s flight recorder or its queue">
      recovered
    </span>
  )
}

/** A value that has not changed for a moment: who moves the pointer across asks for nothing on the way. */
function useSettled(value: number | null): number | null {
  const [settled, settle] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => settle(value), SETTLED_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
