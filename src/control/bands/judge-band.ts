// Owns what is normal for a signal and whether a value is: a robust middle and spread of what it was compared with. Pure.
import type { SignalView } from '#wire'
import type { Signal } from './signals.ts'

/** Of normally spread values one in 15,000 lies further out. */
const SPREADS = 4
/** The median absolute deviation of normally spread values is this part of their standard deviation. */
const MAD_SCALE = 1.4826
/** What differs by less than a quarter is the same. */
const SAME_PART = 0.25
export const PEERS_MIN = 3

export interface Basis {
  readonly basis: SignalView['basis']
  readonly values: readonly number[]
}

export interface Band {
  readonly low: number
  readonly high: number
  readonly basis: SignalView['basis']
  readonly n: number
}

/** Null: of nothing nothing is normal. */
export function bandOf(signal: Signal, { basis, values }: Basis): Band | null {
  const finite = values.filter(Number.isFinite)
  const middle = median(finite)
  if (middle === null || basis === 'none') return null
  const width = Math.max(widthOf(finite, middle), signal.spreadMin)
  const low = signal.highOnly ? Number.NEGATIVE_INFINITY : middle - width
  return { low, high: middle + width, basis, n: finite.length }
}

/** To each side of the middle. */
export function widthOf(values: readonly number[], middle: number): number {
  const spread = median(values.map(value => Math.abs(value - middle))) ?? 0
  return Math.max(SPREADS * MAD_SCALE * spread, SAME_PART * Math.abs(middle))
}

export function judgeSignal(signal: Signal, value: number | null, band: Band | null): SignalView {
  const shown = {
    signal: signal.name,
    unit: signal.unit,
    value,
    low: band === null || !Number.isFinite(band.low) ? null : band.low,
    high: band?.high ?? null,
    basis: band?.basis ?? 'none',
    n: band?.n ?? 0,
  } as const
  if (value === null || !Number.isFinite(value))
    return { ...shown, value: null, word: 'cannot-tell', text: `${signal.name}: not measured now` }
  if (band === null)
    return {
      ...shown,
      word: 'cannot-tell',
      text: `${signal.name} is ${format(value, signal)}: nothing to compare it with`,
    }
  const word = value > band.high ? 'high' : value < band.low ? 'low' : 'ok'
  const than =
    word === 'low' ? `expected at least ${format(band.low, signal)}` : `at most ${format(band.high, signal)}`
  return { ...shown, word, text: `${signal.name} is ${format(value, signal)}, ${than} (${basisWords(band)})` }
}

/** Signals that have to be told before anybody is called well. */
export const TOLD_MIN = 3

/** `ok` only if enough could be told and all of that is. `all`: every one of them has to be told. */
export function overall(
  views: readonly SignalView[],
  all: boolean,
): { word: 'ok' | 'out' | 'cannot-tell'; text: string } {
  const out = views.filter(({ word }) => word === 'high' || word === 'low')
  if (out.length > 0) return { word: 'out', text: out.map(({ text }) => text).join('; ') }
  const told = views.filter(({ word }) => word === 'ok')
  const missing = views.filter(({ word }) => word === 'cannot-tell')
  const enough = all ? missing.length === 0 && told.length > 0 : told.length >= TOLD_MIN
  if (!enough) {
    return { word: 'cannot-tell', text: `cannot tell: ${missingWords(missing)}` }
  }
  const isShort = told.some(({ basis }) => basis === 'short baseline')
  const names = told.map(({ signal }) => signal).join(', ')
  return { word: 'ok', text: `${names} within the normal range${isShort ? ' (short baseline)' : ''}` }
}

/** Each reason once: a list of eight signals with the same one is not read. */
function missingWords(missing: readonly SignalView[]): string {
  const names = (of: readonly SignalView[]): string => of.map(({ signal }) => signal).join(', ')
  const alone = missing.filter(({ value }) => value !== null)
  const unmeasured = missing.filter(({ value }) => value === null)
  const parts = [
    ...(alone.length === 0 ? [] : [`nothing to compare with yet: ${names(alone)}`]),
    ...(unmeasured.length === 0 ? [] : [`not measured now: ${names(unmeasured)}`]),
  ]
  return parts.length === 0 ? 'nothing is measured' : parts.join('; ')
}

function basisWords({ basis, n }: Band): string {
  if (basis === 'own') return `its own of this hour, ${n} values`
  return basis === 'peers' ? `${n} healthy peers` : `${basis}, ${n} values`
}

function format(value: number, { unit }: Signal): string {
  return `${Number(value.toPrecision(3))}${unit === '' ? '' : ` ${unit}`}`
}

export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[middle - 1], sorted[middle]]
  if (high === undefined) return null
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2
}
