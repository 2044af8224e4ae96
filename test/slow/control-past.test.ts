// The fleet as it was: before, during and after a freeze, an order, a retirement, and while nobody judged.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS } from '#metrics'
import {
  alertsAnswer,
  historyAnswer,
  type ProbesAnswer,
  probesAnswer,
  type ServerView,
  serversAnswer,
  type WallAnswer,
  wallAnswer,
} from '#wire'
import { type FakeServer, startFleet, startTestControl, type TestControl, until } from '../control/fixture.ts'

const AWAY_MS = 12_000

let control: TestControl
let fleet: Record<string, FakeServer>
/** Fleet time of what happened. */
const at: Record<'enrolled' | 'before' | 'during' | 'after' | 'ordered' | 'away' | 'retired', number> = {
  enrolled: 0,
  before: 0,
  during: 0,
  after: 0,
  ordered: 0,
  away: 0,
  retired: 0,
}

async function ask(method: string, path: string, body?: unknown): Promise<number> {
  const answer = await fetch(`${control.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${control.tokens.admin}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  await answer.arrayBuffer()
  return answer.status
}
const query = (moment?: number): string => (moment === undefined ? '' : `?at=${moment}`)
async function servers(moment?: number): Promise<{ servers: ServerView[]; past: unknown; now: number }> {
  const {
    servers: all,
    past,
    now,
  } = serversAnswer.parse((await control.get(`/api/v1/servers${query(moment)}`)).body)
  return { servers: all, past, now }
}
async function server(id: string, moment?: number): Promise<ServerView | undefined> {
  return (await servers(moment)).servers.find(one => one.id === id)
}
async function wall(moment: number): Promise<WallAnswer> {
  return wallAnswer.parse((await control.get(`/api/v1/wall${query(moment)}`)).body)
}
async function probes(moment: number): Promise<ProbesAnswer> {
  return probesAnswer.parse((await control.get(`/api/v1/probes${query(moment)}`)).body)
}
const now = async (): Promise<number> => (await servers()).now
/** The next second is stored, and lies behind. */
async function pass(): Promise<number> {
  const fromMs = await now()
  await until(async () => (await now()) > fromMs + 2500, 'two seconds are stored')
  return fromMs + 1500
}
/** As an agent pushes: what it sees of the process. */
async function push(moment: number, values: Readonly<Record<string, number>>): Promise<void> {
  const labels = { instance: 'eu-west', job: 'vitrine-agent' }
  const samples = (value: number): { timestampMs: number; value: number }[] => [
    { timestampMs: Math.floor(moment), value },
  ]
  const body = encodeRemoteWrite(
    Object.entries(values).map(([name, value]) => ({
      labels: { ...labels, __name__: name },
      samples: samples(value),
    })),
  )
  const answer = await fetch(`${control.url}/prometheus/api/v1/write`, {
    method: 'POST',
    headers: { ...REMOTE_WRITE_HEADERS, authorization: 'Bearer vit_eu-west' },
    body: new Uint8Array(body),
  })
  expect(answer.status).toBe(204)
}

beforeAll(async () => {
  control = await startTestControl()
  at.enrolled = await now()
  fleet = await startFleet(control)
  await until(async () => (await server('eu-west'))?.state === 'healthy', 'eu-west is healthy')
  await until(
    async () => (await probes(await now())).cells.some(({ observer }) => observer === 'us-east'),
    'edges look at each other',
  )
  await until(async () => (await server('eu-west', await now()))?.watching === 0, 'nobody is known to watch')
  at.before = await pass()
  await push(at.before, { vitrine_server_processes: 2, vitrine_server_process_stopped: 0 })
  fleet['eu-west']?.freeze()
  await until(async () => (await server('eu-west'))?.state === 'unreachable', 'it is noticed', 20_000)
  at.during = await pass()
  await push(at.during, { vitrine_server_processes: 2, vitrine_server_process_stopped: 1 })
  fleet['eu-west']?.thaw()
  await until(async () => (await server('eu-west'))?.state === 'healthy', 'it is healthy again', 40_000)
  at.after = await pass()
  expect(await ask('PUT', '/api/v1/servers/us-east/tags', { name: 'Ashburn 2' })).toBe(200)
  const order = { kind: 'drain', reason: 'new disk', expiresInS: null }
  expect(await ask('PUT', '/api/v1/servers/us-east/override', order)).toBe(200)
  await until(async () => (await server('us-east'))?.state === 'drained', 'us-east is drained')
  at.ordered = await pass()
  const leftMs = await now()
  await control.stop()
  const stoppedMs = performance.now()
  // Longer than a sample of the control room speaks for.
  await until(() => performance.now() > stoppedMs + AWAY_MS + 500, 'it is away', 2 * AWAY_MS)
  await control.restart()
  at.away = leftMs + AWAY_MS
  expect(await ask('POST', '/api/v1/servers/ap-southeast/retire')).toBe(200)
  at.retired = await pass()
}, 180_000)
afterAll(() => control.close())

it('gives states and reasons as they were stored, and what witnesses said then', async () => {
  expect(await server('eu-west', at.before)).toMatchObject({ state: 'healthy', watching: 0, weight: 1 })
  const frozen = await server('eu-west', at.during)
  expect(frozen).toMatchObject({ state: 'unreachable', weight: 0 })
  expect(frozen?.reason).toContain('process frozen')
  expect(frozen?.since).toBeLessThanOrEqual(at.during)
  expect((await server('eu-west', at.after))?.state).toBe('healthy')
  expect((await server('us-east', at.during))?.state).toBe('healthy')
  const words = (view: ServerView | undefined): string[] =>
    // Nobody watches: what viewers say is that they are too few.
    (view?.evidence ?? [])
      .filter(({ kind, unsure }) => kind !== 'viewers' || !unsure)
      .map(({ witness, ok }) => `${witness} ${ok}`)
      .sort()
  expect(words(await server('eu-west', at.before))).toEqual([
    'agent true',
    'ap-southeast true',
    'control true',
    'us-east true',
  ])
  expect(words(frozen)).toEqual(['agent false', 'ap-southeast false', 'control false', 'us-east false'])
  expect(frozen?.evidence.find(({ kind }) => kind === 'inside')?.text).toBe('process frozen, host alive')
  for (const { at: seen } of frozen?.evidence ?? []) expect(Math.abs(seen - at.during)).toBeLessThan(5000)
})

it('has the wall, with dots as they were, and says what is not known', async () => {
  const { edges, past } = await wall(at.during)
  expect(past).toEqual({ at: at.during, watched: 'yes' })
  const row = edges.find(({ id }) => id === 'eu-west')
  expect(row?.witnesses.map(({ kind, says }) => `${kind} ${says}`)).toEqual([
    'inside against',
    'outside against',
    'viewers unknown',
  ])
  // Nothing was measured by its agent: not known, and not 0.
  expect(row).toMatchObject({ throughputBps: null, clockOffsetS: null })
  const other = edges.find(({ id }) => id === 'us-east')
  expect(other?.witnesses.map(({ says }) => says)).toEqual(['unknown', 'for', 'unknown'])
})

it('has the matrix: the frozen column, and whether TCP connected', async () => {
  const { cells, past, mesh } = await probes(at.during)
  expect(past?.at).toBe(at.during)
  expect(mesh).toBe('full')
  const column = cells.filter(({ target }) => target === 'eu-west')
  expect(column.map(({ observer }) => observer).sort()).toEqual(['ap-southeast', 'control', 'us-east'])
  for (const cell of column) expect(cell).toMatchObject({ ok: false, httpMs: null, connectMs: null })
  const before = (await probes(at.before)).cells.filter(({ target }) => target === 'eu-west')
  for (const cell of before) expect(cell).toMatchObject({ ok: true, connected: true })
})

it('has alerts that were on then, and none before', async () => {
  const alerts = async (moment: number): Promise<string[]> =>
    alertsAnswer
      .parse((await control.get(`/api/v1/alerts${query(moment)}`)).body)
      .alerts.filter(({ labels, state }) => labels['instance'] === 'eu-west' && state === 'firing')
      .map(({ rule }) => rule)
  expect(await alerts(at.during)).not.toEqual([])
  expect(await alerts(at.before)).toEqual([])
})

it('has the changes until then alone', async () => {
  const changes = async (moment: number): Promise<number> =>
    historyAnswer.parse((await control.get(`/api/v1/servers/eu-west/history${query(moment)}`)).body).changes
      .length
  expect(await changes(at.before)).toBeLessThan(await changes(at.during))
  expect(await changes(at.during)).toBeLessThan(await changes(at.after))
})

it('has orders, names and servers of that time, also of one that is retired since', async () => {
  expect(await server('us-east', at.after)).toMatchObject({ override: null, tags: {} })
  expect(await server('us-east', at.ordered)).toMatchObject({
    override: { kind: 'drain', reason: 'new disk', expiresAt: null },
    tags: { name: 'Ashburn 2' },
    state: 'drained',
  })
  expect(await server('ap-southeast')).toBeUndefined()
  expect(await server('ap-southeast', at.retired)).toBeUndefined()
  expect((await server('ap-southeast', at.ordered))?.state).toBe('healthy')
})

it('never calls anybody fine while the control room did not run', async () => {
  const { servers: all, past } = await servers(at.away)
  expect(past).toEqual({ at: at.away, watched: 'no' })
  expect(all.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'unknown', 'unknown', 'unknown'])
  const row = (await wall(at.away)).edges.find(({ id }) => id === 'eu-west')
  expect(row).toMatchObject({ state: 'unknown', watching: null })
  expect(row?.reason).toMatch(/^the control room did not run then; last known: healthy, /)
  expect(row?.witnesses.every(({ says }) => says === 'unknown')).toBe(true)
  expect((await probes(at.away)).cells).toEqual([])
})

it('knows of nobody before anybody was enrolled', async () => {
  const { servers: all, past } = await servers(at.enrolled - 3_600_000)
  expect(all.map(({ id, state }) => `${id} ${state}`)).toEqual(['control unknown'])
  expect(past).toMatchObject({ watched: 'not-kept' })
})

it.each(['/servers', '/servers/eu-west', '/wall', '/probes', '/alerts'])(
  '%s refuses what is to come, and nonsense',
  async path => {
    expect((await control.get(`/api/v1${path}?at=${(await now()) + 60_000}`)).status).toBe(400)
    for (const bad of ['', '%20', 'x', '-1', '1e99', 'NaN']) {
      expect((await control.get(`/api/v1${path}?at=${bad}`)).status).toBe(400)
    }
  },
)

it('is not for screens, whose link shows the present alone', async () => {
  const answer = await fetch(`${control.url}/api/v1/wall-links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${control.tokens.admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'office' }),
  })
  const token = ((await answer.json()) as { path: string }).path.split('#link=')[1] ?? ''
  expect((await control.get('/api/v1/wall', token)).status).toBe(200)
  expect((await control.get(`/api/v1/wall?at=${at.before}`, token)).status).toBe(403)
})
