// The operator's configuration is changed while the control room runs: receivers, routes and the heartbeat follow, and a
// file that is wrong changes nothing.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type NotificationsAnswer, type NotifyConfig, notificationsAnswer, notifyConfig } from '#wire'
import { startTestControl, type TestControl, until } from '../control/fixture.ts'
import { RecordingReceiver } from './receivers.ts'
import { openRows, type RowWriter } from './write-rows.ts'

let folder: string
let file: string
let first: RecordingReceiver
let second: RecordingReceiver
let control: TestControl
let rows: RowWriter
let kept: NotifyConfig[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-reload-'))
  file = join(folder, 'notify.json')
  first = await new RecordingReceiver().start()
  second = await new RecordingReceiver().start()
  kept = []
})
afterEach(async () => {
  rows.close()
  await control.close()
  await first.close()
  await second.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(config: unknown): Promise<void> {
  writeFileSync(file, JSON.stringify(config))
  const read = (): NotifyConfig => notifyConfig.parse(JSON.parse(readFileSync(file, 'utf8')))
  const notifySource = { file, read, keep: (changed: NotifyConfig) => void kept.push(changed) }
  control = await startTestControl({ notify: read(), notifySource })
  rows = openRows(control.folder)
}

async function view(): Promise<NotificationsAnswer> {
  return notificationsAnswer.parse((await control.get('/api/v1/notifications')).body)
}

function hook(name: string, url: string): unknown {
  return { name, webhook: { url: `${url}/hook`, secret: 'shared-by-both' } }
}

function configTo(name: string, url: string): Record<string, unknown> {
  return { receivers: [hook(name, url)], routes: [{ receivers: [name] }] }
}

it('another receiver, route and heartbeat are in force without a restart, and what waited is sent there', async () => {
  first.behaviour = 'fails'
  await start(configTo('chat', first.url))
  rows.incident('k7')
  rows.alert('k7', 'a1', { alertname: 'EdgeUnreachable', instance: 'eu-west' })
  rows.notice('k7', 'opened')
  await until(() => first.received.length > 0, 'the first is tried')

  const heartbeat = { url: `${second.url}/alive`, everySeconds: 1 }
  writeFileSync(file, JSON.stringify({ ...configTo('chat', second.url), heartbeat }))
  await until(
    () => second.received.some(({ path }) => path === '/hook'),
    'what had failed goes to the new address',
  )
  await until(() => second.received.some(({ path }) => path === '/alive'), 'a heartbeat')
  await until(async () => (await view()).receivers[0]?.lastSentAt, 'the page says so')
  expect(await view()).toMatchObject({
    receivers: [{ name: 'chat', problem: null, failures: 0 }],
    heartbeat: { everySeconds: 1, problem: null },
    config: { file, problem: null },
  })
  expect(kept).toHaveLength(1)
  const { body } = await control.get('/api/v1/audit', control.tokens.admin)
  expect(JSON.stringify(body)).toContain('notify-changed')
  const metrics = await fetch(`${control.url}/metrics`, {
    headers: { authorization: `Bearer ${control.tokens.viewer}` },
  })
  expect(await metrics.text()).toContain('vitrine_notify_config_in_force 1')
})

it('a file that is wrong changes nothing and says why; put right, it is in force', async () => {
  await start(configTo('chat', first.url))
  writeFileSync(
    file,
    JSON.stringify({ ...configTo('chat', second.url), routes: [{ receivers: ['nobody'] }] }),
  )
  const problem = await until(async () => (await view()).config.problem, 'it is told')
  expect(problem).toContain('route 1: nobody does not exist; there is chat')
  rows.incident('k8')
  rows.alert('k8', 'a1', { alertname: 'EdgeUnreachable', instance: 'eu-west' })
  rows.notice('k8', 'opened')
  await until(() => first.received.length === 1, 'the old one goes on')

  writeFileSync(file, 'receivers: [')
  await until(async () => (await view()).config.problem !== problem, 'and so does what cannot be read')
  writeFileSync(file, JSON.stringify(configTo('pager', second.url)))
  await until(async () => (await view()).receivers[0]?.name === 'pager', 'it is in force')
  expect((await view()).config.problem).toBeNull()
  expect(second.received).toHaveLength(0)
  expect(kept).toHaveLength(1)
})

it('a key that is turned over in its file is used, though the configuration is the same', async () => {
  const key = join(folder, 'key')
  writeFileSync(key, 'the-first-key')
  const receiver = { name: 'chat', webhook: { url: `${first.url}/hook`, secret: { file: key } } }
  await start({ receivers: [receiver], routes: [{ receivers: ['chat'] }] })
  const loadedAt = (await view()).config.loadedAt
  writeFileSync(key, 'the-second-and-longer-key')
  await until(async () => (await view()).config.loadedAt > loadedAt, 'it is read again')
  rmSync(key)
  await until(async () => (await view()).config.problem, 'a key that is gone is told')
  expect((await view()).receivers).toHaveLength(1)
})
