// The control channel from the other side: who may open it, which versions talk, and what garbage leads to.
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { openState } from '#control'
import type { FromControl } from '#wire'
import { startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
beforeAll(async () => {
  control = await startTestControl()
}, 30_000)
afterAll(() => control.close())

interface Opened {
  readonly socket: WebSocket
  readonly messages: FromControl[]
  /** The close code, once it is closed. */
  closed(): number | null
  send(message: unknown): void
}

async function open(token: string, headers: Record<string, string> = {}): Promise<Opened> {
  const socket = new WebSocket(`${control.url.replace('http', 'ws')}/api/v1/channel`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  })
  const messages: FromControl[] = []
  let code: number | null = null
  socket.on('message', data => messages.push(JSON.parse((data as Buffer).toString('utf8')) as FromControl))
  socket.on('close', closeCode => {
    code = closeCode
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  control.closers.defer(() => socket.terminate())
  const send = (message: unknown): void => {
    socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }
  return { socket, messages, closed: () => code, send }
}

function hello(part: object = {}): object {
  return {
    type: 'hello',
    protocol: { major: 1, minor: 0 },
    server: 'eu-west',
    process: 'server',
    role: 'edge',
    region: 'eu-west',
    version: '9',
    pid: 1,
    url: 'http://127.0.0.1:1',
    hostId: 'h',
    ...part,
  }
}

describe('opening', () => {
  it.each([
    ['an unknown token', 'vit_nobody', {}],
    ['a page', 'vit_eu-west', { origin: 'http://127.0.0.1' }],
    ['a foreign host', 'vit_eu-west', { host: 'evil.example' }],
  ])('is refused for %s', async (_name, token, headers) => {
    await expect(open(token, headers)).rejects.toThrow(/Unexpected server response: 40[01]/)
  })

  it('is refused for a person’s token', async () => {
    await expect(open(control.tokens.admin)).rejects.toThrow(/401/)
  })
})

describe('hello', () => {
  it.each([
    ['our version', 1, 0],
    ['a newer minor version, with unknown fields and messages', 1, 1],
  ])('of %s is welcomed, and the time is told', async (_name, major, minor) => {
    const channel = await open('vit_eu-west')
    channel.send(hello({ protocol: { major, minor }, invented: true }))
    channel.send({ type: 'message-of-tomorrow', x: 1 })
    channel.send({ type: 'time-request', t1: 123 })
    await until(() => channel.messages.some(message => message.type === 'time-reply'), 'a time reply')
    expect(channel.messages.map(message => message.type).slice(0, 2)).toEqual(['welcome', 'access'])
    const reply = channel.messages.find(message => message.type === 'time-reply')
    expect(reply).toMatchObject({ t1: 123 })
    if (reply?.type !== 'time-reply') throw new Error('no reply')
    expect(reply.t3).toBeGreaterThanOrEqual(reply.t2)
    expect(channel.closed()).toBeNull()
    channel.socket.close()
  })

  it.each([
    ['another major version', { protocol: { major: 2, minor: 0 } }, /protocol 2\.0/],
    ['a minor version too far', { protocol: { major: 1, minor: 2 } }, /protocol 1\.2/],
    ['another server', { server: 'us-east' }, /belongs to edge eu-west/],
    ['another role', { role: 'origin' }, /belongs to edge eu-west/],
  ])('of %s is refused with the reason', async (_name, part, reason) => {
    const channel = await open('vit_eu-west')
    channel.send(hello(part))
    await until(() => channel.closed(), 'it is closed')
    expect(channel.messages).toMatchObject([
      { type: 'refused', reason: expect.stringMatching(reason) as unknown },
    ])
  })

  it('must come first', async () => {
    const channel = await open('vit_eu-west')
    channel.send({ type: 'heartbeat', sequence: 1, bootMs: 1 })
    await until(() => channel.closed(), 'it is closed')
    expect(channel.messages).toMatchObject([{ type: 'refused' }])
  })

  it('of a process that restarted replaces its old channel', async () => {
    const old = await open('vit_us-east')
    old.send(hello({ server: 'us-east' }))
    await until(() => old.messages.length > 0, 'the welcome')
    const fresh = await open('vit_us-east')
    fresh.send(hello({ server: 'us-east' }))
    await until(() => old.closed(), 'the old one is closed')
    expect(fresh.closed()).toBeNull()
    fresh.socket.close()
  })
})

describe('garbage', () => {
  it('is counted, and ends the channel after 20 frames', async () => {
    const channel = await open('vit_eu-west')
    channel.send(hello())
    for (let n = 0; n < 19; n += 1) channel.send(n % 2 === 0 ? '{' : { type: 'heartbeat', sequence: 'x' })
    channel.send({ type: 'time-request', t1: 1 })
    await until(() => channel.messages.some(message => message.type === 'time-reply'), 'it still answers')
    channel.socket.send(Buffer.from([1, 2, 3]))
    await until(() => channel.closed(), 'it is closed')
    expect(channel.messages.at(-1)).toMatchObject({ type: 'refused' })
    const { body } = await control.get('/metrics')
    expect(body).toMatch(/vitrine_control_channel_invalid_frames_total 20\n/)
  })
})

describe('what servers are told', () => {
  it('follows what commands in other processes change, within a second or two', async () => {
    const channel = await open('vit_origin')
    channel.send(hello({ server: 'origin', role: 'origin' }))
    await until(() => channel.messages.some(message => message.type === 'access'), 'access')
    const state = await openState(control.folder)
    await state.createToken('viewer', 'new')
    await state.close()
    await until(
      () => channel.messages.some(message => message.type === 'access' && message.tokens.length === 4),
      'the new token',
      4000,
    )
    channel.socket.close()
  })

  it('ends when a server is enrolled anew, and a new server may come at once', async () => {
    const state = await openState(control.folder)
    const token = await state.addServer('sa-east', 'edge', 'sa-east')
    await state.close()
    const opened = await until(() => open(token).catch(() => null), 'the new token is known', 4000)
    opened.send(hello({ server: 'sa-east' }))
    await until(() => opened.messages.length > 0, 'the welcome')
    const raw = new Sqlite(join(control.folder, 'state.db'))
    raw.prepare("UPDATE servers SET token_sha256 = 'x' WHERE id = 'sa-east'").run()
    raw.close()
    await until(() => opened.closed(), 'its channel is closed', 4000)
    await expect(open(token)).rejects.toThrow(/401/)
  })
})
