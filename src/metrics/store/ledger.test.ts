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

async function ledger(): Promise<Record<string, number>> {
  await store.seal()
  const rows = store.ledger(T0 - 86_400_000, T0 + 5 * 86_400_000)
  return Object.fromEntries(rows.map(row => [`${row.day} ${row.measure} ${row.class}`.trim(), row.value]))
}

it('counts what a counter has grown by, over its resets, from its first sample on', async () => {
  for (const [at, value] of [100, 250, 20, 30].entries()) write('vitrine_edge_sent_bytes_total', at, value)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 280 })
  write('vitrine_edge_sent_bytes_total', 60, 35)
  expect(await ledger()).toEqual({ [`${DAY} bytes`]: 285 })
})

it('gives to each day its own, and keeps kinds of requests apart', async () => {
  write('vitrine_edge_requests_total', 0, 10, { kind: 'segment' })
  write('vitrine_edge_requests_total', 86_400, 15, { kind: 'segment' })
  write('vitrine_edge_requests_total', 86_400, 3, { kind: 'master' })
  expect(await ledger()).toEqual({
    [`${DAY} requests segment`]: 10,
    '2023-11-15 requests segment': 5,
    '2023-11-15 requests master': 3,
  })
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
        else if (one === 'start') {
          await store.close()
          store = openStore({ folder, clock: systemClock, log: silentLog })
        } else if (typeof one !== 'string' && !taken.has(one[0])) {
          write('vitrine_edge_sent_bytes_total', one[0], one[1], { instance: server })
          taken.set(...one)
        }
      }
      await store.seal()
      const values = [...taken].sort(([a], [b]) => a - b).map(([, value]) => value)
      const expected = values.reduce((sum, value, at) => {
        const before = at === 0 ? 0 : (values[at - 1] ?? 0)
        return sum + (value >= before ? value - before : value)
      }, 0)
      const rows = store.ledger(T0, T0).filter(row => row.server === server)
      expect(rows.reduce((sum, row) => sum + row.value, 0)).toBe(expected)
    }),
    { numRuns: 40 },
  )
})
