// Plays what the origin serves with ffmpeg, and compares every decoded picture and time with the source's.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readMedia, readMultivariant } from '#media'
import { publishCopy } from '#origin'
import {
  containerDuration,
  decodedHash,
  ffmpeg,
  frameTimes,
  hasFfmpeg,
  makeMedia,
  packetTimes,
  type Source,
  scratch,
} from './ffmpeg.ts'
import { startTestOrigin, type TestOrigin } from './running-origin.ts'

const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '3', '-g', '50', '-pix_fmt', 'yuv420p']
const aac = ['-c:a', 'aac', '-b:a', '64k']
const plain: Source = { videoS: 11, audioS: 11 }

interface Case {
  readonly name: string
  readonly file: string
  readonly source: Source
  readonly args: readonly string[]
}

const cases: readonly Case[] = [
  { name: 'B-frames, index at the end', file: 'bframes.mp4', source: plain, args: [...x264, ...aac] },
  {
    name: 'index at the start',
    file: 'faststart.mp4',
    source: plain,
    args: [...x264, ...aac, '-movflags', '+faststart'],
  },
  {
    name: '29.97 frames/s',
    file: 'ntsc.mp4',
    source: { ...plain, rate: '30000/1001' },
    args: [...x264, '-g', '60', ...aac],
  },
  {
    name: 'H.265 as hvc1',
    file: 'hvc1.mp4',
    source: { videoS: 5, audioS: 5 },
    args: [...hevc(), '-tag:v', 'hvc1', ...aac],
  },
  {
    name: 'H.265 as hev1',
    file: 'hev1.mp4',
    source: { videoS: 5, audioS: 5 },
    args: [...hevc(), '-tag:v', 'hev1', ...aac],
  },
  {
    name: 'VP9 and Opus',
    file: 'vp9.mp4',
    source: { videoS: 5, audioS: 5 },
    args: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '50', '-c:a', 'libopus'],
  },
  {
    name: 'AV1 and FLAC',
    file: 'av1.mp4',
    source: { videoS: 5, audioS: 5 },
    args: ['-c:v', 'libsvtav1', '-preset', '12', '-g', '50', '-c:a', 'flac', '-strict', '-2'],
  },
  { name: 'QuickTime', file: 'quick-time.mov', source: plain, args: [...x264, ...aac] },
  {
    name: 'key frames 20 s apart',
    file: 'sparse.mp4',
    source: { videoS: 50, audioS: 50 },
    args: [...x264, '-g', '500', '-sc_threshold', '0', ...aac],
  },
  {
    name: 'fragments with an empty moov',
    file: 'fragmented.mp4',
    source: plain,
    args: [...x264, ...aac, '-movflags', '+frag_keyframe+empty_moov+default_base_moof'],
  },
  {
    name: 'fragments behind samples in moov',
    file: 'hybrid.mp4',
    source: plain,
    args: [...x264, ...aac, '-movflags', '+frag_keyframe'],
  },
  {
    name: 'negative composition offsets',
    file: 'negative.mp4',
    source: plain,
    args: [...x264, ...aac, '-movflags', '+negative_cts_offsets'],
  },
  {
    name: 'sound longer than the picture',
    file: 'long-sound.mp4',
    source: { videoS: 6, audioS: 15 },
    args: [...x264, ...aac],
  },
  {
    name: 'picture longer than the sound',
    file: 'long-picture.mp4',
    source: { videoS: 15, audioS: 6 },
    args: [...x264, ...aac],
  },
  { name: 'picture alone', file: 'silent.mp4', source: { videoS: 9, audioS: 0 }, args: x264 },
  { name: 'one frame', file: 'one-frame.mp4', source: { videoS: 0.04, audioS: 0 }, args: x264 },
  { name: 'AC-3', file: 'ac3.mp4', source: plain, args: [...x264, '-c:a', 'ac3'] },
  { name: 'MP3', file: 'mp3.mp4', source: plain, args: [...x264, '-c:a', 'libmp3lame'] },
  {
    name: 'timescales that do not divide',
    file: 'timescale.mp4',
    source: { ...plain, rate: '24000/1001' },
    args: [...x264, '-g', '48', '-video_track_timescale', '1001', ...aac, '-ar', '44100'],
  },
]

function hevc(): string[] {
  return [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=none:keyint=50:pools=1',
    '-pix_fmt',
    'yuv420p',
  ]
}

describe.skipIf(!hasFfmpeg())('what the origin serves', () => {
  const sources = join(scratch, 'sources')
  const made = new Map<string, { file: string; id: string }>()
  let origin: TestOrigin

  beforeAll(async () => {
    origin = await startTestOrigin(['assets/sample'])
    mkdirSync(sources, { recursive: true })
    // All at once, so that the origin waits for them to hold still only once.
    for (const one of cases) {
      const file = await makeMedia(sources, one.file, one.source, one.args)
      made.set(one.file, { file, id: await publish(origin, file) })
    }
  }, 120_000)
  afterAll(() => origin.close())

  it.for(cases)('plays frame by frame as the source: $name', { timeout: 60_000 }, async one => {
    const { file, id } = made.get(one.file) ?? { file: '', id: '' }
    await origin.until(id, 200)
    const input = origin.input(id)
    const [served, source] = [await frameTimes(input, 'v:0'), await frameTimes([file], 'v:0')]
    expect(served.length).toBe(source.length)
    const offset = (served[0] ?? 0) - (source[0] ?? 0)
    expect(Math.abs(offset)).toBeLessThan(0.041)
    for (const [index, time] of served.entries()) {
      expect(Math.abs(time - (source[index] ?? Number.NaN) - offset)).toBeLessThan(0.0011)
    }
    const [playedHash, sourceHash] = [await decodedHash(input, 'v:0'), await decodedHash(['-i', file], 'v:0')]
    expect(playedHash.complaints).toBe('')
    expect(playedHash.hash).toBe(sourceHash.hash)
    await expectSound(one.source, input, file, offset)
    await expectExactPlaylists(origin, id)
  })

  it('plays the sample: 4800 frames in three renditions, 192 s', { timeout: 60_000 }, async () => {
    await origin.until('sample', 200)
    const input = origin.input('sample')
    expect(await containerDuration(input)).toBeCloseTo(192, 6)
    for (const stream of ['v:0', 'v:1', 'v:2']) {
      const times = (await packetTimes(input, stream)).sort((a, b) => a - b)
      expect(times.length).toBe(4800)
      times.forEach((time, index) => expect(Math.abs(time - index / 25)).toBeLessThan(0.001))
    }
    expect(await ffmpeg([...input, '-map', '0:v:2', '-map', '0:a:0', '-f', 'null', '-'])).toBe('')
    await expectExactPlaylists(origin, 'sample')
  })

  it('starts a film that was cut between key frames at the key frame before, in step with its sound', async () => {
    const whole = await makeMedia(sources, 'whole.mp4', plain, [...x264, ...aac])
    const cut = join(sources, 'cut.mp4')
    await ffmpeg(['-ss', '3.3', '-i', whole, '-c', 'copy', cut])
    const id = await publish(origin, cut)
    await origin.until(id, 200)
    const times = await frameTimes(origin.input(id), 'v:0')
    expect(times[0]).toBeCloseTo(0, 3)
    // From the key frame at 2 s on, all pictures of the rest come.
    expect(times.length).toBe(225)
    const sound = await frameTimes(origin.input(id), 'a:0')
    expect(Math.abs((sound.at(-1) ?? 0) - (times.at(-1) ?? 0))).toBeLessThan(0.1)
    expect(await ffmpeg([...origin.input(id), '-f', 'null', '-'])).toBe('')
  })

  it('keeps a sound that comes in late where it is', async () => {
    const late = join(sources, 'late.mp4')
    const whole = await makeMedia(sources, 'base.mp4', plain, [...x264, ...aac])
    await ffmpeg([
      '-i',
      whole,
      '-itsoffset',
      '2.5',
      '-i',
      whole,
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-c',
      'copy',
      late,
    ])
    const id = await publish(origin, late)
    await origin.until(id, 200)
    const sound = await frameTimes(origin.input(id), 'a:0')
    const source = await frameTimes([late], 'a:0')
    expect(sound.length).toBe(source.length)
    expect(Math.abs((sound.at(-1) ?? 0) - (source.at(-1) ?? 0))).toBeLessThan(0.002)
    expect((await frameTimes(origin.input(id), 'v:0'))[0]).toBeCloseTo(0, 3)
  })

  it('offers every language of the sound, the first one by default', async () => {
    const file = await makeMedia(sources, 'languages.mp4', plain, [
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-map',
      '1:a',
      ...x264,
      ...aac,
      '-metadata:s:a:0',
      'language=deu',
      '-metadata:s:a:1',
      'language=eng',
    ])
    const id = await publish(origin, file)
    const master = readMultivariant(await (await origin.until(id, 200)).text())
    expect(
      master.renditions.map(({ language, name, default: isDefault }) => [language, name, isDefault]),
    ).toEqual([
      ['de', 'de', true],
      ['en', 'en', false],
    ])
  })

  it('plays sound alone', async () => {
    const file = await makeMedia(sources, 'sound-only.mp4', { videoS: 0, audioS: 13 }, aac)
    const id = await publish(origin, file)
    const master = readMultivariant(await (await origin.until(id, 200)).text())
    expect(master.variants.map(({ codecs, resolution }) => [codecs, resolution])).toEqual([
      ['mp4a.40.2', null],
    ])
    await expectSound({ videoS: 0, audioS: 13 }, origin.input(id), file, 0)
    await expectExactPlaylists(origin, id)
  })
})

async function publish(origin: TestOrigin, file: string): Promise<string> {
  return (await publishCopy(origin.mediaFolder, file)).id
}

/** As many frames of sound as the source has, ending with them, and no complaint of the decoder. */
async function expectSound(source: Source, input: string[], file: string, offset: number): Promise<void> {
  if (source.audioS === 0) return
  const [served, original] = [await frameTimes(input, 'a:0'), await frameTimes([file], 'a:0')]
  expect(Math.abs(served.length - original.length)).toBeLessThanOrEqual(1)
  expect(Math.abs((served.at(-1) ?? 0) - (original.at(-1) ?? 0) - offset)).toBeLessThan(0.03)
  expect((await decodedHash(input, 'a:0')).complaints).toBe('')
}

/** Durations add up, no segment exceeds the target, and BANDWIDTH covers what is really sent. */
async function expectExactPlaylists(origin: TestOrigin, id: string): Promise<void> {
  const master = readMultivariant(await origin.text(`/vod/${id}/master.m3u8`))
  for (const variant of master.variants) {
    const path = `/vod/${id}/${variant.uri}`
    const playlist = readMedia(await origin.text(path))
    const total = playlist.segments.reduce((sum, segment) => sum + segment.durationS, 0)
    expect(playlist.ended).toBe(true)
    let sent = 0
    for (const segment of playlist.segments) {
      expect(Math.round(segment.durationS)).toBeLessThanOrEqual(playlist.targetDurationS)
      const response = await origin.get(path.replace('index.m3u8', segment.uri), { method: 'HEAD' })
      expect(response.status).toBe(200)
      sent += Number(response.headers.get('content-length'))
    }
    expect(variant.averageBandwidth ?? 0).toBeGreaterThanOrEqual(Math.floor((sent * 8) / total))
    expect(variant.bandwidth).toBeGreaterThanOrEqual(variant.averageBandwidth ?? 0)
  }
}
