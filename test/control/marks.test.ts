// Marks through a real control room: people, scripts and an agent that looks at this very host.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAgent } from '#agent'
import { Secret, silentLog, systemClock } from '#base'
import type { MarkView } from '#wire'
import { enrolled, startFleet, startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
let fleet: Awaited<ReturnType<typeof startFleet>>
beforeAll(async () => {
  control = await startTestControl()
}, 30_000)
afterAll(() => control.close())

async function send(
  method: string,
  path: string,
  body: unknown,
  token: string,
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${control.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === null ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: await answer.json() }
}
async function marks(query = ''): Promise<MarkView[]> {
  return ((await control.get(`/api/v1/marks${query}`)).body as { marks: MarkView[] }).marks
}
const told = (method: string, path: string, body: unknown): ReturnType<typeof send> =>
  send(method, path, body, control.tokens.operator)

describe('marks of people and scripts', () => {
  it('are listed newest first, nearest to a moment first, and by server with those of the whole fleet', async () => {
    const now = ((await control.get('/api/v1/servers')).body as { now: number }).now
    const deploy = { kind: 'deployment', text: 'edge 1.4 rolled out', url: 'https://ci.example/42' }
    const first = await told('POST', '/api/v1/marks', { ...deploy, at: now - 3_600_000 })
    expect(first).toMatchObject({
      status: 200,
      body: { server: null, by: 'test operator', text: deploy.text },
    })
    await told('POST', '/api/v1/marks', {
      kind: 'note',
      text: 'traffic rises',
      server: 'eu-west',
      at: now - 60_000,
    })
    await told('POST', '/api/v1/marks', { kind: 'note', text: 'other', server: 'us-east', at: now - 1000 })
    expect((await marks()).map(({ text }) => text)).toEqual(['other', 'traffic rises', deploy.text])
    expect((await marks('?server=eu-west')).map(({ text }) => text)).toEqual(['traffic rises', deploy.text])
    expect((await marks(`?near=${now - 3_500_000}`))[0]?.text).toBe(deploy.text)
    expect(await marks(`?from=${now - 2000}&to=${now}`)).toHaveLength(1)
  })

  it('are refused far ahead, without text, for unknown servers, with script addresses; and can be removed once', async () => {
    const now = systemClock.wallMs()
    for (const bad of [
      { kind: 'note', text: ' ' },
      { kind: 'kernel', text: 'x' },
      { kind: 'note', text: 'x', at: now + 10 * 86_400_000 },
      { kind: 'note', text: 'x', url: 'javascript:alert(1)' },
    ]) {
      expect((await told('POST', '/api/v1/marks', bad)).status).toBe(400)
    }
    expect((await told('POST', '/api/v1/marks', { kind: 'note', text: 'x', server: 'nobody' })).status).toBe(
      404,
    )
    const { id } = (await marks())[0] as MarkView
    expect((await told('DELETE', `/api/v1/marks/${id}`, null)).status).toBe(200)
    expect((await told('DELETE', `/api/v1/marks/${id}`, null)).status).toBe(404)
    expect((await told('DELETE', '/api/v1/marks/x', null)).status).toBe(404)
  })
})

describe('changes that agents see', () => {
  it('are kept once, also when told twice or by two agents of one host', async () => {
    fleet = await startFleet(control)
    const at = ((await control.get('/api/v1/servers')).body as { now: number }).now
    const change = { kind: 'kernel', subject: 'linux', from: '6.1.0-21', to: '6.1.0-25', at }
    const tell = (token: string, seenAt: number): ReturnType<typeof send> =>
      send('POST', '/api/v1/marks/seen', { changes: [{ ...change, at: seenAt }] }, token)
    const [eu = '', us = ''] = enrolled.map(({ token }) => token)
    expect((await tell(eu, at)).body).toEqual({ news: 1 })
    expect((await tell(eu, at)).body).toEqual({ news: 0 })
    expect((await tell(us, at + 5000)).body).toEqual({ news: 0 })
    // It concerns the host: it stands beside each of its servers.
    for (const server of ['eu-west', 'us-east']) {
      expect((await marks(`?server=${server}&to=${at + 10_000}`))[0]).toMatchObject({
        kind: 'kernel',
        text: 'kernel linux: 6.1.0-21 to 6.1.0-25',
        by: 'agent',
      })
    }
    expect((await tell(control.tokens.operator, at)).status).toBe(403)
  })

  it('come from a real agent: what it remembers is compared with the host as it is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vitrine-facts-'))
    const config = join(folder, 'edge.yaml')
    writeFileSync(config, 'portBase: 8080\n')
    const facts = [
      ['kernel linux', '2.6.32-5'],
      ['version node', process.version],
      [`configuration ${config}`, 'aaaaaaaaaaaa'],
    ]
    writeFileSync(join(folder, 'facts.json'), JSON.stringify({ facts, waiting: [] }))
    // Two may not share a name.
    await fleet['ap-southeast']?.close()
    const agent = await startAgent({
      id: 'ap-southeast',
      role: 'edge',
      region: 'ap-southeast',
      listen: null,
      controlUrl: control.url,
      token: new Secret('vit_ap-southeast'),
      serverUrl: null,
      watchedPid: () => null,
      stateFolder: folder,
      configFiles: [config],
      clock: systemClock,
      log: silentLog,
    })
    try {
      const seen = await until(async () => {
        const texts = (await marks('?server=ap-southeast')).map(({ text }) => text)
        return texts.some(text => text.startsWith('configuration')) && texts
      }, 'the agent has told')
      expect(seen).toContainEqual(expect.stringMatching(/^kernel linux: 2\.6\.32-5 to \d/))
      expect(seen).toContainEqual(
        expect.stringMatching(/^configuration .*edge\.yaml: aaaaaaaaaaaa to [0-9a-f]{12}$/),
      )
      expect(JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8'))).toMatchObject({ waiting: [] })
    } finally {
      await agent.close()
    }
  }, 40_000)
})
