// A player that does not steer, through a drain: unmodified ffmpeg, real processes.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerView } from '#wire'
import { startFleet, type TestFleet, until } from '../e2e/fleet.ts'

let fleet: TestFleet
beforeAll(async () => {
  fleet = await startFleet()
}, 150_000)
afterAll(() => fleet.close(), 30_000)

const server = (id: string): Promise<ServerView> => fleet.get<ServerView>(`/api/v1/servers/${id}`)

describe.runIf(existsSync('/usr/bin/ffmpeg'))('ffmpeg', () => {
  it('plays through a drain of its edge without a fault, fed by others from then on', async () => {
    await until(
      async () => (await server('eu-west')).weight === 1 && (await server('us-east')).weight === 1,
      60_000,
      () => 'edges take viewers',
    )
    await until(
      async () => (await fleet.get<{ titles: unknown[] }>('/api/v1/titles')).titles.length > 0,
      60_000,
      () => 'there is a title',
    )
    const url = `${fleet.edgeUrl('eu-west')}/vod/sample/master.m3u8`
    const player = spawn('ffmpeg', [
      '-v',
      'info',
      '-nostdin',
      '-re',
      '-i',
      url,
      '-t',
      '45',
      '-c',
      'copy',
      '-f',
      'null',
      '-',
    ])
    let said = ''
    player.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-200_000)
    })
    const ended = new Promise<number | null>(resolve => player.once('exit', resolve))
    await until(
      async () => ((await server('eu-west')).watching ?? 0) > 0,
      30_000,
      () => said,
    )
    await fleet.vitrine('server', 'drain', 'eu-west', '--reason', 'disk change')
    await until(
      async () => (await server('eu-west')).weight === 0,
      15_000,
      () => said,
    )
    expect(await ended).toBe(0)
    const opened = said.split('\n').filter(line => line.includes("Opening 'http"))
    expect(opened.some(line => line.includes(fleet.edgeUrl('eu-west')))).toBe(true)
    // It keeps connections, and says so when one leads to another host than the redirect.
    const complaints = said
      .split(/[\n\r]/)
      .filter(line => !/keepalive request failed|Cannot reuse HTTP/.test(line))
    expect(complaints.join('\n')).not.toMatch(/error|failed|skipping|invalid/i)
    expect(said).toMatch(/time=00:00:4[45]/)
    const { watching } = await server('eu-west')
    expect(watching).toBe(0)
    const elsewhere =
      ((await server('us-east')).watching ?? 0) + ((await server('ap-southeast')).watching ?? 0)
    expect(elsewhere).toBeGreaterThan(0)
    // The drained edge itself still answers when it is alone; its probes go on: it is no outage.
    expect((await server('eu-west')).state).toBe('drained')
  }, 150_000)
})

describe('a drain whose time is over', () => {
  it('answers 307 to another edge to whoever is still fed, and counts as drained', async () => {
    const base = fleet.edgeUrl('us-east')
    const main = await (await fetch(`${base}/vod/sample/master.m3u8?sid=stays`)).text()
    const first = /^[^#].*$/m.exec(main)?.[0] ?? ''
    const playlist = new URL(first, `${base}/vod/sample/master.m3u8?sid=stays`).href
    const fetched = (url: string): Promise<Response> => fetch(url, { redirect: 'manual' })
    expect((await fetched(playlist)).status).toBe(200)
    const ordered = fleet.vitrine('server', 'drain', 'us-east', '--reason', 'short', '--max', '3s')
    const statuses: number[] = []
    let sent: Headers | null = null
    await until(
      async () => {
        const answer = await fetched(playlist)
        statuses.push(answer.status)
        await answer.arrayBuffer()
        sent = answer.headers
        return answer.status === 307 && (await server('us-east')).state === 'drained'
      },
      60_000,
      () => `it answered ${statuses.join(' ')}`,
    )
    await ordered
    expect(new Set(statuses), 'never an error on the way').toEqual(new Set([200, 307]))
    const headers = sent as Headers | null
    const there = headers?.get('location') ?? ''
    expect(new URL(there).host).toBe(new URL(fleet.edgeUrl('ap-southeast')).host)
    expect(headers?.get('cache-control')).toBe('no-store')
    expect((await fetched(there)).status).toBe(200)
  }, 120_000)
})
