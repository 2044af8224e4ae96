// Owns the choice of a span of time on the pages about viewers: a range that ends now, or any from and to.
import { type FormEvent, type ReactNode, useState } from 'react'
import { useFleetNow } from '../api/use-control-room.tsx'
import type { PageWindow } from '../pages/use-window.ts'
import { ZoneSwitch } from '../parts/moment.tsx'
import { fieldText, fieldTime } from '../past/at.ts'
import { useSettings } from '../settings.tsx'
import { zoneName } from '../time-format.ts'
import { LONG_RANGES, rangeSeconds } from '../url-state.ts'

export function SpanPicker({ page }: { readonly page: PageWindow }): ReactNode {
  const { window } = page
  const [asking, setAsking] = useState(false)
  const isFixed = window.kind === 'fixed'
  return (
    <div className="span-picker">
      <div className="segments" role="group" aria-label="Range of time">
        {LONG_RANGES.map(({ id, label }) => (
          <button
            key={id}
            type="button"
            aria-pressed={window.kind === 'live' && window.range === id}
            onClick={() => {
              setAsking(false)
              page.choose(id)
            }}
          >
            {label}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={isFixed}
          aria-expanded={asking || isFixed}
          onClick={() => setAsking(!asking)}
        >
          From, to
        </button>
      </div>
      {asking || isFixed ? <SpanForm key={JSON.stringify(window)} page={page} /> : null}
    </div>
  )
}

function SpanForm({ page }: { readonly page: PageWindow }): ReactNode {
  const { window } = page
  const { zone } = useSettings()
  const now = useFleetNow()
  const [typed, setTyped] = useState<{ from?: string; to?: string }>({})
  if (now === null) return null
  const from =
    typed.from ??
    fieldText(window.kind === 'fixed' ? window.fromS * 1000 : now - rangeSeconds(window.range) * 1000, zone)
  const to = typed.to ?? fieldText(window.kind === 'fixed' ? window.toS * 1000 : now, zone)
  const [fromMs, toMs] = [fieldTime(from, zone), fieldTime(to, zone)]
  const isSpan = fromMs !== null && toMs !== null && fromMs < toMs
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (isSpan) page.zoom(fromMs / 1000, toMs / 1000)
  }
  return (
    <form className="span-form" onSubmit={submit}>
      <input
        type="datetime-local"
        step="1"
        aria-label={`From, ${zoneName(zone)}`}
        value={from}
        onChange={event => setTyped({ ...typed, from: event.target.value })}
      />
      <span aria-hidden="true">to</span>
      <input
        type="datetime-local"
        step="1"
        aria-label={`To, ${zoneName(zone)}`}
        value={to}
        onChange={event => setTyped({ ...typed, to: event.target.value })}
      />
      <ZoneSwitch />
      <button type="submit" className="plain" disabled={!isSpan}>
        Show
      </button>
      {isSpan ? null : <span role="alert">The end must lie after the beginning.</span>}
    </form>
  )
}
