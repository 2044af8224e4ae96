import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatNumber, formatPlain, parseNumber } from './format-number.ts'

it.each([
  [0, '0'],
  [-0, '-0'],
  [1, '1'],
  [0.1, '0.1'],
  [1e20, '100000000000000000000'],
  [1e21, '1e+21'],
  [1.5e300, '1.5e+300'],
  [0.000001, '0.000001'],
  [0.0000001, '1e-07'],
  [1.25e-10, '1.25e-10'],
  [Infinity, '+Inf'],
  [-Infinity, '-Inf'],
  [Number.NaN, 'NaN'],
])('prints %s as Go does: %s', (value, text) => {
  expect(formatNumber(value)).toBe(text)
})

it.each([
  [1e21, `1${'0'.repeat(21)}`],
  [1.5e22, `15${'0'.repeat(21)}`],
  [1.25e-7, '0.000000125'],
  [-1e-7, '-0.0000001'],
  [12.5, '12.5'],
])('prints %s without an exponent where a label needs it', (value, text) => {
  expect(formatPlain(value)).toBe(text)
})

it('reads back every number that it prints', () => {
  fc.assert(
    fc.property(fc.double(), value => {
      expect(parseNumber(formatNumber(value))).toBe(value)
      expect(Number(formatPlain(value).replace('Inf', 'Infinity'))).toBe(value)
    }),
  )
})

it.each(['', ' 1', '1x', '0x', '1e', '--1', 'infinite', '1,5'])('refuses %j as a number', text => {
  expect(parseNumber(text)).toBeNull()
})
