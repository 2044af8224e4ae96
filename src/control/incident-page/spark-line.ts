// Owns viewers hurt of the last minutes as a line no larger than a word, with what it shows said in words.
import { clockWords, count } from '#receivers'
import { escape } from './html.ts'

const WIDTH = 320
const HEIGHT = 36
const EDGE = 2

export function sparkLine(
  points: readonly { readonly at: number; readonly value: number }[],
  { zone, trend }: { readonly zone: string; readonly trend: string | null },
): string {
  const [first] = points
  const last = points.at(-1)
  if (first === undefined || last === undefined || points.length < 2) return ''
  const most = Math.max(1, ...points.map(({ value }) => value))
  const place = ({ at, value }: { at: number; value: number }): string => {
    const x = ((at - first.at) / (last.at - first.at)) * WIDTH
    const y = HEIGHT - EDGE - (value / most) * (HEIGHT - 2 * EDGE)
    return `${x.toFixed(1)} ${y.toFixed(1)}`
  }
  const words = `Viewers hurt from ${clockWords(first.at, zone)} to ${clockWords(last.at, zone)}: ${count(first.value)} first, ${count(most)} at most, ${count(last.value)} now${trend === null ? '' : `, ${trend}`}`
  return `<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${escape(words)}"><path class="floor" d="M0 ${HEIGHT - 1}H${WIDTH}"/><path d="M${points.map(place).join('L')}"/></svg>`
}
