import { describe, expect, it } from 'vitest'
import { describeQuery } from './describe-query.ts'
import { formatQuery } from './format-query.ts'

describe('a query is formatted', () => {
  // As Prometheus 2.42 answers /api/v1/format_query, but that labels in a clause are sorted.
  it.each([
    ['sum(rate(x{b="2",a="1"}[5m]))by(job)', 'sum by (job) (rate(x{a="1",b="2"}[5m]))'],
    ['x  offset   1m  @ 5', 'x @ 5.000 offset 1m'],
    ['max_over_time(x[90s:]offset -1h)', 'max_over_time(x[1m30s:] offset -1h)'],
    ['a+on(i)group_left(z) b', 'a + on (i) group_left (z) b'],
    ['a ==bool 1', 'a == bool 1'],
    ['{__name__=~"a|b"}', '{__name__=~"a|b"}'],
    ['{__name__="a b"}', '{__name__="a b"}'],
    ['topk(0x10,-x)', 'topk(16, -x)'],
    ["label_replace(x, 'a', `\\d`, \"b\", '')", 'label_replace(x, "a", "\\\\d", "b", "")'],
    ['(1)', '(1)'],
    ['x[8d]', 'x[8d]'],
  ])('%s', (query, expected) => {
    expect(formatQuery(query)).toBe(expected)
  })

  it('breaks what is longer than a hundred characters', () => {
    const metric = 'a'.repeat(60)
    expect(formatQuery(`sum by (job) (rate(${metric}[5m])) / sum by (job) (rate(${metric}[1h]))`)).toBe(
      `  sum by (job) (rate(${metric}[5m]))\n/\n  sum by (job) (rate(${metric}[1h]))`,
    )
    expect(formatQuery(`sum by (job) (clamp_max(rate(${metric}[5m]), 0.5) + ${metric})`)).toBe(
      `sum by (job) (\n    clamp_max(rate(${metric}[5m]), 0.5)\n  +\n    ${metric}\n)`,
    )
  })

  it('and refused where it is none', () => {
    expect(() => formatQuery('sum(')).toThrow(expect.objectContaining({ code: 'metrics-promql-syntax' }))
  })
})

describe('a query as a tree', () => {
  it('has the members of Prometheus', () => {
    expect(describeQuery('sum by (job) (rate(x{a!="1"}[5m] offset 1m)) > bool 0.5')).toEqual({
      type: 'binaryExpr',
      op: '>',
      bool: true,
      matching: null,
      lhs: {
        type: 'aggregation',
        op: 'sum',
        grouping: ['job'],
        without: false,
        param: null,
        expr: {
          type: 'call',
          func: { name: 'rate', argTypes: ['matrix'], variadic: 0, returnType: 'vector' },
          args: [
            {
              type: 'matrixSelector',
              name: 'x',
              matchers: [
                { name: '__name__', type: '=', value: 'x' },
                { name: 'a', type: '!=', value: '1' },
              ],
              range: 300_000,
              offset: 60_000,
              timestamp: null,
              startOrEnd: null,
            },
          ],
        },
      },
      rhs: { type: 'numberLiteral', val: '0.5' },
    })
    expect(describeQuery('-x @ end()')).toMatchObject({ type: 'unaryExpr', expr: { startOrEnd: 'end' } })
  })
})
