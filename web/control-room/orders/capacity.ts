// Owns a line's capacity as people write it: `800 Mb/s`. Pure.
import { figure } from '../units.ts'

const FACTORS: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, t: 1e12 }
/** As the API takes it. */
const BPS_MIN = 1_000
const BPS_MAX = 1e13

/** Bits a second; null: it is none. Megabytes are refused, since nobody could tell who meant them. */
export function readCapacity(text: string): number | null {
  const found = /^\s*(\d+(?:[.,]\d+)?)\s*([kmgt])(?:b|bit|bits|bps)(?:\/s|it\/s|ps)?\s*$/i.exec(text)
  if (found === null || /[kmgtKMGT]B/.test(text.replaceAll(' ', ''))) return null
  const bps = Number((found[1] ?? '').replace(',', '.')) * (FACTORS[(found[2] ?? '').toLowerCase()] ?? 1)
  return bps >= BPS_MIN && bps <= BPS_MAX ? Math.round(bps) : null
}

export function capacityText(bps: number): string {
  const { value, unit } = figure(bps, 'bits')
  return `${Number(value.replaceAll('\u2009', ''))} ${unit}`
}
