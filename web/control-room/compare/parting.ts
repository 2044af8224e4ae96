// Owns the moment at which lines part: a change-point of the difference between them, told with both levels. Pure.
// It refuses to find one in noise, in a few odd cells, and in a difference that was there from the start.
// The method is described in docs/operate/compare.md; what is measured there is checked by parting.test.ts.

export type Cells = readonly (number | null)[]

export interface PartingInput {
  readonly lines: readonly { readonly id: string; readonly cells: Cells }[]
  readonly startS: number
  readonly stepS: number
  /** A difference below this is of no interest, in the unit of the lines. */
  readonly matters: number
}

/** One line's level before and after. */
export interface LevelChange {
  /** Null: the median of all other lines. */
  readonly id: string | null
  readonly before: number
  readonly after: number
}

export type Parting =
  | {
      readonly kind: 'found'
      readonly atS: number
      /** When they meet again; null: not in this window. */
      readonly untilS: number | null
      /** The line that moved more stands first. */
      readonly changes: readonly [LevelChange, LevelChange]
    }
  | { readonly kind: 'ended'; readonly id: string; readonly atS: number }
  | { readonly kind: 'none'; readonly why: 'one line' | 'too few samples' | 'steady' }

/** Cells on each side: shorter spells are not told from a passing burst. */
const RUN_MIN = 8
/** Standard deviations of the noise: of 1,000 pairs of noisy lines of 300 cells none may part. */
const SIGMAS = 4
/** Of the higher level: what is smaller nobody sees in the picture. */
const SHARE_MIN = 0.1
/** Odd cells, up to two together, are taken out before anything else. */
const MEDIAN_WIDTH = 5
/** Windows of `rate` overlap for some cells; differences over this many cells see all of the noise. */
const NOISE_LAG = 6
/** Changes that are looked for in one window; a line with more is restless, and its largest are told. */
const SEGMENTS_MAX = 24
/** Median of the absolute values of normal noise, in standard deviations. */
const MAD_TO_SIGMA = 0.6745

interface Difference {
  readonly id: string
  readonly other: string | null
  /** Index of each kept cell in the grid. */
  readonly at: readonly number[]
  readonly own: readonly number[]
  readonly others: readonly number[]
  readonly smooth: readonly number[]
}

interface Segment {
  readonly from: number
  readonly to: number
  readonly level: number
}

interface Candidate {
  readonly score: number
  readonly parting: Extract<Parting, { kind: 'found' }>
}

export function findParting(input: PartingInput): Parting {
  const lines = input.lines.filter(({ cells }) => cells.some(isNumber))
  if (lines.length < 2) return { kind: 'none', why: 'one line' }
  // Two lines have one difference; of more, each is held against the median of the others.
  const subjects = lines.length === 2 ? lines.slice(0, 1) : lines
  const differences = subjects.map(({ id }) => differenceOf(id, lines))
  const long = differences.filter(({ at }) => at.length >= 2 * RUN_MIN)
  const candidates = long.flatMap(difference => partingsOf(difference, input))
  const best = candidates.toSorted((a, b) => b.score - a.score)[0]
  if (best !== undefined) return best.parting
  const ended = endOf(lines, input)
  if (ended !== null) return ended
  return { kind: 'none', why: long.length === 0 ? 'too few samples' : 'steady' }
}

function differenceOf(id: string, lines: PartingInput['lines']): Difference {
  const own = lines.find(line => line.id === id)?.cells ?? []
  const rest = lines.filter(line => line.id !== id)
  const kept = own.flatMap((cell, index) => {
    const others = rest.map(line => line.cells[index]).filter(isNumber)
    return isNumber(cell) && others.length > 0 ? [{ index, own: cell, others: median(others) }] : []
  })
  return {
    id,
    other: rest.length === 1 ? (rest[0]?.id ?? null) : null,
    at: kept.map(({ index }) => index),
    own: kept.map(cell => cell.own),
    others: kept.map(cell => cell.others),
    smooth: runningMedian(kept.map(cell => cell.own - cell.others)),
  }
}

/** All partings of one difference, each with how much it weighs: size times the root of how long it lasts. */
function partingsOf(difference: Difference, input: PartingInput): Candidate[] {
  const { smooth, own, others } = difference
  const sigma = noiseOf(smooth)
  const scale = Math.max(quantile(own.map(Math.abs), 0.9), quantile(others.map(Math.abs), 0.9))
  const least = Math.max(SIGMAS * sigma, SHARE_MIN * scale, input.matters)
  if (least === 0) return []
  const segments = segmentsOf(smooth, least)
  return segments.slice(1).flatMap((after, index) => {
    const before = segments[index]
    if (before === undefined || Math.abs(after.level) - Math.abs(before.level) < least) return []
    const halfway = (Math.abs(before.level) + Math.abs(after.level)) / 2
    const meet = segments.slice(index + 2).find(({ level }) => Math.abs(level) < halfway)
    const to = meet?.from ?? smooth.length
    const start = onset(smooth, { before, at: after.from, sigma, level: after.level })
    const score = Math.abs(after.level - before.level) * Math.sqrt(to - start)
    const parting = told(difference, { from: before.from, start, to, met: meet !== undefined }, input)
    return [{ score, parting }]
  })
}

function told(
  { id, other, at, own, others }: Difference,
  span: { readonly from: number; readonly start: number; readonly to: number; readonly met: boolean },
  { startS, stepS }: PartingInput,
): Candidate['parting'] {
  const timeS = (place: number): number => startS + (at[place] ?? 0) * stepS
  const change = (name: string | null, cells: readonly number[]): LevelChange => ({
    id: name,
    before: median(cells.slice(span.from, span.start)),
    after: median(cells.slice(span.start, span.to)),
  })
  const size = ({ before, after }: LevelChange): number => Math.abs(after - before)
  const [a, b] = [change(id, own), change(other, others)]
  return {
    kind: 'found',
    atS: timeS(span.start),
    untilS: span.met ? timeS(span.to) : null,
    changes: size(b) > size(a) ? [b, a] : [a, b],
  }
}

/** The least-squares change stands in the middle of a slope; the parting is where the slope begins. */
function onset(
  smooth: readonly number[],
  { before, at, sigma, level }: { before: Segment; at: number; sigma: number; level: number },
): number {
  const direction = Math.sign(level - before.level)
  const band = Math.max(2 * sigma, Math.abs(level - before.level) * 0.1)
  const outside = (place: number): boolean =>
    ((smooth[place] ?? before.level) - before.level) * direction > band
  let start = at
  while (start > before.from + 1 && outside(start - 1)) start -= 1
  while (start < smooth.length - 1 && !outside(start)) start += 1
  return start
}

/** Splits where the squared error falls most, as long as both sides are long enough and their medians far enough apart. */
function segmentsOf(values: readonly number[], least: number): Segment[] {
  const sums = [0]
  for (const value of values) sums.push((sums.at(-1) ?? 0) + value)
  const whole = segment(values, 0, values.length)
  const done: Segment[] = []
  const open: Segment[] = [whole]
  while (open.length > 0) {
    const part = open.pop() ?? whole
    const cut = done.length + open.length + 2 > SEGMENTS_MAX ? null : bestCut(sums, part)
    const [left, right] = cut === null ? [] : [segment(values, part.from, cut), segment(values, cut, part.to)]
    if (left === undefined || right === undefined) done.push(part)
    else if (Math.abs(left.level - right.level) >= least || holdsMore(values, [left, right], least)) {
      open.push(left, right)
    } else done.push(part)
  }
  return merged(
    values,
    done.toSorted((a, b) => a.from - b.from),
    least,
  )
}

/** A spell in the middle hides its first cut: the longer side's median is that of the calm. One more look tells. */
function holdsMore(values: readonly number[], parts: readonly Segment[], least: number): boolean {
  return parts.some(({ from, to, level }) => {
    let run = 0
    for (let place = from; place < to; place += 1) {
      run = Math.abs((values[place] ?? level) - level) >= least ? run + 1 : 0
      if (run >= RUN_MIN) return true
    }
    return false
  })
}

function merged(values: readonly number[], parts: readonly Segment[], least: number): Segment[] {
  const kept: Segment[] = []
  for (const part of parts) {
    const last = kept.at(-1)
    if (last !== undefined && Math.abs(last.level - part.level) < least) {
      kept[kept.length - 1] = segment(values, last.from, part.to)
    } else kept.push(part)
  }
  return kept
}

function bestCut(sums: readonly number[], { from, to }: Segment): number | null {
  const sum = (a: number, b: number): number => (sums[b] ?? 0) - (sums[a] ?? 0)
  let best: number | null = null
  let gain = 0
  for (let cut = from + RUN_MIN; cut <= to - RUN_MIN; cut += 1) {
    const [left, right] = [cut - from, to - cut]
    const between = sum(from, cut) / left - sum(cut, to) / right
    const found = ((left * right) / (left + right)) * between ** 2
    if (found > gain) {
      gain = found
      best = cut
    }
  }
  return best
}

function segment(values: readonly number[], from: number, to: number): Segment {
  return { from, to, level: median(values.slice(from, to)) }
}

/** Robust: a step touches only as many of these differences as the lag is long. */
function noiseOf(values: readonly number[]): number {
  const steps = values.slice(NOISE_LAG).map((value, index) => Math.abs(value - (values[index] ?? value)))
  return median(steps) / (MAD_TO_SIGMA * Math.SQRT2)
}

/** A line that stops while others go on has not parted from them: it is not measured any more. */
function endOf(lines: PartingInput['lines'], { startS, stepS }: PartingInput): Parting | null {
  const last = lines.map(({ id, cells }) => ({ id, at: cells.findLastIndex(isNumber) }))
  const latest = Math.max(...last.map(({ at }) => at))
  const first = last.filter(({ at }) => latest - at >= RUN_MIN).toSorted((a, b) => a.at - b.at)[0]
  return first === undefined ? null : { kind: 'ended', id: first.id, atS: startS + first.at * stepS }
}

function runningMedian(values: readonly number[]): number[] {
  const half = Math.floor(MEDIAN_WIDTH / 2)
  return values.map((_, index) => {
    const side = Math.min(half, index, values.length - 1 - index)
    return median(values.slice(index - side, index + side + 1))
  })
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const [below, above] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0]
  return below + (above - below) * (place - Math.floor(place))
}

function isNumber(cell: number | null | undefined): cell is number {
  return typeof cell === 'number' && Number.isFinite(cell)
}
