import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Clock, FakeClock, Secret, SlewedFleetTime, silentLog, systemClock } from '#base'
import type { FromControl, ToControl } from '#wire'
import { AccessTable, hashToken, tokenOf } from './access-table.ts'
import { type Link, startLink } from './link.ts'
import { TimeExchange } from './time-exchange.ts'

const hello = {
  server: 'eu-west',
  process: 'server',
  role: 'edge',
  region: 'eu-west',
  version: '0.1.0',
  pid: 1,
  url: 'http://127.0.0.1:1',
  hostId: 'h',
} as const

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const item of opened.splice(0).toReversed()) await item.close()
})

/** A control room's end of the channel: a real WebSocket server that answers as it is told. */
async function serve(onMessage: (message: ToControl, socket: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  opened.push({
    close: () => {
      for (const client of server.clients) client.terminate()
      server.close()
    },
  })
  server.on('connection', socket => {
    socket.on('message', data => onMessage(JSON.parse((data as Buffer).toString()) as ToControl, socket))
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

function start(
  controlUrl: string,
  onMessage: (message: FromControl) => void,
  clock: Clock,
  folder: string | null,
): Link {
  const token = new Secret('t')
  const link = startLink({ controlUrl, token, hello, clock, log: silentLog, memoryFolder: folder, onMessage })
  opened.push(link)
  return link
}

const welcome = (fleetMs: number): string =>
  JSON.stringify({ type: 'welcome', protocol: { major: 1, minor: 0 }, fleetMs })

describe('link', () => {
  it('says hello, beats, and learns fleet time from the control room', async () => {
    const aheadMs = 3_600_000
    const seen: string[] = []
    let done: () => void
    const finished = new Promise<void>(resolve => (done = resolve))
    const url = await serve((message, socket) => {
      seen.push(message.type)
      if (message.type === 'hello') socket.send(welcome(0))
      if (message.type === 'time-request') {
        const t = systemClock.bootMs() + aheadMs
        socket.send(JSON.stringify({ type: 'time-reply', t1: message.t1, t2: t, t3: t }))
        done()
      }
    })
    const link = start(url, () => undefined, systemClock, null)
    await finished
    await expect.poll(() => link.fleet.known()).toBe(true)
    expect(Math.abs(link.fleet.nowMs() - systemClock.bootMs() - aheadMs)).toBeLessThan(100)
    expect(seen.slice(0, 3)).toEqual(['hello', 'heartbeat', 'time-request'])
  })

  it('reconnects when the control room cuts it off', async () => {
    let hellos = 0
    const url = await serve((message, socket) => {
      if (message.type !== 'hello') return
      hellos += 1
      if (hellos === 1) socket.terminate()
      else socket.send(welcome(0))
    })
    const link = start(url, () => undefined, systemClock, null)
    await expect.poll(() => link.connected(), { timeout: 5000 }).toBe(true)
    expect(hellos).toBe(2)
  })

  it('does not send before it is welcome', async () => {
    const url = await serve(() => undefined)
    const link = start(url, () => undefined, systemClock, null)
    expect(link.send({ type: 'titles', titles: [] })).toBe(false)
  })

  it('gives the last steering table and probe plan again after a restart without a control room', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'vitrine-link-')), 'link')
    const table = { type: 'steering-table', version: 7, issuedMs: 1, pathways: [], ttlS: 5 } as const
    const plan = { type: 'probe-plan', mesh: 'full', targets: [], titles: [], accepts: [] } as const
    const url = await serve((message, socket) => {
      if (message.type !== 'hello') return
      for (const said of [welcome(0), JSON.stringify(plan), JSON.stringify(table)]) socket.send(said)
    })
    const first: FromControl[] = []
    const link = start(url, message => first.push(message), systemClock, folder)
    await expect.poll(() => first.some(message => message.type === 'steering-table')).toBe(true)
    await link.close()
    const second: FromControl[] = []
    start('http://127.0.0.1:9', message => second.push(message), systemClock, folder)
    expect(second).toEqual([table, plan])
  })
})

describe('time exchange', () => {
  it('believes the sample with the least delay', () => {
    const clock = new FakeClock()
    const fleet = new SlewedFleetTime(clock, null)
    const exchange = new TimeExchange(clock, fleet, 2)
    const offsetMs = 500_000
    for (const [outMs, backMs] of [
      [1, 1],
      [1, 80],
    ] as const) {
      const request = exchange.next()
      clock.advance(outMs)
      const t = clock.bootMs() + offsetMs
      clock.advance(backMs)
      exchange.onReply({ type: 'time-reply', t1: request?.t1 ?? 0, t2: t, t3: t })
    }
    expect(fleet.offsetMs()).toBe(offsetMs)
  })

  it('does not believe a slow first answer, but asks again at once, and takes the best of four', () => {
    const clock = new FakeClock()
    const fleet = new SlewedFleetTime(clock, null)
    const exchange = new TimeExchange(clock, fleet, 2)
    const offsetMs = 500_000
    let request = exchange.next()
    const known: boolean[] = []
    for (const backMs of [400, 90, 60, 120]) {
      clock.advance(1)
      const t = clock.bootMs() + offsetMs
      clock.advance(backMs)
      request = exchange.onReply({ type: 'time-reply', t1: request?.t1 ?? 0, t2: t, t3: t })
      known.push(fleet.known())
    }
    expect(known).toEqual([false, false, false, true])
    expect(request).toBeNull()
    expect(fleet.offsetMs() - offsetMs).toBeCloseTo((1 - 60) / 2)
  })
})

describe('access', () => {
  it('reads Bearer, and Basic with the token as password', () => {
    expect(tokenOf('Bearer abc')).toBe('abc')
    expect(tokenOf(`Basic ${Buffer.from('grafana:abc').toString('base64')}`)).toBe('abc')
    for (const header of [undefined, '', 'Bearer', 'Bearer a b', 'Digest x', 'Basic bm9jb2xvbg==']) {
      expect(tokenOf(header)).toBeNull()
    }
  })

  it('ends a token by fleet time, wherever this host’s clock stands and though nobody tells of it', () => {
    const clock = new FakeClock()
    const fleet = new SlewedFleetTime(clock, 1_000_000)
    const table = new AccessTable(new Secret('own'))
    table.useTime(fleet)
    const endsMs = fleet.nowMs() + 60_000
    table.set({
      type: 'access',
      tokens: [
        { sha256: hashToken('guest'), role: 'viewer', endsMs },
        { sha256: hashToken('api'), role: 'viewer' },
      ],
      edges: [],
    })
    for (const stepMs of [3_600_000, -7_200_000, 87_600 * 3_600_000, -87_600 * 3_600_000]) {
      clock.stepWall(stepMs)
      expect(table.mayReadMetrics('Bearer guest')).toBe(true)
    }
    clock.advance(60_000)
    expect(table.mayReadMetrics('Bearer guest')).toBe(false)
    expect(table.isPersons(hashToken('guest'))).toBe(false)
    expect(table.mayReadMetrics('Bearer api')).toBe(true)
    expect(table.mayReadMetrics('Bearer own')).toBe(true)
  })

  it('knows its own token, API tokens and edges, and nobody else', () => {
    const table = new AccessTable(new Secret('own'))
    table.set({
      type: 'access',
      tokens: [{ sha256: hashToken('api'), role: 'viewer' }],
      edges: [{ id: 'eu-west', sha256: hashToken('edge') }],
    })
    expect(table.mayReadMetrics('Bearer own')).toBe(true)
    expect(table.mayReadMetrics('Bearer api')).toBe(true)
    expect(table.mayReadMetrics('Bearer edge')).toBe(false)
    expect(table.edgeOf('Bearer edge')).toBe('eu-west')
    expect(table.edgeOf('Bearer api')).toBeNull()
  })
})
