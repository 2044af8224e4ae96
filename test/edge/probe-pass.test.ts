// Probes at an edge: known by a credential, no viewers, no hits, no cost; and an edge that plays from its peers.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunningEdge } from '#edge'
import type { ProbePlan } from '#wire'
import { get, makeFolder, pathway, runEdge, SmallControl, table, until } from './small-fleet.ts'
import { SmallOrigin } from './small-origin.ts'

const folder = { path: '', remove: (): void => undefined }
let origin: SmallOrigin
let control: SmallControl
let edge: RunningEdge
const segment = '/vod/sample/r1/v/0.m4s'

beforeEach(async () => {
  Object.assign(folder, makeFolder())
  origin = await SmallOrigin.start()
  control = await SmallControl.start()
  edge = await runEdge({
    stateFolder: folder.path,
    originUrl: origin.url,
    controlUrl: control.url,
    accessLog: { bytesMax: 1 << 24, filesMax: 3 },
  })
})
afterEach(async () => {
  await edge.close()
  await control.close()
  await origin.close()
  folder.remove()
})

function plan(changes: Partial<ProbePlan> = {}): ProbePlan {
  const accepts = [createHash('sha256').update('pass').digest('hex')]
  return { type: 'probe-plan', mesh: 'full', targets: [], titles: ['sample'], accepts, ...changes }
}
function publish(): void {
  origin.set(segment, { kind: 'serve', body: Buffer.alloc(9000, 7) })
  const index = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.m4s\n#EXT-X-ENDLIST\n'
  origin.set('/vod/sample/r1/v/index.m3u8', { kind: 'serve', body: Buffer.from(index) })
  const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nr1/v/index.m3u8\n'
  origin.set('/vod/sample/master.m3u8', { kind: 'serve', body: Buffer.from(master) })
}
async function metrics(): Promise<string> {
  return (await get(edge.url, '/metrics', { authorization: 'Bearer edge-token' })).body.toString()
}
async function known(): Promise<void> {
  await until('the plan is known', async () => {
    await get(edge.url, '/vod/none/master.m3u8', { 'x-vitrine-probe': 'pass' })
    return (await metrics()).includes('kind="internal",status="4xx"')
  })
}

describe('a probe with the credential', () => {
  it('is no viewer, no hit and no cost, and marked in the access log', async () => {
    publish()
    control.say(plan())
    await known()
    const before = await metrics()
    const answer = await get(edge.url, segment, { 'x-vitrine-probe': 'pass' })
    expect(answer.body).toHaveLength(9000)
    await until('it is accounted', async () => /probe_bytes_total 9\d\d\d/.test(await metrics()))
    const after = await metrics()
    const counted = (text: string): string[] =>
      text
        .split('\n')
        .filter(line =>
          /^vitrine_edge_(sent_bytes|cache_requests|sessions|first_byte_seconds_count)/.test(line),
        )
    expect(counted(after)).toEqual(counted(before))
    expect(after).not.toMatch(/requests_total\{[^}]*kind="segment"/)
    expect(control.of('sessions').flatMap(({ sessions }) => sessions)).toEqual([])
    const log = (): string => readFileSync(`${folder.path}/accounting/access.log`, 'utf8')
    await until('the line is written', () => log().includes(segment))
    const line: unknown = JSON.parse(
      log()
        .split('\n')
        .find(one => one.includes(segment)) ?? '',
    )
    expect(line).toMatchObject({ kind: 'segment', probe: true, bytes: 9000 })
  })
})

describe('whoever just says that he is a probe', () => {
  it('is a viewer', async () => {
    publish()
    control.say(plan())
    await known()
    await get(edge.url, segment, { 'user-agent': 'vitrine-probe', 'x-vitrine-probe': 'guess' })
    await get(edge.url, segment, { 'x-vitrine-probe': 'x'.repeat(500) })
    await until('two answers are counted', async () =>
      /requests_total\{[^}]*kind="segment"[^}]*\} 2/.test(await metrics()),
    )
    expect(await metrics()).toMatch(/vitrine_edge_sessions [12]/)
  })
})

describe('an edge', () => {
  it('plays a little from a suspect, shows it the credential, and tells what it met', async () => {
    const peer = await SmallOrigin.start()
    const index = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.m4s\n#EXT-X-ENDLIST\n'
    const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nv/index.m3u8\n'
    peer.set('/vod/sample/master.m3u8', { kind: 'serve', body: Buffer.from(master) })
    peer.set('/vod/sample/v/index.m3u8', { kind: 'serve', body: Buffer.from(index) })
    peer.set('/vod/sample/v/0.m4s', { kind: 'status', status: 503 })
    const target = {
      id: 'us-east',
      url: peer.url,
      play: 'suspect',
      stream: null,
      credential: 'for-us',
    } as const
    control.say(
      table([pathway('eu-west', edge.url), pathway('us-east', peer.url)]),
      plan({ targets: [target] }),
    )
    const [first] = await until('a report', () => control.of('plays').length > 0, 15_000).then(() =>
      control.of('plays').flatMap(({ plays }) => plays),
    )
    expect(first).toMatchObject({ target: 'us-east', title: 'sample', ok: false, startMs: null })
    expect(first?.problem).toMatch(/segment 0.m4s: status 503/)
    expect(peer.requests.map(({ headers }) => headers['x-vitrine-probe'])).toContain('for-us')
    await peer.close()
  }, 30_000)
})
