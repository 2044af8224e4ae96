import { expect, test } from 'vitest'
import { axisLabels, figureText } from './units.ts'

test('writes figures with three places and their unit', () => {
  expect(figureText(0.4213, 'cores')).toBe('0.42 cores')
  expect(figureText(4_213_000, 'bits')).toBe('4.21 Mbit/s')
  expect(figureText(999, 'bits')).toBe('999 bit/s')
  expect(figureText(12_345_678, 'count')).toBe('12\u2009345\u2009678')
  expect(figureText(0.0042, 'seconds')).toBe('4.20 ms')
  expect(figureText(0.973, 'percent')).toBe('97.3%')
  expect(figureText(3 * 1024 * 1024, 'bytes')).toBe('3.00 MiB')
})

test('what is not a number is a dash, not zero', () => {
  expect(figureText(null, 'cores')).toBe('–')
  expect(figureText(Number.NaN, 'bits')).toBe('–')
})

test('one axis has one scale', () => {
  expect(axisLabels([0, 500_000, 1_000_000, 1_500_000], 'bits')).toEqual(['0', '0.5 M', '1 M', '1.5 M'])
  expect(axisLabels([0, 0.25, 0.5], 'cores')).toEqual(['0', '0.25', '0.5'])
  expect(axisLabels([0, 100_000_000], 'plain')).toEqual(['0', '100 M'])
  expect(axisLabels([0, 0.0002, 0.0004], 'plain')).toEqual(['0', '0.0002', '0.0004'])
  expect(axisLabels([0, 0.5, 1], 'percent')).toEqual(['0%', '50%', '100%'])
})
