// Owns reading `chronyc -c`: comma-separated values whose order is fixed (chronyc(1), `-c`).
import { type DaemonReading, leapIndicator } from './time-source.ts'

const TRACKING_FIELDS = 14
const leapWords: Readonly<Record<string, number>> = {
  Normal: 0,
  'Insert second': 1,
  'Delete second': 2,
  'Not synchronised': 3,
}

export interface ChronyTracking extends DaemonReading {
  readonly offsetS: number
  readonly lastOffsetS: number
  readonly rmsOffsetS: number
  readonly skewPpm: number
  readonly residualPpm: number
  readonly updateIntervalS: number
}

/** `chronyc -c tracking`; null: it is not such a line. */
export function readChronyTracking(text: string): ChronyTracking | null {
  const fields = text.trim().split('\n')[0]?.split(',') ?? []
  const number = (index: number): number => Number(fields[index])
  const figures = [2, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(number)
  const leap = leapWords[fields[13] ?? '']
  if (fields.length !== TRACKING_FIELDS || leap === undefined || !figures.every(Number.isFinite)) return null
  return {
    daemon: 'chrony',
    stratum: number(2),
    leap: leapIndicator(leap),
    // Negative when the text form says "fast of NTP time": turned, so that ahead is positive.
    offsetS: -number(4),
    lastOffsetS: number(5),
    rmsOffsetS: number(6),
    frequencyPpm: number(7),
    residualPpm: number(8),
    skewPpm: number(9),
    rootDelayS: number(10),
    rootDispersionS: number(11),
    updateIntervalS: number(12),
  }
}

/** Servers of `chronyc -c sources`, reference clocks left out: mode, state, address, stratum, poll, reach, last, offsets. */
export function readChronySources(text: string): { server: string; selected: boolean; reach: number }[] {
  const sources: { server: string; selected: boolean; reach: number }[] = []
  for (const line of text.split('\n', SOURCES_MAX)) {
    const [mode, state, server, , , reach] = line.split(',')
    if ((mode !== '^' && mode !== '=') || server === undefined || server === '') continue
    const bits = Number.parseInt(reach ?? '', 8)
    sources.push({ server, selected: state === '*', reach: Number.isFinite(bits) ? bits : 0 })
  }
  return sources
}

const SOURCES_MAX = 64
