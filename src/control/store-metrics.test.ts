import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Counters, silentLog, systemClock } from '#base'
import { type MetricsStore, openStore } from '#metrics'
import { readRuleFolders } from './alerts/read-rules.ts'
import { registerStoreMetrics } from './store-metrics.ts'

const T0 = 1_700_000_000_000
let folder: string
let store: MetricsStore
let counters: Counters
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-store-metrics-'))
  store = openStore({ folder, clock: systemClock, log: silentLog })
  counters = new Counters()
  registerStoreMetrics(counters, store)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function told(): Record<string, number> {
  return Object.fromEntries(
    counters
      .collect()
      .flatMap(family => family.points)
      .map(({ name, labels, value }) => [`${name}${labels['reason'] ?? ''}`, value]),
  )
}

/** As the control room does it each second. */
function storeOwn(atMs: number): void {
  const labels = { __name__: 'vitrine_metrics_store_failing', job: 'vitrine-control', instance: 'control' }
  store.write([{ labels, samples: [{ timestampMs: atMs, value: 0 }] }], atMs)
}

it('what was taken and refused is counted, by reason, and once', () => {
  storeOwn(T0)
  storeOwn(T0)
  storeOwn(T0 - 3_600_000)
  for (let times = 0; times < 2; times += 1) {
    expect(told()).toMatchObject({
      vitrine_metrics_store_failing: 0,
      vitrine_metrics_samples_total: 1,
      vitrine_metrics_samples_refused_totalduplicate: 1,
      'vitrine_metrics_samples_refused_totalout-of-order': 1,
      vitrine_metrics_batches_refused_total: 0,
    })
  }
})

it('the shipped rule speaks when the control room’s own samples stay away, and not before', () => {
  const folders = [new URL('../../config/rules/', import.meta.url).pathname]
  const rule = readRuleFolders(folders)
    .flatMap(group => group.rules)
    .find(({ name }) => name === 'MetricsRefused')
  const firing = (atMs: number): number => {
    const value = store.query(rule?.expr ?? '', atMs)
    return value.kind === 'vector' ? value.items.length : Number.NaN
  }
  storeOwn(T0)
  expect(firing(T0 + 9000)).toBe(0)
  expect(firing(T0 + 11_000)).toBe(1)
  storeOwn(T0 + 12_000)
  expect(firing(T0 + 12_000)).toBe(0)
})
