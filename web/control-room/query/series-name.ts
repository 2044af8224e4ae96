// Owns how a series is named: as its selector, and for legends by what tells it from the others.
import type { Labels } from '../api/prometheus.ts'
import { grouped } from '../units.ts'

/** `name{label="value"}` */
export function selectorText(labels: Labels): string {
  const { __name__: name = '', ...rest } = labels
  const pairs = Object.entries(rest).map(([label, value]) => `${label}=${JSON.stringify(value)}`)
  return pairs.length === 0 ? name || '{}' : `${name}{${pairs.join(', ')}}`
}

/** The values of the labels that differ within the answer: `eu-west 2xx`; the selector where none does. */
export function shortNames(all: readonly Labels[]): string[] {
  const names = [...new Set(all.flatMap(labels => Object.keys(labels)))]
  const differing = names.filter(name => all.some(labels => labels[name] !== all[0]?.[name]))
  // The region says nothing where each instance has its own.
  const telling = differing.filter(name => name !== 'region' || !differing.includes('instance'))
  const order = (name: string): number => (name === 'instance' ? 0 : name === '__name__' ? 2 : 1)
  telling.sort((a, b) => order(a) - order(b) || a.localeCompare(b))
  const short = all.map(labels => telling.flatMap(name => labels[name] ?? []).join(' '))
  const unique = new Set(short).size === all.length
  return all.map((labels, index) =>
    unique && short[index] !== '' ? (short[index] ?? '') : selectorText(labels),
  )
}

/** Every digit that was measured, without the noise of binary fractions; what is not a number says so. */
export function valueText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '−Inf'
  const number = Number(value.toPrecision(12))
  return (Number.isInteger(number) && Math.abs(number) < 1e15 ? grouped(number) : String(number)).replace(
    '-',
    '−',
  )
}
