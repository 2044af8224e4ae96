import { expect, it } from 'vitest'
import { toApiData } from './api-data.ts'

it('prints seconds as numbers and values as texts, in the four shapes of the Prometheus API', () => {
  const labels = { __name__: 'up' }
  const point = { timestampMs: 1_700_000_000_137, value: Infinity }
  expect(JSON.stringify(toApiData({ kind: 'vector', items: [{ labels, ...point }] }))).toBe(
    '{"resultType":"vector","result":[{"metric":{"__name__":"up"},"value":[1700000000.137,"+Inf"]}]}',
  )
  expect(
    JSON.stringify(
      toApiData({
        kind: 'matrix',
        items: [{ labels, times: Float64Array.of(point.timestampMs), values: Float64Array.of(point.value) }],
      }),
    ),
  ).toBe('{"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1700000000.137,"+Inf"]]}]}')
  expect(toApiData({ kind: 'scalar', timestampMs: 1000, value: 0.5 })).toEqual({
    resultType: 'scalar',
    result: [1, '0.5'],
  })
  expect(toApiData({ kind: 'string', timestampMs: 1000, text: 'a' })).toEqual({
    resultType: 'string',
    result: [1, 'a'],
  })
})
