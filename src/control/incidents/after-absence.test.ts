import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Counters, FakeClock, silentLog } from '#base'
import type { StoredAlert } from '../state/alerts.ts'
import { type FullState, openFullState } from '../state/open-state.ts'
import { absenceOf } from './after-absence.ts'
import { IncidentKeeper } from './incident-keeper.ts'
import { DEFAULT_WAKE } from './wake.ts'

const MINUTE_MS = 60_000
const NOON = Date.UTC(2026, 0, 15, 12)
let folder: string
let state: FullState
let clock: FakeClock
let firing: StoredAlert[]
let keeper: IncidentKeeper

const alertOf = (instance: string, part: Partial<StoredAlert> = {}): StoredAlert => ({
  id: `alert-${instance}`,
  rule: 'EdgeUnreachable',
  state: 'firing',
  labels: { alertname: 'EdgeUnreachable', instance, severity: 'critical' },
  annotations: { summary: `${instance} does not answer` },
  value: 1,
  activeAt: clock.wallMs(),
  firedAt: clock.wallMs(),
  resolvedAt: null,
  keptSince: null,
  ...part,
})

async function open(): Promise<IncidentKeeper> {
  const sources = {
    firing: () => firing,
    servers: () => [],
    figures: async () => new Map(),
    capacity: async () => null,
    moved: async () => 0,
    marks: async () => [],
    planned: () => [],
    silencedBy: () => null,
  }
  const own = { incidents: state.incidents, sources, policy: DEFAULT_WAKE, counters: new Counters() }
  return IncidentKeeper.open({ ...own, log: silentLog, nowMs: clock.wallMs })
}

async function run(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1000)
    await keeper.turn()
  }
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-absence-'))
  clock = new FakeClock(NOON)
  firing = []
  state = await openFullState(folder, clock)
  keeper = await open()
})
afterEach(async () => {
  await keeper.close()
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

it('what still fires is told again, as it rang, with the time of the absence; once', async () => {
  firing = [alertOf('edge-0')]
  await run(30)
  await keeper.close()
  const from = clock.wallMs()
  clock.advance(10 * MINUTE_MS)
  keeper = await open()
  const gap = { from, to: clock.wallMs() }
  await run(15)
  await keeper.remindAfter(gap)
  await keeper.remindAfter(gap)
  await run(60)
  const notices = await state.incidents.notices('I-1')
  expect(notices.map(({ reason, rings }) => [reason, rings])).toEqual([
    ['opened', true],
    ['reminder', true],
  ])
  expect(notices[1]?.text).toContain('still firing; the control room was away from 12:00 UTC to 12:10 UTC')
})

it('what began and ended meanwhile stands on a timeline when it did, and nobody is told', async () => {
  clock.advance(10 * MINUTE_MS)
  const part = { state: 'resolved', firedAt: NOON + MINUTE_MS, resolvedAt: NOON + 2 * MINUTE_MS } as const
  keeper.observe([alertOf('edge-0', { activeAt: NOON, ...part })])
  await run(30)
  expect(await state.incidents.notices('I-1')).toEqual([])
  const events = await state.incidents.events('I-1')
  const at = (kind: string): number | undefined => events.find(event => event.kind === kind)?.at
  expect([at('opened'), at('alert-joined'), at('alert-resolved')]).toEqual([
    NOON + MINUTE_MS,
    NOON + MINUTE_MS,
    NOON + 2 * MINUTE_MS,
  ])
  expect(keeper.open()).toEqual([])
})

it('a restart is no absence', () => {
  expect(absenceOf(NOON, NOON + 20_000)).toBeNull()
  expect(absenceOf(null, NOON)).toBeNull()
  expect(absenceOf(NOON, NOON + 2 * MINUTE_MS)).toEqual({ from: NOON, to: NOON + 2 * MINUTE_MS })
})
