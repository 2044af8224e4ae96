import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { median } from '../probes/probe-log.ts'
import { without } from './peer-medians.ts'

it('is the median of the others, whatever the values are', () => {
  const values = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(values, fc.nat(29), (list, nth) => {
      const at = nth % list.length
      const others = list.filter((_, index) => index !== at)
      const sorted = list.toSorted((a, b) => a - b)
      expect(without(sorted, list[at] ?? null)).toBe(median(others))
      expect(without(sorted, null)).toBe(median(list))
    }),
  )
})
