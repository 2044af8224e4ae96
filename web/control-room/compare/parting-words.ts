// Owns how a parting is told: in one sentence with both levels, and as a mark on the chart. Pure.
import type { ChartMark } from '../charts/chart-options.ts'
import { dayAndTime, duration, timeOfDay, type Zone, zoneName } from '../time-format.ts'
import { figureText, type Unit } from '../units.ts'
import type { LevelChange, Parting } from './parting.ts'

export interface Wording {
  readonly unit: Unit
  readonly zone: Zone
  /** Of the window, ms; the day is told where the moment lies on another. */
  readonly untilMs: number
}

const DAY_MS = 86_400_000

export function partingText(parting: Parting, { unit, zone, untilMs }: Wording): string {
  switch (parting.kind) {
    case 'found': {
      const [moved, stayed] = parting.changes
      const at = moment(parting.atS * 1000, untilMs, zone)
      const until =
        parting.untilS === null
          ? ''
          : ` They meet again after ${duration((parting.untilS - parting.atS) * 1000)}.`
      const who =
        stayed.id === null || moved.id === null
          ? `${name(moved.id ?? stayed.id)} parts from the others`
          : `${moved.id} and ${stayed.id} part`
      return `${who} at ${at}: ${change(moved, unit)}, ${change(stayed, unit)}.${until}`
    }
    case 'ended':
      return `${parting.id} has no samples after ${moment(parting.atS * 1000, untilMs, zone)}; until then no parting was found.`
    case 'none':
      return NONE[parting.why]
    default:
      return parting satisfies never
  }
}

const NONE: Record<Extract<Parting, { kind: 'none' }>['why'], string> = {
  'one line': 'No parting found: it takes two lines with samples.',
  'too few samples': 'No parting found: too few samples in this window to say.',
  steady: 'No parting found in this window.',
}

function moment(atMs: number, untilMs: number, zone: Zone): string {
  const text = untilMs - atMs > DAY_MS ? dayAndTime(atMs, zone) : timeOfDay(atMs, zone)
  return `${text} ${zoneName(zone)}`
}

function change({ id, before, after }: LevelChange, unit: Unit): string {
  const moved = Math.abs(after - before) > 0.1 * Math.max(Math.abs(before), Math.abs(after))
  if (!moved) return `${name(id)} ${id === null ? 'stay' : 'stays'} at ${level(after, unit)}`
  const verb = after > before ? (id === null ? 'rise' : 'rises') : id === null ? 'fall' : 'falls'
  return `${name(id)} ${verb} from ${level(before, unit)} to ${level(after, unit)}`
}

/** Three digits: a level is a median, and its further digits say nothing. */
function level(value: number, unit: Unit): string {
  return figureText(unit === 'plain' ? Number(value.toPrecision(3)) : value, unit)
}

function name(id: string | null): string {
  return id ?? 'the others'
}

export function partingMarks(parting: Parting, zone: Zone): ChartMark[] {
  if (parting.kind === 'none') return []
  const at = { atMs: parting.atS * 1000, colour: '--text' }
  const time = timeOfDay(at.atMs, zone)
  if (parting.kind === 'ended') return [{ ...at, label: `${parting.id} ends ${time}` }]
  const meet = parting.untilS === null ? [] : [{ atMs: parting.untilS * 1000, colour: '--dim' }]
  return [{ ...at, label: `they part ${time}` }, ...meet]
}
