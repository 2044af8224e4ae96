import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import type { RunningEdge } from '#edge'
import { startViewers } from '#viewer'
import { selfSigned } from '../edge/self-signed.ts'
import { makeFolder, pathway, runEdge, SmallControl, table, until } from '../edge/small-fleet.ts'
import { publishTitle, SmallOrigin } from '../edge/small-origin.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function makeOrigin(): Promise<SmallOrigin> {
  const origin = await SmallOrigin.start()
  closing.push(() => origin.close())
  publishTitle(origin, 'sample', { segments: 60, segmentS: 1, segmentBytes: 30_000 })
  return origin
}

/** An edge in a process of its own, which can be stopped. */
async function spawnEdge(
  id: string,
  folder: string,
  originUrl: string,
  controlUrl: string,
): Promise<{ url: string; child: ChildProcess }> {
  const script = join(import.meta.dirname, '../edge/run-edge.ts')
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '-C', 'source', script, folder, originUrl, id, controlUrl],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  closing.push(() => void child.kill('SIGKILL'))
  const url = await new Promise<string>(resolve => {
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()))
  })
  return { url, child }
}

describe('simulated viewers', () => {
  it('play in real time, and leave an edge that stops answering at the first time-out, without a stall', async () => {
    const folder = makeFolder()
    closing.push(folder.remove)
    const origin = await makeOrigin()
    const control = await SmallControl.start()
    closing.push(() => control.close())
    const eu = await spawnEdge('eu-west', `${folder.path}/eu-west`, origin.url, control.url)
    const edges: RunningEdge[] = []
    for (const id of ['us-east', 'ap-southeast']) {
      const edge = await runEdge({
        id,
        stateFolder: `${folder.path}/${id}`,
        originUrl: origin.url,
        controlUrl: control.url,
      })
      closing.push(() => edge.close())
      edges.push(edge)
    }
    const [us, ap] = edges
    if (us === undefined || ap === undefined) throw new Error('edges are missing')
    // Nearly all weight on eu-west, so that nearly all viewers start there.
    control.say(
      table([
        pathway('eu-west', eu.url),
        pathway('us-east', us.url, 1e-6),
        pathway('ap-southeast', ap.url, 1e-6),
      ]),
    )
    await until('all edges are connected', () => control.of('hello').length === 3)
    const viewers = startViewers({
      count: 8,
      entries: [us.url, ap.url],
      title: 'sample',
      clock: systemClock,
      log: silentLog,
    })
    closing.push(() => viewers.close())
    // A full buffer means 20 s of media: what lies before the freeze cannot hide what comes after it.
    await until('all play from eu-west with a full buffer', () => {
      const stats = viewers.stats()
      return stats.playing === 8 && stats.edges['eu-west']?.active === 8 && stats.bytes > 8 * 18 * 34_000
    })
    eu.child.kill('SIGSTOP')
    await until('all are fed elsewhere', () => viewers.stats().edges['eu-west']?.active === 0, 20_000)
    const stats = viewers.stats()
    expect(stats).toMatchObject({
      count: 8,
      playing: 8,
      stalls: 0,
      stalledSeconds: 0,
      movedByTimeout: 8,
      restarts: 0,
    })
    // Spread, not all on one; 8 viewers on one of two edges by chance: 2 of 256.
    const { edges: byEdge } = stats
    expect((byEdge['us-east']?.active ?? 0) + (byEdge['ap-southeast']?.active ?? 0)).toBe(8)
    viewers.setCount(3)
    expect(viewers.stats().count).toBe(3)
    // What was asked of the stopped edge lies in its kernel; thawed, it must not claim those viewers.
    const claimed = (): number =>
      control
        .of('sessions')
        .flatMap(({ sessions }) => sessions)
        .filter(({ agoMs }) => agoMs < 1000).length
    const byOthers = claimed()
    viewers.setCount(0)
    const emptyMs = performance.now()
    await until('nobody is fed any more', async () => {
      const answers = await Promise.all([us, ap].map(edge => fetch(`${edge.url}/healthz`)))
      return answers.every(({ ok }) => ok) && performance.now() - emptyMs > 1500
    })
    const quiet = claimed()
    expect(quiet).toBeGreaterThanOrEqual(byOthers)
    const hellos = control.of('probes').length
    eu.child.kill('SIGCONT')
    await until('the thawed edge reports again', () => control.of('probes').length > hellos + 6)
    expect(claimed()).toBe(quiet)
  }, 40_000)

  it('follow steering when an edge loses its weight', async () => {
    const folder = makeFolder()
    closing.push(folder.remove)
    const origin = await makeOrigin()
    const control = await SmallControl.start()
    closing.push(() => control.close())
    const edges: RunningEdge[] = []
    for (const id of ['eu-west', 'us-east']) {
      const edge = await runEdge({
        id,
        stateFolder: `${folder.path}/${id}`,
        originUrl: origin.url,
        controlUrl: control.url,
      })
      closing.push(() => edge.close())
      edges.push(edge)
    }
    const [eu, us] = edges
    if (eu === undefined || us === undefined) throw new Error('edges are missing')
    control.say(table([pathway('eu-west', eu.url), pathway('us-east', us.url)]))
    await until('both edges are connected', () => control.of('hello').length === 2)
    const viewers = startViewers({
      count: 6,
      entries: [eu.url],
      title: 'sample',
      clock: systemClock,
      log: silentLog,
    })
    closing.push(() => viewers.close())
    await until('all play', () => viewers.stats().playing === 6)
    control.say(table([pathway('eu-west', eu.url, 0), pathway('us-east', us.url)], 2))
    await until('all are on us-east', () => viewers.stats().edges['us-east']?.active === 6, 12_000)
    expect(viewers.stats()).toMatchObject({ movedByTimeout: 0, stalls: 0, failures: 0 })
  }, 40_000)

  it('play over TLS from an edge whose authority they were given, and not without it', async () => {
    const folder = makeFolder()
    closing.push(folder.remove)
    const origin = await makeOrigin()
    const { cert, key } = selfSigned()
    const tls = { certFile: join(folder.path, 'cert.pem'), keyFile: join(folder.path, 'key.pem') }
    writeFileSync(tls.certFile, cert)
    writeFileSync(tls.keyFile, key)
    const port = await freePort()
    const listen = { host: '127.0.0.1', port, tls }
    const publicUrl = `https://localhost:${port}`
    const edge = await runEdge({ stateFolder: folder.path, originUrl: origin.url, listen, publicUrl })
    closing.push(() => edge.close())
    const group = { count: 2, entries: [publicUrl], title: 'sample', clock: systemClock, log: silentLog }
    const strangers = startViewers(group)
    closing.push(() => strangers.close())
    const viewers = startViewers({ ...group, authorityPem: cert, rateBps: 2e6 })
    closing.push(() => viewers.close())
    await until('both play', () => viewers.stats().playing === 2)
    await until('strangers were refused', () => strangers.stats().failures >= 2)
    await until('reports were taken', () => viewers.stats().records >= 4)
    expect(viewers.stats()).toMatchObject({ failures: 0, recordsLost: 0 })
    expect(strangers.stats()).toMatchObject({ playing: 0, bytes: 0, startMs: null })
  }, 40_000)

  it('return to /play with back-off when every edge has failed, and play on when one is back', async () => {
    const folder = makeFolder()
    closing.push(folder.remove)
    const origin = await makeOrigin()
    const first = await runEdge({ id: 'eu-west', stateFolder: folder.path, originUrl: origin.url })
    const viewers = startViewers({
      count: 2,
      entries: [first.url],
      title: 'sample',
      clock: systemClock,
      log: silentLog,
    })
    closing.push(() => viewers.close())
    await until('both play', () => viewers.stats().playing === 2)
    const listen = { host: '127.0.0.1', port: Number(new URL(first.url).port) }
    await first.close()
    await until('both ask /play again', () => viewers.stats().restarts >= 2, 15_000)
    const bytes = viewers.stats().bytes
    const second = await runEdge({ id: 'eu-west', stateFolder: folder.path, originUrl: origin.url, listen })
    closing.push(() => second.close())
    await until('they are fed again', () => viewers.stats().bytes > bytes + 60_000, 15_000)
  }, 40_000)
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
