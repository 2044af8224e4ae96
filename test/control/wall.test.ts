// The wall: one answer with all that it shows, and links that open it and nothing else.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS } from '#metrics'
import { type WallAnswer, wallAnswer, wallLinksAnswer } from '#wire'
import { type FakeServer, sha256, startFleet, startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
let fleet: Record<string, FakeServer>

beforeAll(async () => {
  control = await startTestControl()
  fleet = await startFleet(control)
}, 30_000)
afterAll(() => control.close())

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${control.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${control.tokens.admin}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: await answer.json() }
}

async function wall(token?: string): Promise<WallAnswer> {
  return wallAnswer.parse((await control.get('/api/v1/wall', token)).body)
}

async function edge(id: string): Promise<WallAnswer['edges'][number]> {
  const found = (await wall()).edges.find(row => row.id === id)
  if (found === undefined) throw new Error(`${id} is not on the wall`)
  return found
}

it('has a row for each edge, with its name, its capacity, and what each kind of witness says', async () => {
  const tags = { name: 'Dublin 1', capacityBps: 8e8 }
  expect((await ask('PUT', '/api/v1/servers/eu-west/tags', tags)).status).toBe(200)
  await until(async () => (await edge('eu-west')).state === 'healthy', 'eu-west is healthy')
  const { edges } = await wall()
  expect(edges.map(row => row.id)).toEqual(['eu-west', 'us-east', 'ap-southeast'])
  expect(await edge('eu-west')).toMatchObject({ name: 'Dublin 1', capacityBps: 8e8, watching: 0 })
  expect(await edge('us-east')).toMatchObject({ name: 'us-east', capacityBps: null, throughputBps: null })
  const inside = (await edge('eu-west')).witnesses.map(({ kind, says }) => `${kind} ${says}`)
  expect(inside).toEqual(['inside for', 'outside for', 'viewers unknown'])
})

it('shows what was measured, and leaves out what was not', async () => {
  const nowMs = (await wall()).now
  const samples = [8, 6, 4, 2].map(ageS => ({ timestampMs: Math.floor(nowMs - ageS * 1000), value: 0.25 }))
  const counter = samples.map(({ timestampMs }, index) => ({ timestampMs, value: index * 4 }))
  const labels = { instance: 'eu-west', job: 'vitrine-agent' }
  const body = encodeRemoteWrite([
    { labels: { ...labels, __name__: 'vitrine_clock_fleet_offset_seconds' }, samples },
    { labels: { ...labels, __name__: 'vitrine_server_cpu_seconds_total' }, samples: counter },
  ])
  const written = await fetch(`${control.url}/prometheus/api/v1/write`, {
    method: 'POST',
    headers: { ...REMOTE_WRITE_HEADERS, authorization: 'Bearer vit_eu-west' },
    body: new Uint8Array(body),
  })
  expect(written.status).toBe(204)
  await until(async () => (await edge('eu-west')).clockOffsetS === 0.25, 'the offset is shown')
  await until(
    async () => (await edge('eu-west')).cpu.some(cell => cell !== null && cell > 0),
    'the spark line has what was measured',
  )
  expect(await edge('us-east')).toMatchObject({ clockOffsetS: null, cpu: [] })
}, 30_000)

it('says which witnesses speak against a frozen edge', async () => {
  fleet['eu-west']?.freeze()
  await until(async () => (await edge('eu-west')).state === 'unreachable', 'it is noticed', 20_000)
  const row = await edge('eu-west')
  expect(row.reason).not.toBe('')
  const says = Object.fromEntries(row.witnesses.map(witness => [witness.kind, witness.says]))
  expect(says['inside']).toBe('against')
  expect(says['outside']).not.toBe('for')
  fleet['eu-west']?.thaw()
}, 30_000)

it('opens by a link that is shown once, until it is revoked, also over a restart', async () => {
  const made = await ask('POST', '/api/v1/wall-links', { name: 'office, left' })
  const { id, path } = made.body as { id: string; path: string }
  const token = path.replace('/wall?kiosk#link=', '')
  expect((await wall(token)).edges).toHaveLength(3)
  expect((await control.get('/api/v1/servers', token)).status).toBe(403)
  const { body } = await ask('GET', '/api/v1/wall-links')
  expect(wallLinksAnswer.parse(body).links[0]).toMatchObject({ id, name: 'office, left', revokedAt: null })
  expect(JSON.stringify(body)).not.toContain(token)
  await control.restart()
  expect((await control.get('/api/v1/wall', token)).status).toBe(200)
  expect((await ask('DELETE', `/api/v1/wall-links/${id}`)).status).toBe(200)
  expect((await control.get('/api/v1/wall', token)).status).toBe(401)
  expect((await ask('DELETE', `/api/v1/wall-links/${id}`)).status).toBe(404)
})

it.each([{}, { name: '' }, { name: '   ' }, { name: 'x'.repeat(65) }, { name: 'x', role: 'admin' }])(
  'a link is not made of %j',
  async body => {
    expect((await ask('POST', '/api/v1/wall-links', body)).status).toBe(400)
  },
)

it('tells no server of a screen: it may read nothing there', async () => {
  const made = await ask('POST', '/api/v1/wall-links', { name: 'office, right' })
  const token = (made.body as { path: string }).path.replace('/wall?kiosk#link=', '')
  const tables = (fleet['us-east']?.messages ?? []).filter(message => message.type === 'access')
  expect(tables.length).toBeGreaterThan(0)
  expect(JSON.stringify(tables)).not.toContain(sha256(token))
})
