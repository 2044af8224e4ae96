import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDurationMs } from '../alerts/duration.ts'
import { stepOf, timeOf } from './prometheus-parameters.ts'

function given(name: string, text: string): Map<string, string[]> {
  return new Map([[name, [text]]])
}

describe('times', () => {
  it.each([
    ['1500000000', 1_500_000_000_000],
    ['1500000000.781', 1_500_000_000_781],
    ['1.5e9', 1_500_000_000_000],
    ['2017-07-14T02:40:00Z', 1_500_000_000_000],
    ['2017-07-14T04:40:00.250+02:00', 1_500_000_000_250],
    ['', 42],
  ])('%s is read', (text, ms) => {
    expect(timeOf(given('time', text), 'time', 42)).toBe(ms)
  })
  it.each(['now', '2017-07-14', '1e99', 'NaN', '0x10', '2017-13-14T02:40:00Z', '12 34'])(
    '%s is refused',
    text => {
      expect(() => timeOf(given('time', text), 'time', null)).toThrow(/invalid parameter "time"/)
    },
  )
})

describe('steps', () => {
  it('are seconds or durations', () => {
    expect(['15', '0.5', '1m30s'].map(text => stepOf(given('step', text)))).toEqual([15_000, 500, 90_000])
  })
  it.each(['0', '0s', '-1', 'x', '1e9', ''])('%s is refused', text => {
    expect(() => stepOf(given('step', text))).toThrow(/invalid parameter "step"/)
  })
})

it('no text makes a reader throw anything but a typed refusal (property)', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), text => {
      const ms = readDurationMs(text)
      expect(ms === null || (Number.isFinite(ms) && ms >= 0)).toBe(true)
      try {
        expect(Number.isSafeInteger(timeOf(given('t', text), 't', 0))).toBe(true)
      } catch (error) {
        expect(error).toMatchObject({ code: 'control-request-invalid' })
      }
    }),
  )
})
