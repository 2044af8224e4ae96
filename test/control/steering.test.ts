// What an operator orders of steering, over the API: shares of new sessions.
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerView, SteeringTable } from '#wire'
import { type FakeServer, startFleet, startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
let fleet: Record<string, FakeServer>
beforeAll(async () => {
  control = await startTestControl()
  fleet = await startFleet(control)
  await until(async () => {
    const { servers } = (await control.get('/api/v1/servers')).body as { servers: ServerView[] }
    return servers.filter(({ role, weight }) => role === 'edge' && weight === 1).length === 3
  }, 'all edges have their weight')
}, 30_000)
afterAll(() => control.close())

async function share(id: string, percent: unknown, token = control.tokens.operator): Promise<number> {
  const answer = await fetch(`${control.url}/api/v1/servers/${id}/share`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ percent }),
  })
  return answer.status
}
async function view(id: string): Promise<ServerView> {
  return (await control.get(`/api/v1/servers/${id}`)).body as ServerView
}
function table(): SteeringTable | undefined {
  return fleet['us-east']?.messages.findLast(message => message.type === 'steering-table')
}

describe('a share of new sessions', () => {
  it('is everything until somebody says otherwise, and reaches the fleet view and the table', async () => {
    expect((await view('eu-west')).sharePercent).toBe(100)
    expect(table()?.pathways.every(({ share }) => share === undefined)).toBe(true)
    expect(await share('eu-west', 1)).toBe(200)
    expect((await view('eu-west')).sharePercent).toBe(1)
    await until(() => table()?.pathways.at(-1)?.share === 0.01, 'edges know it, last of the table')
    expect(table()?.pathways.at(-1)).toMatchObject({ id: 'eu-west', weight: 1, share: 0.01 })
  })

  it('leaves the edge reachable by name, and outlives a restart', async () => {
    const named = await control.get('/play/sample.m3u8?via=eu-west', null)
    expect(named.headers.get('location')).toContain(fleet['eu-west']?.url)
    await control.restart()
    expect((await view('eu-west')).sharePercent).toBe(1)
    expect(await share('eu-west', 100)).toBe(200)
    await until(() => table()?.pathways.every(({ share: part }) => part === undefined), 'it takes all again')
  })

  it('is noted with who ordered it', async () => {
    const database = new Sqlite(join(control.folder, 'state.db'), { readonly: true })
    const rows = database.prepare("SELECT by, subject, facts FROM audit WHERE action = 'server-share'").all()
    database.close()
    const by = 'test operator'
    expect(rows).toEqual([
      { by, subject: 'eu-west', facts: '{"percent":1}' },
      { by, subject: 'eu-west', facts: '{"percent":100}' },
    ])
  })

  it('refuses what is no share, what is no edge, and who may not', async () => {
    for (const percent of [0, -1, 100.1, '10', null, Number.NaN])
      expect(await share('eu-west', percent)).toBe(400)
    expect(await share('origin', 10)).toBe(400)
    expect(await share('nobody', 10)).toBe(404)
    expect(await share('eu-west', 10, control.tokens.viewer)).toBe(403)
    expect((await view('eu-west')).sharePercent).toBe(100)
  })
})
