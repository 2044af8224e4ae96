// Who may call what: every route for everybody, cookies and their proof, hosts, rate limits, writing as oneself.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openState } from '#control'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS } from '#metrics'
import { everybody, routes, type Who } from './access-routes.ts'
import { startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
let webFolder: string
const acted: string[] = []

beforeAll(async () => {
  webFolder = mkdtempSync(join(tmpdir(), 'vitrine-web-'))
  mkdirSync(join(webFolder, 'assets'))
  mkdirSync(join(webFolder, 'watch-assets'))
  writeFileSync(join(webFolder, 'index.html'), '<title>control room</title>')
  writeFileSync(join(webFolder, 'watch.html'), '<title>watch</title>')
  writeFileSync(join(webFolder, 'assets', 'index-abc.js'), 'export {}')
  writeFileSync(join(webFolder, 'watch-assets', 'watch-abc.js'), 'export {}')
  control = await startTestControl({
    webFolder,
    supervisor: {
      pids: () => ({ 'eu-west': 4711 }),
      drill: () => Promise.resolve(),
      act: async action => {
        acted.push(action)
      },
    },
  })
  control.closers.defer(() => rmSync(webFolder, { recursive: true, force: true }))
  const made = await sendJson('/api/v1/wall-links', { name: 'screen' }, { token: control.tokens.admin })
  wallToken = (JSON.parse(made.text) as { path: string }).path.split('#link=')[1] ?? ''
}, 30_000)
afterAll(() => control.close())

/** Of a screen that may show the wall. */
let wallToken = ''

function tokenFor(who: Who): string | null {
  if (who === 'anonymous') return null
  if (who === 'nonsense') return 'vit_nonsense'
  if (who === 'wall') return wallToken
  return who === 'server' ? 'vit_eu-west' : control.tokens[who]
}

interface Sent {
  readonly method?: string
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Raw, because fetch sets Host and Origin by itself. */
function send(
  path: string,
  sent: Sent = {},
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  const { method = 'GET', token = null, headers = {}, body } = sent
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` }
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${control.url}${path}`, {
      method,
      agent: false, // a pooled connection would not outlive a restart
      headers: { ...authorization, ...headers },
    })
    outgoing.on('error', reject)
    outgoing.on('response', response => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8')
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers })
      })
    })
    outgoing.end(body)
  })
}

function sendJson(path: string, body: unknown, sent: Sent = {}): ReturnType<typeof send> {
  const headers = { 'content-type': 'application/json', ...sent.headers }
  return send(path, { method: 'POST', ...sent, headers, body: JSON.stringify(body) })
}

/** Method, address, and who gets past the door; the rest is 401 for strangers and 403 for the known. */
function concrete(path: string): string {
  return path
    .replace('/assets/*', '/assets/index-abc.js')
    .replace('/watch-assets/*', '/watch-assets/watch-abc.js')
    .replace('/:id/retire', '/nobody/retire')
    .replace(/:id|:name|:title|:a\b/, 'eu-west')
    .replace(':b', 'us-east')
    .replace(':file', 'sample.m3u8')
}

describe('every route', () => {
  it('is in openapi.json and in this table', async () => {
    const { status, text } = await send('/api/v1/openapi.json', { token: control.tokens.viewer })
    expect(status).toBe(200)
    const description = JSON.parse(text) as {
      openapi: string
      paths: Record<string, Record<string, unknown>>
    }
    expect(description.openapi).toBe('3.1.0')
    const described = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
    )
    const expected = routes.map(
      ([method, path]) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}').replace('*', '{*}')}`,
    )
    expect(described.toSorted()).toEqual(expected.toSorted())
    const servers = description.paths['/api/v1/servers']?.['get']
    expect(JSON.stringify(servers)).toContain('agentSeen')
  })

  it.each(routes)('%s %s lets in whom it should and nobody else', async (method, path, allowed) => {
    for (const who of everybody) {
      const { status, text } = await send(concrete(path), { method, token: tokenFor(who) })
      const label = `${method} ${path} as ${who}: ${status} ${text.slice(0, 120)}`
      const public_ = allowed === everybody
      if (allowed.includes(who)) {
        if (public_ && path === '/api/v1/sign-in') expect([400, 429], label).toContain(status)
        // Nothing is wrong with an admin there, but certificates are for servers.
        else if (
          ['/api/v1/certificate', '/api/v1/marks/seen', '/api/v1/facts', '/api/v1/host-notes'].includes(path)
        )
          expect([400, 403], label).toContain(status)
        else expect([401, 403], label).not.toContain(status)
      } else {
        expect(status, label).toBe(who === 'anonymous' || who === 'nonsense' ? 401 : 403)
        expect(text, label).toMatch(/"error"/)
      }
    }
  })

  it('an asset that is missing, and an address that cannot be decoded, are not cached', async () => {
    for (const path of ['/assets/gone.js', '/watch-assets/gone.js', '/assets/gone', '/%ff']) {
      const { status, headers, text } = await send(path)
      expect(status).toBe(path === '/%ff' ? 400 : 404)
      expect(headers['cache-control']).toBe('no-store')
      expect(JSON.parse(text)).toMatchObject({ error: { code: expect.stringContaining('control-') } })
    }
  })

  it('unknown addresses of the API are 404 with a typed body', async () => {
    const { status, text } = await send('/api/v1/nothing')
    expect(status).toBe(404)
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'control-route-unknown' } })
  })
})

async function signIn(): Promise<{ cookie: string; csrf: string; setCookie: string }> {
  const state = await openState(control.folder)
  const link = await state.createLink('admin')
  await state.close()
  const { status, text, headers } = await sendJson('/api/v1/sign-in', { link })
  expect(status, text).toBe(200)
  const setCookie = String(headers['set-cookie'])
  return {
    cookie: setCookie.split(';')[0] ?? '',
    csrf: (JSON.parse(text) as { csrf: string }).csrf,
    setCookie,
  }
}

describe('a browser', () => {
  let session: Awaited<ReturnType<typeof signIn>>
  // A control room of its own address budget: the table above used up sign-ins of this minute.
  beforeAll(async () => {
    await control.restart()
    session = await signIn()
  })

  it('gets a cookie that scripts and other sites cannot use', () => {
    expect(session.setCookie).toMatch(/HttpOnly/)
    expect(session.setCookie).toMatch(/SameSite=Strict/)
    expect(session.setCookie).toMatch(/Path=\//)
    expect(session.setCookie).not.toMatch(/Secure/) // plain HTTP on loopback
  })

  it('reads with its cookie alone', async () => {
    const { status, text } = await send('/api/v1/me', { headers: { cookie: session.cookie } })
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({
      role: 'admin',
      csrf: session.csrf,
      tryIt: true,
      signedInBy: 'link',
    })
  })

  it('changes things only with the CSRF value and from our own origin', async () => {
    const { cookie, csrf } = session
    const attempt = (headers: Record<string, string>): ReturnType<typeof send> =>
      sendJson('/api/v1/tokens', { name: 'x', role: 'viewer' }, { headers: { cookie, ...headers } })
    const own = control.url
    for (const headers of [
      {},
      { origin: own },
      { 'x-vitrine-csrf': csrf },
      { 'x-vitrine-csrf': 'wrong', origin: own },
      { 'x-vitrine-csrf': csrf, origin: 'http://evil.example' },
      { 'x-vitrine-csrf': csrf, origin: 'null' },
    ] as Record<string, string>[]) {
      const { status, text } = await attempt(headers)
      expect(status, JSON.stringify(headers)).toBe(403)
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'control-csrf' } })
    }
    expect((await attempt({ 'x-vitrine-csrf': csrf, origin: own })).status).toBe(200)
  })

  it('is signed out for good', async () => {
    const other = await signIn()
    const headers = { cookie: other.cookie, 'x-vitrine-csrf': other.csrf, origin: control.url }
    expect((await sendJson('/api/v1/sign-out', {}, { headers })).status).toBe(200)
    expect((await send('/api/v1/me', { headers: { cookie: other.cookie } })).status).toBe(401)
  })

  it('keeps its session over a restart', async () => {
    await control.restart()
    expect((await send('/api/v1/me', { headers: { cookie: session.cookie } })).status).toBe(200)
  })

  it('gets pages with a strict policy, and its own page for every address that it may reload', async () => {
    for (const path of ['/', '/fleet', '/servers/eu-west', '/sign-in?link=abc']) {
      const { status, text, headers } = await send(path)
      expect(status, path).toBe(200)
      expect(text).toContain('control room')
      expect(headers['content-security-policy']).toMatch(/script-src 'self';.*frame-ancestors 'none'/)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('same-origin')
    }
    expect((await send('/watch/sample')).text).toContain('watch')
    expect((await send('/assets/index-abc.js')).headers['cache-control']).toMatch(/immutable/)
    for (const path of [
      '/assets/../state.db',
      '/assets/%2e%2e/index.html',
      '/nothing.js',
      '/index.html.bak',
    ]) {
      expect((await send(path)).status, path).toBe(404)
    }
  })
})

describe('sign-in', () => {
  it('is refused from another site, and with a shape that is none', async () => {
    await control.restart()
    const foreign = await sendJson(
      '/api/v1/sign-in',
      { link: 'x' },
      { headers: { origin: 'http://evil.example' } },
    )
    expect(foreign.status).toBe(403)
    expect((await sendJson('/api/v1/sign-in', { link: 1 })).status).toBe(400)
    expect(
      (
        await send('/api/v1/sign-in', {
          method: 'POST',
          headers: { 'content-type': 'text/plain' },
          body: '{}',
        })
      ).status,
    ).toBe(415)
    const long = await sendJson('/api/v1/sign-in', { link: 'x'.repeat(20_000) })
    expect(long.status).toBe(413)
  })

  it('is limited to 10 a minute, also with the right password', async () => {
    await control.restart()
    const state = await openState(control.folder)
    await state.addUser('ada', 'correct horse', 'viewer')
    await state.close()
    const statuses: number[] = []
    for (let n = 0; n < 10; n += 1) {
      statuses.push((await sendJson('/api/v1/sign-in', { name: 'ada', password: 'wrong' })).status)
    }
    expect(statuses).toEqual(Array(10).fill(401))
    const { status, text } = await sendJson('/api/v1/sign-in', { name: 'ada', password: 'correct horse' })
    expect(status).toBe(429)
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'control-sign-in-too-often', retry: true } })
  })
})

describe('Host', () => {
  it.each(['localhost:8080', '127.0.0.1', '[::1]:9', '127.9.9.9'])('%s is served', async host => {
    expect((await send('/healthz', { headers: { host } })).status).toBe(200)
  })
  it.each(['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', '10.0.0.1'])(
    '%s is refused: a page could have pointed its own name at us',
    async host => {
      const { status, text } = await send('/healthz', { headers: { host } })
      expect(status).toBe(400)
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'control-host-refused' } })
    },
  )
})

describe('tokens', () => {
  it('work as Bearer and as password of Basic, and stop when a command revokes them', async () => {
    const state = await openState(control.folder)
    const made = await state.createToken('viewer', 'grafana')
    await until(async () => (await send('/api/v1/titles', { token: made.token })).status === 200, 'it works')
    const basic = Buffer.from(`anything:${made.token}`).toString('base64')
    expect((await send('/api/v1/titles', { headers: { authorization: `Basic ${basic}` } })).status).toBe(200)
    await state.revokeToken(made.id)
    await state.close()
    await until(
      async () => (await send('/api/v1/titles', { token: made.token })).status === 401,
      'it stops',
      3000,
    )
  })
})

describe('Try it', () => {
  it('asks the supervisor, for operators, and shows the pid of a local fleet', async () => {
    const freeze = { action: 'freeze', server: 'eu-west' }
    const done = await sendJson('/api/v1/try', freeze, { token: control.tokens.operator })
    expect(JSON.parse(done.text)).toMatchObject({
      faults: [{ server: 'eu-west', kind: 'freeze', endedAt: null }],
    })
    await sendJson('/api/v1/try', { ...freeze, action: 'thaw' }, { token: control.tokens.operator })
    expect(acted).toEqual(['freeze', 'thaw'])
    const wrong = await sendJson(
      '/api/v1/try',
      { ...freeze, server: 'origin' },
      { token: control.tokens.operator },
    )
    expect(wrong.status).toBe(404)
    const server = await control.get('/api/v1/servers/eu-west')
    expect(server.body).toMatchObject({ pid: 4711 })
  })

  it('is refused to a request that a proxy on this machine has passed on', async () => {
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
      const headers = { [name]: '127.0.0.1' }
      const sent = { token: control.tokens.admin, headers }
      const { status } = await sendJson('/api/v1/try', { action: 'viewers', count: 1 }, sent)
      expect(status).toBe(403)
      const me = await send('/api/v1/me', { token: control.tokens.admin, headers })
      expect(JSON.parse(me.text)).toMatchObject({ tryIt: false })
    }
    expect(acted).not.toContain('viewers')
  })
})

describe('the Prometheus API', () => {
  const write = (token: string, instance: string | null, value = 1): ReturnType<typeof send> => {
    const labels = { __name__: 'test_metric', ...(instance === null ? {} : { instance }) }
    const body = encodeRemoteWrite([{ labels, samples: [{ timestampMs: Date.now(), value }] }])
    return send('/prometheus/api/v1/write', { method: 'POST', token, headers: REMOTE_WRITE_HEADERS, body })
  }
  const get = (path: string): ReturnType<TestControl['get']> => control.get(`/prometheus/api/v1${path}`)

  it('lets a server write as itself only', async () => {
    expect((await write('vit_eu-west', 'eu-west')).status).toBe(204)
    for (const instance of ['us-east', 'control', null]) {
      const { status, text } = await write('vit_eu-west', instance)
      expect(status).toBe(403)
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'control-write-not-itself' } })
    }
    expect((await write(control.tokens.admin, 'anything')).status).toBe(204)
  })

  it('refuses bodies that are no remote write', async () => {
    const headers = REMOTE_WRITE_HEADERS
    const common = { method: 'POST', token: control.tokens.admin }
    const garbage = await send('/prometheus/api/v1/write', { ...common, headers, body: 'garbage' })
    expect(garbage.status).toBe(400)
    const { 'content-encoding': _, ...plain } = headers
    expect((await send('/prometheus/api/v1/write', { ...common, headers: plain, body: 'x' })).status).toBe(
      415,
    )
    const json = { 'content-type': 'application/json' }
    expect((await send('/prometheus/api/v1/write', { ...common, headers: json, body: '{}' })).status).toBe(
      415,
    )
  })

  it('answers as Prometheus does', async () => {
    await write('vit_eu-west', 'eu-west', 7)
    const at = (Date.now() / 1000).toFixed(3)
    expect((await get(`/query?query=test_metric&time=${at}`)).body).toMatchObject({
      status: 'success',
      data: { resultType: 'vector' },
    })
    const range = await get(`/query_range?query=test_metric&start=${Number(at) - 10}&end=${at}&step=1s`)
    expect(range.body).toMatchObject({ status: 'success', data: { resultType: 'matrix' } })
    const day = new Date(Date.now() - 60_000).toISOString()
    expect((await get(`/query_range?query=up&start=${day}&end=${at}&step=15`)).status).toBe(200)
    expect((await get('/series?match[]=test_metric')).body).toMatchObject({
      data: [{ __name__: 'test_metric' }, { __name__: 'test_metric' }],
    })
    expect(((await get('/labels')).body as { data: string[] }).data).toContain('instance')
    expect(((await get('/label/instance/values')).body as { data: string[] }).data).toContain('eu-west')
    expect((await get('/status/buildinfo')).body).toMatchObject({ data: { version: expect.any(String) } })
    const form = await send('/prometheus/api/v1/query', {
      method: 'POST',
      token: control.tokens.viewer,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'query=1%2B1',
    })
    expect(JSON.parse(form.text)).toMatchObject({
      data: { resultType: 'scalar', result: [expect.any(Number), '2'] },
    })
  })

  it('shows rules with their health, alerts, and its own metrics’ types', async () => {
    const { body } = await until(async () => {
      const answer = await get('/rules?type=alert')
      return JSON.stringify(answer.body).includes('"unknown"') ? null : answer
    }, 'all rules are evaluated')
    const { groups } = (body as { data: { groups: { rules: Record<string, unknown>[] }[] } }).data
    const rules = groups.flatMap(group => group.rules)
    expect(rules.find(({ name }) => name === 'EdgeUnreachable')).toMatchObject({
      type: 'alerting',
      health: 'ok',
      query: expect.any(String),
      duration: expect.any(Number),
      alerts: expect.any(Array),
    })
    expect(rules.every(({ type }) => type === 'alerting')).toBe(true)
    const one = await get('/rules?rule_name[]=EdgeUnreachable')
    expect(one.body).toMatchObject({ data: { groups: [{ rules: [{ name: 'EdgeUnreachable' }] }] } })
    expect((await get('/rules?type=x')).status).toBe(400)
    expect((await get('/alerts')).body).toMatchObject({
      status: 'success',
      data: { alerts: expect.any(Array) },
    })
    const known = await get('/metadata?metric=vitrine_control_channels')
    expect(known.body).toMatchObject({ data: { vitrine_control_channels: [{ type: 'gauge' }] } })
  })

  it.each([
    ['/query', 400, 'bad_data'],
    ['/query?query=up%20%3E', 400, 'bad_data'],
    ['/query?query=up&time=yesterday', 400, 'bad_data'],
    ['/query_range?query=up&start=0&end=10', 400, 'bad_data'],
    ['/query_range?query=up&start=10&end=0&step=1', 400, 'bad_data'],
    ['/query_range?query=up&start=0&end=10&step=0', 400, 'bad_data'],
    ['/query_range?query=up&start=0&end=1e9&step=1', 400, 'bad_data'],
    ['/series', 400, 'bad_data'],
    ['/label/a-b/values', 400, 'bad_data'],
  ])('%s is %i %s', async (path, status, errorType) => {
    const answer = await get(path)
    expect(answer.status).toBe(status)
    expect(answer.body).toMatchObject({ status: 'error', errorType, error: expect.any(String) })
  })
})
