import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FakeClock } from '#base'
import type { RunningEdge } from '#edge'
import { selfSigned } from './self-signed.ts'
import { get, makeFolder, runEdge, until } from './small-fleet.ts'
import { patterned, SmallOrigin } from './small-origin.ts'

const folder = makeFolder()
const path = '/vod/sample/r1/v0/0.m4s'
const body = patterned(12_000_000)
let origin: SmallOrigin

beforeAll(async () => {
  origin = await SmallOrigin.start()
  origin.set(path, { kind: 'serve', body })
})

afterAll(async () => {
  await origin.close()
  folder.remove()
})

describe('player page', () => {
  let edge: RunningEdge

  beforeAll(async () => {
    const web = `${folder.path}/web`
    mkdirSync(`${web}/watch-assets`, { recursive: true })
    mkdirSync(`${web}/assets`)
    writeFileSync(`${web}/watch.html`, '<!doctype html><title>Watch</title>')
    writeFileSync(`${web}/watch-assets/watch-B5k2xQ9a.js`, 'play()')
    writeFileSync(`${web}/watch-assets/mark.svg`, '<svg/>')
    writeFileSync(`${web}/assets/control.js`, 'secret()')
    edge = await runEdge({ stateFolder: `${folder.path}/pages`, webFolder: web })
  })
  afterAll(() => edge.close())

  it('is sent for any title, with a strict policy', async () => {
    const page = await get(edge.url, '/watch/sample')
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    const policy = String(page.headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toContain('unsafe')
  })

  it('sends what the page loads, hashed names for ever, and nothing else of the folder', async () => {
    const script = await get(edge.url, '/watch-assets/watch-B5k2xQ9a.js')
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8')
    const mark = await get(edge.url, '/watch-assets/mark.svg')
    expect([mark.headers['cache-control'], mark.headers['content-type']]).toEqual([
      'no-cache',
      'image/svg+xml',
    ])
    expect((await get(edge.url, '/assets/control.js')).status).toBe(404)
    expect((await get(edge.url, '/watch-assets/none.js')).status).toBe(404)
  })
})

describe('slow readers', () => {
  it('are cut off when what is pending does not move for longer than the lowest rendition takes', async () => {
    const clock = new FakeClock()
    const edge = await runEdge({ stateFolder: `${folder.path}/slow`, originUrl: origin.url, clock })
    try {
      expect((await get(edge.url, path)).body.equals(body)).toBe(true)
      const { hostname, port } = new URL(edge.url)
      const slow = connect(Number(port), hostname)
      slow.pause()
      slow.on('error', () => {})
      const closed = new Promise(resolve => slow.once('close', resolve))
      slow.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
      const metrics = async (): Promise<string> =>
        (await get(edge.url, '/metrics', { authorization: 'Bearer edge-token' })).body.toString()
      await until(
        'it is noticed and cut off',
        async () => {
          clock.advance(100_000)
          return (await metrics()).includes('vitrine_edge_dropped_total{reason="slow-reader"} 1')
        },
        10_000,
      )
      slow.resume()
      await closed
      expect((await get(edge.url, path)).body.equals(body)).toBe(true)
    } finally {
      await edge.close()
    }
  }, 20_000)

  it('hold no copy of an object each: 50 stalled viewers of 12 MB cost less than 30 MB', async () => {
    const edge = await runEdge({ stateFolder: `${folder.path}/shared`, originUrl: origin.url })
    try {
      await get(edge.url, path)
      const { hostname, port } = new URL(edge.url)
      const before = process.memoryUsage().rss
      const slow = Array.from({ length: 50 }, () => {
        const socket = connect(Number(port), hostname)
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
        return socket.pause()
      })
      await until('all are being served', async () => {
        const answer = await get(edge.url, '/metrics', { authorization: 'Bearer edge-token' })
        const hits = /^vitrine_edge_cache_requests_total{result="memory"} (\S+)/m.exec(
          answer.body.toString(),
        )?.[1]
        return Number(hits) >= 50
      })
      expect(process.memoryUsage().rss - before).toBeLessThan(30_000_000)
      for (const socket of slow) socket.destroy()
    } finally {
      await edge.close()
    }
  })
})

describe('TLS', () => {
  it('serves whole objects, ranges and cold ones, and holds little for a stalled viewer', async () => {
    const certFile = `${folder.path}/cert.pem`
    const keyFile = `${folder.path}/key.pem`
    const { cert, key } = selfSigned()
    writeFileSync(certFile, cert)
    writeFileSync(keyFile, key)
    const listen = { host: '127.0.0.1', port: 0, tls: { certFile, keyFile } }
    const edge = await runEdge({ stateFolder: `${folder.path}/tls`, originUrl: origin.url, listen })
    try {
      const cold = await getTls(edge.url, path)
      const hot = await getTls(edge.url, path)
      const part = await getTls(edge.url, path, { range: 'bytes=5-1000004' })
      expect([cold.length, hot.length]).toEqual([body.length, body.length])
      expect(cold.equals(body) && hot.equals(body) && part.equals(body.subarray(5, 1_000_005))).toBe(true)
      const before = process.memoryUsage().rss
      const { hostname, port } = new URL(edge.url)
      const slow = Array.from({ length: 20 }, () => {
        const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false })
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
        return socket.pause()
      })
      await Promise.all(slow.map(socket => new Promise(resolve => socket.once('secureConnect', resolve))))
      // All requests before it on this thread have been answered as far as they can be.
      await getTls(edge.url, path)
      expect(process.memoryUsage().rss - before).toBeLessThan(120_000_000) // 20 x 12 MB at once would be 240 MB
      for (const socket of slow) socket.destroy()
    } finally {
      await edge.close()
    }
  }, 20_000)
})

describe('closing', () => {
  it('lets a running answer end, and accepts nobody new', async () => {
    let release = (): void => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    const slowPath = '/vod/sample/r1/v0/9.m4s'
    const small = patterned(100_000)
    origin.set(slowPath, { kind: 'in-two', body: small, release: released })
    const edge = await runEdge({ stateFolder: `${folder.path}/closing`, originUrl: origin.url })
    const asked = get(edge.url, slowPath)
    await until('the origin is asked', () => origin.count(slowPath) === 1)
    const closing = edge.close()
    await expect(get(edge.url, '/healthz')).rejects.toThrow('ECONNREFUSED')
    release()
    const answer = await asked
    expect([answer.cut, answer.body.equals(small)]).toEqual([false, true])
    await closing
  })
})

function getTls(
  base: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const asked = request(
      { hostname, port, path: target, headers, rejectUnauthorized: false, agent: false },
      answer => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => resolve(Buffer.concat(chunks)))
        answer.on('error', reject)
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}
