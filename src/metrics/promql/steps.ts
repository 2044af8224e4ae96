// Owns evaluations that can be interrupted. It refuses to decide when: the meter knows how long a slice has been.
import type { QueryMeter } from './meter.ts'

/** It yields where the caller may do something else for a while. */
export type Steps<Result> = Generator<undefined, Result, undefined>

/** A label set that is read or made takes about as long as this many samples. */
const ITEM_WORK = 100

/** A loop over rows: each is short, and there can be fifty thousand. */
export function* forEach<Item>(
  items: Iterable<Item>,
  meter: QueryMeter,
  visit: (item: Item) => void,
): Steps<void> {
  for (const item of items) {
    visit(item)
    meter.work(ITEM_WORK)
    if (meter.isSliceOver) yield
  }
}

export function* mapEach<Item, Result>(
  items: Iterable<Item>,
  meter: QueryMeter,
  make: (item: Item) => Result,
): Steps<Result[]> {
  const results: Result[] = []
  yield* forEach(items, meter, item => void results.push(make(item)))
  return results
}
