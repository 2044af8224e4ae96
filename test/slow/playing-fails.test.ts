// Owns an edge that answers and cannot be played from: it comes back with an empty cache, and its way to the origin
// breaks off every answer. /healthz is well all the time: only who really plays finds out.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AlertView, ProbesAnswer, ServerView } from '#wire'
import { freePort, startFleet, type TestFleet, until } from '../e2e/fleet.ts'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const FOUND_MS_MAX = 240_000
/** Of each answer, before it breaks off: more than the fields, less than a segment. */
const BYTES_MAX = 2000

let fleet: TestFleet
let path: BrokenPath
let edge: ChildProcess | null = null
let words: readonly string[] = []
const data = mkdtempSync(join(tmpdir(), 'vitrine-no-picture-'))

/** A real TCP path between edge and origin that can be told to break off. */
class BrokenPath {
  isBroken = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(port: number) {
    this.#server = createServer(socket => this.#carry(socket, connect(port, '127.0.0.1')))
  }

  static async to(port: number): Promise<{ path: BrokenPath; url: string }> {
    const made = new BrokenPath(port)
    made.#server.listen(0, '127.0.0.1')
    await once(made.#server, 'listening')
    const address = made.#server.address()
    return { path: made, url: `http://127.0.0.1:${(address as { port: number }).port}` }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #carry(near: Socket, far: Socket): void {
    let carried = 0
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
    near.pipe(far)
    far.on('data', (chunk: Buffer) => {
      carried += chunk.length
      if (this.isBroken && carried > BYTES_MAX) near.destroy()
      else near.write(chunk)
    })
  }
}

async function server(id: string): Promise<ServerView> {
  return await fleet.get<ServerView>(`/api/v1/servers/${id}`)
}

async function alert(): Promise<AlertView | undefined> {
  const { alerts } = await fleet.get<{ alerts: AlertView[] }>('/api/v1/alerts')
  return alerts.find(({ rule, labels }) => rule === 'PlayingFails' && labels['instance'] === 'sa-east')
}

/** How often each observer played from it, and whether that went well. */
async function plays(): Promise<readonly { ok: boolean; text: string }[]> {
  const { cells } = await fleet.get<ProbesAnswer>('/api/v1/probes')
  return cells.flatMap(({ target, play }) => (target === 'sa-east' && play !== null ? [play] : []))
}

async function startEdge(): Promise<void> {
  edge = spawn(process.execPath, [main, ...words, '--data', data], { stdio: 'ignore' })
  await until(async () => (await server('sa-east').catch(() => null))?.state === 'healthy', FOUND_MS_MAX)
}

async function killEdge(): Promise<void> {
  if (edge === null || edge.exitCode !== null || edge.signalCode !== null) return
  const ended = once(edge, 'exit')
  edge.kill('SIGKILL')
  await ended
}

describe('an edge that answers and has no picture', () => {
  beforeAll(async () => {
    fleet = await startFleet()
    const made = await BrokenPath.to(fleet.portBase + 10)
    path = made.path
    const said = await fleet.vitrine('server', 'invite', '--region', 'sa-east', '--id', 'sa-east')
    const joinString = /vitrine-join\S+/.exec(said)?.[0] ?? ''
    words = ['edge', '--join', joinString, '--port', String(await freePort()), '--origin-url', made.url]
    await startEdge()
  }, 600_000)
  afterAll(async () => {
    await killEdge()
    await path?.close()
    await fleet?.close()
    rmSync(data, { recursive: true, force: true })
  }, 60_000)

  it('is found by those who play, left by steering, told by an alert, and taken back when it plays again', async () => {
    await until(async () => (await plays()).some(({ ok }) => ok), FOUND_MS_MAX)
    await killEdge()
    rmSync(join(data, 'edges', 'sa-east', 'objects'), { recursive: true, force: true })
    path.isBroken = true
    await startEdge()
    let ill = await server('sa-east')
    await until(
      async () => {
        ill = await server('sa-east')
        // That it was away for a moment is told first: looks of that time failed.
        return ill.state === 'degraded' && ill.weight === 0 && /play/.test(ill.reason)
      },
      FOUND_MS_MAX,
      () => JSON.stringify(ill),
    )
    await until(async () => (await alert())?.state === 'firing', FOUND_MS_MAX)
    expect((await plays()).filter(({ ok }) => !ok).length).toBeGreaterThanOrEqual(2)
    // Those who look from outside still get an answer: it is no outage.
    expect(ill.reason).not.toMatch(/host silent|process frozen/)
    for (let turn = 0; turn < 20; turn += 1) {
      const { url } = await fetch(`${fleet.controlUrl}/play/sample.m3u8`)
      expect(url).not.toContain(`:${words[4] ?? ''}/`)
    }
    path.isBroken = false
    await until(async () => (await server('sa-east')).state === 'healthy', FOUND_MS_MAX)
    await until(async () => (await alert())?.state !== 'firing', FOUND_MS_MAX)
    expect((await server('sa-east')).weight ?? 0).toBeGreaterThan(0)
  }, 900_000)
})
