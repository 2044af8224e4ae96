import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { openStore } from './open-store.ts'
import type { MetricsStore } from './store.ts'

const T0 = 1_700_000_000_000 // 2023-11-14, 22:13:20
const DAY = '2023-11-14'

let folder: string
let store: MetricsStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-ledger-'))
  store = openStore({ folder, clock: systemClock, log: silentLog })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function write(name: string, seconds: number, value: number, labels: Record<string, string> = {}): void {
  const timestampMs = T0 + seconds * 1000
  const series = {
    labels: { __name__: name, instance: 'eu-west', ...labels },
    samples: [{ timestampMs, value }],
  }
  expect(store.write([series], timestampMs + 600_000).accepted).toBe(1)
}

function rows(): Record<string, number> {
  const found = store.ledger(T0 - 86_400_000, T0 + 5 * 86_400_000)
  return Object.fromEntries(found.map(row => [`${row.day} ${row.measure} ${row.class}`.trim(), row.value]))
}

/** The same before a seal, after it, and after a start. */
async function ledger(): Promise<Record<string, number>> {
  const live = rows()
  await store.seal()
  expect(rows()).toEqual(live)
  await restart()
  expect(rows()).toEqual(live)
  return live
}

async function restart(): Promise<void> {
  await store.close()
  store = openStore({ folder, clock: systemClock, log: silentLog })
}

it('counts what a counter has grown by since it was first seen, over its resets', async () => {
  for (const [at, value] of [100, 250, 20, 30].entries()) write('vitrine_edge_sent_bytes_total', at, value)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 180 })
  write('vitrine_edge_sent_bytes_total', 60, 35)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 185 })
})

it('counts the first value of a counter as a whole when its server says that it began on that day', async () => {
  write('vitrine_edge_sent_bytes_total', 0, 100)
  write('vitrine_edge_counting_since_seconds', 0, T0 / 1000 - 3600)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 100 })
})

it('counts only what is added to a counter that began on another day, before this ledger', async () => {
  write('vitrine_edge_sent_bytes_total', 0, 1e15)
  write('vitrine_edge_counting_since_seconds', 0, T0 / 1000 - 90 * 86_400)
  write('vitrine_edge_sent_bytes_total', 1, 1e15 + 7)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 7 })
})

it('counts the first value of a counter as a whole when its server was there without it', async () => {
  write('vitrine_edge_requests_total', 0, 40, { class: 'vod', status: '2xx' })
  write('vitrine_edge_requests_total', 5, 1, { class: 'vod', status: '5xx' })
  expect(await ledger()).toEqual({ [`${DAY} requests vod`]: 1 })
  write('vitrine_edge_requests_total', 9, 3, { class: 'vod', status: '4xx' })
  expect(await ledger()).toEqual({ [`${DAY} requests vod`]: 4 })
})

it('goes on with a counter whose samples were deleted, and changes no day', async () => {
  write('vitrine_edge_sent_bytes_total', 0, 1000)
  write('vitrine_edge_sent_bytes_total', 10, 1500)
  await store.seal()
  await store.deleteSeries(['vitrine_edge_sent_bytes_total'], 0, 8.64e15)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 500 })
  write('vitrine_edge_sent_bytes_total', 20, 1600)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 600 })
  // Late, and its neighbours are gone: nobody can tell what it adds.
  write('vitrine_edge_sent_bytes_total', 5, 1200)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 600 })
})

it('moves the first value to the day of an earlier sample that comes late', async () => {
  const midnight = 86_400 - ((T0 / 1000) % 86_400)
  write('vitrine_edge_counting_since_seconds', midnight + 1, T0 / 1000 + midnight)
  write('vitrine_edge_sent_bytes_total', midnight + 1, 100)
  expect(await ledger()).toEqual({ '2023-11-15 bytes': 100 })
  write('vitrine_edge_sent_bytes_total', midnight - 1, 60)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 60, '2023-11-15 bytes': 40 })
})

it('gives to each day its own, keeps classes apart, and leaves out what our own agents ask for', async () => {
  write('vitrine_edge_requests_total', 0, 10, { class: 'vod' })
  write('vitrine_edge_requests_total', 0, 10, { class: 'other', kind: 'internal' })
  write('vitrine_edge_requests_total', 86_400, 15, { class: 'vod' })
  write('vitrine_edge_requests_total', 86_400, 99, { class: 'other', kind: 'internal' })
  write('vitrine_edge_requests_total', 86_400, 3, { class: 'live' })
  expect(await ledger()).toEqual({ '2023-11-15 requests vod': 5, '2023-11-15 requests live': 3 })
})

it('multiplies viewers by the seconds for which they were seen, and not over a silence', async () => {
  for (const [seconds, value] of [
    [0, 5],
    [1, 5],
    [2, 7],
    [100, 7],
    [101, 0],
  ] as const)
    write('vitrine_fleet_watching', seconds, value)
  expect(await ledger()).toEqual({ [`${DAY} viewer-seconds`]: 17 })
})

it('keeps its days when samples are past their age, and for 24 months', async () => {
  write('vitrine_edge_sent_bytes_total', 0, 10)
  write('vitrine_edge_sent_bytes_total', 1, 30)
  await store.seal()
  const later = (days: number): void => {
    const timestampMs = T0 + days * 86_400_000
    const samples = [{ timestampMs, value: 1 }]
    store.write([{ labels: { __name__: 'other' }, samples }], timestampMs)
  }
  later(400)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 20 })
  later(740)
  await store.seal()
  expect(rows()).toEqual({})
})

it('equals the growth of all samples in their order, whatever comes late, and wherever seals and starts fall', async () => {
  let run = 0
  const point = fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 50 }))
  const step = fc.oneof(
    { weight: 5, arbitrary: point },
    { weight: 1, arbitrary: fc.constantFrom('seal', 'start') },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      run += 1
      const server = `edge-${run}`
      const taken = new Map<number, number>()
      for (const one of steps) {
        if (one === 'seal') await store.seal()
        else if (one === 'start') await restart()
        else if (typeof one !== 'string' && !taken.has(one[0])) {
          write('vitrine_edge_sent_bytes_total', one[0], one[1], { instance: server })
          taken.set(...one)
        }
      }
      const values = [...taken].sort(([a], [b]) => a - b).map(([, value]) => value)
      const expected = values.reduce((sum, value, at) => {
        const before = values[at - 1] ?? value
        return sum + (value >= before ? value - before : value)
      }, 0)
      const sum = (): number =>
        store
          .ledger(T0, T0)
          .filter(row => row.server === server)
          .reduce((all, row) => all + row.value, 0)
      expect(sum()).toBe(expected)
      const sealing = store.seal()
      expect(sum(), 'while it is sealed').toBe(expected)
      await sealing
      expect(sum(), 'when it was sealed').toBe(expected)
    }),
    { numRuns: 40 },
  )
})
