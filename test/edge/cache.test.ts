import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { FakeClock, systemClock } from '#base'
import { get, makeFolder, runEdge, until } from './small-fleet.ts'
import { patterned, publishTitle, SmallOrigin } from './small-origin.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function folderOf(): string {
  const folder = makeFolder()
  closing.push(folder.remove)
  return folder.path
}

async function originOf(): Promise<SmallOrigin> {
  const origin = await SmallOrigin.start()
  closing.push(() => origin.close())
  return origin
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

const path = '/vod/sample/r1/v0/0.m4s'

describe('disk', () => {
  it('serves after a restart without the origin, from files', async () => {
    const folder = folderOf()
    const origin = await SmallOrigin.start()
    const body = patterned(500_000)
    origin.set(path, { kind: 'serve', body })
    const first = await runEdge({ stateFolder: folder, originUrl: origin.url })
    await get(first.url, path)
    await first.close()
    const { url: originUrl } = origin
    await origin.close()
    const second = await runEdge({ stateFolder: folder, originUrl })
    closing.push(() => second.close())
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(second.url, path)))
    expect(answers.every(answer => answer.status === 200 && answer.body.equals(body))).toBe(true)
    expect(answers.some(answer => answer.headers['cache-status'] === 'eu-west; hit; detail=disk')).toBe(true)
  })

  it.each([
    ['truncated', (file: string) => truncateSync(file, 5000)],
    ['empty', (file: string) => truncateSync(file, 0)],
    ['changed in the body', (file: string) => flip(file, 3000)],
    ['changed in the head', (file: string) => flip(file, 40)],
    ['longer than it says', (file: string) => writeFileSync(file, Buffer.alloc(10), { flag: 'a' })],
  ])('takes a %s file for a miss, removes it, and counts it', async (_, spoil) => {
    const folder = folderOf()
    const origin = await originOf()
    const body = patterned(20_000)
    origin.set(path, { kind: 'serve', body })
    const first = await runEdge({ stateFolder: folder, originUrl: origin.url })
    await get(first.url, path)
    await first.close()
    const [file] = filesBelow(join(folder, 'objects'))
    if (file === undefined) throw new Error('no cache file')
    spoil(file)
    const spoilt = readFileSync(file)
    const second = await runEdge({ stateFolder: folder, originUrl: origin.url })
    closing.push(() => second.close())
    const answer = await get(second.url, path)
    expect(answer.body.equals(body)).toBe(true)
    expect(origin.count(path)).toBe(2)
    const metrics = await get(second.url, '/metrics', { authorization: 'Bearer edge-token' })
    expect(metrics.body.toString()).toContain('vitrine_edge_dropped_total{reason="disk-file-broken"} 1')
    await until('the file is written anew', () => {
      const [again] = filesBelow(join(folder, 'objects'))
      return again !== undefined && !again.endsWith('.tmp') && !readFileSync(again).equals(spoilt)
    })
  })

  it('starts with half-written files of a killed process, and removes them', async () => {
    const folder = folderOf()
    const origin = await originOf()
    const total = 40
    for (let n = 0; n < total; n += 1) {
      origin.set(`/vod/sample/r1/v0/${n}.m4s`, { kind: 'serve', body: patterned(1_500_000, n + 1) })
    }
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '-C', 'source', join(import.meta.dirname, 'run-edge.ts'), folder, origin.url],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    closing.push(() => void child.kill('SIGKILL'))
    const url = await new Promise<string>(resolve =>
      child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim())),
    )
    const asked = Array.from({ length: total }, (_, n) =>
      get(url, `/vod/sample/r1/v0/${n}.m4s`).catch(() => null),
    )
    await until('files are being written', () => filesBelow(join(folder, 'objects')).length > 3)
    child.kill('SIGKILL')
    await Promise.all(asked)
    const edge = await runEdge({ stateFolder: folder, originUrl: origin.url })
    closing.push(() => edge.close())
    expect(filesBelow(join(folder, 'objects')).filter(file => file.endsWith('.tmp'))).toEqual([])
    for (let n = 0; n < total; n += 1) {
      const answer = await get(edge.url, `/vod/sample/r1/v0/${n}.m4s`)
      expect(answer.body.equals(patterned(1_500_000, n + 1))).toBe(true)
    }
  }, 30_000)

  it('stays within its bytes, oldest out first', async () => {
    const folder = folderOf()
    const origin = await originOf()
    const edge = await runEdge({ stateFolder: folder, originUrl: origin.url, diskBytesMax: 1_000_000 })
    for (let n = 0; n < 20; n += 1) {
      origin.set(`/vod/sample/r1/v0/${n}.m4s`, { kind: 'serve', body: patterned(100_000, n) })
      await get(edge.url, `/vod/sample/r1/v0/${n}.m4s`)
    }
    await edge.close()
    const bytes = filesBelow(join(folder, 'objects')).reduce((sum, file) => sum + statSync(file).size, 0)
    expect(bytes).toBeLessThanOrEqual(1_000_000)
    expect(bytes).toBeGreaterThan(800_000)
  })

  it('goes on with memory alone when the folder cannot be written', async () => {
    const folder = folderOf()
    writeFileSync(join(folder, 'objects'), 'a file where the folder should be')
    const origin = await originOf()
    origin.set(path, { kind: 'serve', body: patterned(1000) })
    const edge = await runEdge({ stateFolder: folder, originUrl: origin.url })
    closing.push(() => edge.close())
    expect((await get(edge.url, path)).status).toBe(200)
    expect((await get(edge.url, path)).headers['cache-status']).toContain('hit')
    await until('the failure is counted', async () => {
      const metrics = await get(edge.url, '/metrics', { authorization: 'Bearer edge-token' })
      return metrics.body.includes('vitrine_edge_dropped_total{reason="disk-write-failed"} 1')
    })
  })
})

describe('memory', () => {
  it('stays within its bytes', async () => {
    const origin = await originOf()
    const edge = await runEdge({ stateFolder: folderOf(), originUrl: origin.url, memoryBytesMax: 1_000_000 })
    closing.push(() => edge.close())
    for (let n = 0; n < 30; n += 1) {
      origin.set(`/vod/sample/r1/v0/${n}.m4s`, { kind: 'serve', body: patterned(100_000, n) })
      await get(edge.url, `/vod/sample/r1/v0/${n}.m4s`)
    }
    const metrics = await get(edge.url, '/metrics', { authorization: 'Bearer edge-token' })
    const bytes = Number(/vitrine_edge_cache_bytes\{tier="memory"\} (\S+)/.exec(metrics.body.toString())?.[1])
    expect(bytes).toBeLessThanOrEqual(1_000_000)
    expect(bytes).toBeGreaterThan(500_000)
  })
})

describe('stale playlists', () => {
  it('serves the multivariant playlist while the origin is away, says so, for at most a day', async () => {
    const clock = new FakeClock()
    const origin = await SmallOrigin.start()
    publishTitle(origin, 'sample', { segments: 2, segmentS: 4, segmentBytes: 1000 })
    const edge = await runEdge({ stateFolder: folderOf(), originUrl: origin.url, clock })
    closing.push(() => edge.close())
    const master = '/vod/sample/master.m3u8'
    const fresh = await get(edge.url, master)
    expect(fresh.headers['cache-status']).toBe('eu-west; fwd=miss; stored')
    expect((await get(edge.url, master)).headers['cache-status']).toBe('eu-west; hit; detail=memory')
    clock.advance(1500)
    await get(edge.url, master)
    expect(origin.requests.at(-1)?.headers['if-none-match']).toBe('"ladder"')
    await origin.close()
    clock.advance(5000)
    const stale = await get(edge.url, master)
    expect(stale.status).toBe(200)
    expect(stale.body.equals(fresh.body)).toBe(true)
    expect(stale.headers['cache-status']).toMatch(/^eu-west; hit; ttl=-\d+; detail=origin-away$/)
    clock.advance(25 * 3600 * 1000)
    const late = await get(edge.url, master)
    expect(late.status).toBe(502)
    expect(JSON.parse(late.body.toString())).toMatchObject({
      error: { code: 'edge-origin-unreachable', retry: true },
    })
  })

  it('waits at most a second for a frozen origin when it has something to show', async () => {
    const origin = await originOf()
    publishTitle(origin, 'sample', { segments: 2, segmentS: 4, segmentBytes: 1000 })
    const clock = new FakeClock()
    const edge = await runEdge({ stateFolder: folderOf(), originUrl: origin.url, clock })
    closing.push(() => edge.close())
    await get(edge.url, '/vod/sample/master.m3u8')
    origin.set('/vod/sample/master.m3u8', { kind: 'hang' })
    clock.advance(10_000)
    const startMs = systemClock.monotonicMs()
    const stale = await get(edge.url, '/vod/sample/master.m3u8')
    expect(stale.headers['cache-status']).toContain('detail=origin-away')
    // It would wait 5 s for one with nothing to show.
    expect(systemClock.monotonicMs() - startMs).toBeLessThan(4500)
  })
})

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(file, bytes)
}
