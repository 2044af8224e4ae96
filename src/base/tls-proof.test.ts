import { describe, expect, it } from 'vitest'
import { clockWords, isDateProblem } from './tls-proof.ts'

describe('what a refused certificate is refused for', () => {
  it('tells dates alone from all else, by code and by words', () => {
    for (const code of ['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']) {
      expect(isDateProblem(code)).toBe(true)
      expect(isDateProblem(Object.assign(new Error('certificate'), { code }))).toBe(true)
    }
    expect(isDateProblem(new Error('certificate is not yet valid'))).toBe(true)
    for (const other of ['SELF_SIGNED_CERT_IN_CHAIN', new Error('ECONNREFUSED'), null, undefined])
      expect(isDateProblem(other)).toBe(false)
  })

  it('says how far a clock is off in the largest unit that fits twice', () => {
    expect([315_576_000, -7200, 90, -2, 0.4, 172_800].map(clockWords)).toEqual([
      '10 years ahead',
      '2 h behind',
      '90 s ahead',
      '2 s behind',
      '0.4 s ahead',
      '2 days ahead',
    ])
  })
})
