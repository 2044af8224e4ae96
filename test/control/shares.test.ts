// Shared graphs: frozen, read without a sign-in by whoever has the link, until they expire or are revoked.
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FakeClock } from '#base'
import { SHARE_HEADER, SNAPSHOT_LIMITS, type Snapshot, sharedAnswer, shareMade, sharesAnswer } from '#wire'
import { openFullState } from '../../src/control/state/open-state.ts'
import { startTestControl, type TestControl } from './fixture.ts'

let control: TestControl
beforeAll(async () => {
  control = await startTestControl()
}, 30_000)
afterAll(() => control.close())

const series = (values: (number | null)[]): Snapshot['charts'][number]['series'][number] => ({
  label: 'eu-west',
  colour: '--series-1',
  context: false,
  dash: null,
  values,
})

function graph(values: (number | null)[] = [1, null, 3]): Snapshot {
  return {
    title: 'CPU of eu-west and ap-southeast',
    words: 'they part at 23:59:59 UTC',
    zone: 'utc',
    startS: 1_341_100_799,
    stepS: 1,
    length: values.length,
    charts: [
      {
        title: 'CPU',
        note: 'cores',
        unit: 'cores',
        height: 300,
        floorMax: 0.1,
        axisFrom: 'zero',
        stepped: false,
        series: [series(values)],
      },
    ],
    marks: [{ atMs: 1_341_100_800_000, colour: '--text', label: 'they part' }],
  }
}

async function ask(
  method: string,
  path: string,
  sent: { body?: unknown; token?: string | null; code?: string } = {},
): Promise<{ status: number; body: unknown }> {
  const { body, token = control.tokens.operator, code } = sent
  const answer = await fetch(`${control.url}${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(code === undefined ? {} : { [SHARE_HEADER]: code }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: await answer.json() }
}

const share = async (snapshot: unknown, expiresInS?: number): ReturnType<typeof ask> =>
  ask('POST', '/api/v1/shares', { body: { snapshot, ...(expiresInS === undefined ? {} : { expiresInS }) } })
const look = (code: string): ReturnType<typeof ask> => ask('GET', '/api/v1/shared', { token: null, code })

it('is read as it was made, without a sign-in, for a week by default', async () => {
  const made = shareMade.parse((await share(graph())).body)
  expect(made.expiresAt - made.createdAt).toBe(7 * 86_400_000)
  const code = made.path.replace('/shared#code=', '')
  const shown = await look(code)
  expect(shown.status).toBe(200)
  expect(sharedAnswer.parse(shown.body).snapshot).toEqual(graph())
  const { body } = await ask('GET', '/api/v1/shares')
  expect(sharesAnswer.parse(body).shares[0]).toMatchObject({
    id: made.id,
    state: 'open',
    title: graph().title,
  })
  expect(JSON.stringify(body)).not.toContain(code)
})

it('is gone when it is revoked, with its data, and cannot be revoked twice', async () => {
  const made = shareMade.parse((await share(graph())).body)
  const code = made.path.replace('/shared#code=', '')
  expect((await ask('DELETE', `/api/v1/shares/${made.id}`)).status).toBe(200)
  expect(await look(code)).toMatchObject({ status: 404, body: { error: { code: 'control-link-unknown' } } })
  expect((await ask('DELETE', `/api/v1/shares/${made.id}`)).status).toBe(404)
  const file = new Sqlite(`${control.folder}/state.db`, { readonly: true })
  const row = file.prepare('SELECT data, sha256 FROM shares WHERE id = ?').get(made.id)
  expect(row).toMatchObject({ data: null })
  expect(JSON.stringify(row)).not.toContain(code)
  const actions = file.prepare('SELECT action FROM audit WHERE subject = ?').pluck().all(made.id)
  expect(actions).toEqual(['share-create', 'share-revoke'])
  file.close()
})

it('opens for no other code, and is no key to anything else', async () => {
  for (const code of ['', 'x', 'x'.repeat(5000)]) expect((await look(code)).status).toBe(404)
  const code = shareMade.parse((await share(graph())).body).path.replace('/shared#code=', '')
  expect((await ask('GET', '/api/v1/servers', { token: code })).status).toBe(401)
  expect((await ask('GET', '/api/v1/wall', { token: code })).status).toBe(401)
})

it.each<[string, (whole: Snapshot) => unknown]>([
  ['no chart', whole => ({ ...whole, charts: [] })],
  ['a value too few', whole => ({ ...whole, length: 4 })],
  ['a text for a number', whole => ({ ...whole, startS: 'now' })],
  ['a step of nothing', whole => ({ ...whole, stepS: 0 })],
  [
    'a colour that is more than one',
    whole => ({ ...whole, marks: [{ atMs: 1, colour: 'url(x)', label: null }] }),
  ],
  ['a key that nobody knows', whole => ({ ...whole, script: '1' })],
  ['too many cells', () => graph(Array.from({ length: SNAPSHOT_LIMITS.cells + 1 }, () => 1))],
  ['nothing', () => null],
])('a snapshot with %s is refused', async (_what, change) => {
  expect((await share(change(graph()))).status).toBe(400)
})

it('is refused when it is larger than a snapshot may be, and when it would last too long', async () => {
  const lines = Array.from({ length: 12 }, () => ({
    ...(graph().charts[0] as Snapshot['charts'][number]),
    series: Array.from({ length: 10 }, () => series(Array.from({ length: 3000 }, () => Math.PI))),
  }))
  expect((await share({ ...graph(), length: 3000, charts: lines })).status).toBe(413)
  expect((await share(graph(), 59)).status).toBe(400)
  expect((await share(graph(), 91 * 86_400)).status).toBe(400)
})

it('expires, and its data is thrown away with the next one that is made', async () => {
  const clock = new FakeClock()
  const state = await openFullState(`${control.folder}/expiry`, clock)
  const { code, id } = await state.shares.make({ snapshot: graph(), expiresInS: 60 }, 'test')
  clock.advance(59_000)
  expect(await state.shares.open(code)).not.toBeNull()
  clock.advance(1_000)
  expect(await state.shares.open(code)).toBeNull()
  expect((await state.shares.list())[0]).toMatchObject({ id, state: 'expired' })
  await expect(state.shares.revoke(id, 'test')).rejects.toMatchObject({ code: 'control-link-unknown' })
  await state.shares.make({ snapshot: graph() }, 'test')
  const row = await state.db.selectFrom('shares').select('data').where('id', '=', id).executeTakeFirst()
  expect(row?.data).toBeNull()
  await state.close()
})
