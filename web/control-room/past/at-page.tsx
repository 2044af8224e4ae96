// Owns the frame of pages that can be set to a moment in the past: the one control for it, and the banner that says so.
import { type FormEvent, type ReactNode, useState } from 'react'
import { useSearchParams } from 'wouter'
import { useClient, useTick } from '../api/use-control-room.tsx'
import { ZoneSwitch } from '../parts/moment.tsx'
import { useSettings } from '../settings.tsx'
import { age, dayAndTime, zoneForLink, zoneName } from '../time-format.ts'
import { fieldText, fieldTime, readAt, withMoment, writeAt } from './at.ts'
import { PastContext } from './past-context.tsx'
import './past.css'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const STEPS = [
  { label: '−1 h', name: 'One hour earlier', ms: -HOUR_MS },
  { label: '−1 min', name: 'One minute earlier', ms: -MINUTE_MS },
  { label: '+1 min', name: 'One minute later', ms: MINUTE_MS },
  { label: '+1 h', name: 'One hour later', ms: HOUR_MS },
] as const

export function AtPage({ children }: { readonly children: ReactNode }): ReactNode {
  const [search, setSearch] = useSearchParams()
  const at = readAt(search)
  const go = (moment: number | null): void => setSearch(before => writeAt(before, moment))
  return (
    <PastContext value={at}>
      <AtBar at={at} go={go} />
      {children}
    </PastContext>
  )
}

interface BarProps {
  readonly at: number | null
  readonly go: (moment: number | null) => void
}

function AtBar({ at, go }: BarProps): ReactNode {
  const now = useLiveNow()
  if (at === null) {
    return (
      <div className="at-bar">
        <button
          type="button"
          className="plain"
          disabled={now === null}
          title="Show this page as it was at a moment in the past"
          onClick={() => go(now === null ? null : now - MINUTE_MS)}
        >
          <ClockIcon />
          Look back
        </button>
      </div>
    )
  }
  return <PastBar key={at} at={at} now={now} go={go} />
}

function PastBar({
  at,
  now,
  go,
}: BarProps & { readonly at: number; readonly now: number | null }): ReactNode {
  const { zone } = useSettings()
  const ahead = now !== null && at > now
  return (
    <section className="at-bar at-past" aria-label="Moment that is shown">
      <p className="at-words" role="status">
        <ClockIcon />
        <span>
          As it was at <b>{dayAndTime(at, zone)}</b> <ZoneSwitch />
          <small>
            {ahead
              ? 'This moment is yet to come.'
              : `${now === null ? '' : `${agoWords(now - at)} `}Nothing here is live, and nothing can be ordered.`}
          </small>
        </span>
      </p>
      <div className="at-tools">
        <div className="segments" role="group" aria-label="Step">
          {STEPS.map(({ label, name, ms }) => (
            <button
              key={ms}
              type="button"
              aria-label={name}
              disabled={now !== null && at + ms > now}
              onClick={() => go(at + ms)}
            >
              {label}
            </button>
          ))}
        </div>
        <AtField at={at} now={now} go={go} />
        <CopyLink at={at} />
        <button type="button" className="solid" onClick={() => go(null)}>
          Back to now
        </button>
      </div>
    </section>
  )
}

function agoWords(ms: number): string {
  const old = age(ms)
  return old === 'now' ? 'A moment ago.' : `${old} ago.`
}

/** In the zone that the page is in; the page follows when it is sent, not at each key. */
function AtField({
  at,
  now,
  go,
}: BarProps & { readonly at: number; readonly now: number | null }): ReactNode {
  const { zone } = useSettings()
  const [typed, setTyped] = useState<string | null>(null)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const moment = fieldTime(typed ?? '', zone)
    if (moment !== null) go(moment)
  }
  return (
    <form className="at-field" onSubmit={submit}>
      <input
        type="datetime-local"
        step="1"
        aria-label={`Date and time, ${zoneName(zone)}`}
        value={typed ?? fieldText(at, zone)}
        max={now === null ? undefined : fieldText(now, zone)}
        onChange={event => setTyped(event.target.value)}
      />
      <button type="submit" className="plain" disabled={typed === null || fieldTime(typed, zone) === null}>
        Go
      </button>
    </form>
  )
}

/** For somebody elsewhere: the same moment, and times in the zone of who sent it. */
function CopyLink({ at }: { readonly at: number }): ReactNode {
  const { zone } = useSettings()
  const [said, say] = useState('Copy link')
  const copy = (): void => {
    const url = new URL(location.href)
    url.hash = ''
    url.searchParams.set('tz', zoneForLink(zone))
    const text = `${url.origin}${withMoment(`${url.pathname}${url.search}`, zone, at)}`
    // Off loopback and without TLS browsers have no clipboard: the address bar has the same link.
    const { clipboard } = navigator as { readonly clipboard?: Clipboard }
    const writing = clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'))
    writing.then(() => say('Copied')).catch(() => say('Copy it above'))
  }
  return (
    <button type="button" className="plain at-copy" onClick={copy} aria-live="polite">
      {said}
    </button>
  )
}

/** Fleet time of the present, also inside a page that is set to the past. */
function useLiveNow(): number | null {
  useTick(1_000)
  return useClient().clock.at(performance.now())
}

export function ClockIcon(): ReactNode {
  return (
    <svg className="at-icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M2.200 5.400A6.300 6.300 0 1 1 1.700 8.600M2 2v3.600h3.600M8 4.600v3.700l2.500 1.600" />
    </svg>
  )
}
