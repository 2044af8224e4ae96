// Bad input to a real control room over real sockets: what servers say that cannot be so is bounded, refused, and named
// where a person sees it, and nobody else suffers from it.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createLog, systemClock } from '#base'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS, type WriteSeries } from '#metrics'
import type { FromControl, ServerView } from '#wire'
import { startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
const lines: string[] = []
beforeAll(async () => {
  const log = createLog('warn', { write: line => void lines.push(line) })
  control = await startTestControl({ log })
}, 30_000)
afterAll(() => control.close())

async function write(
  server: string,
  series: readonly WriteSeries[],
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${control.url}/prometheus/api/v1/write`, {
    method: 'POST',
    headers: { ...REMOTE_WRITE_HEADERS, authorization: `Bearer vit_${server}` },
    body: encodeRemoteWrite(series),
  })
  return { status: answer.status, text: await answer.text() }
}
function one(server: string, name: string, value: number, aheadMs = 0, more = {}): WriteSeries {
  const labels = { __name__: name, instance: server, ...more }
  return { labels, samples: [{ timestampMs: Math.floor(systemClock.wallMs()) + aheadMs, value }] }
}
async function refused(server: string): Promise<Record<string, { count: number; detail: string | null }>> {
  const { body } = await control.get(`/api/v1/servers/${server}`)
  const list = (body as ServerView).refused ?? []
  return Object.fromEntries(list.map(({ reason, count, detail }) => [reason, { count, detail }]))
}
async function value(query: string): Promise<unknown> {
  const { body } = await control.get(`/prometheus/api/v1/query?query=${encodeURIComponent(query)}`)
  return (body as { data: { result: { value: unknown[] }[] } }).data.result[0]?.value[1]
}

describe('an agent that lies', () => {
  it('about the time: samples far ahead and far back are not taken, those beside them are', async () => {
    const hour = 3_600_000
    const { status, text } = await write('eu-west', [
      one('eu-west', 'ahead', 1, hour),
      one('eu-west', 'old', 1, -400 * 24 * hour),
      one('eu-west', 'now', 7),
    ])
    expect([status, text]).toEqual([400, 'samples not stored: 1 too-old, 1 too-far-ahead'])
    expect(await value('now{instance="eu-west"}')).toBe('7')
    expect(await refused('eu-west')).toMatchObject({ 'too-far-ahead': { count: 1 }, 'too-old': { count: 1 } })
    expect(lines.some(line => line.includes('server-refused') && line.includes('"eu-west"'))).toBe(true)
  })

  it('about counters: what is below zero is not taken from a server, and is from an admin', async () => {
    const { status, text } = await write('eu-west', [
      one('eu-west', 'vitrine_edge_sent_bytes_total', -1e18),
      one('eu-west', 'temperature', -3),
    ])
    expect([status, text]).toEqual([400, 'samples not stored: 1 negative-counter'])
    expect(await value('temperature')).toBe('-3')
    expect(await value('vitrine_edge_sent_bytes_total')).toBeUndefined()
    expect((await refused('eu-west'))['negative-counter']?.count).toBe(1)
  })

  it('with labels without end: it stops at its limit, is named, and others go on', async () => {
    const flood = (from: number, count: number): WriteSeries[] =>
      Array.from({ length: count }, (_, at) => one('us-east', 'flood', 1, 0, { session: String(from + at) }))
    let taken = 0
    for (let from = 0; from < 30_000; from += 10_000) {
      const { status } = await write('us-east', flood(from, 10_000))
      if (status === 204) taken += 10_000
    }
    expect(taken).toBeLessThanOrEqual(20_000)
    expect((await refused('us-east'))['sender-series-limit']?.count).toBeGreaterThanOrEqual(10_000)
    expect(Number(await value('count(flood)'))).toBeLessThanOrEqual(20_000)
    expect((await write('ap-southeast', [one('ap-southeast', 'calm', 1)])).status).toBe(204)
    expect(await refused('ap-southeast')).toEqual({})
  }, 60_000)

  it('with hundreds of labels a series, or names that are none', async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`l${at}`, 'x']))
    await write('eu-west', [one('eu-west', 'wide', 1, 0, many)])
    expect((await refused('eu-west'))['unreadable']?.detail).toMatch(/at most 64 labels/)
    await write('eu-west', [one('eu-west', '7 seas', 1)])
    expect((await refused('eu-west'))['invalid']?.count).toBe(1)
  })

  it('about who it is, or with what is no remote write at all', async () => {
    expect((await write('eu-west', [one('us-east', 'x', 1)])).status).toBe(403)
    const answer = await fetch(`${control.url}/prometheus/api/v1/write`, {
      method: 'POST',
      headers: { ...REMOTE_WRITE_HEADERS, authorization: 'Bearer vit_eu-west' },
      body: Buffer.from('garbage that is no snappy block'),
    })
    expect(answer.status).toBe(400)
    const named = await refused('eu-west')
    expect(named['other-server']?.detail).toMatch(/not "us-east"/)
    expect(named['unreadable']?.count).toBe(2)
  })
})

describe('two machines under one name', () => {
  interface Opened {
    readonly messages: FromControl[]
    closed(): boolean
    beat(): void
    close(): void
  }
  async function open(hostId: string, pid: number): Promise<Opened> {
    const socket = new WebSocket(`${control.url.replace('http', 'ws')}/api/v1/channel`, {
      headers: { authorization: 'Bearer vit_us-east' },
    })
    const messages: FromControl[] = []
    let closed = false
    socket.on('message', data => messages.push(JSON.parse((data as Buffer).toString('utf8')) as FromControl))
    socket.on('close', () => {
      closed = true
    })
    await new Promise((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    control.closers.defer(() => socket.terminate())
    const send = (message: object): void => socket.send(JSON.stringify(message))
    const who = { server: 'us-east', process: 'server', role: 'edge', region: 'us-east', version: '1' }
    send({
      type: 'hello',
      protocol: { major: 1, minor: 0 },
      ...who,
      pid,
      url: `http://127.0.0.1:${pid}`,
      hostId,
    })
    await until(() => messages.length > 0, 'an answer')
    return {
      messages,
      closed: () => closed,
      beat: () => send({ type: 'heartbeat', sequence: 1, bootMs: 1 }),
      close: () => socket.close(),
    }
  }

  it('the one that is alive stays, the other is told why, and both stand on the server’s page', async () => {
    const first = await open('machine-1', 1001)
    first.beat()
    const second = await open('machine-2', 1002)
    expect(second.messages).toMatchObject([
      { type: 'refused', reason: expect.stringMatching(/may not share/) as unknown },
    ])
    await until(() => second.closed(), 'it is closed')
    expect(first.closed()).toBe(false)
    expect((await refused('us-east'))['twice']?.detail).toMatch(/another machine \(pid 1001\)/)
    expect(((await control.get('/api/v1/servers/us-east')).body as ServerView).url).toBe(
      'http://127.0.0.1:1001',
    )
    // Once the first is gone, the second may come.
    first.close()
    await until(() => first.closed(), 'the first is gone')
    const again = await open('machine-2', 1002)
    expect(again.messages[0]).toMatchObject({ type: 'welcome' })
    // On the same host the newer one is a restart; it is named all the same while the older one lives.
    again.beat()
    const restarted = await open('machine-2', 1003)
    expect(restarted.messages[0]).toMatchObject({ type: 'welcome' })
    expect((await refused('us-east'))['twice']).toMatchObject({
      count: 2,
      detail: expect.stringMatching(/this host/) as unknown,
    })
    // The older one that comes back is no restart: two that are alive do not take turns.
    restarted.beat()
    await until(() => again.closed(), 'the older one is closed')
    const back = await open('machine-2', 1002)
    expect(back.messages).toMatchObject([
      { type: 'refused', reason: expect.stringMatching(/this host \(pid 1003\)/) as unknown },
    ])
    expect(restarted.closed()).toBe(false)
    restarted.close()
  })

  it('a channel with another server’s name, and one that speaks garbage, are named under the credential’s server', async () => {
    const socket = new WebSocket(`${control.url.replace('http', 'ws')}/api/v1/channel`, {
      headers: { authorization: 'Bearer vit_ap-southeast' },
    })
    await new Promise(resolve => socket.once('open', resolve))
    for (let n = 0; n < 20; n += 1) socket.send('{{{')
    await new Promise(resolve => socket.once('close', resolve))
    expect((await refused('ap-southeast'))['frames']).toMatchObject({
      detail: expect.stringMatching(/not JSON/) as unknown,
    })
  })
})

describe('a join string that is played again', () => {
  it('joins nobody, and stands in the log with the name that was asked for', async () => {
    const made = await fetch(`${control.url}/api/v1/join-strings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${control.tokens.admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ role: 'edge', id: 'sa-east', region: 'sa-east' }),
    })
    const { joinString } = (await made.json()) as { joinString: string }
    const { readJoinString } = await import('#trust')
    const { token } = readJoinString(joinString)
    const request = (credential: string): object => ({
      token,
      role: 'edge',
      id: 'sa-east',
      region: 'sa-east',
      credentialSha256: credential.repeat(64),
      requestPem: null,
      version: '1',
    })
    expect(await control.post('/api/v1/enrol', request('a'))).toBe(200)
    expect(await control.post('/api/v1/enrol', request('b'))).toBe(403)
    const line = lines.find(text => text.includes('join-refused'))
    expect(JSON.parse(line ?? '{}')).toMatchObject({ server: 'sa-east', role: 'edge', from: '127.0.0.1' })
    expect(line).not.toContain(token)
  })
})

describe('a foreign server', () => {
  it.each([
    ['garbage', (response: ServerResponse) => response.end(Buffer.alloc(4096, 0x1b))],
    ['an answer that never ends', (response: ServerResponse) => stream(response)],
    [
      'headers and then nothing',
      (response: ServerResponse) => void response.writeHead(200).write('#EXTM3U\n'),
    ],
  ])(
    'that gives %s is judged in words, within bounds',
    async (name, answer) => {
      const held = new Set<ServerResponse>()
      const server = createServer((_request, response) => {
        held.add(response)
        response.on('error', () => undefined)
        answer(response)
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      control.closers.defer(async () => {
        for (const response of held) response.destroy()
        server.closeAllConnections()
        await new Promise(resolve => server.close(resolve))
      })
      const { port } = server.address() as AddressInfo
      const id = `foreign-${name.replaceAll(/[^a-z]+/g, '-').slice(0, 20)}x`
      const added = await fetch(`${control.url}/api/v1/foreign-servers`, {
        method: 'POST',
        headers: { authorization: `Bearer ${control.tokens.operator}`, 'content-type': 'application/json' },
        body: JSON.stringify({ id, region: 'elsewhere', url: `http://127.0.0.1:${port}/live.m3u8` }),
      })
      expect(added.status).toBe(200)
      const words = await until(
        async () => {
          const { body } = await control.get(`/api/v1/servers/${id}`)
          const said = (body as ServerView).evidence.filter(({ ok }) => !ok)
          return said.length > 0 && said.map(({ text }) => text).join('; ')
        },
        'a witness says what is wrong',
        40_000,
      )
      expect(words).toMatch(/no HTTP answer|does not play|cannot|not a playlist|MB|time/i)
      // Nobody else notices.
      expect((await control.get('/api/v1/servers')).status).toBe(200)
    },
    60_000,
  )
})

/** As much as the other side takes, for ever; one piece at a time, since both live in this process. */
function stream(response: ServerResponse): void {
  const piece = Buffer.alloc(65_536, 0x23)
  const more = (): void => {
    if (response.destroyed || response.req.method === 'HEAD') {
      response.end()
      return
    }
    if (response.write(piece)) setImmediate(more)
    else response.once('drain', more)
  }
  more()
}
