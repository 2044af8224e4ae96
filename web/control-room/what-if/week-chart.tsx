// Owns the small picture of a week: a bar an hour, and the line of what the rest carries. All rows share one scale.
import type { ReactNode } from 'react'
import type { WhatIfAnswer } from '#wire'
import { useSettings } from '../settings.tsx'
import type { Zone } from '../time-format.ts'
import { figureText } from '../units.ts'
import { weekShape } from './what-if-words.ts'

const HEIGHT = 44

export interface WeekChartProps {
  readonly week: WhatIfAnswer['week']
  /** Null: not known of any edge. */
  readonly capacityBps: number | null
  /** False: there may be more capacity than the line says. */
  readonly certain: boolean
  readonly top: number
}

export function WeekChart({ week, capacityBps, certain, top }: WeekChartProps): ReactNode {
  const { zone } = useSettings()
  const shape = weekShape(week, capacityBps, { top, height: HEIGHT })
  const highest = Math.max(0, ...week.map(({ peakBps }) => peakBps ?? 0))
  const days = midnights(week, zone)
  const label = `Demand of the last seven days: at most ${figureText(highest, 'bits')}; ${capacityBps === null ? 'capacity not known' : `the rest carries ${certain ? '' : 'at least '}${figureText(capacityBps, 'bits')}`}`
  return (
    <figure className="week-chart" role="img" aria-label={label}>
      <svg viewBox={`0 0 ${week.length} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {days.map(({ hour }) => (
          <path
            key={hour}
            className="week-day"
            d={`M${hour} 0V${HEIGHT}`}
            vectorEffect="non-scaling-stroke"
          />
        ))}
        <path className="week-carried" d={shape.carried} />
        <path className="week-tight" d={certain ? shape.tight : ''} />
        <path className="week-over" d={certain ? shape.over : ''} />
        {certain ? null : <path className="week-doubt" d={`${shape.tight}${shape.over}`} />}
        {shape.capacityY === null ? null : (
          <path
            className="week-capacity"
            data-certain={certain}
            d={`M0 ${shape.capacityY}H${week.length}`}
            vectorEffect="non-scaling-stroke"
          />
        )}
      </svg>
      <figcaption aria-hidden="true">
        {days.map(({ hour, name }) => (
          <span key={hour} style={{ left: `${(hour / week.length) * 100}%` }}>
            {name}
          </span>
        ))}
      </figcaption>
    </figure>
  )
}

/** Where a day begins in the zone that is shown, with its name; a day that is cut short has no room for one. */
function midnights(week: WhatIfAnswer['week'], zone: Zone): readonly { hour: number; name: string }[] {
  const timeZone = zone === 'local' ? {} : { timeZone: zone === 'utc' ? 'UTC' : zone }
  const hourOf = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', hourCycle: 'h23', ...timeZone })
  const dayOf = new Intl.DateTimeFormat('en-GB', { weekday: 'short', ...timeZone })
  return week.flatMap(({ at }, hour) =>
    hourOf.format(at) === '00' && week.length - hour > 12 ? [{ hour, name: dayOf.format(at) }] : [],
  )
}
