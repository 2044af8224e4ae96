// Files that players stumble over, as they come from cameras, recorders and other people's converters.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readMedia } from '#media'
import { publishCopy } from '#origin'
import { ffmpeg, frameTimes, hasFfmpeg, makeMedia, packetTimes, scratch } from './ffmpeg.ts'
import { startTestOrigin, type TestOrigin } from './running-origin.ts'

const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p']
const openGops = ['-bf', '3', '-x264-params', 'open-gop=1:scenecut=0:bframes=3:b-adapt=0']
const aac = ['-c:a', 'aac', '-b:a', '64k']
const folder = join(scratch, 'hard-files')

describe.skipIf(!hasFfmpeg())('what players stumble over', () => {
  let origin: TestOrigin
  let plain: string

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true })
    origin = await startTestOrigin()
    plain = await makeMedia(folder, 'plain.mp4', { videoS: 6, audioS: 6 }, [...x264, ...aac])
  }, 60_000)
  afterAll(() => origin.close())

  async function publish(file: string): Promise<string> {
    const { id } = await publishCopy(origin.mediaFolder, file)
    await origin.until(id, 200)
    return id
  }

  async function playlistOf(id: string, rendition: string): Promise<{ base: string; durations: number[] }> {
    const master = await origin.text(`/vod/${id}/master.m3u8`)
    const path = new RegExp(`[0-9a-f]+/${rendition}/index\\.m3u8`).exec(master)?.[0] ?? ''
    const base = `/vod/${id}/${path.replace('index.m3u8', '')}`
    const { segments } = readMedia(await origin.text(`${base}index.m3u8`))
    return { base, durations: segments.map(({ durationS }) => durationS) }
  }

  function total(durations: readonly number[]): number {
    return durations.reduce((sum, one) => sum + one, 0)
  }

  it('gives segments of open GOPs that decode without the one before', { timeout: 60_000 }, async () => {
    const source = { videoS: 11, audioS: 11 }
    const id = await publish(await makeMedia(folder, 'open-gop.mp4', source, [...x264, ...openGops, ...aac]))
    const { base, durations } = await playlistOf(id, 'v1')
    expect(total(durations)).toBeCloseTo(11, 2)
    expect(durations.length).toBeGreaterThan(2)
    const init = Buffer.from(await (await origin.get(`${base}init.mp4`)).arrayBuffer())
    for (const segment of durations.keys()) {
      const body = Buffer.from(await (await origin.get(`${base}${segment}.m4s`)).arrayBuffer())
      const alone = join(folder, `alone-${segment}.mp4`)
      writeFileSync(alone, Buffer.concat([init, body]))
      const complaints = await ffmpeg(['-i', alone, '-f', 'null', '-'])
      // The one harmless complaint: a picture of the GOP before is to be forgotten, and was never there.
      const harmful = complaints
        .split('\n')
        .filter(line => line !== '' && !line.endsWith('unref short failure'))
      expect(harmful).toEqual([])
    }
    const times = await frameTimes(origin.input(id), 'v:0')
    expect(times.length).toBeGreaterThan(250)
    expect(times.length).toBeLessThan(275)
    expect(times.at(-1)).toBeCloseTo(10.96, 2)
  })

  it('repeats a single picture while its sound plays', async () => {
    const source = { videoS: 0.04, audioS: 12 }
    const id = await publish(await makeMedia(folder, 'one.mp4', source, [...x264, ...aac]))
    const { durations } = await playlistOf(id, 'v1')
    expect(total(durations)).toBeCloseTo(12, 1)
    expect(await packetTimes(origin.input(id), 'v:0')).toEqual(
      Array.from({ length: 12 }, (_, second) => second),
    )
  })

  it('holds the last picture until the sound ends, and the first one from its beginning', async () => {
    const sound = await makeMedia(folder, 'sound.m4a', { videoS: 0, audioS: 15 }, aac)
    const late = join(folder, 'late.mp4')
    const inputs = ['-itsoffset', '3', '-i', plain, '-i', sound, '-map', '0:v', '-map', '1:a']
    await ffmpeg([...inputs, '-c', 'copy', late])
    const id = await publish(late)
    const picture = await playlistOf(id, 'v1')
    expect(total(picture.durations)).toBeCloseTo(15, 1)
    const times = await frameTimes(origin.input(id), 'v:0')
    expect([times.length, times[0], times[1]]).toEqual([150, 0, 3.04])
  })

  it('keeps sound and picture of a recording in step whose clock did not begin at 0', async () => {
    const file = join(folder, 'recording.mp4')
    const flags = '+frag_keyframe+empty_moov+default_base_moof+frag_discont'
    await ffmpeg(['-i', plain, '-c', 'copy', '-output_ts_offset', '1000', '-movflags', flags, file])
    const id = await publish(file)
    for (const rendition of ['v1', 'a1']) {
      expect(total((await playlistOf(id, rendition)).durations)).toBeCloseTo(6, 1)
    }
    expect((await packetTimes(origin.input(id), 'v:0'))[0]).toBeLessThan(0.1)
    expect(Math.abs((await packetTimes(origin.input(id), 'a:0'))[0] ?? 99)).toBeLessThan(0.1)
  })
})
