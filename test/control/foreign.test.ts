// Somebody else's streaming servers: looked at, judged, given a share of new viewers, and never believed too much.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerView, SteeringTable } from '#wire'
import { type StreamServer, startStreamServer } from '../look/stream-server.ts'
import { type FakeServer, startFleet, startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
let fleet: Record<string, FakeServer>
let stream: StreamServer

beforeAll(async () => {
  control = await startTestControl()
  fleet = await startFleet(control)
  stream = await startStreamServer()
  stream.set('/live/sample.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.ts\n#EXT-X-ENDLIST\n')
  stream.set('/live/0.ts', Buffer.alloc(1000, 7))
}, 30_000)
afterAll(async () => {
  await control.close()
  await stream.close()
})

async function post(
  body: unknown,
  token = control.tokens.operator,
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${control.url}/api/v1/foreign-servers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  })
  return { status: answer.status, text: await answer.text() }
}
async function server(id: string): Promise<ServerView> {
  return (await control.get(`/api/v1/servers/${id}`)).body as ServerView
}
function table(): SteeringTable | undefined {
  return fleet['us-east']?.messages.findLast(message => message.type === 'steering-table')
}
const cdn = (changes = {}) => ({
  id: 'cdn',
  region: 'elsewhere',
  url: `${stream.url}/live/sample.m3u8`,
  ...changes,
})

describe('a foreign server', () => {
  it('is looked at and played from, has state, evidence and history, and no viewers', async () => {
    expect((await post(cdn())).status).toBe(200)
    const view = await until(async () => {
      const seen = await server('cdn')
      return seen.state === 'healthy' && seen.evidence.some(({ kind }) => kind === 'playing') && seen
    }, 'it is well')
    expect(view).toMatchObject({ role: 'foreign', weight: 0, foreign: { weight: 0 }, agentSeen: null })
    expect(view.evidence.map(({ kind }) => kind)).not.toContain('inside')
    expect(view.evidence.find(({ kind }) => kind === 'playing')?.text).toMatch(
      /^plays stream: a segment came/,
    )
    const { body } = await control.get('/api/v1/servers/cdn/history')
    expect(body).toMatchObject({ changes: [{ from: 'maintenance', to: 'healthy' }] })
    expect(table()?.pathways.map(({ id }) => id)).not.toContain('cdn')
    expect(table()?.foreign ?? []).toEqual([])
    const watch = (await control.get('/watch-table', null)).body as { pathways: { id: string }[] }
    expect(watch.pathways.map(({ id }) => id)).not.toContain('cdn')
  }, 30_000)

  it('takes a share of new viewers by weight, when its address says where the title goes', async () => {
    const weighted = { weight: 1e3, url: `${stream.url}/live/{title}.m3u8` }
    expect((await post(cdn({ weight: 1 }))).text).toMatch(/needs \{title\}/)
    expect((await post(cdn(weighted))).status).toBe(200)
    await until(() => table()?.foreign?.[0]?.id === 'cdn', 'edges know it')
    expect(table()?.pathways.map(({ id }) => id)).not.toContain('cdn')
    const places = await Promise.all(Array.from({ length: 20 }, () => control.get('/play/sample.m3u8', null)))
    const where = places.map(({ headers }) => headers.get('location'))
    expect(where.filter(url => url === `${stream.url}/live/sample.m3u8`).length).toBeGreaterThan(15)
    const own = await control.get('/play/sample.m3u8?via=eu-west', null)
    expect(own.headers.get('location')).toContain(fleet['eu-west']?.url)
    const named = await control.get('/play/sample.m3u8?via=cdn', null)
    expect(named.headers.get('location')).toBe(`${stream.url}/live/sample.m3u8`)
  }, 30_000)

  it('that answers nobody is unreachable, and gets no viewers', async () => {
    await stream.close()
    const view = await until(async () => {
      const seen = await server('cdn')
      return seen.state === 'unreachable' && seen
    }, 'it is unreachable')
    expect(view.reason).toMatch(
      /^(?:host silent|process gone, the host answers ping): no HTTP answer to control/,
    )
    await until(() => table()?.foreign?.length === 0, 'edges know it')
    const places = await Promise.all(Array.from({ length: 20 }, () => control.get('/play/sample.m3u8', null)))
    expect(places.every(({ headers }) => headers.get('location')?.startsWith(stream.url) === false)).toBe(
      true,
    )
  }, 30_000)

  it('is retired like others, and its id is not given again', async () => {
    const retired = await fetch(`${control.url}/api/v1/servers/cdn/retire`, {
      method: 'POST',
      headers: { authorization: `Bearer ${control.tokens.admin}` },
    })
    expect(retired.status).toBe(200)
    expect((await control.get('/api/v1/servers/cdn')).status).toBe(404)
    expect((await post(cdn())).status).toBe(409)
  })
})

describe('what is refused', () => {
  it.each([
    ['no address', { url: 'not a url' }],
    ['another scheme', { url: 'file:///etc/passwd' }],
    ['a password in it', { url: 'http://user:secret@example.org/x.m3u8' }],
    ['a title that would choose the host', { url: 'http://{title}.example.org/x.m3u8' }],
    ['no path', { url: 'http://example.org' }],
    ['a negative weight', { weight: -1 }],
    ['an id that is none', { id: '../x' }],
  ])('is %s', async (_what, changes) => {
    expect((await post(cdn({ id: 'other', ...changes }))).status).toBe(400)
  })

  it('is the id of an own server', async () => {
    expect((await post(cdn({ id: 'eu-west' }))).status).toBe(409)
    expect((await server('eu-west')).role).toBe('edge')
  })
})
