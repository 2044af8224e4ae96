// People over real sockets: the way in, what they may, how fast passwords may be tried, the end of their time, and that
// each change is in the audit under whoever answers for it.
import { fetch, type Response } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openState } from '#control'
import type { AuditEntry, OffboardPlan, OffboardProof, RecoveryView, TokenView, WebSessionView } from '#wire'
import { startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
beforeAll(async () => {
  control = await startTestControl({ mentions: name => (name === 'ada' ? ['notify.onCall[0].person'] : []) })
}, 30_000)
afterAll(() => control.close())

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** As JSON.parse gives it: each test looks at its own shape. */
type Json = ReturnType<typeof JSON.parse>

interface Browser {
  readonly me: { name: string; role: string; signedInBy: string }
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json; text: string }>
}

async function read(answer: Response): Promise<{ status: number; body: Json; text: string }> {
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') === true
  return { status: answer.status, body: isJson ? JSON.parse(text) : null, text }
}

async function post(
  path: string,
  body: unknown,
): Promise<Awaited<ReturnType<typeof read>> & { cookie: string }> {
  const headers = { 'content-type': 'application/json', 'user-agent': FIREFOX }
  const answer = await fetch(`${control.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  return { ...(await read(answer)), cookie }
}

async function browser(path: string, body: unknown): Promise<Browser> {
  const { status, body: me, cookie, text } = await post(path, body)
  expect(status, text).toBe(200)
  const headers = { cookie, 'x-vitrine-csrf': me.csrf, origin: control.url }
  return {
    me,
    ask: async (method, at, sent) =>
      read(
        await fetch(`${control.url}${at}`, {
          method,
          headers: { ...headers, ...(sent === undefined ? {} : { 'content-type': 'application/json' }) },
          ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
        }),
      ),
  }
}

async function api(method: string, path: string, body?: unknown, token = control.tokens.admin) {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  return read(await fetch(`${control.url}${path}`, { method, headers, ...sent }))
}

async function invited(name: string, role: string): Promise<{ code: string; id: string }> {
  const made = await api('POST', '/api/v1/invitations', { name, role })
  expect(made.status, made.text).toBe(200)
  return { code: made.body.path.split('#code=')[1], id: made.body.id }
}

const password = (name: string): string => `${name} has a long password`
const arrive = async (name: string, role: string): Promise<Browser> =>
  browser('/api/v1/invitations/accept', { code: (await invited(name, role)).code, password: password(name) })
const audited = async (query: string): Promise<AuditEntry[]> =>
  (await api('GET', `/api/v1/audit?${query}`)).body.entries

describe('an invitation', () => {
  beforeAll(() => control.restart())

  it('makes one named person with one role, once', async () => {
    const { code } = await invited('grace', 'operator')
    const seen = await post('/api/v1/invitations/look', { code })
    expect(seen.body).toMatchObject({ name: 'grace', role: 'operator', invitedBy: 'test admin' })
    const weak = await post('/api/v1/invitations/accept', { code, password: 'short' })
    expect(weak.body.error.code).toBe('control-password-weak')
    const both = await Promise.all(
      [1, 2].map(() => post('/api/v1/invitations/accept', { code, password: password('grace') })),
    )
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404])
    const signedIn = await browser('/api/v1/sign-in', { name: 'grace', password: password('grace') })
    expect(signedIn.me).toMatchObject({ name: 'grace', role: 'operator', signedInBy: 'password' })
    expect(await audited('subject=grace&action=user-add')).toMatchObject([
      { by: 'grace', actor: 'person', person: 'grace', facts: { role: 'operator', invitedBy: 'test admin' } },
    ])
  })

  it('does not work revoked, and a second for the same name voids the first', async () => {
    const first = await invited('hedy', 'viewer')
    const second = await invited('hedy', 'viewer')
    expect((await post('/api/v1/invitations/look', { code: first.code })).status).toBe(404)
    expect((await api('DELETE', `/api/v1/invitations/${second.id}`)).status).toBe(200)
    const late = await post('/api/v1/invitations/accept', { code: second.code, password: password('hedy') })
    expect(late.body.error.code).toBe('control-link-unknown')
    const { invitations } = (await api('GET', '/api/v1/invitations')).body
    expect(invitations.filter((one: { name: string }) => one.name === 'hedy')).toMatchObject([
      { state: 'revoked' },
      { state: 'revoked' },
    ])
    expect(JSON.stringify(invitations)).not.toContain(second.code)
  })

  it.each(['vitrine', 'no spaces', '', 'test admin'])('is refused for the name %j', async name => {
    expect((await api('POST', '/api/v1/invitations', { name, role: 'viewer' })).status).toBe(400)
  })
})

describe('a person', () => {
  let ada: Browser
  beforeAll(async () => {
    await control.restart()
    ada = await arrive('ada', 'admin')
  })

  it('sees and ends their own browsers, and nobody else’s', async () => {
    const kay = await arrive('kay', 'viewer')
    const other = await browser('/api/v1/sign-in', { name: 'kay', password: password('kay') })
    const { sessions } = (await kay.ask('GET', '/api/v1/web-sessions')).body as { sessions: WebSessionView[] }
    expect(sessions.filter(({ own }) => own)).toHaveLength(1)
    expect(sessions[0]).toMatchObject({ name: 'kay', device: 'Firefox on Linux', address: '127.0.0.1' })
    expect((await kay.ask('GET', '/api/v1/web-sessions?of=everybody')).status).toBe(403)
    const [adas] = ((await ada.ask('GET', '/api/v1/web-sessions')).body as { sessions: WebSessionView[] })
      .sessions
    expect((await kay.ask('DELETE', `/api/v1/web-sessions/${adas?.id}`)).status).toBe(404)
    const its = sessions.find(({ own }) => !own)?.id ?? ''
    expect((await kay.ask('DELETE', `/api/v1/web-sessions/${its}`)).status).toBe(200)
    expect((await other.ask('GET', '/api/v1/me')).status).toBe(401)
    expect((await kay.ask('GET', '/api/v1/me')).status).toBe(200)
  })

  it('by a one-time link is in the list too, and an admin ends it', async () => {
    const state = await openState(control.folder)
    const link = await state.createLink('viewer')
    await state.close()
    const nobody = await browser('/api/v1/sign-in', { link })
    const { sessions } = (await ada.ask('GET', '/api/v1/web-sessions?of=everybody')).body
    const its = (sessions as WebSessionView[]).find(({ means }) => means === 'link')
    expect(its).toMatchObject({ name: 'one-time link', device: 'Firefox on Linux' })
    expect((await nobody.ask('GET', '/api/v1/web-sessions')).body.sessions).toHaveLength(1)
    expect((await ada.ask('DELETE', `/api/v1/web-sessions/${its?.id}`)).status).toBe(200)
    expect((await nobody.ask('GET', '/api/v1/me')).status).toBe(401)
  })

  it('has a role that holds at once, also for their tokens', async () => {
    const joan = await arrive('joan', 'operator')
    const made = await joan.ask('POST', '/api/v1/tokens', { name: 'joans script', role: 'operator' })
    expect(made.status, made.text).toBe(200)
    expect((await joan.ask('POST', '/api/v1/tokens', { name: 'too much', role: 'admin' })).status).toBe(403)
    const { token } = made.body
    expect((await api('GET', '/api/v1/join-strings', undefined, token)).status).toBe(200)
    const down = await ada.ask('PUT', '/api/v1/users/joan/role', { role: 'viewer' })
    expect(down.status, down.text).toBe(200)
    expect((await joan.ask('GET', '/api/v1/join-strings')).status).toBe(403)
    expect((await api('GET', '/api/v1/join-strings', undefined, token)).status).toBe(403)
    expect((await api('GET', '/api/v1/servers', undefined, token)).status).toBe(200)
    expect(await audited('subject=joan&action=user-role')).toMatchObject([
      { by: 'ada', actor: 'person', person: 'ada', facts: { from: 'operator', to: 'viewer' } },
    ])
  })

  it('changes their password with the present one; other browsers are signed out', async () => {
    const mary = await arrive('mary', 'viewer')
    const other = await browser('/api/v1/sign-in', { name: 'mary', password: password('mary') })
    const wrong = { current: 'not that one', password: 'a new long password' }
    expect((await mary.ask('POST', '/api/v1/me/password', wrong)).status).toBe(400)
    const right = { current: password('mary'), password: 'a new long password' }
    expect((await mary.ask('POST', '/api/v1/me/password', right)).status).toBe(200)
    expect((await mary.ask('GET', '/api/v1/me')).status).toBe(200)
    expect((await other.ask('GET', '/api/v1/me')).status).toBe(401)
    expect((await post('/api/v1/sign-in', { name: 'mary', password: password('mary') })).status).toBe(401)
  })

  it('gets a new password by a reset link, which keeps the role', async () => {
    await control.restart()
    const before = await arrive('edith', 'operator')
    const { body } = await ada.ask('POST', '/api/v1/users/edith/reset')
    const after = await browser('/api/v1/invitations/accept', {
      code: body.path.split('#code=')[1],
      password: 'another long password',
    })
    expect(after.me).toMatchObject({ name: 'edith', role: 'operator' })
    expect((await before.ask('GET', '/api/v1/me')).status).toBe(401)
  })
})

describe('a token', () => {
  it('has a purpose, an end, and a last use; the audit names its owner', async () => {
    await control.restart()
    const rosa = await arrive('rosa', 'operator')
    const metrics = await rosa.ask('POST', '/api/v1/tokens', {
      name: 'grafana',
      role: 'viewer',
      scope: 'metrics',
    })
    expect((await api('GET', '/prometheus/api/v1/labels', undefined, metrics.body.token)).status).toBe(200)
    expect((await api('GET', '/api/v1/servers', undefined, metrics.body.token)).status).toBe(403)
    const all = await rosa.ask('POST', '/api/v1/tokens', {
      name: 'deploy',
      role: 'operator',
      expiresInS: 3600,
    })
    const mark = { kind: 'deployment', text: 'by a token' }
    expect((await api('POST', '/api/v1/marks', mark, all.body.token)).status).toBe(200)
    expect(await audited('who=rosa&action=mark-add')).toMatchObject([
      { by: 'deploy', actor: 'token', person: 'rosa', via: all.body.id, address: '127.0.0.1' },
    ])
    // A token does not make others.
    const more = { name: 'more', role: 'viewer' }
    expect((await api('POST', '/api/v1/tokens', more, all.body.token)).status).toBe(403)
    const { tokens } = (await rosa.ask('GET', '/api/v1/tokens')).body as { tokens: TokenView[] }
    expect(tokens.map(({ name }) => name).toSorted()).toEqual(['deploy', 'grafana'])
    expect(tokens.every(({ usedAt, usedFrom }) => usedAt !== null && usedFrom === '127.0.0.1')).toBe(true)
    expect((await rosa.ask('POST', '/api/v1/tokens', { name: 'rosa', role: 'viewer' })).status).toBe(400)
  })
})

describe('guessing', () => {
  it('slows down for a name and locks nobody out', async () => {
    await control.restart()
    const guess = (name: string) => post('/api/v1/sign-in', { name, password: 'a wrong long password' })
    const answers = await Promise.all(Array.from({ length: 8 }, () => guess('nobody-here')))
    const codes = answers.map(({ body }) => body.error.code)
    expect(codes.every(code => /control-sign-in-(failed|slowed|busy)/.test(code))).toBe(true)
    // Who was here before has a lane of their own, whatever strangers try.
    const grace = await post('/api/v1/sign-in', { name: 'grace', password: password('grace') })
    expect(grace.status, grace.text).toBe(200)
  })
})

describe('the last admin', () => {
  it('cannot be removed, demoted or offboarded, and is told what to do', async () => {
    await control.restart()
    const { users } = (await api('GET', '/api/v1/users')).body
    expect(users.filter((user: { role: string }) => user.role === 'admin')).toMatchObject([{ name: 'ada' }])
    for (const [method, path, body] of [
      ['PUT', '/api/v1/users/ada/role', { role: 'viewer' }],
      ['POST', '/api/v1/users/ada/offboarding', { to: null }],
    ] as const) {
      const { status, body: refused } = await api(method, path, body)
      expect([status, refused.error.code]).toEqual([409, 'control-last-admin'])
    }
    const state = await openState(control.folder)
    await expect(state.removeUser('ada')).rejects.toMatchObject({ code: 'control-last-admin' })
    await state.close()
    expect((await api('GET', '/api/v1/recovery-code')).body).toMatchObject({ admins: 1, isSafe: false })
  })

  it('is replaced by a recovery code, exactly once, and that is told loudly', async () => {
    const old = (await api('POST', '/api/v1/recovery-code')).body.code
    const { code } = (await api('POST', '/api/v1/recovery-code')).body
    expect((await api('GET', '/api/v1/recovery-code')).body).toMatchObject({ isSafe: true })
    const as = (name: string, of: string) => ({ code: of, name, password: password(name) })
    expect((await post('/api/v1/recovery', as('ruth', old))).status).toBe(401)
    const both = await Promise.all([
      post('/api/v1/recovery', as('ruth', code.toLowerCase().replaceAll('-', ' '))),
      post('/api/v1/recovery', as('vera', code)),
    ])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401])
    const view = (await api('GET', '/api/v1/recovery-code')).body as RecoveryView
    expect(view).toMatchObject({ admins: 2, codeMadeAt: null, isSafe: true })
    expect(['ruth', 'vera']).toContain(view.usedFor)
    expect(await audited('action=recovery-code-use')).toMatchObject([{ facts: { admin: view.usedFor } }])
  })
})

describe('offboarding', () => {
  it('shows, ends everything at once, hands duties over, and proves it', async () => {
    await control.restart()
    const ada = await browser('/api/v1/sign-in', { name: 'ada', password: password('ada') })
    const { token } = (await ada.ask('POST', '/api/v1/tokens', { name: 'adas', role: 'admin' })).body
    await api('POST', '/api/v1/wall-links', { name: 'office' }, token)
    const string = (await ada.ask('POST', '/api/v1/join-strings', { role: 'edge' })).body
    await ada.ask('POST', '/api/v1/invitations', { name: 'late', role: 'viewer' })
    await ada.ask('PUT', '/api/v1/servers/eu-west/override', {
      kind: 'maintenance',
      reason: 'new disk',
      expiresInS: null,
    })
    const plan = (await api('GET', '/api/v1/users/ada/offboarding')).body as OffboardPlan
    const kinds = new Set(plan.items.map(({ kind }) => kind))
    for (const kind of [
      'session',
      'token',
      'wall-link',
      'join-string',
      'invitation',
      'order',
      'configuration',
    ]) {
      expect(kinds, kind).toContain(kind)
    }
    expect(plan).toMatchObject({ needsSuccessor: true, refusal: null })
    const alone = await api('POST', '/api/v1/users/ada/offboarding', { to: null })
    expect(alone.body.error.code).toBe('control-successor-needed')
    expect((await ada.ask('GET', '/api/v1/me')).status).toBe(200)

    const done = await api('POST', '/api/v1/users/ada/offboarding', { to: 'grace' })
    expect(done.status, done.text).toBe(200)
    const proof = done.body as OffboardProof & { auditId: number }
    expect(proof).toMatchObject({ name: 'ada', by: 'test admin', to: 'grace', left: [] })
    expect(proof.items.map(({ id }) => id)).toEqual(expect.arrayContaining([string.id, 'eu-west']))
    expect((await ada.ask('GET', '/api/v1/me')).status).toBe(401)
    expect((await api('GET', '/api/v1/me', undefined, token)).status).toBe(401)
    expect((await post('/api/v1/sign-in', { name: 'ada', password: password('ada') })).status).toBe(401)
    const { servers } = (await api('GET', '/api/v1/servers')).body
    expect(servers.find(({ id }: { id: string }) => id === 'eu-west').override).toMatchObject({ by: 'grace' })
    const [entry] = await audited('action=user-offboard&subject=ada')
    const { auditId, ...facts } = proof
    expect(entry).toMatchObject({ id: auditId, facts })

    const again = (await api('POST', '/api/v1/users/ada/offboarding', { to: null })).body as OffboardProof
    expect(again.items.filter(({ fate }) => fate !== 'by hand')).toEqual([])
    expect((await api('POST', '/api/v1/invitations', { name: 'ada', role: 'viewer' })).status).toBe(409)
  })
})

describe('offboarding of somebody on duty', () => {
  it('hands incidents and silences to a successor, and ends what they shared', async () => {
    await control.restart()
    const bo = await arrive('bo', 'operator')
    const at = new Date().toISOString()
    const labels = { alertname: 'RackDark', severity: 'critical', instance: 'rack-7' }
    expect((await api('POST', '/api/v2/alerts', [{ labels, annotations: {}, startsAt: at }])).status).toBe(
      200,
    )
    const { id } = await until(
      async () => (await api('GET', '/api/v1/incidents')).body.incidents[0],
      'it opens',
    )
    expect((await bo.ask('POST', `/api/v1/incidents/${id}/acknowledge`, {})).status).toBe(200)
    const now = (await api('GET', '/api/v1/silences')).body.now
    const matchers = [{ name: 'alertname', value: 'Fan', isRegex: false, isEqual: true }]
    const weekly = { weekdays: [0], fromMinute: 0, minutes: 60, zone: 'UTC' }
    const silence = { matchers, startsAt: now, endsAt: now + 864e5, recurs: weekly, comment: 'dust' }
    const silent = (await bo.ask('POST', '/api/v1/silences', silence)).body
    expect(silent.by).toBe('bo')
    // Longer by weeks, as the page does it.
    const path = `/api/v1/silences/${silent.id}/extend`
    expect((await bo.ask('POST', path, { endsAt: silent.endsAt + 4 * 7 * 864e5 })).status).toBe(200)
    expect((await bo.ask('POST', path, { endsAt: 1e17 })).status).toBe(400)
    const series = [{ label: 'eu', colour: '--text', context: false, dash: null, values: [1] }]
    const chart = { title: 'CPU', note: '', unit: 'cores', height: 100, floorMax: 1, axisFrom: 'zero' }
    const charts = [{ ...chart, stepped: false, series }]
    const grid = { zone: 'utc', startS: 1, stepS: 1, length: 1 }
    const snapshot = { title: 'CPU', words: null, ...grid, charts, marks: [] }
    const shared = await bo.ask('POST', '/api/v1/shares', { snapshot })
    expect(shared.status, shared.text).toBe(200)

    const proof = (await api('POST', '/api/v1/users/bo/offboarding', { to: 'grace' })).body as OffboardProof
    const fates = Object.fromEntries(proof.items.map(item => [item.kind, item.fate]))
    expect(fates).toMatchObject({ incident: 'handed over', silence: 'handed over', share: 'revoked' })
    expect(proof.left).toEqual([])
    const grace = await browser('/api/v1/sign-in', { name: 'grace', password: password('grace') })
    const whole = async (): Promise<Json> => (await grace.ask('GET', `/api/v1/incidents/${id}`)).body
    // Also of what the control room holds in memory, and writes again with the next note.
    await until(async () => (await whole()).incident.assignedTo === 'grace', 'she has it')
    expect((await grace.ask('POST', `/api/v1/incidents/${id}/comment`, { text: 'on it' })).status).toBe(200)
    const { incident, timeline } = await whole()
    expect(incident).toMatchObject({ acknowledgedBy: 'grace', assignedTo: 'grace' })
    expect(JSON.stringify(timeline)).toContain('grace, handed over from bo, who has left')
    const { silences } = (await api('GET', '/api/v1/silences')).body
    expect(silences.find((one: { id: string }) => one.id === silent.id)).toMatchObject({
      by: 'grace',
      endedAt: null,
    })
    const { shares } = (await api('GET', '/api/v1/shares')).body
    expect(shares.find((one: { id: string }) => one.id === shared.body.id)?.state).not.toBe('open')
  })
})

describe('the audit', () => {
  it('is read by page, by who, action, subject and time, and as a file', async () => {
    const all: AuditEntry[] = []
    let next: string | null = ''
    while (next !== null) {
      const before = next === '' ? '' : `&before=${next}`
      const { body } = await api('GET', `/api/v1/audit?limit=7${before}`)
      all.push(...body.entries)
      next = body.next
    }
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
    expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).toSorted((a, b) => b - a))
    const grace = await audited('who=grace&limit=500')
    expect(grace).toEqual(all.filter(({ by, person }) => by === 'grace' || person === 'grace'))
    const middle = all[Math.floor(all.length / 2)]?.at ?? 0
    const later = await audited(`from=${middle}&limit=500`)
    expect(later).toEqual(all.filter(({ at }) => at >= middle))
    const csv = await api('GET', '/api/v1/audit.csv?action=sign-in')
    const lines = csv.text.trimEnd().split('\r\n')
    expect(lines[0]).toBe('time,by,actor,person,via,address,action,subject,facts')
    expect(lines).toHaveLength(all.filter(({ action }) => action === 'sign-in').length + 1)
    expect((await api('GET', '/api/v1/audit?before=yesterday')).status).toBe(400)
  })

  it('names who changed a server, a share, a link, an order, a tag and a token', async () => {
    await api('PUT', '/api/v1/servers/us-east/share', { percent: 40 })
    await api('PUT', '/api/v1/servers/us-east/share', { percent: 60 })
    await api('PUT', '/api/v1/servers/us-east/tags', { provider: 'one' })
    await api('PUT', '/api/v1/servers/us-east/tags', { provider: 'two' })
    await api('PUT', '/api/v1/servers/us-east/override', { kind: 'drain', reason: 'test', expiresInS: null })
    await api('DELETE', '/api/v1/servers/us-east/override')
    const entries = await audited('subject=us-east')
    const first = (action: string) => entries.find(entry => entry.action === action)
    expect(first('server-share')?.facts).toMatchObject({ percent: 60, from: 40 })
    expect(first('server-tag')?.facts).toMatchObject({ provider: 'two', from: { provider: 'one' } })
    expect(first('server-order-ended')?.facts).toMatchObject({ from: 'drain', orderedBy: 'test admin' })
    expect(
      entries
        .slice(0, 6)
        .every(({ by, actor, via }) => by === 'test admin' && actor === 'token' && via !== ''),
    ).toBe(true)
    const made = await audited('action=token-create')
    expect(made.find(({ actor }) => actor === 'command')).toMatchObject({
      by: 'command line',
      via: expect.stringMatching(/./),
    })
  })
})
