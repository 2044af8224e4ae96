import { expect, test } from 'vitest'
import { capacityText, readCapacity } from './capacity.ts'

test('reads rates as people write them', () => {
  expect(['800Mb/s', '800 Mbit/s', '800mbps', '0,8 Gb/s', '0.8Gbps'].map(readCapacity)).toEqual(
    Array(5).fill(8e8),
  )
})

test('refuses bytes, negatives, bare numbers, and what no line carries', () => {
  const none = ['', '800', '800 MB/s', '-1 Mb/s', '1e9 Mb/s', '0 kb/s', '99 Tb/s', 'Mb/s', '8 8 Mb/s']
  expect(none.map(readCapacity)).toEqual(none.map(() => null))
})

test('what it writes it reads again', () => {
  for (const bps of [1_000, 40_000_000, 8e8, 1e10]) expect(readCapacity(capacityText(bps))).toBe(bps)
})
