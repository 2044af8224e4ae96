// Owns moments and ages on the pages: a moment stands in the chosen zone, an age grows each second.
import type { ReactNode } from 'react'
import { useFleetNow } from '../api/use-control-room.tsx'
import { useSettings } from '../settings.tsx'
import { age, dayAndTime, duration, timeOfDay, zoneName } from '../time-format.ts'

const HALF_A_DAY_MS = 43_200_000

/** A moment in the chosen zone; the day too when it is not today's. */
export function Moment({ at }: { readonly at: number }): ReactNode {
  const { zone } = useSettings()
  const now = useFleetNow()
  const far = now !== null && Math.abs(now - at) > HALF_A_DAY_MS
  const text = far ? dayAndTime(at, zone) : timeOfDay(at, zone)
  return (
    <time dateTime={new Date(at).toISOString()} title={`${dayAndTime(at, zone)} ${zoneName(zone)}`}>
      {text}
    </time>
  )
}

/** The zone that the moments beside it are in; a click shows them in the other one. */
export function ZoneSwitch(): ReactNode {
  const { zone, setZone } = useSettings()
  const other = zone === 'utc' ? 'local' : 'utc'
  return (
    <button
      type="button"
      className="zone-switch"
      title={`Show times in ${zoneName(other)}`}
      aria-label={`Times are in ${zoneName(zone)}. Switch to ${zoneName(other)}`}
      onClick={() => setZone(other)}
    >
      {zoneName(zone)}
    </button>
  )
}

/** How long ago, as `4 min`. */
export function Age({ at }: { readonly at: number }): ReactNode {
  const now = useFleetNow()
  return <>{now === null ? '–' : age(now - at)}</>
}

/** How long something has lasted, as `4 min 05 s`. */
export function Lasting({ from, to }: { readonly from: number; readonly to: number | null }): ReactNode {
  const now = useFleetNow()
  const end = to ?? now
  return <>{end === null ? '–' : duration(end - from)}</>
}
