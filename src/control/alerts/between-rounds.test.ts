// What is looked at halfway between two rounds: alerts without `for` over few series, and nothing else.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Counters, FakeClock, silentLog } from '#base'
import { type MetricsStore, openStore } from '#metrics'
import { type FullState, openFullState } from '../state/open-state.ts'
import { startAlertKeeper } from './alert-keeper.ts'
import type { AlertKeeper } from './keeper-contract.ts'
import { readRules } from './read-rules.ts'

const RULES = `groups:
  - name: g
    rules:
      - { alert: AtOnce, expr: heat > 10 }
      - { alert: Waits, expr: heat > 10, for: 1s }
      - { alert: Wide, expr: count(wide > 10) > 10 }
      - { alert: Slow, expr: heat > 10 }
`
let folder: string
let clock: FakeClock
let store: MetricsStore
let state: FullState
let keeper: AlertKeeper

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-between-'))
  clock = new FakeClock()
  store = openStore({ folder: join(folder, 'm'), retentionMs: 86_400_000, clock, log: silentLog })
  state = await openFullState(folder, clock)
  state.useTime(clock.wallMs)
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const [group, ...rest] = readRules(RULES, 'r.yaml')
  if (group === undefined || rest.length > 0) throw new TypeError('one group is expected')
  const [slow] = group.rules.slice(3)
  keeper = await startAlertKeeper({
    groups: [
      { ...group, rules: group.rules.slice(0, 3) },
      { ...group, name: 'slow', intervalMs: 30_000, rules: slow === undefined ? [] : [slow] },
    ],
    externalLabels: {},
    externalUrl: () => '',
    store,
    alerts: state.alerts,
    fleetTime: { nowMs: clock.wallMs, known: () => true, fromBootMs: ms => ms },
    counters: new Counters(),
    log: silentLog,
  })
})

afterEach(async () => {
  await keeper.close()
  vi.useRealTimers()
  await store.close()
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

function write(heat: number): void {
  const sample = (value: number): { timestampMs: number; value: number }[] => [
    { timestampMs: Math.ceil(clock.wallMs()), value },
  ]
  const series = Array.from({ length: 60 }, (_, at) => ({
    labels: { __name__: 'wide', at: String(at) },
    samples: sample(heat),
  }))
  store.write([{ labels: { __name__: 'heat' }, samples: sample(heat) }, ...series], clock.wallMs())
}

/** Half a second: until all rules that are due then have been looked at. */
async function half(last: string): Promise<string[]> {
  clock.advance(500)
  const now = clock.wallMs()
  vi.advanceTimersByTime(500)
  await vi.waitFor(() => {
    const rules = keeper.groups().flatMap(group => group.rules)
    expect(rules.find(({ rule }) => rule.name === last)?.last?.at).toBeGreaterThanOrEqual(now)
  })
  return keeper.active().map(alert => alert.rule)
}

it('fires what has no `for` and looks at few series, and shows it in ALERTS at once', async () => {
  write(0)
  expect(await half('Slow')).toEqual([])
  clock.advance(1)
  write(20)
  // The one with 60 series waits for the round.
  expect(await half('AtOnce')).toEqual(['AtOnce'])
  const { value } = await store.ask({
    text: 'ALERTS{alertstate="firing"}',
    fromMs: 0,
    toMs: clock.wallMs() + 10,
    stepMs: null,
  })
  expect(value.kind === 'vector' && value.items.map(({ labels }) => labels['alertname'])).toEqual(['AtOnce'])
  expect((await half('Wide')).toSorted()).toEqual(['AtOnce', 'Waits', 'Wide'])
})
