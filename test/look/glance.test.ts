// Glances at streams: what goes well, what fails, and servers that would cost much if they were let.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '#base'
import { type Glance, type GlanceOptions, glanceAt } from '#look'
import { type StreamServer, startStreamServer } from './stream-server.ts'

let stream: StreamServer
const others: StreamServer[] = []
beforeEach(async () => {
  stream = await startStreamServer()
})
afterEach(async () => {
  for (const server of [stream, ...others.splice(0)]) await server.close()
})

function playlist(uris: readonly string[], tail = '#EXT-X-ENDLIST\n'): string {
  const segments = uris.map(uri => `#EXTINF:4,\n${uri}\n`).join('')
  return `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n${segments}${tail}`
}
function glance(options: Partial<GlanceOptions> = {}, path = '/master.m3u8'): Promise<Glance> {
  return glanceAt(`${stream.url}${path}`, { clock: systemClock, rangeBytes: 1024, position: 0, ...options })
}
const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nv/index.m3u8\n'
function publish(): void {
  stream.set('/master.m3u8', master)
  stream.set('/v/index.m3u8', playlist(['0.m4s', '1.m4s', '2.m4s']))
  for (const n of [0, 1, 2]) stream.set(`/v/${n}.m4s`, Buffer.alloc(50_000, 7))
}
function codes({ problems }: Glance): string[] {
  return problems.filter(({ severity }) => severity === 'fault').map(({ code }) => code)
}

describe('a glance', () => {
  it('fetches playlists and the beginning of one segment', async () => {
    publish()
    const seen = await glance()
    expect(seen).toMatchObject({ ok: true, problems: [], speedRatio: null, live: null })
    expect(seen.startMs).toBeGreaterThan(0)
    expect(seen.bytes).toBeLessThan(2000)
    expect([stream.count('/v/0.m4s'), stream.count('/v/1.m4s')]).toEqual([1, 0])
  })

  it('fetches the segment at the position, whole when asked, and tells its speed', async () => {
    publish()
    const seen = await glance({ position: 0.5, rangeBytes: null })
    expect(stream.count('/v/1.m4s')).toBe(1)
    expect(seen.speedRatio).toBeGreaterThan(1)
    expect(seen.bytes).toBeGreaterThan(50_000)
  })

  it('shows its credential with every request', async () => {
    publish()
    const shown: unknown[] = []
    stream.set('/master.m3u8', (request, response) => {
      shown.push(request.headers['x-vitrine-probe'])
      response.end(master)
    })
    await glance({ headers: { 'x-vitrine-probe': 'secret' } })
    expect(shown).toEqual(['secret'])
  })

  it('takes a server that knows no ranges, and leaves after the bytes that it wanted', async () => {
    publish()
    let sent = 0
    stream.set('/v/0.m4s', (_request, response) => {
      response.on('error', () => undefined)
      const more = (): void => {
        sent += 65_536
        if (!response.destroyed && sent < 1e9) response.write(Buffer.alloc(65_536), () => setImmediate(more))
      }
      more()
    })
    const seen = await glance()
    expect(seen.ok).toBe(true)
    expect(seen.bytes).toBeLessThan(1_000_000)
  })

  it('plays the copy of a variant that lies on its own host', async () => {
    publish()
    const steered = `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://192.0.2.1/v/index.m3u8\n${master.slice(8)}`
    stream.set('/master.m3u8', steered)
    expect((await glance()).ok).toBe(true)
    expect(stream.count('/v/0.m4s')).toBe(1)
  })
})

describe('what costs nothing', () => {
  it('is a redirect to another host: nothing is asked there', async () => {
    const other = await startStreamServer()
    others.push(other)
    stream.set('/master.m3u8', (_request, response) =>
      response.writeHead(302, { location: `${other.url}/master.m3u8` }).end(),
    )
    const seen = await glance()
    expect(codes(seen)).toEqual(['no-answer'])
    expect(seen.problems[0]?.text).toMatch(/another host/)
    expect(other.count('/master.m3u8')).toBe(0)
  })

  it('is a playlist that names another host', async () => {
    const other = await startStreamServer()
    others.push(other)
    publish()
    stream.set('/v/index.m3u8', playlist([`${other.url}/0.m4s`, 'file:///etc/passwd']))
    const seen = await glance()
    expect(seen).toMatchObject({ ok: true, startMs: null })
    expect(other.count('/0.m4s')).toBe(0)
    expect((await glance({ position: 1 })).problems[0]?.text).toMatch(/stays on its own host/)
  })

  it.each<[string, string, string]>([
    ['garbage', '\u0000\u0001\u0002 not a playlist', 'not-hls'],
    ['nothing', '', 'not-hls'],
    ['a page', '<html>sign in</html>', 'not-hls'],
    ['a playlist without segments', playlist([]), 'no-segments'],
    ['a broken playlist', '#EXTM3U\n#EXT-X-TARGETDURATION:x\n#EXTINF:y\n', 'not-hls'],
  ])('is %s', async (_what, text, code) => {
    stream.set('/master.m3u8', text)
    expect(codes(await glance())).toEqual([code])
  })

  it('is a playlist that never ends: given up at a megabyte', async () => {
    stream.set('/master.m3u8', (_request, response) => {
      response.on('error', () => undefined)
      response.write('#EXTM3U\n')
      const more = (): void => {
        if (!response.destroyed) response.write('#\n'.repeat(32_768), () => setImmediate(more))
      }
      more()
    })
    const seen = await glance()
    expect(codes(seen)).toEqual(['length'])
    expect(seen.bytes).toBeLessThan(2_000_000)
  })

  it('is a server that accepts and says nothing: given up as players do', async () => {
    stream.set('/master.m3u8', () => undefined)
    const seen = await glance()
    expect(seen).toMatchObject({ ok: false, startMs: null, bytes: 0 })
    expect(seen.problems[0]?.text).toMatch(/no first byte in 3000 ms/)
  })

  it('is a missing title, and a segment that fails', async () => {
    expect(codes(await glance({}, '/nothing.m3u8'))).toEqual(['status'])
    publish()
    stream.set('/v/0.m4s', (_request, response) => response.writeHead(503).end())
    expect(codes(await glance())).toEqual(['status'])
  })
})

describe('a live stream', () => {
  it('has moved on since the last glance, or has stopped', async () => {
    let nowMs = 0
    const clock = { ...systemClock, monotonicMs: () => nowMs }
    const uris = ['0.ts', '1.ts', '2.ts', '3.ts', '4.ts']
    for (const uri of [...uris, '5.ts']) stream.set(`/${uri}`, Buffer.alloc(100))
    stream.set('/live.m3u8', playlist(uris, ''))
    const first = await glance({ clock }, '/live.m3u8')
    expect(first).toMatchObject({ ok: true, live: { movedMs: 0 } })
    nowMs = 5000
    const same = await glance({ clock, before: first.live }, '/live.m3u8')
    expect(same.ok).toBe(true)
    nowMs = 7000
    expect(codes(await glance({ clock, before: same.live }, '/live.m3u8'))).toEqual(['stale'])
    stream.set('/live.m3u8', playlist([...uris, '5.ts'], ''))
    expect(await glance({ clock, before: same.live }, '/live.m3u8')).toMatchObject({
      ok: true,
      live: { movedMs: 7000 },
    })
    stream.set('/live.m3u8', playlist(['other.ts', ...uris.slice(1), '5.ts'], ''))
    expect(codes(await glance({ clock, before: first.live }, '/live.m3u8'))).toEqual(['continuity'])
  })
})
