import { describe, expect, it } from 'vitest'
import type { CauseKind, MarkView } from '#wire'
import { type CauseInput, causeOf } from './cause.ts'
import type { ServerFacts, ServerFigures } from './facts.ts'

const OPENED = 1_000_000_000

function server(id: string, part: Partial<ServerFacts> = {}): ServerFacts {
  const rest = {
    region: 'eu',
    hostId: id,
    version: '1.0.0',
    reason: 'answers control',
    evidence: [],
    viewers: 5,
  }
  return { id, role: 'edge', state: 'healthy', ...rest, ...part }
}
const gone = (id: string, reason: string): ServerFacts => server(id, { state: 'unreachable', reason })
const ill = (id: string, reason: string, part: Partial<ServerFacts> = {}): ServerFacts =>
  server(id, { state: 'degraded', reason: `serves badly: ${reason}`, ...part })
const origin = server('origin', { role: 'origin' })
const well = [server('b'), server('c'), server('d'), origin]
const fires = (alertname: string, ...servers: readonly string[]): CauseInput['alerts'] =>
  servers.map(id => ({ labels: { alertname, instance: id }, server: id }))
const figures = (id: string, own: ServerFigures): ReadonlyMap<string, ServerFigures> => new Map([[id, own]])
const mark = (text: string, agoMs: number, server: string | null = null): MarkView => ({
  id: 1,
  at: OPENED - agoMs,
  server,
  kind: 'version',
  text,
  by: 'agent',
  url: null,
})

function input(servers: readonly ServerFacts[], part: Partial<CauseInput> = {}): CauseInput {
  const own = new Set(servers.map(({ id }) => id))
  const fleet = [...servers, ...well.filter(({ id }) => !own.has(id))]
  return {
    servers,
    fleet,
    alerts: fires('EdgeUnreachable', ...own),
    figures: new Map(),
    marks: [],
    openedAt: OPENED,
    ...part,
  }
}

const blind = 'no observer can judge; observer sick: control reaches nobody'
const bad = [
  ill('a', 'answers take 900 ms', { version: '2.0.0' }),
  ill('b', '4 of 10 probes failed', { version: '2.0.0' }),
]

const table: readonly [string, CauseKind, CauseInput][] = [
  [
    'early timers, and a process that froze in the same moment',
    'clock-2012',
    input([gone('a', 'process frozen, host alive: no HTTP answer'), server('b')], {
      alerts: [...fires('EdgeUnreachable', 'a'), ...fires('RealtimeTimersEarly', 'b')],
      figures: figures('b', { ownCores: 1, cores: 2 }),
    }),
  ],
  [
    'a leap second that somebody announces',
    'leap-announced',
    input([server('a')], { alerts: fires('UnexpectedLeapPending', 'a') }),
  ],
  [
    'a stopped process',
    'edge-frozen',
    input([gone('a', 'process frozen, host alive: no HTTP answer to control, b for 3.2 s')]),
  ],
  [
    'a process that hangs',
    'edge-frozen',
    input([
      gone('a', 'process frozen or overloaded (it accepts connections), its agent is silent: no HTTP answer'),
    ]),
  ],
  ['a silent host', 'host-silent', input([gone('a', 'host silent: no HTTP answer to control, b for 3.0 s')])],
  ['a cut path', 'path-cut', input([ill('a', 'path sick: c does not reach it, control does reach it')])],
  [
    'an origin that is gone, and edges that fail behind it',
    'origin-down',
    input([
      server('origin', { role: 'origin', state: 'unreachable', reason: 'host silent' }),
      ill('a', '5 of 10 probes failed'),
    ]),
  ],
  [
    'a slow origin',
    'origin-slow',
    input([ill('a', 'cannot play sample'), ill('b', 'cannot play sample')], {
      fleet: [
        ill('a', 'x'),
        ill('b', 'x'),
        server('c'),
        ill('origin', 'answers take 800 ms', { role: 'origin' }),
      ],
      alerts: fires('PlayingFails', 'a', 'b'),
    }),
  ],
  [
    'a full disk',
    'disk-full',
    input([ill('a', 'x')], {
      figures: figures('a', { diskFree: 0.001 }),
      alerts: fires('EdgeDegraded', 'a'),
    }),
  ],
  [
    'a cache that has no room, on a disk that no agent sees',
    'disk-full',
    input([server('a')], {
      alerts: [{ labels: { alertname: 'CacheDiskFails', instance: 'a', why: 'full' }, server: 'a' }],
    }),
  ],
  [
    'a cache that cannot write for another reason than room',
    'cannot-tell',
    input([server('a')], {
      figures: figures('a', { diskFree: 0.4 }),
      alerts: [{ labels: { alertname: 'CacheDiskFails', instance: 'a', why: 'error' }, server: 'a' }],
    }),
  ],
  [
    'the store’s disk',
    'disk-full',
    input([], { alerts: [{ labels: { alertname: 'MetricsRefused' }, server: null }] }),
  ],
  [
    'a refused certificate',
    'certificate',
    input([ill('a', 'viewers refuse its certificate: certificate has expired')]),
  ],
  [
    'a certificate that ends',
    'certificate',
    input([server('a')], { alerts: fires('CertificateEndsNow', 'a') }),
  ],
  [
    'a stepped clock',
    'clock-stepped',
    input([server('a')], { figures: figures('a', { clockOffsetS: -3 }), alerts: fires('HighCpu', 'a') }),
  ],
  [
    'a neighbour that takes the CPU',
    'cpu-pegged',
    input([ill('a', 'answers take 300 ms')], {
      figures: figures('a', { ownCores: 0.3, otherCores: 1.6, cores: 2 }),
      alerts: fires('EventLoopDelay', 'a'),
    }),
  ],
  [
    'a busy host on which the server itself gets its turn',
    'cannot-tell',
    input([ill('a', 'answers take 300 ms')], {
      figures: figures('a', { ownCores: 0.3, otherCores: 1.6, cores: 2, cpuWait: 0.05 }),
      alerts: fires('EdgeDegraded', 'a'),
    }),
  ],
  [
    'a server that waits for a CPU that others have',
    'cpu-pegged',
    input([ill('a', 'answers take 300 ms')], {
      figures: figures('a', { ownCores: 0.1, otherCores: 1.6, cores: 2, cpuWait: 0.7 }),
      alerts: fires('EdgeDegraded', 'a'),
    }),
  ],
  [
    'an origin that is slow to the control room alone',
    'origin-slow',
    input(
      [
        server('origin', {
          role: 'origin',
          reason: 'weight lowered by control: answers take 800 ms',
        }),
      ],
      { alerts: fires('OriginDegraded', 'origin') },
    ),
  ],
  [
    'stolen time',
    'cpu-pegged',
    input([ill('a', 'x')], { figures: figures('a', { steal: 0.4 }), alerts: fires('EdgeDegraded', 'a') }),
  ],
  [
    'a bad release on half of the edges',
    'bad-release',
    input(bad, {
      alerts: fires('EdgeDegraded', 'a', 'b'),
      marks: [mark('version of server: 1.0.0 to 2.0.0', 60_000, 'a')],
    }),
  ],
  [
    'an edge that does not answer since others take its CPU',
    'cpu-pegged',
    input([gone('a', 'process runs but does not answer, host alive: no HTTP answer to b')], {
      alerts: fires('EdgeUnreachable', 'a'),
      figures: figures('a', { ownCores: 0.02, otherCores: 1.1, cores: 2, cpuWait: 0.9 }),
    }),
  ],
  [
    'an edge that hangs on a busy host, without wanting its CPU',
    'edge-frozen',
    input([gone('a', 'process runs but does not answer, host alive: no HTTP answer to b')], {
      alerts: fires('EdgeUnreachable', 'a'),
      figures: figures('a', { ownCores: 0.02, otherCores: 1.1, cores: 2, cpuWait: 0.1 }),
    }),
  ],
  [
    'a bad release whose restart opened the incident, on a busy host',
    'bad-release',
    input(bad, {
      alerts: fires('EdgeDegraded', 'a', 'b'),
      figures: figures('a', { ownCores: 0.1, otherCores: 1.6, cores: 2, cpuWait: 0.7 }),
      marks: [mark('version of server: 1.0.0 to 2.0.0', -20_000, 'a')],
    }),
  ],
  [
    'a busy host, and a version that somebody brought long after',
    'cpu-pegged',
    input(bad, {
      alerts: fires('EdgeDegraded', 'a', 'b'),
      figures: figures('a', { ownCores: 0.1, otherCores: 1.6, cores: 2, cpuWait: 0.7 }),
      marks: [mark('version of server: 1.0.0 to 2.0.0', -600_000, 'a')],
    }),
  ],
  [
    'a control room that is cut off',
    'observer-cut-off',
    input(
      ['a', 'b', 'c', 'd'].map(id => server(id, { reason: blind })),
      { alerts: fires('AgentSilent', 'a', 'b', 'c', 'd', 'origin') },
    ),
  ],
  [
    'an edge that is slow for no reason that is known',
    'cannot-tell',
    input([ill('a', 'answers take 300 ms')], { alerts: fires('EdgeDegraded', 'a') }),
  ],
  [
    'one ill edge that has the new version alone',
    'cannot-tell',
    input([bad[0] ?? server('a')], { alerts: fires('EdgeDegraded', 'a') }),
  ],
  [
    'an alert from elsewhere',
    'cannot-tell',
    input([], { alerts: [{ labels: { alertname: 'Elsewhere' }, server: null }] }),
  ],
]

it('names a clock that is years off with how far, before what follows from it', () => {
  const cause = causeOf(
    input([ill('a', 'its clock is 10 years behind, and TLS fails on it')], {
      figures: figures('a', { clockOffsetS: -315_576_000 }),
      alerts: [...fires('AgentSilent', 'a'), ...fires('ClockFarOff', 'a'), ...fires('EdgeDegraded', 'a')],
    }),
  )
  expect(cause).toMatchObject({
    kind: 'clock-stepped',
    text: 'The clock of a is wrong: 10 years behind.',
    confidence: 0.97,
  })
})

describe('the cause', () => {
  it.each(table)('of %s is %s', (_what, kind, given) => {
    const cause = causeOf(given)
    expect(cause.kind, cause.text).toBe(kind)
    if (kind === 'cannot-tell') expect(cause.confidence).toBe(0)
    else expect(cause.for.length).toBeGreaterThan(0)
  })

  it('is less sure without the release having been seen, and says so', () => {
    const cause = causeOf(input(bad, { alerts: fires('EdgeDegraded', 'a', 'b') }))
    expect(cause).toMatchObject({
      kind: 'bad-release',
      against: ['no change of version was seen in the two hours before'],
    })
    expect(cause.confidence).toBeLessThan(0.7)
  })

  it('is less sure of a disk that is full while the cache writes, and says so', () => {
    const alerts = fires('EdgeDegraded', 'a')
    const hurt = causeOf(input([ill('a', 'x')], { alerts, figures: figures('a', { diskFree: 0 }) }))
    const given = figures('a', { diskFree: 0, cacheWrites: true })
    const cause = causeOf(input([ill('a', 'x')], { alerts, figures: given }))
    expect(cause).toMatchObject({ kind: 'disk-full', against: ['a: its cache writes all the same'] })
    expect(cause.confidence).toBeLessThan(hurt.confidence)
  })

  it('of a cache without room names the disks that have some', () => {
    const alerts = [{ labels: { alertname: 'CacheDiskFails', instance: 'a', why: 'full' }, server: 'a' }]
    const cause = causeOf(input([server('a')], { alerts, figures: figures('a', { diskFree: 0.4 }) }))
    expect(cause.for[0]).toBe('a: its cache could not write, no room is left')
    expect(cause.against[0]).toMatch(/^a: 40 % of every disk that its agent sees is free: a quota, inodes/)
  })

  it('of late timers on one host is the host, and not a neighbour of each', () => {
    const own = { ownCores: 0.3, otherCores: 1.6, cores: 2, cpuWait: 0.5 }
    const two = ['a', 'b'].map(id => server(id, { hostId: 'one' }))
    const given = new Map(two.map(({ id }) => [id, own]))
    const cause = causeOf(input(two, { alerts: fires('EventLoopDelay', 'a', 'b'), figures: given }))
    expect(cause.text).toMatch(/^The host of a, b is overloaded/)
  })

  it('names what speaks against it', () => {
    const witness = { witness: 'b', kind: 'outside' as const, ok: true, text: 'HTTP answers', at: 1 }
    const frozen = { ...gone('a', 'process frozen, host alive: no HTTP answer'), evidence: [witness] }
    expect(causeOf(input([frozen])).against).toEqual(['b of a: HTTP answers'])
  })
})
