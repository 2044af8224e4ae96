import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Counters, FakeClock, silentLog } from '#base'
import type { ServerState } from '#wire'
import type { StoredAlert } from '../state/alerts.ts'
import type { NewNotice } from '../state/incidents.ts'
import { type FullState, openFullState } from '../state/open-state.ts'
import type { CapacityFacts, ServerFacts } from './facts.ts'
import { IncidentKeeper } from './incident-keeper.ts'
import { DEFAULT_WAKE, type WakePolicy } from './wake.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const NOON = Date.UTC(2026, 0, 15, 12)

/** A fleet of 40 edges in 5 regions, whose alerts the test fires; the clock is moved by hand. */
class Night {
  readonly clock: FakeClock
  readonly servers = new Map<string, ServerFacts>()
  readonly firing = new Map<string, StoredAlert>()
  capacity: CapacityFacts = {
    restBps: 1e9,
    restEdges: 20,
    unknown: [],
    out: [],
    nowBps: 1e8,
    hours: [{ at: NOON, peakBps: 5e8 }],
  }
  policy: WakePolicy = DEFAULT_WAKE
  /** Servers that a drill has hurt. */
  readonly drilled = new Set<string>()
  drillRings = false
  silenced = new Set<string>()
  keeper!: IncidentKeeper
  readonly state: FullState
  #next = 0

  constructor(state: FullState, clock: FakeClock, edges = 40) {
    this.state = state
    this.clock = clock
    for (let number = 0; number < edges; number += 1)
      this.add(`edge-${number}`, 'edge', `region-${number % 5}`)
    this.add('origin', 'origin', 'home')
  }

  add(id: string, role: 'edge' | 'origin', region: string): void {
    const facts = {
      id,
      role,
      region,
      hostId: id,
      version: '1.0.0',
      reason: 'answers',
      evidence: [],
      viewers: 10,
    }
    this.servers.set(id, { ...facts, state: 'healthy' })
  }

  async start(recent: readonly StoredAlert[] = []): Promise<void> {
    this.keeper = await IncidentKeeper.open(
      {
        incidents: this.state.incidents,
        sources: {
          firing: () => [...this.firing.values()],
          servers: () => [...this.servers.values()],
          figures: async () => new Map(),
          capacity: async () => this.capacity,
          moved: async () => 0,
          marks: async () => [],
          planned: () => [],
          drillOf: server => (this.drilled.has(server ?? '') ? { id: 'd', rings: this.drillRings } : null),
          silencedBy: labels => (this.silenced.has(labels['instance'] ?? '') ? 'S-1' : null),
        },
        policy: this.policy,
        counters: new Counters(),
        log: silentLog,
        nowMs: this.clock.wallMs,
      },
      recent,
    )
  }

  stand(id: string, state: ServerState, reason = 'host silent: no HTTP answer', viewers = 10): void {
    const before = this.servers.get(id)
    if (before === undefined) throw new Error(id)
    this.servers.set(id, { ...before, state, reason, viewers })
  }

  fire(alertname: string, instance: string, severity = 'critical'): StoredAlert {
    this.#next += 1
    const at = this.clock.wallMs()
    const alert: StoredAlert = {
      id: `a${this.#next}`,
      rule: alertname,
      state: 'firing',
      labels: { alertname, instance, severity, region: this.servers.get(instance)?.region ?? '' },
      annotations: { summary: `${alertname} of ${instance}` },
      value: 1,
      activeAt: at,
      firedAt: at,
      resolvedAt: null,
      keptSince: null,
    }
    this.firing.set(`${alertname} ${instance}`, alert)
    return alert
  }

  end(alertname: string, instance: string): void {
    this.firing.delete(`${alertname} ${instance}`)
  }

  lose(id: string, viewers = 10): void {
    this.stand(id, 'unreachable', 'host silent: no HTTP answer', viewers)
    this.fire('EdgeUnreachable', id)
  }

  back(id: string): void {
    this.stand(id, 'healthy', 'answers')
    this.end('EdgeUnreachable', id)
  }

  async run(forMs: number, stepMs = SECOND_MS): Promise<void> {
    for (let left = forMs; left > 0; left -= stepMs) {
      this.clock.advance(stepMs)
      await this.keeper.turn()
    }
  }

  async told(): Promise<NewNotice[]> {
    const all = await this.state.incidents.list(0)
    const notices = await Promise.all(all.map(({ incident: { id } }) => this.state.incidents.notices(id)))
    return notices.flat().toSorted((a, b) => a.at - b.at)
  }

  async count(): Promise<number> {
    return (await this.state.incidents.list(0)).length
  }
}

let folder: string
let state: FullState
let night: Night
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-night-'))
  const clock = new FakeClock(NOON)
  state = await openFullState(folder, clock)
  night = new Night(state, clock)
  await night.start()
})
afterEach(async () => {
  await night.keeper.close()
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('20 of 40 edges in 5 regions, lost within 10 s', () => {
  it('are one incident, one ring within 20 s, and one resolution that does not ring', async () => {
    const startedAt = night.clock.wallMs()
    for (let number = 0; number < 20; number += 1) {
      night.lose(`edge-${number}`)
      await night.run(500, 500)
    }
    for (let number = 0; number < 20; number += 1) {
      night.fire('AgentSilent', `edge-${number}`, 'warning')
      night.stand(`edge-${number}`, 'unreachable', 'host silent: no HTTP answer', 0)
    }
    await night.run(5 * MINUTE_MS)
    expect(await night.count()).toBe(1)
    const [ring, ...others] = await night.told()
    expect(ring).toMatchObject({ reason: 'opened', rings: true })
    expect((ring?.at ?? 0) - startedAt).toBeLessThanOrEqual(20 * SECOND_MS)
    expect(ring?.text).toContain('20 of 40 edges do not answer, in 5 regions')
    expect(others).toEqual([])
    const [open] = night.keeper.open()
    expect(open).toMatchObject({ firing: 40, alerts: 40, severity: 'critical' })
    expect(open?.servers).toHaveLength(20)
    for (let number = 0; number < 20; number += 1) {
      night.back(`edge-${number}`)
      night.end('AgentSilent', `edge-${number}`)
      await night.run(2000)
    }
    await night.run(MINUTE_MS)
    const told = await night.told()
    expect(told.map(({ reason, rings }) => [reason, rings])).toEqual([
      ['opened', true],
      ['resolved', false],
    ])
    expect(night.keeper.open()).toEqual([])
  })
})

describe('all edges lost at once', () => {
  it('are one incident that says that the observer is cut off, not that the edges are gone', async () => {
    for (const [id, { role }] of night.servers) {
      night.stand(id, 'healthy', 'no observer can judge; observer sick: control reaches nobody')
      night.fire('AgentSilent', id, role === 'origin' ? 'critical' : 'warning')
    }
    await night.run(MINUTE_MS)
    expect(await night.count()).toBe(1)
    const [open] = night.keeper.open()
    expect(open?.cause.kind).toBe('observer-cut-off')
    expect(open?.verdict).toMatchObject({ class: 'cannot-tell' })
    expect(open?.verdict.reason).toContain('cut off')
    expect((await night.told()).filter(({ rings }) => rings)).toHaveLength(1)
    // What fires later is about servers of which nothing is known: it does not rename it.
    night.fire('EdgeUnreachable', 'edge-1', 'critical')
    night.fire('EdgeUnreachable', 'edge-2', 'critical')
    await night.run(10_000)
    expect(night.keeper.open()[0]?.title).toBe('The control room is cut off from its servers')
  })
})

describe('an edge that flaps for an hour', () => {
  it.each([
    ['every minute', MINUTE_MS],
    ['every five minutes', 5 * MINUTE_MS],
    ['every 20 seconds', 20 * SECOND_MS],
  ])(
    '%s is one incident and at most 2 rings',
    async (_often, everyMs) => {
      for (let passedMs = 0; passedMs < 60 * MINUTE_MS; passedMs += 2 * everyMs) {
        night.lose('edge-3')
        await night.run(everyMs, 4000)
        night.back('edge-3')
        await night.run(everyMs, 4000)
      }
      await night.run(20 * MINUTE_MS, 5000)
      expect(await night.count()).toBe(1)
      const told = await night.told()
      const rings = told.filter(one => one.rings)
      expect(rings.length).toBeGreaterThanOrEqual(1)
      expect(rings.length).toBeLessThanOrEqual(2)
      expect(told.length).toBeLessThanOrEqual(12)
      expect(night.keeper.open()).toEqual([])
    },
    60_000,
  )
})

describe('one lost edge', () => {
  it('is one incident, also when alerts of it come late, after an outage of an hour', async () => {
    night.lose('edge-3')
    await night.run(60 * MINUTE_MS, 5000)
    night.back('edge-3')
    await night.run(30 * SECOND_MS)
    expect(night.keeper.open()).toEqual([])
    // Of the moments after it is back: its timers were late, its clock moved on, its agent catches up.
    for (const late of ['EventLoopDelay', 'AgentSilent', 'ClockOffset', 'EdgeDegraded', 'HighCpu']) {
      night.fire(late, 'edge-3', 'warning')
      await night.run(20 * SECOND_MS)
      night.end(late, 'edge-3')
      await night.run(MINUTE_MS)
    }
    await night.run(10 * MINUTE_MS, 5000)
    expect(await night.count()).toBe(1)
    expect((await night.told()).filter(({ rings }) => rings)).toHaveLength(1)
    // What it cannot have brought with it is another incident.
    night.fire('CertificateEnds', 'edge-3', 'warning')
    await night.run(2000)
    expect(await night.count()).toBe(2)
  })
})

describe('nobody is rung', () => {
  it('for an edge without viewers', async () => {
    night.lose('edge-1', 0)
    await night.run(2 * MINUTE_MS)
    const told = await night.told()
    expect(told.map(({ rings }) => rings)).toEqual([false])
  })

  it('at night for a warning: it waits for the morning, and is forgotten if it ends before', async () => {
    night.clock.advance(14 * 60 * MINUTE_MS) // 02:00
    night.fire('HighCpu', 'edge-1', 'warning')
    night.fire('ClockOffset', 'edge-2', 'warning')
    await night.run(20 * SECOND_MS)
    expect(await night.told()).toEqual([])
    night.end('ClockOffset', 'edge-2')
    await night.run(7 * 60 * MINUTE_MS, 5 * MINUTE_MS)
    const told = await night.told()
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({ reason: 'reminder', rings: false })
    expect(new Date(told[0]?.at ?? 0).getUTCHours()).toBe(8)
    expect(told[0]?.text).toContain('HighCpu')
  })

  it('for what is silenced: it opens nothing', async () => {
    night.silenced.add('edge-1')
    night.lose('edge-1')
    await night.run(MINUTE_MS)
    expect(await night.count()).toBe(0)
    night.silenced.clear()
    await night.run(2000)
    expect(await night.count()).toBe(1)
  })
})

describe('it rings again', () => {
  it('when another edge is lost, and when what was well enough becomes bad', async () => {
    night.lose('edge-0')
    night.capacity = { ...night.capacity, out: ['edge-0'] }
    await night.run(5 * SECOND_MS)
    night.stand('edge-0', 'unreachable', 'host silent', 0)
    await night.run(MINUTE_MS)
    expect(night.keeper.open()[0]?.verdict.class).toBe('sleep')
    night.lose('edge-5', 0) // of the same region
    await night.run(3 * SECOND_MS)
    night.stand('edge-5', 'unreachable', 'host silent', 0)
    await night.run(MINUTE_MS)
    night.capacity = { ...night.capacity, restBps: 1e7 }
    await night.run(MINUTE_MS)
    const told = await night.told()
    expect(told.map(({ reason, rings }) => [reason, rings])).toEqual([
      ['opened', true],
      ['edge-lost', true],
      ['worse', true],
    ])
    expect(told.at(-1)?.text).toContain('get up')
  })
})

describe('an edge that is lost while an old incident is about it', () => {
  const lose = async (): Promise<void> => {
    night.lose('edge-1')
    await night.run(30 * SECOND_MS)
  }

  it('is an incident of its own, at night too: it rings, and is told with its own time and name', async () => {
    night.clock.advance(14 * 60 * MINUTE_MS) // 02:00
    for (const id of ['edge-0', 'edge-1', 'edge-2']) night.fire('NoTimeDaemon', id, 'info')
    await night.run(40 * MINUTE_MS, 5000)
    const lostAt = night.clock.wallMs()
    await lose()
    expect(await night.count()).toBe(2)
    expect((await night.told()).map(({ reason, rings }) => [reason, rings])).toEqual([['opened', true]])
    const lost = night.keeper.open().find(({ severity }) => severity === 'critical')
    expect(lost).toMatchObject({ title: 'EdgeUnreachable of edge-1', servers: ['edge-1'] })
    expect(lost?.openedAt).toBeGreaterThanOrEqual(lostAt)
    // What it brings along stands with it, and it ends although the old one goes on.
    night.fire('AgentSilent', 'edge-1', 'warning')
    await night.run(5000)
    expect(await night.count()).toBe(2)
    night.back('edge-1')
    night.end('AgentSilent', 'edge-1')
    await night.run(MINUTE_MS)
    expect(night.keeper.open().map(({ severity }) => severity)).toEqual(['info'])
  })

  it('ends although what only informs of that edge goes on, which opens no other', async () => {
    await lose()
    night.fire('NoTimeDaemon', 'edge-1', 'info')
    night.back('edge-1')
    await night.run(9 * MINUTE_MS, 5000)
    expect([night.keeper.open(), await night.count()]).toEqual([[], 1])
  })

  it('rings when it joins one that waits for the morning, and is not said to be lost with the others', async () => {
    night.clock.advance(14 * 60 * MINUTE_MS) // 02:00
    for (const id of ['edge-1', 'edge-2', 'edge-3']) night.fire('HighCpu', id, 'warning')
    await night.run(5 * MINUTE_MS)
    expect(await night.told()).toEqual([])
    await lose()
    expect(await night.count()).toBe(1)
    expect((await night.told()).map(({ reason, rings }) => [reason, rings])).toEqual([['opened', true]])
    expect(night.keeper.open()[0]?.title).toBe('EdgeUnreachable of edge-1')
  })

  it('rings when it joins one that was told quietly', async () => {
    night.fire('HighCpu', 'edge-1', 'warning')
    await night.run(5 * MINUTE_MS)
    await lose()
    const told = (await night.told()).map(({ reason, rings }) => [reason, rings])
    expect(told).toEqual([
      ['opened', false],
      ['edge-lost', true],
    ])
  })

  it('leaves its viewers a minute to move, however old the incident is', async () => {
    night.fire('EdgeDegraded', 'edge-1', 'warning')
    night.stand('edge-1', 'degraded', 'slow', 0)
    await night.run(20 * MINUTE_MS, 5000)
    await lose()
    expect(await night.count()).toBe(1)
    expect(night.keeper.open()[0]?.verdict.class).toBe('cannot-tell')
    await night.run(4 * MINUTE_MS)
    expect(night.keeper.open()[0]?.verdict.reason).toBe('10 viewers are still hurt after 4 minutes.')
  })
})

it('tells what is about the control room itself from what is about strangers', async () => {
  night.fire('ReceiverFails', 'control', 'warning')
  night.fire('DatabaseSlow', 'db-1', 'warning')
  await night.run(SECOND_MS)
  const reasons = night.keeper.open().map(({ verdict }) => verdict.reason)
  expect(reasons.toSorted()).toEqual([
    'It is about no server of ours: what it does to viewers is not known.',
    'It is about the control room itself: viewers are served without it, but what it misses is not known.',
  ])
})

it('says how many alerts from elsewhere are one incident', async () => {
  for (let number = 0; number < 5; number += 1) night.fire('DatabaseSlow', `db-${number}`, 'warning')
  await night.run(SECOND_MS)
  expect(night.keeper.open()[0]?.title).toBe('DatabaseSlow of db-0, and 4 more alerts')
  night.end('DatabaseSlow', 'db-1')
  await night.run(SECOND_MS)
  night.fire('DatabaseSlow', 'db-1', 'warning')
  await night.run(SECOND_MS)
  expect(night.keeper.open()[0]?.title).toBe('DatabaseSlow of db-0, and 4 more alerts')
})

describe('a control room that was killed', () => {
  it('goes on with its incidents: none is lost, doubled or told twice', async () => {
    night.lose('edge-0')
    await night.run(5 * SECOND_MS)
    await night.keeper.close()
    await night.start()
    await night.run(MINUTE_MS)
    expect(await night.count()).toBe(1)
    expect((await night.told()).filter(({ reason }) => reason === 'opened')).toHaveLength(1)
    await night.keeper.close()
    night.back('edge-0')
    // What began and ended while nobody looked stands in the list as well.
    const missed = { ...night.fire('EdgeUnreachable', 'edge-7'), state: 'resolved' as const, resolvedAt: 1 }
    night.end('EdgeUnreachable', 'edge-7')
    night.clock.advance(MINUTE_MS)
    await night.start([missed])
    await night.run(MINUTE_MS)
    expect(night.keeper.open()).toEqual([])
    expect(await night.count()).toBe(2)
    await night.keeper.close()
    await night.start([missed])
    await night.run(MINUTE_MS)
    expect(await night.count()).toBe(2)
  })
})

describe('people', () => {
  it('who act at once: the second is told who was first', async () => {
    night.lose('edge-0')
    await night.run(2000)
    const id = night.keeper.open()[0]?.id ?? ''
    const { actions } = night.keeper
    const [first, second] = await Promise.allSettled([
      actions.acknowledge(id, 'ada'),
      actions.acknowledge(id, 'bob'),
    ])
    expect(first.status).toBe('fulfilled')
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'control-incident-taken' } })
    expect(String((second as PromiseRejectedResult).reason)).toContain('ada has I-1 already')
    await actions.acknowledge(id, 'ada')
    await actions.assign(id, 'bob', 'ada')
    await actions.comment(id, 'the switch is dark', 'bob')
    await actions.wait(id, night.clock.wallMs() + MINUTE_MS, 'bob')
    expect((await state.incidents.get(id))?.incident).toMatchObject({
      acknowledgedBy: 'ada',
      assignedTo: 'bob',
    })
    const events = await state.incidents.events(id)
    expect(events.map(({ kind, by }) => `${kind} ${by}`)).toEqual(
      expect.arrayContaining([
        'opened vitrine',
        'acknowledged ada',
        'assigned ada',
        'comment bob',
        'waiting bob',
      ]),
    )
    await expect(actions.acknowledge('I-99', 'ada')).rejects.toMatchObject({
      code: 'control-incident-unknown',
    })
  })

  it('who wait are not rung before, and reminded then', async () => {
    night.lose('edge-0')
    await night.run(2000)
    const id = night.keeper.open()[0]?.id ?? ''
    await night.keeper.actions.wait(id, night.clock.wallMs() + 30 * MINUTE_MS, 'ada')
    await night.run(29 * MINUTE_MS, 20_000)
    expect(await night.told()).toEqual([])
    await night.run(2 * MINUTE_MS, 5000)
    expect((await night.told()).map(({ reason, rings }) => [reason, rings])).toEqual([['reminder', true]])
  })

  it('who say that it is over are believed until its alerts have ended', async () => {
    night.lose('edge-0')
    await night.run(20 * SECOND_MS)
    const id = night.keeper.open()[0]?.id ?? ''
    await night.keeper.actions.resolve(id, 'ada')
    await night.run(MINUTE_MS)
    expect(night.keeper.open()).toEqual([])
    expect((await night.told()).at(-1)).toMatchObject({ reason: 'resolved', rings: false })
    await expect(night.keeper.actions.wait(id, 1, 'ada')).rejects.toMatchObject({
      code: 'control-incident-over',
    })
    night.back('edge-0')
    await night.run(5000)
    night.lose('edge-0')
    await night.run(5000)
    expect(await night.count()).toBe(2)
  })
})

describe('what follows from a cause', () => {
  it('joins it: an edge’s own symptoms, edges behind an origin, and what shares a region; the rest stays apart', async () => {
    night.fire('EdgeErrorRatio', 'edge-0')
    await night.run(MINUTE_MS)
    night.stand('origin', 'unreachable', 'host silent')
    night.fire('OriginUnreachable', 'origin')
    await night.run(MINUTE_MS)
    night.fire('HitRatioLow', 'edge-1', 'warning')
    night.fire('HighCpu', 'edge-1', 'warning')
    await night.run(MINUTE_MS)
    expect(night.keeper.open()).toHaveLength(1)
    expect(night.keeper.open()[0]).toMatchObject({ firing: 4, cause: { kind: 'origin-down' } })
    night.fire('CertificateEnds', 'edge-4', 'warning')
    await night.run(MINUTE_MS)
    expect(night.keeper.open()).toHaveLength(2)
  })

  it('leaves apart what many servers have and a lost one has, too', async () => {
    night.lose('edge-3')
    await night.run(MINUTE_MS)
    for (const id of ['edge-3', 'edge-4', 'edge-5']) night.fire('ClockNotSynchronising', id, 'warning')
    await night.run(MINUTE_MS)
    const servers = night.keeper.open().map(incident => [...incident.servers].sort())
    expect(servers).toEqual(expect.arrayContaining([['edge-3'], ['edge-4', 'edge-5']]))
    expect(servers).toHaveLength(2)
  })

  it('stays one incident in a flood of 10,000 alerts, and the turn ends', async () => {
    for (let number = 0; number < 10_000; number += 1) night.fire('Flood', `host-${number}`, 'warning')
    await night.run(3000)
    expect(await night.count()).toBe(1)
    expect((await state.incidents.events('I-1')).length).toBeLessThan(60)
    night.firing.clear()
    await night.run(MINUTE_MS)
    expect(night.keeper.open()).toEqual([])
  }, 60_000)
})

it('a drill is one incident that says so and tells nobody; what is real beside it is another, and rings', async () => {
  night.drilled.add('edge-0').add('edge-1')
  night.fire('RealtimeTimersEarly', 'edge-1')
  night.lose('edge-0')
  night.lose('edge-2')
  await night.run(30 * SECOND_MS)
  const [drill, real] = night.keeper.open().toSorted((a, b) => b.servers.length - a.servers.length)
  expect(drill).toMatchObject({ drill: 'd', servers: ['edge-1', 'edge-0'], cause: { kind: 'clock-2012' } })
  expect(drill?.title).toMatch(/^Drill: /)
  expect(real).toMatchObject({ servers: ['edge-2'], cause: { kind: 'host-silent' } })
  expect(real?.drill).toBeUndefined()
  const told = await night.told()
  expect(told.length).toBeGreaterThan(0)
  expect(told.every(({ rings, text }) => rings && !text.includes('Drill: '))).toBe(true)
})

it('a drill that is to ring tells as a real night does, and every message says that it is one', async () => {
  night.drilled.add('edge-0')
  night.drillRings = true
  night.lose('edge-0')
  await night.run(30 * SECOND_MS)
  const told = await night.told()
  expect(told.map(({ rings }) => rings)).toContain(true)
  expect(told.every(({ text }) => text.includes('Drill: '))).toBe(true)
})

it('takes late timers of servers on one host for one overloaded host, beside an edge that is lost', async () => {
  for (const [id, server] of night.servers) night.servers.set(id, { ...server, hostId: 'one' })
  const [lost = '', first = '', second = ''] = [...night.servers.keys()]
  night.lose(lost)
  night.fire('EventLoopDelay', lost, 'warning')
  await night.run(62_000)
  night.fire('EventLoopDelay', first, 'warning')
  await night.run(90_000)
  night.fire('HostCpuHigh', second, 'warning')
  await night.run(2000)
  const open = night.keeper.open()
  expect(new Set(open.map(({ servers }) => servers))).toEqual(new Set([[lost], [first, second]]))
  expect(open.map(({ title }) => title)).toContain(`The host of ${first}, ${second} is overloaded`)
})

it('keeps overload of neighbours out of the incident of a full disk, at once and later', async () => {
  for (const [id, server] of night.servers) night.servers.set(id, { ...server, hostId: 'one' })
  const [sick = '', first = '', second = ''] = [...night.servers.keys()]
  night.fire('CacheDiskFails', sick, 'warning')
  night.fire('HostCpuHigh', sick, 'warning')
  await night.run(2000)
  night.fire('HostCpuHigh', first, 'warning')
  await night.run(60_000)
  night.fire('HostCpuHigh', second, 'warning')
  await night.run(2000)
  const open = night.keeper.open().map(({ servers }) => servers)
  expect(new Set(open)).toEqual(new Set([[sick], [first, second]]))
})
