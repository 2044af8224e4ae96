import { expect, it } from 'vitest'
import { type Pass, PassBuilder, STALE_BITS } from './pass.ts'
import { PushQueue } from './push-queue.ts'

function pass(bootMs: number, values: number): Pass {
  const builder = new PassBuilder(bootMs)
  for (let index = 0; index < values; index += 1) builder.add({ __name__: `m${index}` }, index)
  return builder.build()
}

it('gives the oldest first, as many passes as fit into the limit, but at least one', () => {
  const queue = new PushQueue()
  for (const bootMs of [1, 2, 3]) queue.add(pass(bootMs, 10))
  expect(queue.oldest(20).map(({ bootMs }) => bootMs)).toEqual([1, 2])
  expect(queue.oldest(5).map(({ bootMs }) => bootMs)).toEqual([1])
})

it('drops the oldest beyond the number of passes, and counts their values', () => {
  const queue = new PushQueue({ passesMax: 2, bytesMax: 1_000_000 })
  for (const bootMs of [1, 2, 3, 4]) queue.add(pass(bootMs, 10))
  expect(queue.oldest(100).map(({ bootMs }) => bootMs)).toEqual([3, 4])
  expect(queue.dropped).toBe(20)
})

it('drops the oldest beyond the bytes, but keeps the newest whatever its size', () => {
  const queue = new PushQueue({ passesMax: 100, bytesMax: 16 * 25 })
  for (const bootMs of [1, 2, 3]) queue.add(pass(bootMs, 10))
  expect(queue.oldest(100).map(({ bootMs }) => bootMs)).toEqual([2, 3])
  queue.add(pass(4, 1000))
  expect(queue.oldest(1).map(({ bootMs }) => bootMs)).toEqual([4])
  expect(queue.dropped).toBe(30)
})

it('removes what was delivered, also when some of it was dropped meanwhile', () => {
  const queue = new PushQueue({ passesMax: 2, bytesMax: 1_000_000 })
  queue.add(pass(1, 1))
  queue.add(pass(2, 1))
  const sent = queue.oldest(100)
  queue.add(pass(3, 1))
  queue.remove(sent)
  expect(queue.oldest(100).map(({ bootMs }) => bootMs)).toEqual([3])
  expect(queue.bytes).toBe(16)
})

it('writes the end of a series as the marker of remote write, bit by bit', () => {
  const builder = new PassBuilder(1)
  builder.add({ __name__: 'a' }, 1)
  builder.end({ __name__: 'b' })
  const { values } = builder.build()
  expect(new BigUint64Array(values.buffer)[1]).toBe(STALE_BITS)
})
