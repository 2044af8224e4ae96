// Forwarding to a real Alertmanager (Debian's), and its own webhook beside ours: the same members, the same meaning.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { notifyConfig } from '#wire'
import { startTestControl, type TestControl, until } from '../control/fixture.ts'
import { RecordingReceiver } from '../notify/receivers.ts'
import { openRows, type RowWriter } from '../notify/write-rows.ts'
import { fetchPeer } from './peers.ts'

const peer = await fetchPeer('prometheus-alertmanager')
if ('missing' in peer) process.stdout.write(`${peer.missing}\n`)

interface AlertmanagerAlert {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly status: { readonly state: string }
  readonly endsAt: string
}

let folder: string
let alertmanager: ChildProcess
let port: number
let receiver: RecordingReceiver
let control: TestControl
let rows: RowWriter

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise<void>(resolve => {
    server.close(() => resolve())
  })
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function alerts(): Promise<AlertmanagerAlert[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v2/alerts?active=true`)
  return (await answer.json()) as AlertmanagerAlert[]
}

describe.skipIf('missing' in peer)('an Alertmanager', () => {
  beforeAll(async () => {
    if ('missing' in peer) return
    folder = mkdtempSync(join(tmpdir(), 'vitrine-alertmanager-'))
    receiver = await new RecordingReceiver().start()
    port = await freePort()
    mkdirSync(join(folder, 'data'))
    const config = [
      'route: { receiver: hook, group_wait: 1s, group_interval: 1s, group_by: [alertname] }',
      `receivers: [{ name: hook, webhook_configs: [{ url: "${receiver.url}/theirs" }] }]`,
    ]
    writeFileSync(join(folder, 'config.yml'), `${config.join('\n')}\n`)
    const listen = `127.0.0.1:${port}`
    // It wants its templates where the package would have put them: in a file system of its own.
    const share = '/usr/share/prometheus/alertmanager'
    const own = `mount -t tmpfs none /usr/share && mkdir -p ${share} && cp -r "$0${share}/." ${share}/ && exec "$0/usr/bin/prometheus-alertmanager" "$@"`
    alertmanager = spawn(
      'unshare',
      [
        '-rm',
        'sh',
        '-c',
        own,
        peer.folder,
        `--config.file=${join(folder, 'config.yml')}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=${listen}`,
        '--cluster.listen-address=',
      ],
      { stdio: 'ignore' },
    )
    await until(
      () =>
        fetch(`http://${listen}/-/ready`).then(
          answer => answer.ok,
          () => false,
        ),
      'the Alertmanager is ready',
    )
    const notify = notifyConfig.parse({
      receivers: [
        { name: 'forward', alertmanager: { url: `http://${listen}` } },
        { name: 'am-hook', alertmanagerWebhook: { url: `${receiver.url}/ours` } },
      ],
      routes: [{ receivers: ['forward', 'am-hook'] }],
    })
    control = await startTestControl({ notify })
    rows = openRows(control.folder)
  }, 180_000)
  afterAll(async () => {
    rows?.close()
    await control?.close()
    await receiver?.close()
    alertmanager?.kill('SIGKILL')
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  it('takes the alerts of an incident with their labels, and takes them as ended when it is over', async () => {
    rows.incident('k7')
    rows.alert('k7', 'a1', { alertname: 'EdgeUnreachable', instance: 'eu-west', severity: 'critical' })
    rows.notice('k7', 'opened')
    const [alert] = await until(async () => {
      const found = await alerts()
      return found.length === 1 && found
    }, 'the alert is there')
    expect(alert).toMatchObject({
      labels: { alertname: 'EdgeUnreachable', instance: 'eu-west', severity: 'critical' },
      annotations: { summary: 'Alert a1', vitrine_incident: 'k7' },
      status: { state: 'active' },
    })
    await until(() => receiver.received.some(({ path }) => path === '/theirs'), 'it tells its own webhook')
    rows.rows('UPDATE incident_alerts SET resolved_at = ? RETURNING 1', Date.now())
    rows.set('k7', { resolved_at: Date.now() })
    rows.notice('k7', 'resolved', { rings: 0 })
    await until(async () => (await alerts()).length === 0, 'the alert has ended')
  })

  it('posts to its webhook what ours posts: the same members of the same kinds', async () => {
    const theirs = await until(() => receiver.received.find(({ path }) => path === '/theirs'), 'its webhook')
    const ours = await until(() => receiver.received.find(({ path }) => path === '/ours'), 'our webhook')
    expect(shapeOf(JSON.parse(ours.body))).toEqual(shapeOf(JSON.parse(theirs.body)))
  })
})

/** Members and kinds; of labels and annotations only that they are texts. */
function shapeOf(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return [shapeOf(value[0])]
  if (typeof value !== 'object' || value === null) return typeof value
  if (/labels|annotations/i.test(name)) return 'texts'
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, shapeOf(member, key)]),
  )
}
