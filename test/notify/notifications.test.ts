// Notifications of a real control room to real receivers: their formats, links, the log, and who may see it.
import { createHmac } from 'node:crypto'
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type DeliveryView, notifyConfig } from '#wire'
import { startTestControl, type TestControl, until } from '../control/fixture.ts'
import { RecordingReceiver, SmtpServer } from './receivers.ts'
import { openRows, type RowWriter } from './write-rows.ts'

const KEY = 'r0uting-key-of-32-characters-abc'
let receiver: RecordingReceiver
let smtp: SmtpServer
let control: TestControl
let rows: RowWriter

beforeEach(async () => {
  receiver = await new RecordingReceiver().start()
  smtp = await new SmtpServer().start()
})
afterEach(async () => {
  rows.close()
  await control.close()
  await receiver.close()
  await smtp.close()
})

function everyKind(): unknown[] {
  const { url } = receiver
  return [
    {
      name: 'ada-mail',
      person: 'ada',
      email: {
        to: 'ada@example.org',
        from: 'vitrine@example.org',
        host: '127.0.0.1',
        port: smtp.port,
        tls: 'none',
      },
    },
    { name: 'chat', slack: { url: `${url}/slack/T0KEN-of-the-chat` } },
    { name: 'pager', pagerduty: { routingKey: KEY, url: `${url}/pagerduty` } },
    { name: 'hook', webhook: { url: `${url}/hook`, secret: 'hook-secret' } },
    { name: 'am-hook', alertmanagerWebhook: { url: `${url}/am` } },
    { name: 'forward', alertmanager: { url: `${url}/forward` } },
  ]
}

const all = ['ada-mail', 'chat', 'pager', 'hook', 'am-hook', 'forward']

async function start(notify: unknown): Promise<void> {
  control = await startTestControl({ notify: notifyConfig.parse(notify) })
  rows = openRows(control.folder)
}

function bodyTo(path: string, index = 0): Record<string, unknown> {
  const found = receiver.received.filter(own => own.path.startsWith(path))[index]
  return JSON.parse(found?.body ?? 'null') as Record<string, unknown>
}

async function deliveries(): Promise<DeliveryView[]> {
  const { body } = await control.get('/api/v1/deliveries')
  return (body as { deliveries: DeliveryView[] }).deliveries
}

/** With the name of a host that is ours, and without following anything. */
function ask(
  address: string,
  method: string,
  body = '',
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const headers =
      body === '' && method !== 'POST' ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
    const sent = request(address, { method, agent: false, headers }, response => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8')
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('a notice that rings', () => {
  it('reaches every kind of receiver in its own format', async () => {
    await start({ receivers: everyKind(), routes: [{ matchers: ['severity="critical"'], receivers: all }] })
    rows.incident('k7')
    rows.alert('k7', 'a1', { alertname: 'EdgeUnreachable', instance: 'eu-west', region: 'eu' })
    rows.alert('k7', 'a2', { alertname: 'AgentSilent', instance: 'eu-west', region: 'eu' })
    rows.notice('k7', 'opened')
    await until(() => receiver.received.length === 5 && smtp.mails.length === 1, 'all are told')

    const [mail] = smtp.mails
    // Quoted-printable (RFC 2045 section 6.7): soft line ends and =3D.
    const text = mail?.text.replace(/=\n/g, '').replaceAll('=3D', '=')
    expect(mail?.to).toEqual(['ada@example.org'])
    expect(mail?.headers).toContain('Subject: [get up] Edge eu-west does not answer')
    expect(mail?.headers).toMatch(/Message-ID: <[0-9a-f]{32}@example\.org>/i)
    expect(text).toContain('The rest cannot carry the viewers.')
    expect(text).toContain('Viewers: 1,240 hurt now, peak 1,300, 800 moved')
    expect(text).toContain(`${control.url}/i/`)

    const slack = bodyTo('/slack')
    expect(slack['text']).toBe('[get up] Edge eu-west does not answer')

    // As PagerDuty documents it: PD-CEF in `payload`.
    const event = z.strictObject({
      routing_key: z.literal(KEY),
      event_action: z.literal('trigger'),
      dedup_key: z.literal('k7'),
      client: z.string(),
      client_url: z.url(),
      links: z.array(z.strictObject({ href: z.url(), text: z.string() })),
      payload: z.strictObject({
        summary: z.string().min(1).max(1024),
        source: z.literal('eu-west'),
        severity: z.enum(['critical', 'error', 'warning', 'info']),
        timestamp: z.iso.datetime(),
        component: z.string(),
        group: z.string(),
        class: z.string(),
        custom_details: z.record(z.string(), z.unknown()),
      }),
    })
    event.parse(bodyTo('/pagerduty'))

    const hook = receiver.received.find(({ path }) => path === '/hook')
    const stamp = String(hook?.headers['vitrine-timestamp'])
    const mac = createHmac('sha256', 'hook-secret').update(`${stamp}.${hook?.body}`).digest('hex')
    expect(hook?.headers['vitrine-signature']).toBe(`v1=${mac}`)
    expect(hook?.headers['idempotency-key']).toBe(bodyTo('/hook')['key'])
    expect(bodyTo('/hook')).toMatchObject({
      incident: 'k7',
      reason: 'opened',
      class: 'get-up',
      hurtNow: 1240,
    })

    // As Alertmanager documents it for webhook_config, version 4.
    const labels = z.record(z.string(), z.string())
    const group = z.strictObject({
      version: z.literal('4'),
      groupKey: z.string(),
      truncatedAlerts: z.int(),
      status: z.literal('firing'),
      receiver: z.literal('am-hook'),
      groupLabels: labels,
      commonLabels: labels,
      commonAnnotations: labels,
      externalURL: z.url(),
      alerts: z
        .array(
          z.strictObject({
            status: z.enum(['firing', 'resolved']),
            labels,
            annotations: labels,
            startsAt: z.iso.datetime(),
            endsAt: z.iso.datetime(),
            generatorURL: z.url(),
            fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
          }),
        )
        .length(2),
    })
    expect(group.parse(bodyTo('/am')).commonLabels).toEqual({ instance: 'eu-west', region: 'eu' })

    const forwarded = JSON.parse(
      receiver.received.find(({ path }) => path === '/forward/api/v2/alerts')?.body ?? '',
    )
    expect(forwarded).toHaveLength(2)
    expect(forwarded[0].labels).toEqual({ alertname: 'EdgeUnreachable', instance: 'eu-west', region: 'eu' })

    await until(async () => (await deliveries()).every(({ state }) => state === 'sent'), 'all are sent')
    const events = rows
      .rows("SELECT text FROM incident_events WHERE kind = 'notified'")
      .map(({ text }) => text)
    expect(events).toContain('Rang ada (ada-mail): opened')
    expect(events).toHaveLength(6)
  })

  it('is followed by acknowledge and resolve under the same dedup_key, and by who has it', async () => {
    await start({ receivers: everyKind(), routes: [{ receivers: ['pager', 'chat', 'ada-mail'] }] })
    rows.incident('k8')
    rows.notice('k8', 'opened')
    await until(() => receiver.received.length === 2 && smtp.mails.length === 1, 'all are rung')
    rows.set('k8', { acknowledged_by: 'bo', acknowledged_at: Date.now() })
    await until(() => receiver.received.length === 4, 'who has it is told')
    rows.set('k8', { resolved_at: Date.now() })
    rows.notice('k8', 'resolved', { rings: 0 })
    await until(() => receiver.received.length === 6 && smtp.mails.length === 2, 'the end is told')
    const actions = [0, 1, 2].map(index => bodyTo('/pagerduty', index))
    expect(actions.map(action => action['event_action'])).toEqual(['trigger', 'acknowledge', 'resolve'])
    expect(new Set(actions.map(action => action['dedup_key']))).toEqual(new Set(['k8']))
    expect(bodyTo('/slack', 1)['text']).toBe('[bo has it] Edge eu-west does not answer')
    expect(smtp.mails[1]?.headers).toContain('Subject: [resolved] Edge eu-west')
  })

  it('goes to the next step when nobody has it, and not when somebody has', async () => {
    const step = { afterMinutes: 0.01, receivers: ['hook'] }
    await start({ receivers: everyKind(), routes: [{ receivers: ['chat'], escalation: [step] }] })
    rows.incident('k1')
    rows.incident('k2', { acknowledged_by: 'bo', acknowledged_at: Date.now() + 60_000 })
    rows.notice('k1', 'opened')
    rows.notice('k2', 'opened')
    await until(() => receiver.received.some(({ path }) => path === '/hook'), 'the step is taken')
    expect(bodyTo('/hook')).toMatchObject({ incident: 'k1', reason: 'escalated', rings: true })
    await until(
      () => receiver.received.filter(({ path }) => path.startsWith('/slack')).length === 3,
      'bo has k2',
    )
    expect(receiver.received.filter(({ path }) => path === '/hook')).toHaveLength(1)
  })

  it('is said to have reached nobody when no route fits', async () => {
    await start({ receivers: everyKind(), routes: [{ matchers: ['severity="info"'], receivers: ['chat'] }] })
    rows.incident('k1')
    rows.notice('k1', 'opened')
    await until(
      () => rows.rows("SELECT 1 FROM incident_events WHERE text LIKE 'Nobody was told%'").length === 1,
      'said',
    )
    expect(receiver.received).toHaveLength(0)
  })
})

it('what rings nobody stays away from the pager, and reaches the others', async () => {
  await start({ receivers: everyKind(), routes: [{ receivers: ['pager', 'chat'] }] })
  rows.incident('k1')
  rows.notice('k1', 'opened', { rings: 0 })
  await until(() => receiver.received.length === 1, 'the chat is told')
  expect(receiver.received[0]?.path).toMatch(/^\/slack/)
  expect((await deliveries()).map(({ receiver: name }) => name)).toEqual(['chat'])
})

describe('a link in a message', () => {
  async function linkTo(incident: string): Promise<string> {
    rows.notice(incident, 'opened')
    await until(() => receiver.received.length > 0, 'told')
    return String(bodyTo('/hook')['link'])
  }

  it('shows to whoever looks, also to programs, and acts only when the button is pressed', async () => {
    await start({ receivers: everyKind(), routes: [{ receivers: ['hook'] }] })
    rows.incident('k7')
    const link = await linkTo('k7')
    for (const method of ['GET', 'HEAD', 'GET']) {
      expect((await ask(link, method)).status).toBe(200)
    }
    expect(rows.rows('SELECT acknowledged_by FROM incidents')).toEqual([{ acknowledged_by: null }])
    const page = await ask(link, 'GET')
    expect(page.text).toContain('I have it')
    expect(page.text).toContain('Get up')
    expect(page.text).not.toContain('<script')
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/)
    expect(page.headers['referrer-policy']).toBe('no-referrer')

    const pressed = await ask(link, 'POST')
    expect(pressed.text).toContain('You have it.')
    expect(rows.rows('SELECT acknowledged_by FROM incidents')).toEqual([{ acknowledged_by: 'hook' }])
    // Twice is once.
    await ask(link, 'POST')
    expect(rows.rows("SELECT text FROM incident_events WHERE kind = 'acknowledged'")).toHaveLength(1)
    expect(rows.rows("SELECT by FROM audit WHERE action = 'incident-acknowledge'")).toEqual([{ by: 'hook' }])
  })

  it('tells the second of two who press it at once who has it', async () => {
    const two = [
      { name: 'hook', webhook: { url: `${receiver.url}/hook`, secret: 'one' } },
      { name: 'hook-2', webhook: { url: `${receiver.url}/second`, secret: 'two' } },
    ]
    await start({ receivers: two, routes: [{ receivers: ['hook', 'hook-2'] }] })
    rows.incident('k7')
    rows.notice('k7', 'opened')
    await until(() => receiver.received.length === 2, 'told')
    const links = ['/hook', '/second'].map(path => String(bodyTo(path)['link']))
    const answers = await Promise.all(links.map(link => ask(link, 'POST')))
    const told = answers.map(({ text }) =>
      text.includes('You have it.') ? 'mine' : /(\S+) has it already/.exec(text)?.[1],
    )
    expect(told.filter(word => word === 'mine')).toHaveLength(1)
    expect(told.some(word => word === 'hook' || word === '<p' || word?.includes('hook'))).toBe(true)
  })

  it('opens nothing when it is changed, revoked, or its user is gone', async () => {
    const own = { name: 'hook', person: 'ada', webhook: { url: `${receiver.url}/hook`, secret: 'one' } }
    await start({ receivers: [own], routes: [{ receivers: ['hook'] }] })
    rows.incident('k7')
    const link = await linkTo('k7')
    const dead = { status: 404 }
    expect(await ask(link, 'GET')).toMatchObject(dead) // there is no user ada
    rows.rows(
      "INSERT INTO users (name, role, password_hash, created_at) VALUES ('ada', 'operator', '', 0) RETURNING name",
    )
    expect((await ask(link, 'GET')).status).toBe(200)
    const token = link.split('/i/')[1] ?? ''
    for (const changed of [
      '',
      'x',
      `${token}x`,
      token.slice(1),
      `${token}.x`,
      token.replace('.', '.A'),
      'a'.repeat(200),
    ])
      expect(
        await ask(`${control.url}/i/${changed === '' ? '%00' : changed}`, 'POST'),
        changed,
      ).toMatchObject(dead)
    rows.rows("INSERT INTO revoked_recipients VALUES ('ada', ?) RETURNING 1", Date.now() + 1000)
    expect(await ask(link, 'POST')).toMatchObject(dead)
    expect(rows.rows('SELECT acknowledged_by FROM incidents')).toEqual([{ acknowledged_by: null }])
  })

  it('escapes everything, and stays below 50 KB with the longest of everything', async () => {
    await start({ receivers: everyKind(), routes: [{ receivers: ['hook'] }] })
    const bad = `<img src=x onerror=alert(1)>"'&${'ü'.repeat(1000)}`
    const cause = {
      kind: 'edge-frozen',
      text: bad,
      confidence: 1,
      for: Array(50).fill(bad),
      against: Array(50).fill(bad),
    }
    rows.incident('k7', {
      title: bad,
      servers: JSON.stringify(Array(1000).fill(bad.slice(0, 64))),
      cause: JSON.stringify(cause),
    })
    for (let index = 0; index < 200; index += 1) {
      rows.rows(
        "INSERT INTO incident_events (incident_id, at, kind, by, text) VALUES ('k7', 0, 'comment', ?, ?) RETURNING 1",
        bad,
        bad,
      )
    }
    const { text, status } = await ask(await linkTo('k7'), 'GET')
    expect(status).toBe(200)
    expect(text).not.toContain('<img')
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(50 * 1024)
  })
})

describe('the log of deliveries', () => {
  it('says what a receiver answered to a test, and shows no secret to anybody', async () => {
    await start({ receivers: everyKind() })
    const test = (name: string, token: string): Promise<number> =>
      fetch(`${control.url}/api/v1/receivers/${name}/test`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      }).then(answer => answer.status)
    expect(await test('chat', control.tokens.operator)).toBe(403)
    expect(await test('nobody', control.tokens.admin)).toBe(404)
    expect(await test('chat', control.tokens.admin)).toBe(200)
    await until(async () => (await deliveries())[0]?.state === 'sent', 'the test is sent')
    expect((await deliveries())[0]).toMatchObject({
      receiver: 'chat',
      reason: 'test',
      answer: '202: {"status":"success","message":"Event processed"}',
    })
    receiver.behaviour = 'refuses'
    await test('pager', control.tokens.admin)
    await until(async () => (await deliveries())[0]?.state === 'given-up', 'the test is over')
    expect((await deliveries())[0]).toMatchObject({
      attempts: 1,
      problem: 'answered 400: {"errors":["routing_key is not valid"]}',
    })
    const { body } = await control.get('/api/v1/notifications')
    const shown = JSON.stringify([body, await deliveries()])
    for (const secret of [KEY, 'T0KEN-of-the-chat', 'hook-secret']) expect(shown).not.toContain(secret)
  })

  it('goes on after a restart with what was not sent', async () => {
    await start({ receivers: everyKind(), routes: [{ receivers: ['hook'] }] })
    receiver.behaviour = 'fails'
    rows.incident('k7')
    rows.notice('k7', 'opened')
    await until(async () => (await deliveries())[0]?.state === 'failed', 'it fails')
    expect((await deliveries())[0]?.problem).toBe('answered 500: out of order')
    await control.stop()
    receiver.behaviour = 'takes'
    await control.restart()
    await until(async () => (await deliveries())[0]?.state === 'sent', 'it is sent')
    const keys = receiver.received.map(({ headers }) => headers['idempotency-key'])
    expect(new Set(keys).size).toBe(1)
  })
})

it('a heartbeat is told to the address outside, and what it does not take stands on the page', async () => {
  await start({ heartbeat: { url: `${receiver.url}/alive/s3cret-path`, method: 'POST', everySeconds: 1 } })
  await until(() => receiver.received.length >= 2, 'two heartbeats')
  expect(receiver.received[0]).toMatchObject({ method: 'POST', path: '/alive/s3cret-path' })
  receiver.behaviour = 'fails'
  const heartbeat = async (): Promise<Record<string, unknown>> => {
    const { body } = await control.get('/api/v1/notifications')
    return (body as { heartbeat: Record<string, unknown> }).heartbeat
  }
  await until(async () => (await heartbeat())['problem'] !== null, 'the problem is told')
  expect(await heartbeat()).toMatchObject({ problem: 'answered 500: out of order' })
  expect(JSON.stringify(await heartbeat())).not.toContain('s3cret-path')
})
