// Owns answers as the JSON of the Prometheus HTTP API, written straight as text, in pieces between which it can be
// interrupted. It refuses answers above ANSWER_CHARACTERS_MAX.
// See https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats
import { unreachable } from '#base'
import { metricsFaults } from '../faults.ts'
import { formatNumber } from '../format-number.ts'
import { rememberedJson } from '../labels.ts'
import type { QueryMeter } from './meter.ts'
import type { Steps } from './steps.ts'
import type { MatrixItem, Value } from './value.ts'

const PIECE_CHARACTERS = 64 * 1024
/** Some 3 million points: more than any graph has. What a slow reader has not taken yet waits in memory. */
const ANSWER_CHARACTERS_MAX = 64 * 1024 * 1024
/** Printing a point takes about as long as this many samples. */
const POINT_WORK = 20

/** The members `resultType` and `result` of `data`, without the braces around them. */
export function* printAnswer(value: Value, meter: QueryMeter): Steps<readonly string[]> {
  switch (value.kind) {
    case 'scalar':
      return [`"resultType":"scalar","result":${printPoint(value.timestampMs, value.value)}`]
    case 'string':
      return [`"resultType":"string","result":[${value.timestampMs / 1000},${JSON.stringify(value.text)}]`]
    case 'vector':
      return yield* printItems('vector', value.items, meter, item => {
        meter.work(POINT_WORK)
        const { labels, timestampMs, value: number } = item
        return `{"metric":${rememberedJson(labels)},"value":${printPoint(timestampMs, number)}}`
      })
    case 'matrix': {
      const openings = new Openings()
      return yield* printItems('matrix', value.items, meter, item => {
        meter.work(POINT_WORK * item.times.length)
        return `{"metric":${rememberedJson(item.labels)},"values":[${printPoints(item, openings)}]}`
      })
    }
    default:
      return unreachable(value)
  }
}

function* printItems<Item>(
  type: string,
  items: readonly Item[],
  meter: QueryMeter,
  print: (item: Item) => string,
): Steps<readonly string[]> {
  const pieces: string[] = []
  let piece = `"resultType":"${type}","result":[`
  let characters = 0
  let separator = ''
  for (const item of items) {
    piece += separator + print(item)
    separator = ','
    if (piece.length > PIECE_CHARACTERS) {
      characters += piece.length
      if (characters > ANSWER_CHARACTERS_MAX) throw tooLong()
      pieces.push(piece)
      piece = ''
    }
    if (meter.isSliceOver) yield
  }
  pieces.push(`${piece}]`)
  return pieces
}

function printPoint(timestampMs: number, value: number): string {
  return `[${timestampMs / 1000},"${formatNumber(value)}"]`
}

function printPoints({ times, values }: MatrixItem, openings: Openings): string {
  const opening = openings.of(times)
  let text = ''
  for (let at = 0; at < values.length; at += 1) {
    text += (at === 0 ? '' : ',') + (opening[at] ?? '') + formatNumber(values[at] ?? 0) + '"]'
  }
  return text
}

/** The text of each point before its value. Series without gaps share their times, so that it is made once for all. */
class Openings {
  #times: Float64Array | null = null
  #texts: readonly string[] = []

  of(times: Float64Array): readonly string[] {
    if (this.#times !== times) {
      this.#times = times
      this.#texts = Array.from(times, timestampMs => `[${timestampMs / 1000},"`)
    }
    return this.#texts
  }
}

function tooLong(): Error {
  const message = `the answer has more than ${ANSWER_CHARACTERS_MAX} characters: aggregate, or take a larger step`
  return metricsFaults.fault('metrics-promql-limit', message)
}
