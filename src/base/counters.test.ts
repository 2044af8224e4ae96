import { describe, expect, it } from 'vitest'
import { Counters } from './counters.ts'

describe('counters', () => {
  it('keeps one cell a label set, whatever the order of the labels', () => {
    const counters = new Counters()
    const requests = counters.counter('requests_total', 'Requests.')
    requests.add(1, { a: 'x', b: 'y' })
    requests.add(2, { b: 'y', a: 'x' })
    expect(counters.collect()[0]?.points).toEqual([
      { name: 'requests_total', labels: { a: 'x', b: 'y' }, value: 3 },
    ])
  })

  it('gives cumulative histogram buckets with sum and count', () => {
    const counters = new Counters()
    const seconds = counters.histogram('s', 'Seconds.', [0.1, 1])
    for (const value of [0.05, 0.1, 0.5, 3]) seconds.observe(value)
    const values = counters
      .collect()[0]
      ?.points.map(point => [point.name, point.labels['le'] ?? '', point.value])
    expect(values).toEqual([
      ['s_bucket', '0.1', 2],
      ['s_bucket', '1', 3],
      ['s_bucket', '+Inf', 4],
      ['s_sum', '', 3.65],
      ['s_count', '', 4],
    ])
  })

  it('drops and counts label sets beyond the limit', () => {
    const counters = new Counters()
    const gauge = counters.gauge('g', 'G.')
    for (let i = 0; i < 1005; i += 1) gauge.set(1, { i: String(i) })
    const families = counters.collect()
    expect(families[0]?.points).toHaveLength(1000)
    expect(families.at(-1)?.points[0]?.value).toBe(5)
  })

  it('refuses a metric that is registered twice', () => {
    const counters = new Counters()
    counters.gauge('g', 'G.')
    expect(() => counters.counter('g', 'G.')).toThrow('registered twice')
  })
})
