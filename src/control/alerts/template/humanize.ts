// Owns numbers for people, as Prometheus' template functions give them. Pure.
import { formatGeneral } from './format-float.ts'
import { RenderProblem, toText, type Value } from './value.ts'

const DIGITS = 4
const LARGE = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']
const SMALL = ['', 'm', 'u', 'n', 'p', 'f', 'a', 'z', 'y']
const BINARY = ['', 'ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']

/** Text is read as a number; every other kind is refused. */
export function toFloat(value: Value): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  const text = typeof value === 'string' ? value.trim() : ''
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (special !== null) {
    if (/nan/i.test(text)) return Number.NaN
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  if (text === '' || !Number.isFinite(Number(text)))
    throw new RenderProblem(`a number is expected, not ${JSON.stringify(toText(value)).slice(0, 80)}`)
  return Number(text)
}

/** 1234567 -> 1.235M, 0.00123 -> 1.23m. */
export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return formatGeneral(value, DIGITS)
  if (Math.abs(value) >= 1) return scaled(value, 1000, LARGE)
  const { size, unit } = grown(value)
  return `${formatGeneral(size, DIGITS)}${unit}`
}

/** 1536 -> 1.5ki. */
export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return formatGeneral(value, DIGITS)
  return scaled(value, 1024, BINARY)
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let size = value
  let step = 0
  while (Math.abs(size) >= base && step < units.length - 1) {
    size /= base
    step += 1
  }
  return `${formatGeneral(size, DIGITS)}${units[step]}`
}

function grown(value: number): { size: number; unit: string } {
  let size = value
  let step = 0
  while (Math.abs(size) < 1 && step < SMALL.length - 1) {
    size *= 1000
    step += 1
  }
  return { size, unit: SMALL[step] ?? '' }
}

/** Seconds: 3725 -> 1h 2m 5s, 0.012 -> 12ms. */
export function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return formatGeneral(value, DIGITS)
  if (value === 0) return `${formatGeneral(value, DIGITS)}s`
  if (Math.abs(value) < 1) {
    const { size, unit } = grown(value)
    return `${formatGeneral(size, DIGITS)}${unit}s`
  }
  if (Math.abs(value) > 2 ** 53) return `${formatGeneral(value, DIGITS)}s`
  const sign = value < 0 ? '-' : ''
  const whole = Math.trunc(Math.abs(value))
  const [days, hours, minutes, seconds] = [
    Math.trunc(whole / 86_400),
    Math.trunc(whole / 3600) % 24,
    Math.trunc(whole / 60) % 60,
    whole % 60,
  ] as const
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${seconds}s`
  if (minutes > 0) return `${sign}${minutes}m ${seconds}s`
  return `${sign}${formatGeneral(Math.abs(value), DIGITS)}s`
}

/** 0.1234 -> 12.34%. */
export function humanizePercentage(value: number): string {
  return `${formatGeneral(value * 100, DIGITS)}%`
}

/** Seconds since 1970: 1435065584.128 -> 2015-06-23 13:19:44.128 +0000 UTC. */
export function humanizeTimestamp(value: number): string {
  if (!Number.isFinite(value)) return formatGeneral(value, DIGITS)
  const ms = Math.trunc(value * 1000)
  if (Math.abs(ms) > 8.64e15) throw new RenderProblem(`${value} cannot be represented as a time`)
  const [day = '', clock = ''] = new Date(ms).toISOString().split('T')
  return `${day} ${clock.replace(/\.?0*Z$/, '')} +0000 UTC`
}
