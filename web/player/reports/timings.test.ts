// Whose time it was, told by the browser's account of an answer and the page's own.
import { expect, it, vi } from 'vitest'
import { Timings } from './timings.ts'

const url = 'https://eu.example/vod/film/v1/7.m4s'

/** What the browser noted of it, in ms. */
function timings(
  ...noted: (readonly [startTime: number, responseStart: number, responseEnd: number])[]
): Timings {
  const entries = noted.map(([startTime, responseStart, responseEnd]) => ({
    name: `${url}?CMCD=x`,
    startTime,
    responseStart,
    responseEnd,
  }))
  vi.stubGlobal(
    'PerformanceObserver',
    class {
      observe(): void {}
      disconnect(): void {}
      takeRecords(): unknown[] {
        return entries.splice(0)
      }
    },
  )
  const all = new Timings()
  all.observe()
  return all
}

it('believes the browser, however late a busy page asked and heard', () => {
  // As recorded with a throttled processor: 430 ms until it asked, 15 ms on the way, 280 ms until it heard.
  const all = timings([1430, 1440, 1445])
  expect(all.of(url, 1000, 1725)).toEqual({ startMs: 1430, firstMs: 1440, endMs: 1445 })
  expect(all.of(url, 1000, 1725)).not.toBeNull() // asked twice
})

it('does not take another attempt at the same address for it', () => {
  expect(timings([400, 410, 420]).of(url, 1000, 1725)).toBeNull()
  expect(timings([1430, 1440, 1745]).of(url, 1000, 1725)).toBeNull()
  expect(timings([400, 410, 420], [1010, 1020, 1030]).of(url, 1000, 1040)).toMatchObject({ startMs: 1010 })
})

it('says nothing where the browser does not', () => {
  expect(timings().of(url, 1000, 1725)).toBeNull()
  expect(timings([1430, 0, 1445]).of(url, 1000, 1725)).toBeNull() // no Timing-Allow-Origin
  vi.unstubAllGlobals()
  expect(new Timings().of(url, 1000, 1725)).toBeNull()
})
