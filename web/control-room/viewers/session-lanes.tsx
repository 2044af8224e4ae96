// Owns the lanes above a session's charts, on their axis of time: what happened, the state, and the edge that fed it.
// By pointer, finger and keyboard they move the page's one cursor, and the words below tell that moment.
import { type KeyboardEvent, type PointerEvent, type ReactNode, useContext } from 'react'
import type { ViewerSessionAnswer } from '#wire'
import { CursorContext, useCursorTime } from '../charts/cursor.tsx'
import { type Grid, valueAt } from '../charts/grid.ts'
import { seriesColour } from '../charts/palette.ts'
import { useSettings } from '../settings.tsx'
import { timeOfDay } from '../time-format.ts'
import { figureText } from '../units.ts'
import { type Band, bandAt, edgeBands, stateBands } from './session-line.ts'
import { eventText, eventTone, saidBy, toneOfState } from './viewer-words.ts'

/** More would be a wall; the list below has them all. */
const TICKS_MAX = 80

export interface SessionLanesProps {
  readonly answer: ViewerSessionAnswer
  readonly grid: Grid
  /** Of the fleet, for colours. */
  readonly servers: readonly string[]
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

export function SessionLanes({ answer, grid, servers }: SessionLanesProps): ReactNode {
  const { zone } = useSettings()
  const span = { fromMs: grid.startS * 1000, toMs: (grid.startS + (grid.length - 1) * grid.stepS) * 1000 }
  const states = stateBands(answer)
  const edges = edgeBands(answer.session)
  const ticks = answer.timeline
    .filter(({ at, event }) => event !== 'rr' && at >= span.fromMs && at <= span.toMs)
    .slice(-TICKS_MAX)
  return (
    <div className="session-lanes">
      <Lane name="Said">
        {ticks.map((said, at) => {
          const words = `${timeOfDay(said.at, zone)}  ${eventText(said)}`
          return (
            <i
              key={`${said.at}/${at}`}
              className="lane-tick"
              data-tone={eventTone(said)}
              data-event={said.event}
              style={{ left: `${part(said.at, span) * 100}%` }}
              title={words}
            />
          )
        })}
      </Lane>
      <Lane name="State">
        {states.map(band => (
          <BandPart
            key={`${band.name}/${band.fromMs}`}
            band={band}
            span={span}
            tone={toneOfState(band.name)}
            text={band.name}
          />
        ))}
      </Lane>
      <Lane name="Edge">
        {edges.map(band => (
          <BandPart
            key={`${band.name.id}/${band.fromMs}`}
            band={band}
            span={span}
            colour={seriesColour(band.name.id, servers)}
            text={band.name.id}
            title={`${band.name.id}: so says ${saidBy(band.name.by)}`}
          />
        ))}
      </Lane>
      <Handle answer={answer} grid={grid} span={span} />
    </div>
  )
}

/** As high as the lanes that are on their way: nothing below them is pushed when they come. */
export function EmptyLanes(): ReactNode {
  return (
    <div className="session-lanes">
      <Lane name="Said" />
      <Lane name="State" />
      <Lane name="Edge" />
      <p className="lane-words" aria-hidden="true">
        <span className="quiet">Loading…</span>
      </p>
    </div>
  )
}

function Lane({ name, children }: { readonly name: string; readonly children?: ReactNode }): ReactNode {
  return (
    <div className="session-lane">
      <span className="lane-name">{name}</span>
      <div className="lane-room" aria-hidden="true">
        {children}
      </div>
    </div>
  )
}

interface BandPartProps {
  readonly band: Band<unknown>
  readonly span: Span
  readonly text: string
  readonly title?: string
  readonly tone?: string
  readonly colour?: string
}

function BandPart({ band, span, text, title = text, tone, colour }: BandPartProps): ReactNode {
  const from = Math.max(0, part(band.fromMs, span))
  const to = Math.min(1, part(band.toMs, span))
  if (to <= 0 || from >= 1) return null
  const width = Math.max(0, to - from)
  return (
    <span
      className="lane-band"
      data-tone={tone}
      title={title}
      style={{
        left: `${from * 100}%`,
        width: `max(2px, ${width * 100}%)`,
        ...(colour === undefined ? {} : { '--tone': `var(${colour})` }),
      }}
    >
      {width > 0.07 ? text : ''}
    </span>
  )
}

function part(atMs: number, { fromMs, toMs }: Span): number {
  return (atMs - fromMs) / Math.max(1, toMs - fromMs)
}

/** Over all lanes: the cursor's line, moved from here, too. */
function Handle({
  answer,
  grid,
  span,
}: {
  readonly answer: ViewerSessionAnswer
  readonly grid: Grid
  readonly span: Span
}): ReactNode {
  const cursor = useContext(CursorContext)
  const timeS = useCursorTime()
  const { zone } = useSettings()
  const lastS = span.toMs / 1000
  const at = timeS ?? lastS
  const words = momentWords(answer, grid, at * 1000)
  const timeUnder = (event: PointerEvent): number => {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    const share = Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width)))
    return grid.startS + Math.round(share * (grid.length - 1)) * grid.stepS
  }
  const onKey = (event: KeyboardEvent): void => {
    const far = event.shiftKey ? 10 : 1
    const to =
      event.key === 'ArrowLeft'
        ? at - far * grid.stepS
        : event.key === 'ArrowRight'
          ? at + far * grid.stepS
          : event.key === 'Home'
            ? grid.startS
            : event.key === 'End'
              ? lastS
              : null
    if (to === null) return
    event.preventDefault()
    cursor.rest(Math.min(lastS, Math.max(grid.startS, to)))
  }
  return (
    <>
      <div
        className="lane-handle"
        role="slider"
        tabIndex={0}
        aria-label="Moment of the session"
        aria-valuemin={grid.startS}
        aria-valuemax={lastS}
        aria-valuenow={at}
        aria-valuetext={`${timeOfDay(at * 1000, zone)}: ${words}`}
        onPointerMove={event => cursor.point(timeUnder(event))}
        onPointerLeave={() => cursor.point(null)}
        onPointerDown={event => cursor.rest(timeUnder(event))}
        onKeyDown={onKey}
      >
        {timeS === null ? null : <i style={{ left: `${part(timeS * 1000, span) * 100}%` }} />}
      </div>
      <p className="lane-words" aria-hidden="true">
        {timeS === null ? (
          <span className="quiet">Point at a moment, or go there with the arrow keys.</span>
        ) : (
          <>
            <b>{timeOfDay(timeS * 1000, zone)}</b> {words}
          </>
        )}
      </p>
    </>
  )
}

/** `rebuffering; fed by us-east, which ran at 0.12 cores; 0 ms in the buffer 0.4 s before` */
function momentWords(answer: ViewerSessionAnswer, grid: Grid, atMs: number): string {
  const state = bandAt(stateBands(answer), atMs)
  const edge = bandAt(edgeBands(answer.session), atMs)
  const cores = edge === null ? null : valueAt(grid, `cpu/${edge.id}`, atMs / 1000)
  const said = [...answer.answers, ...answer.timeline]
    .filter(({ at, bufferS }) => at <= atMs + (grid.stepS * 1000) / 2 && bufferS !== null)
    .toSorted((a, b) => a.at - b.at)
    .at(-1)
  const parts = [
    state ?? (atMs < answer.session.startedAt ? 'not begun' : 'nothing said'),
    edge === null
      ? 'no edge is known'
      : `fed by ${edge.id}${cores === null ? '' : `, which used ${figureText(cores, 'cores')}`}`,
    ...(said === undefined || said.bufferS === null
      ? []
      : [`${said.bufferS.toFixed(1)} s in the buffer${agoWords(atMs - said.at)}`]),
  ]
  return parts.join('; ')
}

function agoWords(ms: number): string {
  return ms < 1000 ? '' : `, said ${Math.round(ms / 1000)} s before`
}
