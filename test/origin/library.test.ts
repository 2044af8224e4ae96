// What a person does to the folders, and what the origin then answers, over real HTTP.
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { get as httpGet } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readMultivariant } from '#media'
import { publishCopy, publishInPlace } from '#origin'
import { ffmpeg, hasFfmpeg, makeMedia, scratch } from './ffmpeg.ts'
import { edgeToken, startTestOrigin, type TestOrigin } from './running-origin.ts'

const sample = 'assets/sample/sample.mp4'

describe('the library', () => {
  let origin: TestOrigin
  const put = (name: string, content: Uint8Array | string): void => {
    mkdirSync(origin.mediaFolder, { recursive: true })
    const hidden = join(origin.mediaFolder, `.${name}.part`)
    writeFileSync(hidden, content)
    renameSync(hidden, join(origin.mediaFolder, name))
  }
  const reasonOf = async (id: string): Promise<string> => {
    const response = await untilError(id, 'origin-title-broken')
    return response.message
  }
  const untilError = async (id: string, code: string): Promise<{ code: string; message: string }> => {
    const deadline = performance.now() + 10_000
    while (true) {
      const response = await origin.get(`/vod/${id}/master.m3u8`)
      const text = await response.text()
      if (response.status !== 200) {
        const { error } = JSON.parse(text) as { error: { code: string; message: string } }
        if (error.code === code) return error
      }
      if (performance.now() > deadline) throw new Error(`${id}: ${text}, expected ${code}`)
      await new Promise(resolve => setTimeout(resolve, 25))
    }
  }

  beforeAll(async () => {
    origin = await startTestOrigin(['assets/sample'])
    await origin.until('sample', 200)
  })
  afterAll(() => origin.close())

  it('says that it is starting, and never that a title is unknown, until it has read its library', async () => {
    const fresh = await startTestOrigin(['assets/sample'])
    try {
      const seen = new Set<number>()
      while (!seen.has(200)) {
        const response = await fresh.get('/vod/sample/master.m3u8')
        await response.arrayBuffer()
        seen.add(response.status)
      }
      expect([...seen].filter(status => status !== 503)).toEqual([200])
      expect((await fresh.get('/vod/nothing/master.m3u8')).status).toBe(404)
    } finally {
      await fresh.close()
    }
  })

  it('plays a copied file, and forgets a removed one', async () => {
    const { id, path } = await publishCopy(origin.mediaFolder, sample)
    expect(id).toMatch(/^sample-[0-9a-f]{6}$/)
    await origin.until(id, 200)
    rmSync(path)
    await untilError(id, 'origin-title-unknown')
    expect((await origin.get('/vod/sample/master.m3u8')).status).toBe(200)
  })

  it('plays the files of a folder in place, through links, without following loops', async () => {
    const folder = join(scratch, 'My Films')
    mkdirSync(join(folder, 'sub'), { recursive: true })
    copyFileSync(sample, join(folder, 'sub', 'clip.mp4'))
    symlinkSync(folder, join(folder, 'sub', 'loop'))
    await publishInPlace(origin.stateFolder, folder)
    await publishInPlace(origin.stateFolder, folder)
    const titles = await untilTitle(origin, /my-films-sub-clip-[0-9a-f]{6}/)
    expect(titles).toHaveLength(1)
  })

  it('refuses to publish what is not there, no video file, or no folder', async () => {
    await expect(publishCopy(origin.mediaFolder, join(scratch, 'none.mp4'))).rejects.toThrow('cannot read')
    await expect(publishCopy(origin.mediaFolder, 'package.json')).rejects.toThrow(
      'expected the name of a video file',
    )
    await expect(publishInPlace(origin.stateFolder, sample)).rejects.toThrow('is not a folder')
  })

  it('says in words why a file cannot play, and plays the others meanwhile', async () => {
    const whole = readFileSync(sample)
    put('words.mp4', 'Dear diary, this is no film.\n'.repeat(20))
    put('empty.mp4', '')
    put('cut.mp4', whole.subarray(0, whole.length - 4321))
    put('no-index.mp4', whole.subarray(0, 32))
    put('zeros.mp4', Buffer.alloc(4096))
    put('lie.mp4', lying(whole))
    put('matroska.mp4', Buffer.from([0x1a, 0x45, 0xdf, 0xa3, ...Array.from({ length: 60 }, () => 0)]))
    expect(await reasonOf('words')).toContain('the file is no MP4, but a text file')
    expect(await reasonOf('empty')).toContain('the file is empty: it has 0 bytes')
    expect(await reasonOf('cut')).toContain('4321 bytes are missing')
    expect(await reasonOf('no-index')).toContain('the file has no index (moov)')
    expect(await reasonOf('zeros')).toContain('only zeros')
    expect(await reasonOf('lie')).toMatch(
      /damaged: mp4\/moov\/trak\/mdia\/minf\/stbl\/stsz @\d+: 9000000 samples announced/,
    )
    expect(await reasonOf('matroska')).toContain('a Matroska or WebM file')
    expect((await origin.get('/vod/sample/master.m3u8')).status).toBe(200)
  })

  it('lists a file whose name is not UTF-8, with the reason', async () => {
    const latin1 = Buffer.concat([
      Buffer.from(join(origin.mediaFolder, 'caf')),
      Buffer.of(0xe9),
      Buffer.from('.mp4'),
    ])
    writeFileSync(latin1, readFileSync(sample))
    const digits = createHash('sha256').update('caf\uFFFD.mp4').digest('hex').slice(0, 6)
    expect(await reasonOf(`caf-${digits}`)).toContain('the name of the file is not UTF-8')
  })

  it.skipIf(!hasFfmpeg())(
    'names a codec that HLS does not carry, and plays the picture of a film whose sound it cannot',
    async () => {
      const picture = ['-c:v', 'libx264', '-preset', 'ultrafast']
      const short = { videoS: 1, audioS: 1 }
      await makeMedia(origin.mediaFolder, 'old.mp4', short, ['-c:v', 'mpeg4', '-c:a', 'aac'])
      await makeMedia(origin.mediaFolder, 'raw-sound.mov', short, [...picture, '-c:a', 'pcm_s16le'])
      const [old, ready] = [await reasonOf('old'), await untilTitle(origin, /raw-sound-[0-9a-f]{6}/)]
      expect(old).toContain('MPEG-4 Part 2 video (mp4v) cannot be played over HLS')
      const master = readMultivariant(await origin.text(`/vod/${ready[0]}/master.m3u8`))
      expect(master.renditions).toEqual([])
      expect(master.variants[0]?.codecs).toMatch(/^avc1/)
    },
  )

  it('waits for a file that is still being written, and takes it once it holds still', async () => {
    const whole = readFileSync(sample)
    const path = join(origin.mediaFolder, 'growing.mp4')
    const seen: number[] = []
    for (let part = 1; part <= 8; part += 1) {
      writeFileSync(path, whole.subarray(0, (whole.length * part) / 8))
      await new Promise(resolve => setTimeout(resolve, 150)) // what a slow copy does, not a wait for a condition
      seen.push((await errorOf(origin, 'growing')).length)
    }
    expect(seen.every(length => length > 0)).toBe(true)
    expect(await errorOf(origin, 'growing')).toBe('origin-title-unknown')
    await origin.until('growing', 200)
  })

  it('answers origin-revision-gone for segments of a file that was replaced, at once', async () => {
    const path = join(origin.mediaFolder, 'replaced.mp4')
    copyFileSync(sample, path)
    const before = await segmentPath(origin, 'replaced')
    expect((await origin.get(before)).status).toBe(200)
    // The same bytes a second later are another state of the file: nobody can know that they are the same.
    utimesSync(path, 1_000_000_000, 1_000_000_000)
    const gone = await origin.get(before)
    expect(gone.status).toBe(404)
    expect(((await gone.json()) as { error: { code: string } }).error.code).toBe('origin-revision-gone')
    const deadline = performance.now() + 5000
    while ((await segmentPath(origin, 'replaced')) === before) {
      if (performance.now() > deadline) throw new Error('no new revision')
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    expect((await origin.get(await segmentPath(origin, 'replaced'))).status).toBe(200)
  })

  it('refuses segments of a file that was cut in place', async () => {
    const path = join(origin.mediaFolder, 'torn.mp4')
    copyFileSync(sample, path)
    const segment = await segmentPath(origin, 'torn')
    truncateSync(path, 200_000)
    expect((await origin.get(segment)).status).toBe(404)
  })

  it.skipIf(!hasFfmpeg())(
    'breaks off a segment that is under way rather than mixing two states of a file',
    async () => {
      // Noise does not compress: one GOP of 80 frames has more bytes than all socket buffers hold.
      const noise = [
        '-f',
        'rawvideo',
        '-pix_fmt',
        'yuv420p',
        '-s',
        '640x360',
        '-r',
        '25',
        '-i',
        '/dev/urandom',
      ]
      const path = join(origin.mediaFolder, 'noise.mp4')
      await ffmpeg([
        ...noise,
        '-frames:v',
        '80',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-qp',
        '4',
        '-g',
        '80',
        path,
      ])
      const segment = (await segmentPath(origin, 'noise')).replace('1.m4s', '0.m4s')
      const { announced, received, whole } = await readSlowly(origin, segment, () =>
        utimesSync(path, 1e9, 1e9),
      )
      expect(announced).toBeGreaterThan(15_000_000)
      expect(received).toBeLessThan(announced)
      expect(whole).toBe(false)
    },
  )
})

describe('the server', () => {
  let origin: TestOrigin
  beforeAll(async () => {
    origin = await startTestOrigin(['assets/sample'])
    await origin.until('sample', 200)
  })
  afterAll(() => origin.close())

  it('gives media to edges alone', async () => {
    const segment = await segmentPath(origin, 'sample')
    for (const path of ['/vod/sample/master.m3u8', segment, '/vod/none/master.m3u8', '/anything']) {
      for (const headers of [
        { authorization: '' },
        { authorization: 'Bearer wrong' },
        { authorization: 'Bearer token-of-the-origin' },
      ]) {
        const response = await origin.get(path, { headers })
        expect(response.status).toBe(401)
        expect(response.headers.get('www-authenticate')).toBe('Bearer')
        expect(((await response.json()) as { error: { code: string } }).error.code).toBe(
          'origin-credential-missing',
        )
      }
    }
  })

  it('tells anybody that it is there, and its metrics to those with a token', async () => {
    expect(await (await fetch(`${origin.url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect((await fetch(`${origin.url}/metrics`)).status).toBe(401)
    const metrics = await fetch(`${origin.url}/metrics`, {
      headers: { authorization: 'Bearer token-of-the-origin' },
    })
    const text = await metrics.text()
    expect(text).toContain('vitrine_origin_titles{state="ready"} 1')
    expect(text).toContain('vitrine_origin_requests_total{kind="master",status="2xx"}')
  })

  it.for([
    ['/vod/none/master.m3u8', 'origin-title-unknown'],
    ['/vod/sample/0123/v1/index.m3u8', 'origin-revision-gone'],
    ['/vod/sample/../../etc/passwd', 'origin-path-unknown'],
    ['/vod/sample/%2e%2e/master.m3u8', 'origin-path-unknown'],
    ['/vod/sample/REVISION/v9/index.m3u8', 'origin-rendition-unknown'],
    ['/vod/sample/REVISION/v1/48.m4s', 'origin-segment-unknown'],
    ['/vod/sample/REVISION/v1/007.m4s', 'origin-path-unknown'],
  ] as const)('answers %s with 404 %s', async ([path, code]) => {
    const revision = (await segmentPath(origin, 'sample')).split('/')[3] ?? ''
    // Sent as it is: fetch would resolve the dots first.
    const body = await rawGet(origin, path.replace('REVISION', revision))
    expect(body.status).toBe(404)
    expect(body.text).toContain(`"code":"${code}"`)
  })

  it('answers HEAD as GET without a body, and refuses other methods', async () => {
    const segment = await segmentPath(origin, 'sample')
    const [head, get] = [await origin.get(segment, { method: 'HEAD' }), await origin.get(segment)]
    expect(head.headers.get('content-length')).toBe(String((await get.arrayBuffer()).byteLength))
    expect(head.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect((await origin.get('/vod/sample/master.m3u8')).headers.get('cache-control')).toBe('max-age=1')
    const post = await origin.get(segment, { method: 'POST' })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('gives many concurrent requests for a segment the same bytes', async () => {
    const segment = await segmentPath(origin, 'sample')
    const bodies = await Promise.all(
      Array.from({ length: 40 }, async () =>
        Buffer.from(await (await origin.get(segment)).arrayBuffer()).toString('base64'),
      ),
    )
    expect(new Set(bodies).size).toBe(1)
  })
})

/** Sets the first video track's sample count to nine million. */
function lying(whole: Buffer): Buffer {
  const bytes = Buffer.from(whole)
  const stsz = bytes.indexOf('stsz')
  bytes.writeUInt32BE(9_000_000, stsz + 12)
  return bytes
}

async function segmentPath(origin: TestOrigin, id: string): Promise<string> {
  const master = readMultivariant(await (await origin.until(id, 200)).text())
  return `/vod/${id}/${master.variants[0]?.uri.replace('index.m3u8', '1.m4s')}`
}

async function errorOf(origin: TestOrigin, id: string): Promise<string> {
  const response = await origin.get(`/vod/${id}/master.m3u8`)
  if (response.status === 200) return ''
  return ((await response.json()) as { error: { code: string } }).error.code
}

/** Ids that match among those in the origin's list, once there are some. */
async function untilTitle(origin: TestOrigin, shape: RegExp): Promise<string[]> {
  const deadline = performance.now() + 10_000
  while (true) {
    const ids = origin.readyTitles().filter(id => shape.test(id))
    if (ids.length > 0) return ids
    if (performance.now() > deadline) throw new Error(`no title like ${shape.source}`)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}

/** Takes the head and the first bytes, lets `change` happen, and takes the rest. */
function readSlowly(
  origin: TestOrigin,
  path: string,
  change: () => void,
): Promise<{ announced: number; received: number; whole: boolean }> {
  const { hostname, port } = new URL(origin.url)
  return new Promise((resolve, reject) => {
    const request = httpGet(
      { hostname, port, path, headers: { authorization: `Bearer ${edgeToken}` } },
      response => {
        const announced = Number(response.headers['content-length'])
        let received = 0
        response.once('data', () => {
          response.pause()
          change()
          response.resume()
        })
        response.on('data', (part: Buffer) => {
          received += part.length
        })
        response.on('error', () => {}) // a broken connection is what is expected
        response.on('close', () => resolve({ announced, received, whole: response.complete }))
      },
    )
    request.on('error', reject)
  })
}

function rawGet(origin: TestOrigin, path: string): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(origin.url)
  return new Promise((resolve, reject) => {
    const request = httpGet(
      { hostname, port, path, headers: { authorization: `Bearer ${edgeToken}` } },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    request.on('error', reject)
  })
}
