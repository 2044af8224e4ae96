// `vitrine simulate` as a person runs it: three servers that do not exist, and five viewers of a real fleet.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { ServerView } from '#wire'
import { freePort, mainFile, spawnNode, stop, vitrine } from '../../bench/fleet/processes.ts'
import { startFleet, until } from './fleet.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function lastLine(text: string): Record<string, unknown> {
  return JSON.parse(text.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
}

describe('vitrine simulate', () => {
  it('agents: three servers beat, push and leave nothing behind', async () => {
    const data = mkdtempSync(join(tmpdir(), 'vitrine-e2e-simulate-'))
    closing.push(() => rmSync(data, { recursive: true, force: true }))
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const control = spawnNode([
      mainFile,
      'control',
      '--allow-simulated',
      '--data',
      data,
      '--port',
      String(port),
    ])
    closing.push(() => stop(control))
    await until(
      () =>
        fetch(`${url}/healthz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      30_000,
      () => control.output(),
    )
    const made = await vitrine('token', 'create', '--role', 'admin', '--data', data)
    const token = made.trim().split('\n').at(-1) ?? ''
    const parameters = ['--control', url, '--count', '3', '--ramp', '1s', '--duration', '3s', '--json']
    const run = spawnNode([mainFile, 'simulate', 'agents', ...parameters], { VITRINE_TOKEN: token })
    closing.push(() => stop(run))
    const summary = lastLine(await run.ended)
    expect(summary).toMatchObject({ simulated: true, servers: 3, connected: 3, writesRefused: 0 })
    expect(Number(summary['samples'])).toBeGreaterThanOrEqual(120)
    const answer = await fetch(`${url}/api/v1/servers`, { headers: { authorization: `Bearer ${token}` } })
    const { servers } = (await answer.json()) as { servers: ServerView[] }
    expect(servers.map(({ id }) => id)).toEqual(['control'])
  }, 120_000)

  it('viewers: five play, tell of themselves, and are called simulated by the control room', async () => {
    const fleet = await startFleet()
    closing.push(() => fleet.close())
    const parameters = ['--count', '5', '--data', fleet.data, '--json']
    const run = spawnNode([mainFile, 'simulate', 'viewers', ...parameters])
    closing.push(() => stop(run))
    const counted = async (): Promise<number> => {
      const { servers } = await fleet.get<{ servers: ServerView[] }>('/api/v1/servers')
      return servers.reduce((sum, { watchingSimulated = 0 }) => sum + watchingSimulated, 0)
    }
    await until(async () => (await counted()) === 5, 30_000)
    run.child.kill('SIGINT')
    const summary = lastLine(await run.ended)
    expect(summary).toMatchObject({ simulated: true, count: 5, playing: 5, failures: 0, recordsLost: 0 })
    expect(Number(summary['records'])).toBeGreaterThanOrEqual(15)
    expect(Number(summary['bytes'])).toBeGreaterThan(0)
  }, 120_000)
})
