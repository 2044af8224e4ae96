// The queues themselves, over a real state and real receivers that misbehave, in a time that the test turns.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Closers, Counters, SlewedFleetTime, silentLog, systemClock } from '#base'
import { type DeliveryView, notifyConfig } from '#wire'
import { listDeliveries, QUEUE_MAX } from '../../src/control/notify/delivery-book.ts'
import { IncidentLinks } from '../../src/control/notify/links.ts'
import { Notifier, type NotifierLimits, notifierLimits } from '../../src/control/notify/notifier.ts'
import { planNotify } from '../../src/control/notify/plan.ts'
import { type FullState, openFullState } from '../../src/control/state/open-state.ts'
import { until } from '../control/fixture.ts'
import { RecordingReceiver, SmtpServer } from './receivers.ts'
import { makeSelfSigned } from './self-signed.ts'

const HOUR_MS = 3_600_000
const quick: NotifierLimits = { ...notifierLimits, retryMs: 40, retryMsMax: 100 }

let folder: string
let state: FullState
let closers: Closers
/** Fleet time runs, and is turned on by this. */
let aheadMs = 0

beforeEach(async () => {
  aheadMs = 0
  closers = new Closers()
  folder = mkdtempSync(join(tmpdir(), 'vitrine-notifier-'))
  closers.defer(() => rmSync(folder, { recursive: true, force: true }))
  state = closers.add(await openFullState(folder, systemClock))
  state.useTime(() => systemClock.wallMs() + aheadMs)
})
afterEach(() => closers.close())

async function start(config: unknown, limits = quick, deadlineMs = 1000): Promise<Notifier> {
  const plan = planNotify(notifyConfig.parse(config), {}, deadlineMs)
  return closers.add(
    await Notifier.start({
      state,
      plan: () => plan,
      links: await IncidentLinks.open(state),
      fleetTime: new SlewedFleetTime(systemClock, 0),
      counters: new Counters(),
      log: silentLog,
      selfUrl: () => 'https://control.example.org',
      limits,
    }),
  )
}

async function receiving(): Promise<RecordingReceiver> {
  return closers.add(await new RecordingReceiver().start())
}

function hook(name: string, url: string): unknown {
  return { name, webhook: { url, secret: 'shared' } }
}

async function notice(
  incident: string,
  reason: 'opened' | 'worse' | 'resolved',
  rings: 0 | 1 = 1,
): Promise<void> {
  const row = { incident_id: incident, at: state.nowMs(), reason, rings, text: incident, done_at: null }
  await state.db.insertInto('notices').values(row).execute()
}

async function incident(id: string): Promise<void> {
  const parts = { servers: '[]', cause: '{}', verdict: 'not even JSON', viewers: '{}' }
  const row = {
    id,
    group_key: id,
    title: id,
    severity: 'warning',
    opened_at: state.nowMs(),
    ...parts,
  } as const
  const none = {
    resolved_at: null,
    acknowledged_by: null,
    acknowledged_at: null,
    assigned_to: null,
    wait_until: null,
    memo: '{}',
  }
  await state.db
    .insertInto('incidents')
    .values({ ...row, ...none })
    .execute()
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  closers.defer(() => {
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const list = (): Promise<DeliveryView[]> => listDeliveries(state, {})

function all(expected: DeliveryView['state'], count: number): Promise<boolean> {
  return until(async () => {
    const own = await list()
    return own.length === count && own.every(({ state: found }) => found === expected)
  }, `${count} are ${expected}`)
}

it('a receiver that hangs, drips, fails or redirects holds up nobody else, and each is named in words', async () => {
  const [well, hangs, drips, fails, redirects] = await Promise.all(Array.from({ length: 5 }, receiving))
  if (!well || !hangs || !drips || !fails || !redirects) throw new Error('five receivers')
  hangs.behaviour = 'hangs'
  drips.behaviour = 'drips'
  fails.behaviour = 'fails'
  redirects.behaviour = 'redirects'
  const ports = { silent: await portOf(createTcpServer()) }
  const mail = { to: 'a@b.org', from: 'c@d.org', host: '127.0.0.1', port: ports.silent, tls: 'none' }
  const receivers = [
    hook('hangs', hangs.url),
    hook('drips', drips.url),
    hook('fails', fails.url),
    hook('redirects', redirects.url),
    hook('nobody', 'http://127.0.0.1:1'),
    hook('no-name', 'http://there-is-no-such-name.invalid'),
    { name: 'silent-mail', email: mail },
    hook('well', well.url),
  ]
  await start({
    receivers,
    routes: [
      { receivers: ['hangs', 'drips', 'fails', 'redirects', 'nobody', 'no-name', 'silent-mail', 'well'] },
    ],
  })
  await incident('k1')
  await notice('k1', 'opened')
  await until(() => well.received.length === 1, 'the one that is well is told')
  const problems = await until(async () => {
    const own = (await list()).filter(({ receiver }) => receiver !== 'well')
    return own.every(({ attempts, problem }) => attempts > 1 && problem !== null) && own
  }, 'all others were tried twice')
  expect(Object.fromEntries(problems.map(({ receiver, problem }) => [receiver, problem]))).toMatchObject({
    hangs: 'no answer within 1 s',
    drips: 'no answer within 1 s',
    fails: 'answered 500: out of order',
    redirects: expect.stringContaining(
      'a redirect to https://elsewhere.example.org/: redirects are not followed',
    ),
    nobody: 'nobody listens there (connection refused)',
    'no-name': expect.stringMatching(/DNS/),
    'silent-mail': expect.stringMatching(/not taken within|did not answer/),
  })
  expect(well.received).toHaveLength(1)
})

it('a certificate that nobody vouches for is refused, and said', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const cert = await makeSelfSigned(privateKey)
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const server = createTlsServer({ key, cert }, (_request, response) => response.end())
  const port = await portOf(server)
  await start({ receivers: [hook('tls', `https://127.0.0.1:${port}`)], routes: [{ receivers: ['tls'] }] })
  await incident('k1')
  await notice('k1', 'opened')
  const problem = await until(async () => (await list())[0]?.problem, 'it fails')
  expect(problem).toContain('TLS: its certificate is signed by itself')
})

it('what fails for a day is given up; until then it is tried again with the same key', async () => {
  const own = await receiving()
  own.behaviour = 'fails'
  await start({ receivers: [hook('hook', own.url)], routes: [{ receivers: ['hook'] }] })
  await incident('k1')
  await notice('k1', 'opened')
  await until(() => own.received.length >= 3, 'three attempts')
  aheadMs += 23 * HOUR_MS
  const before = own.received.length
  await until(() => own.received.length > before, 'also after 23 hours')
  aheadMs += HOUR_MS
  await all('given-up', 1)
  expect(new Set(own.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  const events = await state.db.selectFrom('incident_events').select('text').execute()
  expect(events).toEqual([{ text: 'Could not be told to hook: answered 500: out of order' }])
})

it('a message that is refused as wrong is not sent again, and one that is to wait is let wait', async () => {
  const [refuses, busy] = [await receiving(), await receiving()]
  refuses.behaviour = 'refuses'
  busy.behaviour = 'busy'
  await start({
    receivers: [hook('a', refuses.url), hook('b', busy.url)],
    routes: [{ receivers: ['a', 'b'] }],
  })
  await incident('k1')
  await notice('k1', 'opened')
  const [b, a] = await until(async () => {
    const own = await list()
    return own.every(({ problem }) => problem !== null) && own.length === 2 && own
  }, 'both are tried')
  expect(a).toMatchObject({ state: 'given-up', attempts: 1 })
  expect(b).toMatchObject({ state: 'failed', attempts: 1 })
  expect((b?.nextTryAt ?? 0) - state.nowMs()).toBeGreaterThan(0.9 * HOUR_MS)
})

it('a pager that was away for long is not rung for what has ended since, and is told that it ended', async () => {
  const pager = await receiving()
  pager.behaviour = 'fails'
  const quiet = { ...(hook('pager', pager.url) as object), quiet: false }
  await start({ receivers: [quiet], routes: [{ receivers: ['pager'] }] })
  await incident('k1')
  await notice('k1', 'opened')
  await until(() => pager.received.length > 0, 'the first attempt')
  await state.db.updateTable('incidents').set({ resolved_at: state.nowMs() }).where('id', '=', 'k1').execute()
  await notice('k1', 'resolved', 0)
  aheadMs += HOUR_MS
  await until(async () => (await list()).some(({ state: found }) => found === 'given-up'), 'it is given up')
  pager.behaviour = 'takes'
  const [ended, began] = await until(async () => {
    const own = await list()
    return own.every(({ state: found }) => found === 'sent' || found === 'given-up') && own
  }, 'nothing waits')
  expect(began).toMatchObject({ reason: 'opened', state: 'given-up' })
  expect(began?.problem).toContain('over before')
  expect(ended).toMatchObject({ reason: 'resolved', state: 'sent' })
})

it('of one incident nothing goes out before what was to be told earlier', async () => {
  const own = await receiving()
  own.behaviour = 'fails'
  await start({ receivers: [hook('hook', own.url)], routes: [{ receivers: ['hook'] }] })
  await incident('k1')
  await notice('k1', 'opened')
  await until(() => own.received.length > 0, 'the first attempt')
  await notice('k1', 'resolved', 0)
  await incident('k2')
  await notice('k2', 'opened')
  await until(
    () => own.received.some(({ body }) => body.includes('"k2"')),
    'the other incident is tried as well',
  )
  own.behaviour = 'takes'
  const failures = own.received.length
  await all('sent', 3)
  const k1 = own.received
    .slice(failures)
    .map(({ body }) => JSON.parse(body) as { incident: string; reason: string })
  expect(k1.filter(({ incident: id }) => id === 'k1').map(({ reason }) => reason)).toEqual([
    'opened',
    'resolved',
  ])
})

it('what is told within the time of a group is one message, the newest', async () => {
  const own = await receiving()
  await start({ receivers: [hook('hook', own.url)], routes: [{ receivers: ['hook'], groupSeconds: 60 }] })
  await incident('k1')
  await notice('k1', 'opened')
  await until(async () => (await list()).length === 1, 'the first waits')
  await notice('k1', 'worse')
  await until(async () => (await list()).length === 2, 'the second as well')
  aheadMs += 60_000
  await until(() => own.received.length === 1, 'one message')
  expect(JSON.parse(own.received[0]?.body ?? '')).toMatchObject({ reason: 'worse' })
  await until(
    async () => (await list()).every(({ state: found }) => found === 'sent' || found === 'given-up'),
    'done',
  )
  expect((await list()).map(({ state: found }) => found)).toEqual(['sent', 'given-up'])
})

it('nobody who has it: it is told again after the time of the route', async () => {
  const own = await receiving()
  await start({ receivers: [hook('hook', own.url)], routes: [{ receivers: ['hook'], repeatMinutes: 30 }] })
  await incident('k1')
  await notice('k1', 'opened')
  await all('sent', 1)
  aheadMs += 31 * 60_000
  await all('sent', 2)
  expect(JSON.parse(own.received[1]?.body ?? '')).toMatchObject({ reason: 'reminder', rings: true })
})

it('ten thousand notices that ring nobody leave a bounded queue, and what rings passes them', async () => {
  const own = await receiving()
  own.behaviour = 'hangs'
  await start({ receivers: [hook('hook', own.url)], routes: [{ receivers: ['hook'] }] })
  await state.db.transaction().execute(async tx => {
    for (let index = 0; index < 10_000; index += 500) {
      const rows = Array.from({ length: 500 }, (_, own_) => ({
        incident_id: `k${index + own_}`,
        at: state.nowMs(),
        reason: 'opened' as const,
        rings: 0 as const,
        text: 'flood',
        done_at: null,
      }))
      await tx.insertInto('notices').values(rows).execute()
    }
  })
  await incident('urgent')
  await notice('urgent', 'opened')
  await until(
    async () =>
      (await state.db.selectFrom('notices').select('id').where('done_at', 'is', null).limit(1).execute())
        .length === 0,
    'all are taken',
    60_000,
  )
  const { count } = await state.db
    .selectFrom('deliveries')
    .select(select => select.fn.countAll<number>().as('count'))
    .where('state', 'in', ['waiting', 'failed'])
    .executeTakeFirstOrThrow()
  expect(count).toBeLessThanOrEqual(QUEUE_MAX + 1)
  own.behaviour = 'takes'
  await until(() => own.received.some(({ body }) => body.includes('"urgent"')), 'what rings goes out')
}, 90_000)

it('a deferred mail is sent again, with the same Message-ID', async () => {
  const smtp = closers.add(await new SmtpServer().start())
  const mail = { to: 'a@b.org', from: 'c@d.org', host: '127.0.0.1', port: smtp.port, tls: 'none' }
  smtp.answer = '451 4.7.1 greylisted'
  await start({ receivers: [{ name: 'mail', email: mail }], routes: [{ receivers: ['mail'] }] }, quick, 2000)
  await incident('k1\r\nBcc: everybody@example.org')
  await notice('k1\r\nBcc: everybody@example.org', 'opened')
  expect(await until(async () => (await list())[0]?.problem, 'it is deferred')).toContain('greylisted')
  smtp.answer = '250 2.0.0 queued'
  await all('sent', 1)
  expect(smtp.mails).toHaveLength(1)
  expect(smtp.mails[0]?.to).toEqual(['a@b.org'])
  expect(smtp.mails[0]?.headers).not.toMatch(/^Bcc/im)
})
