// The page of an incident without a script: what it says, what its forms do and refuse, the file to take along, and who
// stands in the audit.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openState } from '#control'
import type { IncidentAnswer, SilencePreview, SilenceView } from '#wire'
import { startTestControl, type TestControl, until } from './fixture.ts'
import { sendAs } from './send-as.ts'

const BAD = `<script>alert(1)</script><img src="https://elsewhere.example/x.png" onerror='x'>${'ü&'.repeat(3000)}`
let control: TestControl
let session: { cookie: string; csrf: string }
let id: string

beforeAll(async () => {
  const webFolder = mkdtempSync(join(tmpdir(), 'vitrine-web-'))
  mkdirSync(join(webFolder, 'assets'))
  writeFileSync(
    join(webFolder, 'index.html'),
    '<title>shell</title><script type="module" crossorigin src="/assets/index-abc.js"></script><link rel="stylesheet" crossorigin href="/assets/index-abc.css"><div id="root"></div>',
  )
  writeFileSync(join(webFolder, 'watch.html'), '<title>watch</title>')
  control = await startTestControl({ webFolder })
  control.closers.defer(() => rmSync(webFolder, { recursive: true, force: true }))
  session = await signIn()
  const alert = { labels: { alertname: 'Foreign', instance: 'eu-west', severity: 'critical' } }
  const sent = await sendAs(control, 'operator', 'POST', '/api/v2/alerts', [
    { ...alert, annotations: { summary: BAD.slice(0, 900) } },
  ])
  expect(sent.status).toBe(200)
  id = await until(async () => {
    const { body } = await control.get('/api/v1/incidents')
    return (body as { incidents: { id: string }[] }).incidents[0]?.id
  }, 'the incident')
}, 30_000)
afterAll(() => control.close())

async function signIn(): Promise<{ cookie: string; csrf: string }> {
  const state = await openState(control.folder)
  const link = await state.createLink('operator')
  await state.close()
  const answer = await fetch(`${control.url}/api/v1/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: control.url },
    body: JSON.stringify({ link }),
  })
  const { csrf } = (await answer.json()) as { csrf: string }
  return { csrf, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' }
}

async function page(headers: Record<string, string> = { cookie: session.cookie }): Promise<string> {
  const answer = await fetch(`${control.url}/incidents/${id}`, { headers })
  expect(answer.status).toBe(200)
  return answer.text()
}

async function press(
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; to: string | null }> {
  const answer = await fetch(`${control.url}/incidents/${id}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: session.cookie, origin: control.url, ...headers },
    body: new URLSearchParams(fields),
  })
  return { status: answer.status, to: answer.headers.get('location') }
}

async function whole(): Promise<IncidentAnswer> {
  return (await control.get(`/api/v1/incidents/${id}`)).body as IncidentAnswer
}

it('is HTML with everything on it before any script, in at most 50 KB, and lets nothing from outside in', async () => {
  for (let note = 0; note < 30; note += 1) {
    await sendAs(control, 'operator', 'POST', `/api/v1/incidents/${id}/comment`, { text: BAD.slice(0, 4000) })
  }
  const html = await page()
  expect(Buffer.byteLength(html)).toBeLessThanOrEqual(50 * 1024)
  expect(html).toContain('class="word"')
  expect(html).toContain('I have it')
  expect(html).toMatch(/Wait until \d\d:\d\d/)
  expect(html).not.toContain('<img src="https')
  expect(html).not.toContain('<script>alert')
  // The pages' own scripts come last, and take over in a place of their own.
  expect(html.indexOf('/assets/index-abc.js')).toBeGreaterThan(html.indexOf('id="root"'))
})

it('tells a stranger nothing, and a viewer has no buttons', async () => {
  expect(await page({})).toContain('<title>shell</title>')
  const seen = await page({ authorization: `Bearer ${control.tokens.viewer}` })
  expect(seen).toContain('class="word"')
  expect(seen).not.toContain('<form')
})

it('followed from a mail, asks once more with the cookie that a strict browser keeps to itself', async () => {
  const fromMail = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
  const first = await page(fromMail)
  expect(first).toContain(`<meta http-equiv="refresh" content="0;url=/incidents/${id}?again">`)
  expect(first).not.toMatch(/<script|class="word"/)
  const asked = async (headers: Record<string, string>): Promise<string> =>
    (await fetch(`${control.url}/incidents/${id}?again`, { headers })).text()
  expect(await asked({ cookie: session.cookie, 'sec-fetch-site': 'same-origin' })).toContain('class="word"')
  // A browser that says so again, or has no session, gets the page that signs in, and goes round in no circle.
  expect(await asked(fromMail)).toContain('<title>shell</title>')
  const bad = await fetch(`${control.url}/incidents/%22%3E%3Cscript%3E`, { headers: fromMail })
  expect(await bad.text()).not.toContain('<script>')
})

it('acts by plain forms, and only by those of this session and this site', async () => {
  const { csrf } = session
  expect((await press({ act: 'acknowledge' })).status).toBe(403)
  expect((await press({ act: 'acknowledge', csrf: `${csrf}x` })).status).toBe(403)
  expect((await press({ act: 'acknowledge', csrf }, { origin: 'https://elsewhere.example' })).status).toBe(
    403,
  )
  expect((await press({ act: 'burn', csrf })).status).toBe(400)
  expect((await whole()).incident.acknowledgedBy).toBeNull()
  expect(await press({ act: 'acknowledge', csrf })).toEqual({
    status: 303,
    to: `/incidents/${id}?told=acknowledge`,
  })
  expect((await press({ act: 'wait', csrf })).status).toBe(303)
  expect((await press({ act: 'comment', csrf, text: 'the disk is on its way' })).status).toBe(303)
  expect((await press({ act: 'assign', csrf, to: 'nobody-here' })).to).toContain('told=nobody')
  expect((await press({ act: 'comment', csrf, text: ' ' }, { accept: 'text/html' })).to).toContain(
    'told=refused',
  )
  const { incident, timeline } = await whole()
  expect(incident.acknowledgedBy).not.toBeNull()
  expect(incident.waitUntil).not.toBeNull()
  expect(timeline.some(({ text }) => text === 'the disk is on its way')).toBe(true)
})

it('names in the audit who did what to it, and by which way', async () => {
  const { body } = await control.get(`/api/v1/audit?subject=${id}`, control.tokens.admin)
  const { entries } = body as { entries: { action: string; actor: string; via: string }[] }
  const ways = entries.map(({ action, actor }) => `${action} by ${actor}`)
  expect(ways).toContain('incident-acknowledge by link')
  expect(ways).toContain('incident-wait by link')
  expect(ways).toContain('incident-comment by token')
  expect(entries.every(({ via }) => via !== '')).toBe(true)
})

it('is taken along as one file that asks nobody for anything', async () => {
  const answer = await control.get(`/api/v1/incidents/${id}/export.html`)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-disposition')).toContain(`incident-${id}.html`)
  const html = String(answer.body)
  expect(html).toContain('http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;')
  expect(html).toMatch(/<svg viewBox[^>]* role="img" aria-label="Viewers/)
  expect(html).toContain('the disk is on its way')
  // Tags of ours reach for nothing; text of others is no tag.
  expect(html.match(/<[a-z][^>]*\s(?:src|href|srcset|action|data)=/g)).toBeNull()
  expect(html).not.toMatch(/<script|<img|@import|url\(/)
  expect((await control.get('/api/v1/incidents/I-999/export.html')).status).toBe(404)
})

it('a silence is looked at before it is made, and lasts longer when a person says so', async () => {
  const matchers = [{ name: 'alertname', value: 'For.*', isRegex: true, isEqual: true }]
  const look = (value: string): Promise<{ status: number; body: unknown }> =>
    sendAs(control, 'viewer', 'POST', '/api/v1/silences/preview', { matchers: [{ ...matchers[0], value }] })
  expect((await look('For.*')).body as SilencePreview).toMatchObject({ covered: 1 })
  expect((await look('Nothing')).body as SilencePreview).toMatchObject({ covered: 0, alerts: [] })
  expect((await look('(')).status).toBe(400)
  const startsAt = (await whole()).now
  const made = await sendAs(control, 'operator', 'POST', '/api/v1/silences', {
    matchers,
    startsAt,
    endsAt: startsAt + 3_600_000,
    recurs: null,
    comment: 'disk change',
  })
  const { id: silence } = made.body as SilenceView
  const extend = (endsAt: number): Promise<{ status: number }> =>
    sendAs(control, 'operator', 'POST', `/api/v1/silences/${silence}/extend`, { endsAt })
  expect((await extend(startsAt - 1)).status).toBe(400)
  expect((await extend(startsAt + 7_200_000)).status).toBe(200)
  const { body } = await control.get('/api/v1/silences')
  expect((body as { silences: SilenceView[] }).silences[0]?.endsAt).toBe(startsAt + 7_200_000)
  const { body: audited } = await control.get(`/api/v1/audit?subject=${silence}`, control.tokens.admin)
  expect((audited as { entries: { action: string }[] }).entries.map(({ action }) => action)).toEqual([
    'silence-extend',
    'silence-add',
  ])
  expect((await sendAs(control, 'operator', 'DELETE', `/api/v1/silences/${silence}`)).status).toBe(200)
  expect((await extend(startsAt + 9_000_000)).status).toBe(404)
})
