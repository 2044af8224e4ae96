import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Closers, Secret } from '#base'
import type { RunningEdge } from '#edge'
import { type NotificationsAnswer, notificationsAnswer, notifyConfig } from '#wire'
import { enrolled, startTestControl, type TestControl, until } from '../control/fixture.ts'
import { RecordingReceiver } from '../notify/receivers.ts'
import { makeFolder, runEdge } from './small-fleet.ts'

const SECRET = 'a-routing-key-that-nobody-may-see'
const closers = new Closers()
const edges: { id: string; running: RunningEdge; folder: string }[] = []
let receiver: RecordingReceiver
let control: TestControl

const bodies = (path: string): Record<string, unknown>[] =>
  receiver.received
    .filter(one => one.path === path)
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>)

beforeAll(async () => {
  receiver = await new RecordingReceiver().start()
  closers.defer(() => receiver.close())
  const notify = notifyConfig.parse({
    receivers: [
      { name: 'pager', pagerduty: { routingKey: SECRET, url: `${receiver.url}/pager` } },
      { name: 'hook', webhook: { url: `${receiver.url}/hook`, secret: 'another-secret' } },
      { name: 'other', webhook: { url: `${receiver.url}/other`, secret: 'x' } },
    ],
    routes: [{ matchers: ['severity="critical"'], receivers: ['pager', 'hook'] }, { receivers: ['other'] }],
    watcher: { afterSeconds: 1, holders: 2 },
  })
  control = await startTestControl({ notify, rulesFolders: [] })
  for (const { id, region, token, role } of enrolled.filter(one => one.role === 'edge')) {
    const folder = makeFolder()
    closers.defer(folder.remove)
    const options = { id, region, token: new Secret(token), controlUrl: control.url }
    edges.push({ id, running: await runEdge({ ...options, stateFolder: folder.path }), folder: folder.path })
    expect(role).toBe('edge')
  }
  closers.defer(() => control.close())
  for (const { running } of edges) closers.add(running)
})

afterAll(() => closers.close())

const view = async (): Promise<NotificationsAnswer['watcher']> =>
  notificationsAnswer.parse((await control.get('/api/v1/notifications')).body).watcher

const wall = (index: number, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${edges[index]?.running.url}/wall`, { headers, redirect: 'manual' })

describe('edges watch the control room', () => {
  it('two of them hold the top route, sealed, and the page says which', async () => {
    const own = await until(async () => {
      const now = await view()
      return now.edges === 3 && now.holders.length === 2 && now.holders.every(one => one.connected)
        ? now
        : null
    }, 'two holders')
    expect(own.problem).toBeNull()
    expect(own.receivers).toEqual([
      { name: 'pager', problem: null },
      { name: 'hook', problem: null },
    ])
    for (const { id, folder } of edges) {
      const file = join(folder, 'link', 'sealed-route.sealed')
      const isHolder = own.holders.some(holder => holder.id === id)
      const bytes = await until(() => {
        try {
          return readFileSync(file)
        } catch {
          return null
        }
      }, 'a sealed route')
      expect(bytes.includes(SECRET)).toBe(false)
      expect(isHolder || bytes.length < 1000).toBe(true)
    }
  })

  it('the wall is for those with a token, by header or by form', async () => {
    const token = control.tokens.viewer
    await until(async () => (await wall(0, { authorization: `Bearer ${token}` })).status === 200, 'the wall')
    const page = await (await wall(0, { authorization: `Bearer ${token}` })).text()
    expect(page).toMatch(/This picture is \d+ s old/)
    expect(page).toContain('ap-southeast')
    expect((await wall(0)).status).toBe(401)
    expect(
      (await wall(0, { cookie: `vitrine-wall=${'0'.repeat(64)}.99999999.${'A'.repeat(43)}` })).status,
    ).toBe(401)
    const url = `${edges[0]?.running.url}/wall`
    const form = (value: string): Promise<Response> =>
      fetch(url, { method: 'POST', body: new URLSearchParams({ token: value }), redirect: 'manual' })
    expect((await form('wrong')).status).toBe(401)
    const signedIn = await form(token)
    expect(signedIn.status).toBe(303)
    const cookie = signedIn.headers.get('set-cookie') ?? ''
    expect(cookie).toContain('HttpOnly')
    expect(cookie).not.toContain(token)
    expect((await wall(0, { cookie: cookie.split(';')[0] ?? '' })).status).toBe(200)
    expect((await wall(1, { cookie: cookie.split(';')[0] ?? '' })).status).toBe(401)
  })

  it('nobody but an edge may ask one about it', async () => {
    const answer = await fetch(`${edges[0]?.running.url}/watcher`, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(401)
  })

  it('ring once when it is gone, show its last wall, and it closes that when it is back', async () => {
    await control.stop()
    await until(() => bodies('/pager').length > 0 && bodies('/hook').length > 0, 'both receivers', 60_000)
    const page = await (await wall(2, { authorization: `Bearer ${control.tokens.viewer}` })).text()
    expect(page).toMatch(/is not reached since <time/)
    const [trigger] = bodies('/pager')
    expect(trigger).toMatchObject({ event_action: 'trigger', routing_key: SECRET })
    expect(JSON.stringify(trigger)).toContain('/wall')
    await control.restart()
    await until(() => bodies('/pager').length > 1 && bodies('/hook').length > 1, 'the end of it', 60_000)
    expect(bodies('/pager').map(one => one['event_action'])).toEqual(['trigger', 'resolve'])
    expect(new Set(bodies('/pager').map(one => one['dedup_key'])).size).toBe(1)
    expect(bodies('/hook').map(one => one['reason'])).toEqual(['opened', 'resolved'])
    expect(bodies('/other')).toEqual([])
    expect((await view()).last).toMatchObject({ receivers: ['pager', 'hook'] })
  }, 120_000)
})
