// What rules meet that nobody planned for: ten thousand results at once, and a wall clock that steps while a `for` runs.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Counters, FakeClock, SlewedFleetTime, silentLog } from '#base'
import { type MetricsStore, openStore } from '#metrics'
import { IncidentKeeper } from '../incidents/incident-keeper.ts'
import { DEFAULT_WAKE } from '../incidents/wake.ts'
import { type FullState, openFullState } from '../state/open-state.ts'
import { startAlertKeeper } from './alert-keeper.ts'
import type { AlertKeeper } from './keeper-contract.ts'
import { readRules } from './read-rules.ts'

const RULES = 10
const EACH = 1000
const HOUR_MS = 3_600_000
const patient = { timeout: 60_000, interval: 50 }

let folder: string
let state: FullState
let store: MetricsStore
let clock: FakeClock
let fleetTime: SlewedFleetTime
let keeper: AlertKeeper | null = null

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-bad-input-'))
  clock = new FakeClock(Date.UTC(2026, 0, 15, 12))
  state = await openFullState(folder, clock)
  store = openStore({ folder: join(folder, 'metrics'), clock, log: silentLog })
  fleetTime = new SlewedFleetTime(clock, clock.wallMs())
})
afterEach(async () => {
  await keeper?.close()
  await store.close()
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(text: string): Promise<AlertKeeper> {
  keeper = await startAlertKeeper({
    groups: readRules(text, 'r.yaml'),
    externalLabels: {},
    externalUrl: () => '',
    store,
    alerts: state.alerts,
    fleetTime,
    counters: new Counters(),
    log: silentLog,
  })
  return keeper
}

function write(series: readonly Readonly<Record<string, string>>[], value: number): void {
  const timestampMs = Math.floor(fleetTime.nowMs())
  store.write(
    series.map(labels => ({ labels, samples: [{ timestampMs, value }] })),
    timestampMs,
  )
}

/** One evaluation, from its beginning to its end. */
async function evaluate(alerts: AlertKeeper): Promise<void> {
  const before = alerts.groups()[0]?.rules.at(-1)?.last?.at ?? 0
  alerts.kick()
  await vi.waitFor(() => expect(alerts.groups()[0]?.rules.at(-1)?.last?.at).toBeGreaterThan(before), patient)
}

/** Longer than the time to wait for more, and than it takes to be over; each turn looks at all ten thousand. */
async function pass(incidents: IncidentKeeper): Promise<void> {
  for (const ms of [1000, 15_000, 15_000]) {
    clock.advance(ms)
    await incidents.turn()
  }
}

it('10,000 alerts of rules at once are one incident with one ring, and all end', async () => {
  const rules = Array.from(
    { length: RULES },
    (_, at) =>
      `      - alert: Flood\n        expr: flood{rule="${at}"} == 1\n        labels: { severity: critical, rule: "${at}" }\n`,
  )
  const alerts = await start(`groups:\n  - name: g\n    interval: 1s\n    rules:\n${rules.join('')}`)
  const series = Array.from({ length: RULES * EACH }, (_, at) => ({
    __name__: 'flood',
    rule: String(at % RULES),
    host: `h${at}`,
  }))
  write(series, 1)
  await evaluate(alerts)
  expect(alerts.active().filter(({ state: now }) => now === 'firing')).toHaveLength(RULES * EACH)
  const incidents = await IncidentKeeper.open({
    incidents: state.incidents,
    sources: {
      firing: () => alerts.active().filter(({ state: now }) => now === 'firing'),
      servers: () => [],
      figures: async () => new Map(),
      capacity: async () => null,
      moved: async () => null,
      marks: async () => [],
      planned: () => [],
      silencedBy: () => null,
    },
    policy: DEFAULT_WAKE,
    counters: new Counters(),
    log: silentLog,
    nowMs: () => fleetTime.nowMs(),
  })
  await pass(incidents)
  expect(incidents.open()).toMatchObject([{ firing: RULES * EACH }])
  write(series, 0)
  await evaluate(alerts)
  expect(alerts.active()).toEqual([])
  await pass(incidents)
  expect(incidents.open()).toEqual([])
  const notices = await state.incidents.notices('I-1')
  expect(notices.map(({ reason, rings }) => [reason, rings])).toEqual([
    ['opened', true],
    ['resolved', false],
  ])
  await incidents.close()
}, 120_000)

it.each([
  ['forwards by an hour', HOUR_MS],
  ['back by an hour', -HOUR_MS],
])(
  'a wall clock that steps %s during `for` neither fires an alert early nor keeps it from firing',
  async (_way, stepMs) => {
    const alerts = await start(
      'groups:\n  - name: g\n    interval: 1s\n    rules:\n      - alert: A\n        expr: ill == 1\n        for: 10s\n',
    )
    const second = async (): Promise<string | undefined> => {
      write([{ __name__: 'ill', instance: 'a' }], 1)
      await evaluate(alerts)
      clock.advance(1000)
      return alerts.active()[0]?.state
    }
    expect(await second()).toBe('pending')
    const began = alerts.active()[0]?.activeAt
    for (let at = 1; at < 5; at += 1) expect(await second()).toBe('pending')
    clock.stepWall(stepMs)
    for (let at = 5; at < 10; at += 1) expect(await second(), `at ${at} s`).toBe('pending')
    await second()
    expect(await second()).toBe('firing')
    expect(alerts.active()[0]?.activeAt).toBe(began)
  },
  60_000,
)
