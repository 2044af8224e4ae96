// Looks at streams of other servers: what ffmpeg packages, and every way in which a server can be wrong.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#base'
import { type LookReport, lookAt, type ProblemCode } from '#look'
import { selfSigned } from '../edge/self-signed.ts'
import { ffmpeg, hasFfmpeg, scratch } from '../origin/ffmpeg.ts'
import { type StreamServer, startStreamServer } from './stream-server.ts'

const origin = 'https://player.example'
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function server(tls: Parameters<typeof startStreamServer>[0] = null): Promise<StreamServer> {
  const started = await startStreamServer(tls)
  closing.push(() => started.close())
  return started
}
function look(url: string, segments = 3): Promise<LookReport> {
  return lookAt(url, { clock: systemClock, segments, variant: 'first', origin })
}
function codes(report: LookReport): ProblemCode[] {
  return [...new Set(report.problems.map(({ code }) => code))]
}

/** Every file of a folder, below /. */
function publish(stream: StreamServer, folder: string): void {
  for (const name of readdirSync(folder)) stream.set(`/${name}`, readFileSync(join(folder, name)))
}

describe.skipIf(!hasFfmpeg())('what other packagers make', () => {
  let ts = ''
  let cmaf = ''
  let ranges = ''
  beforeAll(async () => {
    const folder = scratch
    ts = join(folder, 'ts')
    cmaf = join(folder, 'cmaf')
    ranges = join(folder, 'ranges')
    for (const path of [ts, cmaf, ranges]) mkdirSync(path)
    const source = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=320x180:rate=25:duration=12',
      '-f',
      'lavfi',
      '-i',
      'sine=duration=12',
    ]
    const codec = [
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '50',
      '-c:a',
      'aac',
      '-f',
      'hls',
      '-hls_time',
      '2',
      '-hls_playlist_type',
      'vod',
    ]
    await ffmpeg([...source, ...codec, '-master_pl_name', 'master.m3u8', join(ts, 'index.m3u8')])
    await ffmpeg([
      ...source,
      ...codec,
      '-hls_segment_type',
      'fmp4',
      '-master_pl_name',
      'master.m3u8',
      join(cmaf, 'index.m3u8'),
    ])
    await ffmpeg([
      ...source,
      ...codec,
      '-hls_segment_type',
      'fmp4',
      '-hls_flags',
      'single_file',
      join(ranges, 'index.m3u8'),
    ])
  }, 60_000)

  it('finds nothing wrong with transport streams, CMAF and byte ranges', async () => {
    for (const [folder, playlist] of [
      [ts, 'master'],
      [cmaf, 'master'],
      [ranges, 'index'],
    ] as const) {
      const stream = await server()
      publish(stream, folder)
      const report = await look(`${stream.url}/${playlist}.m3u8`, 5)
      expect(report.problems, folder).toEqual([])
      expect(report).toMatchObject({ ok: true, kind: 'vod', cors: '*', mediaS: 10 })
      expect(report.startMs).toBeGreaterThan(0)
    }
  })

  it('sees a segment that is missing from the timeline, in both formats', async () => {
    for (const [folder, suffix] of [
      [ts, 'ts'],
      [cmaf, 'm4s'],
    ] as const) {
      const stream = await server()
      publish(stream, folder)
      stream.set(`/index1.${suffix}`, readFileSync(join(folder, `index3.${suffix}`)))
      const report = await look(`${stream.url}/master.m3u8`)
      expect(codes(report), folder).toEqual(['continuity'])
      expect(report.problems[0]?.text).toMatch(/leaves a gap of (4|3\.9)/)
    }
  })

  it('sees transport packets that are lost, and a segment that is something else', async () => {
    const stream = await server()
    publish(stream, ts)
    const bytes = readFileSync(join(ts, 'index1.ts'))
    const at = 188 * 20
    stream.set('/index1.ts', Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 188 * 3)]))
    expect(codes(await look(`${stream.url}/master.m3u8`))).toContain('continuity')
    stream.set('/index1.ts', Buffer.concat([bytes.subarray(0, 188 * 3), Buffer.alloc(188, 1)]))
    const report = await look(`${stream.url}/master.m3u8`)
    expect(report.problems[0]?.text).toContain('expected a packet that begins with 0x47')
  })
})

/** A live playlist whose segments are one byte each. */
function livePlaylist(sequence: number, count: number, extra = ''): string {
  const segments = Array.from({ length: count }, (_, index) => `#EXTINF:1,\n${sequence + index}.aac\n`)
  return `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${sequence}\n${extra}${segments.join('')}`
}
async function liveServer(playlists: () => string): Promise<StreamServer> {
  const stream = await server()
  for (let number = 0; number < 30; number += 1) stream.set(`/${number}.aac`, 'x')
  stream.set('/live.m3u8', (_, response) => {
    response.writeHead(200, { 'access-control-allow-origin': '*', 'content-type': 'audio/mpegurl' })
    response.end(playlists())
  })
  return stream
}

describe('a live stream', () => {
  it('begins three target durations before the end, and sees it grow', async () => {
    let sequence = 0
    const stream = await liveServer(() => livePlaylist(sequence++, 6))
    const report = await look(`${stream.url}/live.m3u8`, 2)
    expect(report).toMatchObject({ kind: 'live', problems: [] })
    expect(stream.count('/3.aac')).toBe(1)
    expect(stream.count('/0.aac')).toBe(0)
  })

  it('sees one that stands still, one that goes back, and one that is rewritten', async () => {
    const still = await liveServer(() => livePlaylist(3, 6))
    expect(codes(await look(`${still.url}/live.m3u8`, 1))).toEqual(['stale'])
    let sequence = 9
    const back = await liveServer(() => livePlaylist(sequence--, 6))
    expect((await look(`${back.url}/live.m3u8`, 1)).problems[0]?.text).toContain('went back from 9 to 8')
    let turn = 0
    const rewritten = await liveServer(() => livePlaylist(3, 6 + turn).replace('4.aac', `${4 + turn++}.aac`))
    expect((await look(`${rewritten.url}/live.m3u8`, 1)).problems[0]?.text).toContain('segment 4 was 4.aac')
  })

  it('tells how far the newest segment is behind, by its date', async () => {
    const date = new Date(systemClock.wallMs() - 20_000).toISOString()
    let sequence = 0
    const stream = await liveServer(() => livePlaylist(sequence++, 6, `#EXT-X-PROGRAM-DATE-TIME:${date}\n`))
    const { behindLiveS } = await look(`${stream.url}/live.m3u8`, 1)
    expect(Math.abs((behindLiveS ?? 0) - 14)).toBeLessThan(3)
  })
})

const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
const onDemand = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.aac\n#EXT-X-ENDLIST\n'

describe('a server that is wrong', () => {
  it('answers garbage, a DASH manifest, a page, or nothing', async () => {
    const stream = await server()
    stream.set('/garbage.m3u8', Buffer.from([0, 255, 1, 2]))
    stream.set('/dash.m3u8', '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>')
    stream.set('/broken.m3u8', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=x\nv.m3u8\n')
    stream.set('/empty.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-ENDLIST\n')
    for (const [name, code] of [
      ['garbage', 'not-hls'],
      ['dash', 'not-hls'],
      ['broken', 'not-hls'],
      ['empty', 'no-segments'],
      ['missing', 'status'],
    ] as const) {
      const report = await look(`${stream.url}/${name}.m3u8`)
      expect(codes(report).at(-1), name).toBe(code)
      expect(report.ok).toBe(false)
    }
    await stream.close()
    closing.length = 0
    expect(codes(await look(`${stream.url}/gone.m3u8`))).toEqual(['no-answer'])
  })

  it('never ends, redirects in a circle or elsewhere, or breaks off', async () => {
    const stream = await server()
    stream.set('/endless.m3u8', (_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, '#')
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('drain', more)
      more()
    })
    stream.set('/circle.m3u8', (_, response) => response.writeHead(302, { location: '/circle.m3u8' }).end())
    stream.set('/file.m3u8', (_, response) =>
      response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    )
    stream.set('/cut.m3u8', (_, response) => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('#EXTM3U', () => response.destroy())
    })
    stream.set('/bomb.m3u8', (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.end(bomb)
    })
    for (const [name, code, text] of [
      ['endless', 'length', 'more than 16777216 bytes'],
      ['circle', 'no-answer', 'more than 5 times'],
      ['file', 'no-answer', 'expected an HTTP address'],
      ['cut', 'no-answer', 'broke off'],
      ['bomb', 'length', 'more than 16777216 bytes'],
    ] as const) {
      const report = await look(`${stream.url}/${name}.m3u8`)
      expect(
        report.problems.map(one => one.code),
        name,
      ).toEqual([code])
      expect(report.problems[0]?.text).toContain(text)
    }
  })

  it('has a certificate that nobody trusts, no CORS, a clock of its own, and segments that no cache keeps', async () => {
    const stream = await server(selfSigned())
    stream.set('/x.m3u8', (_, response) => {
      const date = new Date(systemClock.wallMs() - 3_600_000).toUTCString()
      response.writeHead(200, { 'content-type': 'audio/mpegurl', date }).end(onDemand)
    })
    stream.set('/a.aac', (_, response) => response.writeHead(200, { 'cache-control': 'no-store' }).end('x'))
    const report = await look(`${stream.url}/x.m3u8`)
    expect(codes(report).sort()).toEqual(['cache', 'certificate', 'clock', 'cors'])
    expect(report.certificate?.problem).not.toBeNull()
    expect(report.clockSkewS).toBeLessThan(-3595)
    expect(report.ok).toBe(false)
  })

  it('refuses what is no address', async () => {
    await expect(look('nonsense')).rejects.toMatchObject({ code: 'look-bad-url' })
    await expect(look('file:///etc/passwd')).rejects.toMatchObject({ code: 'look-bad-url' })
  })
})
