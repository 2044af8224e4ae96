import { describe, expect, it } from 'vitest'
import { FakeClock } from '#base'
import { QueryMeter } from './meter.ts'
import { printAnswer } from './print-answer.ts'
import type { MatrixItem, Value } from './value.ts'

const times = Float64Array.of(1_700_000_000_000, 1_700_000_015_000)

function item(name: string, ...values: number[]): MatrixItem {
  return { labels: { name }, times, values: Float64Array.from(values) }
}

/** The whole text, and how often printing could have been interrupted. */
function printed(value: Value, clock: FakeClock = new FakeClock()): { text: string; pauses: number } {
  const steps = printAnswer(value, new QueryMeter({ clock }))
  for (let pauses = 0; ; pauses += 1) {
    const next = steps.next()
    if (next.done === true) return { text: next.value.join(''), pauses }
  }
}

describe('an answer as text', () => {
  it('is the JSON of the Prometheus API, also where labels need escapes and values are no finite numbers', () => {
    const { text } = printed({
      kind: 'matrix',
      items: [item('a"b\n', 1, -0), item('é', Number.NaN, -Infinity)],
    })
    expect(JSON.parse(`{${text}}`)).toEqual({
      resultType: 'matrix',
      result: [
        {
          metric: { name: 'a"b\n' },
          values: [
            [1_700_000_000, '1'],
            [1_700_000_015, '-0'],
          ],
        },
        {
          metric: { name: 'é' },
          values: [
            [1_700_000_000, 'NaN'],
            [1_700_000_015, '-Inf'],
          ],
        },
      ],
    })
  })

  it('of no series is an empty list', () => {
    expect(printed({ kind: 'vector', items: [] }).text).toBe('"resultType":"vector","result":[]')
    expect(printed({ kind: 'matrix', items: [] }).text).toBe('"resultType":"matrix","result":[]')
  })

  it('can be interrupted after each series once its slice is over', () => {
    const clock = new FakeClock()
    const steps = printAnswer(
      { kind: 'matrix', items: [item('a', 1, 2), item('b', 3, 4)] },
      new QueryMeter({ clock }),
    )
    clock.advance(11)
    expect(steps.next().done).toBe(false)
    expect(steps.next().done).toBe(false)
    expect(steps.next().done).toBe(true)
    expect(printed({ kind: 'matrix', items: [item('a', 1, 2)] }).pauses).toBe(0)
  })

  it('is refused when it is longer than anybody can read', () => {
    const long = { labels: { name: 'x'.repeat(1_000_000) }, timestampMs: 0, value: 1 }
    const items = Array.from({ length: 70 }, () => long)
    expect(() => printed({ kind: 'vector', items })).toThrow(/more than 67108864 characters/)
  })
})
