import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Counters, FakeClock, silentLog } from '#base'
import { type MetricsStore, openStore } from '#metrics'
import { type FullState, openFullState } from '../state/open-state.ts'
import { startAlertKeeper } from './alert-keeper.ts'
import type { AlertKeeper } from './keeper-contract.ts'
import { readRules } from './read-rules.ts'

const SECOND_MS = 1000
const RULES = `groups:
  - name: g
    interval: 1s
    rules:
      - alert: Hot
        expr: heat > 10
        for: 30s
        annotations: { summary: "{{ $labels.instance }} is hot" }
`
let folder: string
let clock: FakeClock
let store: MetricsStore
let state: FullState

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-gap-'))
  clock = new FakeClock()
  store = openStore({ folder: join(folder, 'm'), retentionMs: 86_400_000, clock, log: silentLog })
  state = await openFullState(folder, clock)
  state.useTime(clock.wallMs)
})

afterEach(async () => {
  await store.close()
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

/** One sample each second, as agents deliver them afterwards. */
function deliver(instance: string, from: number, to: number, heat: (at: number) => number): void {
  const samples: { timestampMs: number; value: number }[] = []
  for (let at = from; at <= to; at += SECOND_MS) samples.push({ timestampMs: at, value: heat(at) })
  store.write([{ labels: { __name__: 'heat', instance }, samples }], clock.wallMs())
}

async function keeperAfter(gap: { from: number; to: number } | null): Promise<AlertKeeper> {
  return startAlertKeeper({
    groups: readRules(RULES, 'r.yaml'),
    externalLabels: {},
    externalUrl: () => '',
    store,
    alerts: state.alerts,
    gap,
    fleetTime: { nowMs: clock.wallMs, known: () => true, fromBootMs: ms => ms },
    counters: new Counters(),
    log: silentLog,
  })
}

it('finds what began and ended while nobody evaluated, when it did, and since when the rest holds', async () => {
  const from = Math.ceil(clock.wallMs() / SECOND_MS) * SECOND_MS
  const to = from + 600 * SECOND_MS
  clock.advance(to - clock.wallMs())
  deliver('short', from, to, at => (at >= from + 100_000 && at <= from + 200_000 ? 20 : 0))
  deliver('blip', from, to, at => (at >= from + 100_000 && at <= from + 110_000 ? 20 : 0))
  deliver('still', from, to, at => (at >= from + 400_000 ? 20 : 0))
  const keeper = await keeperAfter({ from, to })
  const turn = new Promise<void>(resolve => keeper.follow(() => resolve()))
  keeper.kick()
  await turn
  const told: string[] = []
  keeper.follow(changed => {
    for (const alert of changed)
      told.push(
        `${alert.labels['instance']} ${alert.state} ${[alert.activeAt, alert.firedAt, alert.resolvedAt].map(at => (at === null ? '-' : (at - from) / SECOND_MS)).join(' ')}`,
      )
  })
  await keeper.recover({ from, to })
  expect(told.toSorted()).toEqual(['short resolved 100 130 201', 'still firing 400 430 -'])
  expect(keeper.active().map(({ labels, state: now }) => `${labels['instance']} ${now}`)).toEqual([
    'still firing',
  ])
  await keeper.close()
})

it('keeps what was pending and firing until what it looks at has been delivered', async () => {
  const from = Math.ceil(clock.wallMs() / SECOND_MS) * SECOND_MS
  const before = await keeperAfter(null)
  deliver('a', from - 5000, from, () => 20)
  clock.advance(from - clock.wallMs())
  const pending = new Promise<void>(resolve => before.follow(() => resolve()))
  before.kick()
  await pending
  await before.close()
  const [alert] = before.active()
  expect(alert?.state).toBe('pending')
  const to = from + 600 * SECOND_MS
  clock.advance(to - clock.wallMs())
  const after = await keeperAfter({ from, to })
  after.kick()
  await new Promise(resolve => setImmediate(resolve))
  await after.close()
  expect(after.active().map(({ activeAt, state: now }) => [activeAt, now])).toEqual([
    [alert?.activeAt, 'pending'],
  ])
})

it('looks at an absence of two hours second by second', async () => {
  const from = Math.ceil(clock.wallMs() / SECOND_MS) * SECOND_MS
  const to = from + 7200 * SECOND_MS
  clock.advance(to - clock.wallMs())
  deliver('early', from, to, at => (at >= from + 1_980_000 && at < from + 2_013_000 ? 20 : 0))
  deliver('late', from, to, at => (at >= from + 6_500_000 && at < from + 6_531_000 ? 20 : 0))
  deliver('blip', from, to, at => (at >= from + 4_000_000 && at < from + 4_029_000 ? 20 : 0))
  const keeper = await keeperAfter({ from, to })
  const told: unknown[] = []
  keeper.follow(changed => {
    for (const { labels, firedAt, resolvedAt } of changed)
      told.push([labels['instance'], ...[firedAt, resolvedAt].map(at => ((at ?? 0) - from) / SECOND_MS)])
  })
  await keeper.recover({ from, to })
  expect(told).toEqual([
    ['early', 2010, 2013],
    ['late', 6530, 6531],
  ])
  await keeper.close()
})

it('a process that was stopped for two minutes holds what was active, and finds what began and ended', async () => {
  const from = Math.ceil(clock.wallMs() / SECOND_MS) * SECOND_MS
  clock.advance(from - clock.wallMs())
  const keeper = await keeperAfter(null)
  const noticed = new Promise<{ from: number; to: number }>(resolve => keeper.onAway(resolve))
  const changes: string[] = []
  let onChange = (): void => undefined
  keeper.follow(changed => {
    changes.push(...changed.map(({ labels, state: now }) => `${labels['instance']} ${now}`))
    onChange()
  })
  const turn = async (): Promise<void> => {
    const changed = new Promise<void>(resolve => {
      onChange = resolve
    })
    keeper.kick()
    await changed
  }
  deliver('held', from - 5000, from, () => 20)
  await turn()
  clock.advance(31 * SECOND_MS)
  deliver('held', from + SECOND_MS, clock.wallMs(), () => 20)
  await turn()
  const stopped = Math.ceil(clock.wallMs())
  // Six minutes: what it knew last is too old to be looked at.
  clock.advance(360 * SECOND_MS)
  keeper.kick()
  const gap = await noticed
  expect(gap.to - gap.from).toBeGreaterThanOrEqual(360 * SECOND_MS)
  // Now it is delivered: one went on firing, one came and went.
  deliver('held', stopped + SECOND_MS, clock.wallMs(), () => 20)
  deliver('short', stopped, clock.wallMs(), at => (at < stopped + 40 * SECOND_MS ? 20 : 0))
  await keeper.recover(gap)
  expect(changes).toEqual(['held pending', 'held firing', 'short resolved'])
  expect(keeper.active().map(({ labels, state: now }) => [labels['instance'], now])).toEqual([
    ['held', 'firing'],
  ])
  await keeper.close()
})
