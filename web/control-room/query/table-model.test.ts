import { describe, expect, it } from 'vitest'
import { selectorText, shortNames, valueText } from './series-name.ts'
import { isPlainSelector, sorted, tableOf } from './table-model.ts'

function row(
  value: number,
  labels: Record<string, string>,
): { value: number; labels: Record<string, string>; ageS: number | null } {
  return { value, labels, ageS: null }
}

describe('table of an answer', () => {
  it('gives columns to labels that differ and says the others once', () => {
    const table = tableOf([row(1, { job: 'edge', instance: 'a' }), row(2, { job: 'edge', instance: 'b' })])
    expect(table.columns).toEqual(['instance'])
    expect(table.shared).toEqual({ job: 'edge' })
  })

  it('shows a label that only some rows have', () => {
    const table = tableOf([row(1, { instance: 'a', cpu: '0' }), row(2, { instance: 'b' })])
    expect(table.columns).toEqual(['instance', 'cpu'])
  })

  it('puts the labels together where they are too many for columns', () => {
    const many = (value: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`l${index}`, String(value)]))
    expect(tableOf([row(1, many(1)), row(2, many(2))]).columns).toBeNull()
  })

  it('sorts numbers as numbers and leaves NaN at the end both ways round', () => {
    const rows = [Number.NaN, 2, Number.POSITIVE_INFINITY, -1, 10].map(value => row(value, {}))
    const values = (down: boolean): number[] => sorted(rows, { by: 'value', down }).map(({ value }) => value)
    expect(values(false)).toEqual([-1, 2, 10, Number.POSITIVE_INFINITY, Number.NaN])
    expect(values(true)).toEqual([Number.POSITIVE_INFINITY, 10, 2, -1, Number.NaN])
  })

  it('sorts labels by the numbers in them', () => {
    const rows = ['edge-10', 'edge-9'].map(instance => row(0, { instance }))
    expect(sorted(rows, { by: 'label:instance', down: false })[0]?.labels).toEqual({ instance: 'edge-9' })
  })
})

describe('names of series', () => {
  it('are what tells them apart', () => {
    const all = ['2xx', '5xx'].flatMap(status =>
      ['a', 'b'].map(instance => ({ job: 'j', instance, region: instance, status })),
    )
    expect(shortNames(all)).toEqual(['a 2xx', 'b 2xx', 'a 5xx', 'b 5xx'])
  })

  it('fall back to the selector for one series alone', () => {
    expect(shortNames([{ __name__: 'up', job: 'a"b' }])).toEqual(['up{job="a\\"b"}'])
    expect(selectorText({})).toBe('{}')
  })

  it.each([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '−Inf'],
    [0.1 + 0.2, '0.3'],
    [-3, '−3'],
    [-1234567, '−1\u2009234\u2009567'],
  ])('the value %s is written %s', (value, text) => expect(valueText(value)).toBe(text))
})

it.each([
  ['up', true],
  [' node_load1{job=~"a|b"} ', true],
  ['{__name__=~"up|down"}', false],
  ['rate(up[3s])', false],
  ['up[3s]', false],
  ['up + up', false],
  ['up offset 1m', false],
])('%s is a plain selector: %s', (expr, plain) => expect(isPlainSelector(expr)).toBe(plain))
