// Owns what it means that two answers of the Prometheus API are equal: label sets, times and printed values, or the
// kind of a failure. It refuses nothing by itself: a difference is given in words.
import { Fault } from '#base'
import type { PrometheusAnswer } from './prometheus-server.ts'

/** Our faults that stand for each error type of Prometheus. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  bad_data: ['metrics-promql-syntax', 'metrics-promql-unsupported'],
  execution: ['metrics-promql-execution'],
}

export interface Comparison {
  /** Null when both answers are equal. */
  readonly difference: string | null
  /** What Prometheus answered with. */
  readonly outcome: 'error' | 'empty' | 'values'
  readonly points: number
}

/** `ordered`: the order of the series counts as well, as it does for sort and topk at one instant. */
export async function compareAnswers(
  theirs: PrometheusAnswer,
  ask: () => unknown,
  ordered: boolean,
): Promise<Comparison> {
  let ours: unknown
  try {
    ours = await ask()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { ...outcomeOf(theirs), difference: failureDifference(theirs, error) }
  }
  if (theirs.status === 'error') {
    return { ...outcomeOf(theirs), difference: `Prometheus refuses what we answer: ${theirs.error}` }
  }
  return { ...outcomeOf(theirs), difference: valueDifference(theirs.data, ours, ordered) }
}

function outcomeOf(answer: PrometheusAnswer): Pick<Comparison, 'outcome' | 'points'> {
  if (answer.status === 'error') return { outcome: 'error', points: 0 }
  const points = flat(answer.data, false).length
  return { outcome: points === 0 ? 'empty' : 'values', points }
}

function failureDifference(theirs: PrometheusAnswer, error: Fault): string | null {
  if (theirs.status !== 'error') return `we refuse what Prometheus answers: ${error.code}: ${error.message}`
  if ((KINDS[theirs.errorType ?? ''] ?? []).includes(error.code)) return null
  return `theirs ${theirs.errorType}: ${theirs.error}; ours ${error.code}: ${error.message}`
}

type Pair = readonly [number, string]
interface Item {
  readonly metric: Record<string, string>
  readonly value?: Pair
  readonly values?: readonly Pair[]
}

/** One entry a point: "labels @ time" and the printed value. */
function flat(data: unknown, ordered: boolean): [string, string][] {
  const { resultType, result } = data as { resultType: string; result: readonly Item[] | Pair }
  const entries: [string, string][] = []
  if (resultType === 'scalar' || resultType === 'string') {
    const [time, value] = result as Pair
    return [[`${resultType} @ ${time}`, value]]
  }
  for (const item of result as readonly Item[]) {
    const labels = JSON.stringify(Object.entries(item.metric).sort(([a], [b]) => (a < b ? -1 : 1)))
    for (const [time, value] of item.values ?? (item.value === undefined ? [] : [item.value])) {
      entries.push([`${resultType} ${labels} @ ${time}`, value])
    }
  }
  return ordered ? entries : entries.sort(([a], [b]) => (a < b ? -1 : 1))
}

function valueDifference(theirs: unknown, ours: unknown, ordered: boolean): string | null {
  const [a, b] = [flat(theirs, ordered), flat(ours, ordered)]
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [key = 'nothing', value = ''] = a[at] ?? []
    const [ownKey = 'nothing', ownValue = ''] = b[at] ?? []
    if (key !== ownKey) return `theirs ${key} = ${value}, ours ${ownKey} = ${ownValue}`
    if (!isClose(value, ownValue)) return `${key}: theirs ${value}, ours ${ownValue}`
  }
  return null
}

/**
 * Sums are compensated differently in 2.42 and 3, and powers and logarithms are rounded differently by Go and by
 * JavaScript, so that the last digits may differ. Zero may come out as a remainder far below the terms of its sum.
 */
function isClose(a: string, b: string): boolean {
  if (a === b) return true
  const [x, y] = [Number(a), Number(b)]
  const allowed = 1e-9 * Math.max(Math.abs(x), Math.abs(y)) + 1e-12
  // -0 and 0 are different answers where they are printed, unless one is a remainder of rounding.
  if (x === 0 && y === 0) return false
  return Number.isFinite(x) && Number.isFinite(y) && Math.abs(x - y) <= allowed
}
