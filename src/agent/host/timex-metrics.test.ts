import { describe, expect, it } from 'vitest'
import { readTimex } from '#base'
import { timexFamilies } from './timex-metrics.ts'

const quiet = { state: 0, status: 0x2001, offset: -1_500_000, frequency: 65_536 * 20, maxErrorUs: 250_000 }

function values(timex: Parameters<typeof timexFamilies>[0]): Record<string, number> {
  return Object.fromEntries(
    timexFamilies(timex).map(({ name, points }) => [name, points[0]?.value ?? Number.NaN]),
  )
}

describe('the kernel’s clock', () => {
  it('has node_exporter’s names and units', () => {
    expect(values({ ...quiet, estimatedErrorUs: 100, taiOffsetS: 37 })).toEqual({
      node_timex_offset_seconds: -0.0015,
      node_timex_maxerror_seconds: 0.25,
      node_timex_estimated_error_seconds: 0.0001,
      node_timex_sync_status: 1,
      node_timex_status: 0x2001,
      node_timex_tai_offset_seconds: 37,
      node_timex_frequency_adjustment_ratio: 1.00002,
    })
  })

  it('counts in microseconds without STA_NANO, and tells a clock that nobody keeps', () => {
    const adrift = { ...quiet, state: 5, status: 0x40, offset: 3, estimatedErrorUs: 16e6, taiOffsetS: 0 }
    expect(values(adrift)).toMatchObject({ node_timex_offset_seconds: 3e-6, node_timex_sync_status: 0 })
  })

  it('is left out where the kernel does not tell', () => {
    expect(timexFamilies(null)).toEqual([])
  })

  it('can be read here, or says that it cannot', () => {
    const timex = readTimex()
    if (timex === null) return
    expect(timex.state).toBeGreaterThanOrEqual(0)
    expect(timex.state).toBeLessThanOrEqual(5)
    expect(Math.abs(timex.frequency)).toBeLessThanOrEqual(65_536 * 500)
    expect(timex.maxErrorUs).toBeGreaterThanOrEqual(0)
  })
})
