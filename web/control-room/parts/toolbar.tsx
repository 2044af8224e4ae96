// Owns the row above charts: ranges, pause, and the way back from a zoom.
import type { ReactNode } from 'react'
import { useCursorTime } from '../charts/cursor.tsx'
import type { PageWindow } from '../pages/use-window.ts'
import { usePast } from '../past/past-context.tsx'
import { useSettings } from '../settings.tsx'
import { dayAndTime, timeOfDay, type Zone } from '../time-format.ts'
import { RANGES, type Window } from '../url-state.ts'
import { ZoneSwitch } from './moment.tsx'

export interface ToolbarProps {
  readonly page: PageWindow
  readonly paused: boolean
  readonly setPaused: (paused: boolean) => void
  readonly title: string
  /** Ways to take the graph along. */
  readonly children?: ReactNode
}

export function Toolbar({ page, paused, setPaused, title, children }: ToolbarProps): ReactNode {
  const { window } = page
  const { zone } = useSettings()
  const fixed = window.kind === 'fixed'
  const past = usePast()
  const pointedS = useCursorTime()
  return (
    <div className="toolbar">
      <h2>{title}</h2>
      <p className="toolbar-note">
        {note(window, zone, pointedS)} <ZoneSwitch />
      </p>
      <div className="segments" role="group" aria-label="Range of time">
        {RANGES.map(({ id, label }) => (
          <button
            key={id}
            type="button"
            aria-pressed={window.kind === 'live' && window.range === id}
            onClick={() => page.choose(id)}
          >
            {label}
          </button>
        ))}
      </div>
      {fixed ? (
        <button type="button" className="plain live-button" onClick={page.back}>
          {past === null ? 'Back to live' : 'Whole range'} <kbd>Esc</kbd>
        </button>
      ) : past !== null ? null : (
        <button
          type="button"
          className="plain live-button"
          aria-pressed={paused}
          onClick={() => setPaused(!paused)}
        >
          <i className="live-dot" data-on={!paused} />
          {paused ? 'Resume' : 'Pause'}
        </button>
      )}
      {children}
    </div>
  )
}

/** The moment under the pointer, else the window, else what can be done here. */
function note(window: Window, zone: Zone, pointedS: number | null): string {
  if (pointedS !== null) return `At ${timeOfDay(pointedS * 1000, zone)}`
  if (window.kind === 'live') return 'Drag to zoom. Times in'
  return `${dayAndTime(window.fromS * 1000, zone)} to ${timeOfDay(window.toS * 1000, zone)}`
}
