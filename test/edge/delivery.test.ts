import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningEdge } from '#edge'
import { get, makeFolder, runEdge, until } from './small-fleet.ts'
import { patterned, SmallOrigin } from './small-origin.ts'

const base = '/vod/sample/r1/v0'
const folder = makeFolder()
let origin: SmallOrigin
let edge: RunningEdge

beforeAll(async () => {
  origin = await SmallOrigin.start()
  edge = await runEdge({ stateFolder: folder.path, originUrl: origin.url })
})

afterAll(async () => {
  await edge.close()
  await origin.close()
  folder.remove()
})

describe('shared fetches', () => {
  it('turns 100 concurrent misses into one request, every byte equal, with late joiners', async () => {
    const body = patterned(2_000_000)
    let release = (): void => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    origin.set(`${base}/0.m4s`, { kind: 'in-two', body, release: released })
    const early = Array.from({ length: 60 }, () => get(edge.url, `${base}/0.m4s`))
    await until('the origin is asked', () => origin.count(`${base}/0.m4s`) === 1)
    const late = Array.from({ length: 40 }, (_, n) => get(edge.url, `${base}/0.m4s?CMCD=sid%3D%22s${n}%22`))
    release()
    const answers = await Promise.all([...early, ...late])
    expect(origin.count(`${base}/0.m4s`)).toBe(1)
    expect(answers.every(answer => answer.status === 200 && !answer.cut && answer.body.equals(body))).toBe(
      true,
    )
    const again = await get(edge.url, `${base}/0.m4s`)
    expect(again.body.equals(body)).toBe(true)
    expect(again.headers['cache-status']).toBe('eu-west; hit; detail=memory')
    expect(again.headers['age']).toMatch(/^\d+$/)
    expect(origin.count(`${base}/0.m4s`)).toBe(1)
  })

  it('goes on for those who stay when one viewer leaves', async () => {
    const body = patterned(4_000_000)
    let release = (): void => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    origin.set(`${base}/1.m4s`, { kind: 'in-two', body, release: released })
    const { hostname, port } = new URL(edge.url)
    const leaver = connect(Number(port), hostname)
    leaver.write(`GET ${base}/1.m4s HTTP/1.1\r\nHost: x\r\n\r\n`)
    await until('the leaver gets bytes', () => leaver.bytesRead > 1000 || leaver.read() !== null)
    let stayed = Buffer.alloc(0)
    const stayer = connect(Number(port), hostname)
    stayer.on('data', (chunk: Buffer) => {
      stayed = Buffer.concat([stayed, chunk])
    })
    stayer.write(`GET ${base}/1.m4s HTTP/1.1\r\nHost: x\r\n\r\n`)
    await until('the stayer is served too', () => stayed.length > 1000)
    leaver.destroy()
    await get(edge.url, '/healthz')
    release()
    const headBytes = stayed.indexOf('\r\n\r\n') + 4
    await until('the stayer has all of it', () => stayed.length >= headBytes + body.length)
    stayer.destroy()
    expect(stayed.subarray(-body.length).equals(body)).toBe(true)
    expect(origin.count(`${base}/1.m4s`)).toBe(1)
  })

  it('gives up a large fetch when all viewers have left', async () => {
    const aborted = origin.aborted
    const never = new Promise<void>(() => {})
    const body = patterned(8_000_000)
    origin.set(`${base}/2.m4s`, { kind: 'in-two', body, firstBytes: 1_000_000, release: never })
    const { hostname, port } = new URL(edge.url)
    const leaver = connect(Number(port), hostname)
    leaver.write(`GET ${base}/2.m4s HTTP/1.1\r\nHost: x\r\n\r\n`)
    await until('bytes arrive', () => leaver.read() !== null)
    leaver.destroy()
    await until('the origin sees the fetch end', () => origin.aborted > aborted, 2000)
  })
})

describe('an origin that fails', () => {
  it('cuts every viewer when it breaks off, and stores nothing', async () => {
    const body = patterned(1_000_000)
    origin.set(`${base}/10.m4s`, { kind: 'break-off', body, bytes: 300_000 })
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => get(edge.url, `${base}/10.m4s`).catch(() => null)),
    )
    for (const answer of answers) expect(answer === null || answer.cut).toBe(true)
    origin.set(`${base}/10.m4s`, { kind: 'serve', body })
    const whole = await get(edge.url, `${base}/10.m4s`)
    expect(whole.body.equals(body)).toBe(true)
    expect(whole.headers['cache-status']).toBe('eu-west; fwd=miss; stored')
  })

  it('cuts viewers when the origin falls silent for 5 s in the middle', async () => {
    const never = new Promise<void>(() => {})
    origin.set(`${base}/13.m4s`, { kind: 'in-two', body: patterned(500_000), release: never })
    const answer = await get(edge.url, `${base}/13.m4s`)
    expect(answer.cut).toBe(true)
  })

  it('remembers for a second that something does not exist', async () => {
    const path = '/vod/nothing/r1/v0/0.m4s'
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(edge.url, path)))
    expect(answers.map(answer => answer.status)).toEqual(Array.from({ length: 20 }, () => 404))
    expect(origin.count(path)).toBe(1)
    expect(JSON.parse(answers[0]?.body.toString() ?? '{}')).toMatchObject({
      error: { code: 'edge-origin-not-found' },
    })
    expect(answers[0]?.headers['access-control-allow-origin']).toBe('*')
    await until('it asks again', async () => {
      await get(edge.url, path)
      return origin.count(path) === 2
    })
  })

  it('answers 502 with a typed fault for a refusal, and tells which status came', async () => {
    origin.set(`${base}/11.m4s`, { kind: 'status', status: 401 })
    const answer = await get(edge.url, `${base}/11.m4s`)
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      error: { code: 'edge-origin-refused', facts: { status: 401 } },
    })
  })

  it('answers 504 when the origin accepts and says nothing for 5 s', async () => {
    origin.set(`${base}/12.m4s`, { kind: 'hang' })
    const answer = await get(edge.url, `${base}/12.m4s`)
    expect(answer.status).toBe(504)
  })
})

describe('HTTP', () => {
  const path = `${base}/20.m4s`
  const body = patterned(100_000)

  beforeAll(async () => {
    origin.set(path, { kind: 'serve', body, headers: { etag: '"v1"' } })
    await get(edge.url, path)
  })

  it('shows the origin its credential', () => {
    expect(origin.requests.at(-1)?.headers.authorization).toBe('Bearer edge-token')
  })

  it('answers HEAD with the fields of GET and no body, hot and cold', async () => {
    const hot = await get(edge.url, path, {}, 'HEAD')
    expect([hot.status, hot.body.length, hot.headers['content-length']]).toEqual([200, 0, '100000'])
    origin.set(`${base}/21.m4s`, { kind: 'serve', body })
    const cold = await get(edge.url, `${base}/21.m4s`, {}, 'HEAD')
    expect([cold.status, cold.body.length, cold.headers['content-length']]).toEqual([200, 0, '100000'])
  })

  it.each([
    ['bytes=0-0', 206, 0, 1, 'bytes 0-0/100000'],
    ['bytes=500-999', 206, 500, 1000, 'bytes 500-999/100000'],
    ['bytes=99990-', 206, 99_990, 100_000, 'bytes 99990-99999/100000'],
    ['bytes=-10', 206, 99_990, 100_000, 'bytes 99990-99999/100000'],
    ['bytes=99990-200000', 206, 99_990, 100_000, 'bytes 99990-99999/100000'],
    ['bytes=0-10,20-30', 200, 0, 100_000, undefined],
    ['bytes=9-3', 200, 0, 100_000, undefined],
    ['lines=1-2', 200, 0, 100_000, undefined],
  ])('answers Range %s with %i', async (range, status, from, to, contentRange) => {
    const answer = await get(edge.url, path, { range })
    expect(answer.status).toBe(status)
    expect(answer.body.equals(body.subarray(from, to))).toBe(true)
    expect(answer.headers['content-range']).toBe(contentRange)
  })

  it('answers 416 behind the end, with the size', async () => {
    const answer = await get(edge.url, path, { range: 'bytes=100000-' })
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */100000'])
  })

  it('ignores a range whose If-Range names another version', async () => {
    expect((await get(edge.url, path, { range: 'bytes=0-9', 'if-range': '"v1"' })).status).toBe(206)
    expect((await get(edge.url, path, { range: 'bytes=0-9', 'if-range': '"v0"' })).status).toBe(200)
  })

  it('answers ranges of what is not cached yet', async () => {
    origin.set(`${base}/22.m4s`, { kind: 'serve', body })
    const answer = await get(edge.url, `${base}/22.m4s`, { range: 'bytes=10-19' })
    expect([answer.status, answer.body.equals(body.subarray(10, 20))]).toEqual([206, true])
  })

  it('answers 304 for a known ETag', async () => {
    const answer = await get(edge.url, path, { 'if-none-match': 'W/"v1"' })
    expect([answer.status, answer.body.length, answer.headers['etag']]).toEqual([304, 0, '"v1"'])
  })

  it('lets pages of other origins read media, and its own fields', async () => {
    const { headers } = await get(edge.url, path)
    expect(headers['access-control-allow-origin']).toBe('*')
    expect(headers['timing-allow-origin']).toBe('*')
    expect(headers['cmsd-static']).toBe('n="eu-west"')
    // Of a hit from memory, and of one that takes the long way: the kernel says how the connection is.
    const ranged = await get(edge.url, path, { range: 'bytes=0-1' })
    for (const { 'cmsd-dynamic': said } of [headers, ranged.headers]) {
      expect(said).toMatch(process.platform === 'linux' ? /^"eu-west";etp=\d+;rtt=\d+(;du)?$/ : /^"eu-west"/)
    }
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    const exposed = String(headers['access-control-expose-headers'])
    for (const name of ['CMSD-Static', 'CMSD-Dynamic', 'Cache-Status', 'Content-Length', 'Content-Range']) {
      expect(exposed).toContain(name)
    }
    const preflight = await get(
      edge.url,
      path,
      { 'access-control-request-headers': 'cmcd-session' },
      'OPTIONS',
    )
    expect(preflight.status).toBe(204)
    expect(preflight.headers['access-control-max-age']).toBe('7200')
    expect(String(preflight.headers['access-control-allow-headers'])).toMatch(/CMCD-Request.*Range/)
  })

  it.each([
    ['/vod/../etc/passwd', 400, 'edge-bad-url'],
    ['/vod/%2e%2e/x/y', 400, 'edge-bad-url'],
    ['/vod/sample//v0/0.m4s', 400, 'edge-bad-url'],
    ['/vod/sample/r1/v0/%00.m4s', 400, 'edge-bad-url'],
    ['/vod/sample/r1/v0/0.exe', 404, 'edge-not-found'],
    ['/vod/Sample/master.m3u8', 404, 'edge-not-found'],
    ['/', 404, 'edge-not-found'],
    [`/vod/${'a'.repeat(600)}`, 414, 'edge-url-too-long'],
    [`/healthz?${'a'.repeat(9000)}`, 414, 'edge-url-too-long'],
    ['/watch/sample', 404, 'edge-not-found'],
    ['/watch-assets/../../secret', 400, 'edge-bad-url'],
  ])('refuses %s with %i', async (target, status, code) => {
    const answer = await get(edge.url, target)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code } })
  })

  it('takes an encoded unreserved character for the bare one', async () => {
    const before = origin.count(path)
    const answer = await get(edge.url, path.replace('sample', '%73ample'))
    expect([answer.status, origin.count(path)]).toEqual([200, before])
  })

  it('refuses other methods with 405', async () => {
    expect((await get(edge.url, path, {}, 'DELETE')).status).toBe(405)
    expect((await get(edge.url, '/cmcd')).status).toBe(405)
  })

  it('keeps a connection for many requests, pipelined and mixed', async () => {
    const { hostname, port } = new URL(edge.url)
    const socket = connect(Number(port), hostname)
    const one = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
    const ranged = `GET ${path} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-4\r\n\r\n`
    const last = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
    socket.write(one + ranged + one + one + ranged + last)
    const chunks: Buffer[] = []
    for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk)
    const all = Buffer.concat(chunks)
    const heads = all.toString('latin1').match(/HTTP\/1\.1 (200 OK|206 Partial Content)\r\n/g) ?? []
    expect(heads.map(head => head.slice(9, 12))).toEqual(['200', '206', '200', '200', '206', '200'])
    expect(all.subarray(-body.length).equals(body)).toBe(true)
  })

  it('serves health without a token and metrics only with one', async () => {
    const health = await get(edge.url, '/healthz')
    expect([health.status, health.body.toString()]).toEqual([200, '{"status":"ok"}'])
    expect((await get(edge.url, '/metrics')).status).toBe(401)
    const metrics = await get(edge.url, '/metrics', { authorization: 'Bearer edge-token' })
    expect(metrics.status).toBe(200)
    const text = metrics.body.toString()
    for (const name of [
      'vitrine_edge_requests_total{kind="segment",status="2xx",class="other"}',
      'vitrine_edge_sent_bytes_total{class="other"}',
      'vitrine_edge_counting_since_seconds',
      'vitrine_edge_upstream_bytes_total',
      'vitrine_edge_cache_requests_total{result="memory"}',
      'vitrine_edge_cache_bytes{tier="memory"}',
      'vitrine_edge_sessions',
      'vitrine_edge_first_byte_seconds_bucket',
      'vitrine_edge_upstream_failures_total',
      'process_cpu_seconds_total',
    ]) {
      expect(text).toContain(name)
    }
  })
})
