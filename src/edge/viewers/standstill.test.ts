// What an edge knows of its own standstills, and which requests they held up.
import { expect, it } from 'vitest'
import { Standstill } from './standstill.ts'

it('tells how long a request may have waited, and nothing of those before and after', () => {
  const standstill = new Standstill(250, 0)
  for (let ms = 250; ms <= 1000; ms += 250) standstill.turn(ms)
  expect(standstill.heldMs(900, 990)).toBe(0)
  standstill.turn(3250) // stopped for two seconds
  expect(standstill.heldMs(1010, 1030)).toBe(0) // answered before
  expect(standstill.heldMs(1100, 3240)).toBe(2000) // under way
  expect(standstill.heldMs(3245, 3250)).toBe(2000) // in the kernel meanwhile
  expect(standstill.heldMs(3260, 3300)).toBe(2000) // read in the same turn
  expect(standstill.heldMs(3500, 3520)).toBe(0)
  standstill.turn(3510) // a little late is no standstill
  expect(standstill.heldMs(3400, 3500)).toBe(0)
})
