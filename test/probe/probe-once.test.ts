// One look at real servers: those that answer, those that are stopped, those that lie, those that never end.
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { type ProbeResult, ProbeRounds, probeOnce } from '#probe'
import type { ProbeReport } from '#wire'
import { selfSigned } from '../edge/self-signed.ts'

const servers: Server[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function serve(server: Server): Promise<number> {
  servers.push(server)
  server.on('connection', socket => sockets.add(socket))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
async function look(server: Server, scheme = 'http', tls = {}): Promise<ProbeResult> {
  return await probeOnce(`${scheme}://127.0.0.1:${await serve(server)}`, { clock: systemClock, tls })
}
const well: RequestListener = (_request, response) => response.end('{"status":"ok"}')
const { cert, key } = selfSigned()

describe('one look', () => {
  it('tells TCP and HTTP of a server that is well', async () => {
    const seen = await look(createHttp(well))
    expect(seen).toMatchObject({ httpStatus: 200, error: null, tls: null })
    expect(seen.connectMs).toBeGreaterThan(0)
    expect(seen.httpMs).toBeGreaterThanOrEqual(seen.connectMs ?? Number.NaN)
  })

  it('tells TLS apart: the time, the days that are left, and why viewers refuse it', async () => {
    const seen = await look(createHttps({ cert, key }, well), 'https')
    expect(seen).toMatchObject({ httpStatus: 200, error: null })
    expect(seen.tls?.problem).toMatch(/self.signed/i)
    expect(seen.tls?.ms).toBeGreaterThan(0)
    expect(seen.tls?.daysLeft).toBeGreaterThan(10_000)
  })

  it('asks nothing of a server that proves to be somebody else than ours', async () => {
    let asked = 0
    const server = createHttps({ cert, key }, () => (asked += 1))
    const seen = await look(server, 'https', { ca: cert, servername: 'origin.role.vitrine.internal' })
    expect(seen).toMatchObject({ httpMs: null, httpStatus: null })
    expect(seen.error).toMatch(/not who it should be/)
    expect(asked).toBe(0)
  })

  it('keeps connect of a stopped process, which accepts and says nothing', async () => {
    const seen = await look(createTcp(() => undefined))
    expect(seen).toMatchObject({ httpMs: null, httpStatus: null, error: 'no answer in 1000 ms' })
    expect(seen.connectMs).not.toBeNull()
  })

  it('says where TLS ended when the server speaks none', async () => {
    const seen = await look(createHttp(well), 'https')
    expect(seen).toMatchObject({ httpMs: null, tls: { ms: null, daysLeft: null } })
    expect(seen.tls?.problem).toBeTruthy()
  })

  it('finds no server where none listens', async () => {
    const server = createTcp()
    const port = await serve(server)
    await new Promise(resolve => server.close(resolve))
    const seen = await probeOnce(`http://127.0.0.1:${port}`, { clock: systemClock })
    expect(seen).toMatchObject({ connectMs: null, httpMs: null })
    expect(seen.error).toMatch(/ECONNREFUSED/)
  })

  it('gives the status when it is another than 200', async () => {
    const seen = await look(createHttp((_request, response) => response.writeHead(503).end()))
    expect(seen).toMatchObject({ httpStatus: 503, error: 'status 503, expected 200' })
  })

  it.each<[string, (socket: Socket) => void]>([
    ['garbage', socket => socket.end('SSH-2.0-OpenSSH\r\n\r\n')],
    ['half an answer', socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort')],
    ['a head without end', socket => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}`)],
    ['a body without end', endless],
    ['nothing at all', socket => socket.destroy()],
  ])('is not taken in by %s', async (_what, answer) => {
    const server = createTcp(socket => {
      socket.on('error', () => undefined)
      socket.once('data', () => answer(socket))
    })
    const seen = await look(server)
    expect(seen.httpMs).toBeNull()
    expect(seen.error).not.toBeNull()
  })

  it('takes a URL that is none for a failed look', async () => {
    expect(await probeOnce('', { clock: systemClock })).toMatchObject({ connectMs: null, httpMs: null })
  })
})

function endless(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n\r\n')
  const more = (): void => {
    if (!socket.destroyed) socket.write('x'.repeat(4096), more)
  }
  more()
}

describe('rounds', () => {
  it('has at most two looks at one server under way, and forgets who is not named any more', async () => {
    let asked = 0
    const port = await serve(createHttp(() => (asked += 1)))
    const reports: ProbeReport[] = []
    const rounds = new ProbeRounds({
      clock: systemClock,
      log: silentLog,
      onSeen: report => reports.push(report),
    })
    const target = { id: 'eu-west', url: `http://127.0.0.1:${port}` }
    for (let turn = 0; turn < 5; turn += 1) rounds.look([target])
    await rounds.close()
    expect(asked).toBe(2)
    expect(reports).toHaveLength(2)
    expect(rounds.report()).toMatchObject([{ target: 'eu-west', httpMs: null }])
    expect([...rounds.silent(2, 5000)]).toEqual(['eu-west'])
  })
})
