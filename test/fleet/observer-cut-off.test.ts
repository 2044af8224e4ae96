// What a control room says and does that hears none of its servers any more: the product's own judgement, steering and
// incidents, over looks and heartbeats that stop.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Counters, FakeClock, SlewedFleetTime, silentLog } from '#base'
import { Fleet } from '../../src/control/fleet/fleet.ts'
import { type HealthKeeper, startHealthKeeper } from '../../src/control/health/health-keeper.ts'
import { IncidentKeeper } from '../../src/control/incidents/incident-keeper.ts'
import { DEFAULT_WAKE } from '../../src/control/incidents/wake.ts'
import type { StoredAlert } from '../../src/control/state/alerts.ts'
import { type FullState, openFullState } from '../../src/control/state/open-state.ts'
import { SteeringKeeper } from '../../src/control/steering/steering-keeper.ts'

const EDGES = 40
const NEIGHBOURS = 3
const HOST = 'host of the control room'
const AGENT_SILENT_MS = 10_000 // as the rule that ships

let folder: string
let state: FullState
let clock: FakeClock
let fleet: Fleet
let health: HealthKeeper
let steering: SteeringKeeper
let keeper: IncidentKeeper
const edges = Array.from({ length: EDGES }, (_, at) => `e${at}`)
const silentSince = new Map<string, number>()
const fired = new Map<string, StoredAlert>()

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-cut-off-'))
  clock = new FakeClock(Date.UTC(2026, 0, 15, 12))
  state = await openFullState(folder, clock)
  const servers = [
    ...edges.map(id => ({ id, role: 'edge' as const })),
    { id: 'origin', role: 'origin' as const },
  ]
  await state.servers.enrol(
    servers.map(({ id, role }, at) => ({
      id,
      role,
      region: `region-${at % 5}`,
      tokenSha256: String(at).padStart(64, '0'),
    })),
  )
  const fleetTime = new SlewedFleetTime(clock, clock.wallMs())
  fleet = new Fleet()
  fleet.load(await state.servers.list(), new Map(), new Map(), fleetTime.nowMs())
  for (const record of fleet.all()) {
    const hostId = record.id === 'origin' ? HOST : `host ${record.id}`
    Object.assign(record, { url: `http://${record.id}`, hostId, isLinked: true })
  }
  steering = await SteeringKeeper.open({ fleet, fleetTime, state, log: silentLog, publish: () => undefined })
  health = startHealthKeeper({
    fleet,
    servers: state.servers,
    fleetTime,
    clock,
    log: silentLog,
    hostId: HOST,
    onChange: () => steering.refresh(),
  })
  silentSince.clear()
  fired.clear()
  keeper = await IncidentKeeper.open({
    incidents: state.incidents,
    sources: {
      firing: () => [...fired.values()],
      servers: () =>
        fleet.all().map(({ id, role, region, hostId, version, standing, reason, evidence }) => {
          return { id, role, region, hostId, version, state: standing.state, reason, evidence, viewers: 10 }
        }),
      figures: async () => new Map(),
      capacity: async () => null,
      moved: async () => 0,
      marks: async () => [],
      planned: () => [],
      silencedBy: () => null,
    },
    policy: DEFAULT_WAKE,
    counters: new Counters(),
    log: silentLog,
    nowMs: clock.wallMs,
  })
})
afterEach(async () => {
  await keeper.close()
  await health.close()
  await steering.settled()
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

function look(observer: string, target: string, answers: boolean): void {
  const ms = answers ? 2 : null
  const error = answers ? null : 'timeout'
  const report = { target, connectMs: ms, httpMs: ms, httpStatus: answers ? 200 : null, error, agoMs: 10 }
  fleet.probe(observer, report, clock.monotonicMs())
}

/** A second in which the control room hears all but `lost`. */
async function second(lost: ReadonlySet<string>): Promise<void> {
  const now = { monotonicMs: clock.monotonicMs(), fleetMs: clock.wallMs() }
  for (const record of fleet.all()) {
    look('control', record.id, !lost.has(record.id))
    if (lost.has(record.id)) {
      silentSince.set(record.id, silentSince.get(record.id) ?? now.monotonicMs)
      continue
    }
    silentSince.delete(record.id)
    const watched = { pid: 7, state: 'S', httpOk: true, httpMs: 1 }
    fleet.heartbeat(record, { type: 'heartbeat', sequence: 1, bootMs: 0, watched }, now)
    const at = edges.indexOf(record.id)
    if (at < 0) continue
    for (let step = 1; step <= NEIGHBOURS; step += 1) {
      const target = edges[(at + step) % EDGES] ?? ''
      look(record.id, target, !lost.has(target))
    }
  }
  health.evaluate()
  steering.refresh()
  alerts(now.monotonicMs)
  clock.advance(1000)
  await keeper.turn()
}

/** As the rules that ship. */
function alerts(nowMs: number): void {
  for (const { id, role, region, standing } of fleet.all()) {
    const isSilent = nowMs - (silentSince.get(id) ?? nowMs) > AGENT_SILENT_MS
    set('AgentSilent', isSilent, { id, region, severity: 'warning' })
    const name = role === 'edge' ? 'EdgeUnreachable' : 'OriginUnreachable'
    set(name, standing.state === 'unreachable', { id, region, severity: 'critical' })
  }
}

function set(
  alertname: string,
  fires: boolean,
  about: { id: string; region: string; severity: string },
): void {
  const key = `${alertname} ${about.id}`
  if (!fires) fired.delete(key)
  else if (!fired.has(key)) {
    const { id: instance, region, severity } = about
    const at = clock.wallMs()
    const times = { activeAt: at, firedAt: at, resolvedAt: null, keptSince: null }
    const labels = { alertname, instance, region, severity }
    fired.set(key, {
      id: `${key} ${at}`,
      rule: alertname,
      state: 'firing',
      labels,
      annotations: {},
      value: 1,
      ...times,
    })
  }
}

async function run(seconds: number, lost: readonly string[]): Promise<void> {
  for (let at = 0; at < seconds; at += 1) await second(new Set(lost))
}

it.each([
  ['with the origin', [...edges, 'origin']],
  ['while it still reaches the origin beside it', edges],
])(
  'all of 40 edges lost %s: one alert that the observer is cut off, and steering is left as it was',
  async (_how, lost) => {
    await run(15, [])
    const before = steering.table()?.pathways ?? []
    expect(before.filter(({ weight }) => weight > 0)).toHaveLength(EDGES)
    await run(40, lost)
    expect(fleet.all().filter(({ standing }) => standing.state === 'unreachable')).toEqual([])
    expect(steering.table()?.pathways).toEqual(before)
    expect(keeper.open().map(({ cause, severity }) => [cause.kind, severity])).toEqual([
      ['observer-cut-off', 'critical'],
    ])
    await run(60, [])
    expect(keeper.open()).toEqual([])
    const all = await state.incidents.list(0)
    expect(all).toHaveLength(1)
    const notices = await state.incidents.notices(all[0]?.incident.id ?? '')
    expect(notices.map(({ reason, rings }) => [reason, rings])).toEqual([
      ['opened', true],
      ['resolved', false],
    ])
  },
  120_000,
)

it('all but one lost: the one that is left is the witness, and the others are gone', async () => {
  await run(15, [])
  await run(20, edges.slice(1))
  const standing = fleet
    .all()
    .filter(({ role, standing: { state: now } }) => role === 'edge' && now === 'unreachable')
  expect(standing).toHaveLength(EDGES - 1)
  const taking = (steering.table()?.pathways ?? []).filter(({ weight }) => weight > 0)
  expect(taking.map(({ id }) => id)).toEqual(['e0'])
  expect(keeper.open()).toHaveLength(1)
  expect(keeper.open()[0]?.cause.kind).toBe('host-silent')
}, 120_000)
