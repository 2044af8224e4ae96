// Owns the change of the authority's key over real processes: a control room, an origin and an edge that joined over
// private TLS; each is killed with SIGKILL in the middle of it, and afterwards all work with the new key alone.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, until } from '../e2e/fleet.ts'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const LONG_MS = 120_000

const root = mkdtempSync(join(tmpdir(), 'vitrine-rotation-'))
const dir = (name: string): string => join(root, name)
const authorityFile = (name: string): string => join(dir(name), 'identity', 'authority.crt')
const kids = new Map<string, { child: ChildProcess; args: readonly string[] }>()
let edgeUrl = ''

function start(name: string, args: readonly string[]): void {
  const child = spawn(process.execPath, [main, ...args, '--data', dir(name)], {
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  kids.set(name, { child, args })
}

async function kill(name: string): Promise<void> {
  const kid = kids.get(name)
  if (kid === undefined || kid.child.exitCode !== null || kid.child.signalCode !== null) return
  const ended = new Promise(resolve => kid.child.once('exit', resolve))
  kid.child.kill('SIGKILL')
  await ended
}

async function restart(name: string): Promise<void> {
  await kill(name)
  start(name, kids.get(name)?.args ?? [])
}

async function vitrine(...args: string[]): Promise<string> {
  return (await run(process.execPath, [main, ...args, '--data', dir('control')])).stdout.trim()
}

interface Status {
  readonly pin: string
  readonly phase: string | null
  readonly missing: readonly string[]
}
const status = async (): Promise<Status> =>
  JSON.parse(await vitrine('authority', 'status', '--json')) as Status

const invite = async (...args: string[]): Promise<string> =>
  (await vitrine('server', 'invite', ...args)).split('\n').at(-1)?.split(' ').at(-1) ?? ''

/** A segment that the edge cannot have: the way to the origin is proved too. */
async function plays(cold: string | null): Promise<boolean> {
  try {
    const master = await (await fetch(`${edgeUrl}/vod/sample/master.m3u8`)).text()
    const playlist = master.split('\n').find(line => line.startsWith('http')) ?? ''
    const media = await (await fetch(playlist)).text()
    const segments = media.split('\n').filter(line => line !== '' && !line.startsWith('#'))
    const segment = cold === null ? segments[0] : segments[Number(cold)]
    return (await fetch(new URL(segment ?? '', playlist))).status === 200
  } catch {
    return false
  }
}

describe('the change of the authority’s key', () => {
  beforeAll(async () => {
    const [controlPort, originPort, edgePort] = [await freePort(), await freePort(), await freePort()]
    const config = join(root, 'control.yaml')
    writeFileSync(config, 'control:\n  privateTls: true\n')
    start('control', ['control', '--config', config, '--port', String(controlPort)])
    await until(() => existsSync(join(dir('control'), 'control', 'join.json')), LONG_MS)
    const origin = await invite('--role', 'origin', '--id', 'origin')
    start('origin', ['origin', '--join', origin, '--port', String(originPort), '--no-agent'])
    await until(() => existsSync(authorityFile('origin')), LONG_MS)
    edgeUrl = `http://127.0.0.1:${edgePort}`
    const edge = await invite('--role', 'edge', '--id', 'eu-west')
    // The origin says where it is on its channel; until then there is none to join for.
    const joins = [
      'edge',
      '--join',
      edge,
      '--port',
      String(edgePort),
      '--no-agent',
      '--origin-url',
      `https://127.0.0.1:${originPort}`,
    ]
    start('edge', joins)
    await until(() => plays(null), LONG_MS)
  }, 3 * LONG_MS)
  afterAll(async () => {
    for (const name of kids.keys()) await kill(name)
    rmSync(root, { recursive: true, force: true })
  }, 60_000)

  it(
    'ends with the new key alone, whoever is killed at whatever step, and the fleet plays meanwhile',
    async () => {
      const before = await status()
      const old = await invite('--role', 'edge', '--id', 'too-late')
      await vitrine('authority', 'rotate')
      await expect(vitrine('authority', 'rotate')).rejects.toThrow('being changed already')
      const seen = new Set<string | null>()
      let turn = 0
      await until(
        async () => {
          const now = await status()
          seen.add(now.phase)
          if (now.phase === null) return true
          // One after the other, at moments that nobody chose.
          await restart(['control', 'edge', 'control', 'origin'][turn % 4] ?? 'control')
          turn += 1
          await until(() => plays(String(turn % 40)), LONG_MS)
          // Long enough for a step, which begins anew with the control room.
          await until(async () => {
            const { phase } = await status()
            seen.add(phase)
            return phase !== now.phase || turn > 8
          }, 25_000).catch(() => undefined)
          return false
        },
        6 * LONG_MS,
        () => JSON.stringify([...seen]),
      )
      const after = await status()
      expect(after.pin).not.toBe(before.pin)
      expect([...seen]).toEqual(['learn', 'renew', null])
      expect(turn).toBeGreaterThan(1)
      const controlRoot = readFileSync(join(dir('control'), 'control', 'authority', 'authority.crt'), 'utf8')
      await until(
        () => ['origin', 'edge'].every(name => readFileSync(authorityFile(name), 'utf8') === controlRoot),
        LONG_MS,
      )
      expect(existsSync(join(dir('control'), 'control', 'authority', 'next.key'))).toBe(false)
      // With the new root alone, everybody anew.
      for (const name of ['control', 'origin', 'edge']) await restart(name)
      await until(() => plays('45'), LONG_MS)
      const late = run(process.execPath, [main, 'edge', '--join', old, '--data', dir('late'), '--port', '0'])
      await expect(late).rejects.toThrow(/not the control room that made this join string|it was revoked/)
      const fresh = await invite('--role', 'edge', '--id', 'in-time')
      start('fresh', [
        'edge',
        '--join',
        fresh,
        '--port',
        String(await freePort()),
        '--no-agent',
        '--origin-url',
        'https://127.0.0.1:9',
      ])
      await until(() => existsSync(authorityFile('fresh')), LONG_MS)
    },
    10 * LONG_MS,
  )

  it(
    'waits for who is away, names it, and ends without it when forced',
    async () => {
      await kill('fresh')
      const before = await status()
      await vitrine('authority', 'rotate')
      await until(async () => (await status()).missing.join() === 'in-time', LONG_MS)
      expect((await status()).phase).toBe('learn')
      await vitrine('authority', 'rotate', '--force')
      await until(async () => (await status()).phase === null, 2 * LONG_MS)
      expect((await status()).pin).not.toBe(before.pin)
      await until(() => plays('50'), LONG_MS)
    },
    5 * LONG_MS,
  )
})
