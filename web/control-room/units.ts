// Owns how figures become words: few digits, fixed width, the unit beside them.

export type Unit = 'cores' | 'bits' | 'bytes' | 'count' | 'seconds' | 'percent' | 'perSecond' | 'plain'

/** A figure and its unit apart, so that pages can set them in different sizes. */
export interface Figure {
  readonly value: string
  readonly unit: string
}

const DASH = '–'

export function figure(value: number | null, unit: Unit): Figure {
  if (value === null || !Number.isFinite(value)) return { value: DASH, unit: unitName(unit) }
  switch (unit) {
    case 'cores':
      return { value: value.toFixed(value < 10 ? 2 : 1), unit: unitName(unit) }
    case 'bits':
      return scaled(value, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'])
    case 'bytes':
      return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'])
    case 'count':
      return { value: grouped(Math.round(value)), unit: '' }
    case 'seconds':
      return Math.abs(value) < 1
        ? { value: digits(value * 1000), unit: 'ms' }
        : { value: digits(value), unit: 's' }
    case 'percent':
      return { value: digits(value * 100), unit: '%' }
    case 'perSecond':
      return { value: digits(value), unit: '/s' }
    case 'plain':
      return { value: plain(value), unit: '' }
    default:
      return unit satisfies never
  }
}

export function figureText(value: number | null, unit: Unit): string {
  const { value: number, unit: name } = figure(value, unit)
  if (name === '' || number === DASH) return number
  return name === '%' ? `${number}%` : `${number} ${name}`
}

/** Labels of an axis: one scale for all ticks, so that 0.5 and 1 Mbit/s do not stand as 500 kbit/s and 1. */
export function axisLabels(ticks: readonly number[], unit: Unit): string[] {
  const top = Math.max(0, ...ticks.map(tick => Math.abs(tick)))
  if (unit === 'bits') return onScale(ticks, top, 1000, ['', 'k', 'M', 'G', 'T'])
  if (unit === 'bytes') return onScale(ticks, top, 1024, ['B', 'Ki', 'Mi', 'Gi', 'Ti'])
  if (unit === 'percent') return ticks.map(tick => `${trim(tick * 100)}%`)
  if (unit === 'seconds') return ticks.map(tick => (top < 1 ? `${trim(tick * 1000)} ms` : `${trim(tick)} s`))
  if (unit === 'plain' && top >= 10_000) return onScale(ticks, top, 1000, ['', 'k', 'M', 'G', 'T', 'P', 'E'])
  if (unit === 'plain' && top < 0.01) return ticks.map(tick => String(Number(tick.toPrecision(3))))
  return ticks.map(trim)
}

/** The unit that a bare number is in, for files that other programs read. */
export function exactUnit(unit: Unit): string {
  if (unit === 'percent') return 'ratio'
  return unit === 'perSecond' ? '1/s' : unitName(unit)
}

export function unitName(unit: Unit): string {
  const names: Record<Unit, string> = {
    cores: 'cores',
    bits: 'bit/s',
    bytes: 'bytes',
    count: '',
    seconds: 's',
    percent: '%',
    perSecond: '/s',
    plain: '',
  }
  return names[unit]
}

function scaled(value: number, base: number, names: readonly string[]): Figure {
  let rest = value
  let step = 0
  while (Math.abs(rest) >= base && step < names.length - 1) {
    rest /= base
    step += 1
  }
  return { value: step === 0 ? String(Math.round(rest)) : digits(rest), unit: names[step] ?? '' }
}

function onScale(ticks: readonly number[], top: number, base: number, names: readonly string[]): string[] {
  let divisor = 1
  let step = 0
  while (top / divisor >= base && step < names.length - 1) {
    divisor *= base
    step += 1
  }
  const suffix = names[step] ?? ''
  return ticks.map(tick => (tick === 0 ? '0' : `${trim(tick / divisor)}${suffix === '' ? '' : ` ${suffix}`}`))
}

/** Three significant places: 4.21, 42.1, 421. */
function digits(value: number): string {
  const size = Math.abs(value)
  if (size >= 100) return grouped(Math.round(value))
  return value.toFixed(size >= 10 ? 1 : 2)
}

function plain(value: number): string {
  if (value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 1e9)) {
    return Number.isInteger(value) ? grouped(value) : String(Number(value.toPrecision(6)))
  }
  return value.toExponential(3)
}

function trim(value: number): string {
  return String(Number(value.toFixed(3)))
}

/** Thin spaces between thousands, from five digits on. */
export function grouped(value: number): string {
  const text = String(value)
  return Math.abs(value) < 10_000 ? text : text.replace(/\B(?=(\d{3})+$)/g, '\u2009')
}
