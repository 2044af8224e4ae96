// What `vitrine start` promises of its processes, seen from outside: real processes, real signals.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isAlive } from '#base'

const command = fileURLToPath(new URL('../../scripts/vitrine.mjs', import.meta.url))
const servers = ['control', 'eu-west', 'us-east', 'ap-southeast', 'origin']
/** Distance from the port base. */
const steps = [0, 1, 2, 3, 10]
const START_MS_MAX = 90_000
const patient = { timeout: 20_000, interval: 50 }

let folder: string
let portBase: number
let fleet: ChildProcess | null = null
let output = ''

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-e2e-'))
  portBase = await freeBase()
  output = ''
})

afterEach(async () => {
  if (fleet !== null && fleet.exitCode === null && fleet.signalCode === null) {
    fleet.kill('SIGKILL')
    await ended(fleet)
  }
  fleet = null
  rmSync(folder, { recursive: true, force: true })
})

/** A base from which all ports of a fleet are free. */
async function freeBase(): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const base = 20_000 + Math.floor(Math.random() * 300) * 120
    const ports = [...steps, ...steps.slice(1).map(step => step + 100)].map(step => base + step)
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return base
  }
  throw new Error('no free ports')
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function launch(data = folder): ChildProcess {
  const child = spawn(process.execPath, [command, 'start', '--data', data, '--port-base', String(portBase)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  return child
}

async function start(): Promise<ChildProcess> {
  fleet = launch()
  await vi.waitFor(() => expect(output).toContain('Ctrl-C stops everything'), {
    timeout: START_MS_MAX,
    interval: 50,
  })
  return fleet
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise(resolve => child.once('exit', resolve))
}

const pidOf = (id: string): number => Number(readFileSync(join(folder, 'run', `${id}.pid`), 'utf8'))

async function healthy(step: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${portBase + step}/healthz`, {
      signal: AbortSignal.timeout(1000),
    })
    return answer.ok
  } catch {
    return false
  }
}

/** Every process that was started for this data folder, by its environment. */
function processesOf(data: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(data) && stateOf(pid) !== 'Z'
      } catch {
        return false
      }
    })
}

function stateOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return text[text.lastIndexOf(')') + 2] ?? ''
}

describe('a running fleet', () => {
  it('serves from all roles, says where to look, and ends with 0 on Ctrl-C', async () => {
    const child = await start()
    for (const step of steps) await vi.waitFor(async () => expect(await healthy(step)).toBe(true), patient)
    expect(output).toContain(`http://127.0.0.1:${portBase}/watch/sample`)
    expect(output).toMatch(/sign-in#link=\S{20,}/)
    const leaders = servers.map(pidOf)
    expect(new Set(leaders).size).toBe(servers.length)
    for (const pid of leaders) {
      const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
      expect(Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[2])).toBe(pid)
    }
    child.kill('SIGINT')
    expect(await ended(child)).toBe(0)
    expect(processesOf(folder)).toEqual([])
    expect(readdirSync(join(folder, 'run')).filter(name => name.endsWith('.lock'))).toEqual([])
  }, 150_000)

  it('starts again what is killed, each role in turn', async () => {
    await start()
    for (const [index, id] of servers.entries()) {
      const before = pidOf(id)
      process.kill(before, 'SIGKILL')
      await vi.waitFor(() => expect(pidOf(id)).not.toBe(before), patient)
      await vi.waitFor(async () => expect(await healthy(steps[index] ?? 0)).toBe(true), patient)
    }
  }, 180_000)

  it('leaves a stopped server alone, and stops in time although one is frozen', async () => {
    const child = await start()
    const pid = pidOf('eu-west')
    process.kill(pid, 'SIGSTOP')
    await vi.waitFor(async () => expect(await healthy(1)).toBe(false), patient)
    // The others go on for some seconds; nothing takes the stopped one's place.
    const untilMs = performance.now() + 3000
    await vi.waitFor(() => expect(performance.now()).toBeGreaterThan(untilMs), patient)
    expect(pidOf('eu-west')).toBe(pid)
    expect(stateOf(pid)).toBe('T')
    child.kill('SIGTERM')
    expect(await ended(child)).toBe(0)
    expect(isAlive(pid)).toBe(false)
  }, 150_000)

  it('leaves nothing behind when it is killed itself, not even a frozen child', async () => {
    const child = await start()
    process.kill(pidOf('us-east'), 'SIGSTOP')
    expect(processesOf(folder).length).toBeGreaterThan(5)
    child.kill('SIGKILL')
    await ended(child)
    await vi.waitFor(() => expect(processesOf(folder)).toEqual([]), { timeout: 3000, interval: 20 })
    // And the next start is not hindered by what the dead one left on disk.
    output = ''
    await start()
  }, 180_000)

  it('keeps a second fleet off its data', async () => {
    await start()
    const second = launch()
    expect(await ended(second)).toBe(1)
    expect(output).toMatch(/another Vitrine \(pid \d+\) runs on this data folder/)
  }, 150_000)
})

describe('a start that cannot be', () => {
  it('names a taken port and starts nothing', async () => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(portBase + 2, '127.0.0.1', resolve))
    const child = launch()
    expect(await ended(child)).toBe(1)
    expect(output).toContain(`port ${portBase + 2} (us-east) is taken by another program`)
    expect(output).toContain('--port-base')
    expect(processesOf(folder)).toEqual([])
    await new Promise(resolve => other.close(resolve))
  })

  it('says in one line that the folder cannot be written', async () => {
    // A file where the folder should be refuses root as well, whom permissions do not.
    const file = join(folder, 'file')
    writeFileSync(file, '')
    fleet = launch(join(file, 'data'))
    expect(await ended(fleet)).toBe(1)
    expect(output.trim().split('\n')).toHaveLength(1)
    expect(output).toContain('cannot write to')
  })

  it('refuses words that npm passes when the two dashes were forgotten', () => {
    const { status, stderr } = spawnSync(process.execPath, [command, 'start', 'elsewhere'], {
      encoding: 'utf8',
    })
    expect(status).toBe(2)
    expect(stderr).toContain('npm start -- --data DIR')
  })

  it('refuses unknown commands and options with the nearest name and exit code 2', () => {
    const attempt = (...words: string[]): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, [command, ...words], { encoding: 'utf8' })
    const misspelt = attempt('strat')
    expect(misspelt.status).toBe(2)
    expect(String(misspelt.stderr)).toContain('start')
    expect(attempt('start', '--port-bse', '1').status).toBe(2)
    expect(attempt('start', '--port-base', 'x').status).toBe(2)
    expect(attempt('--version').status).toBe(0)
  })
})
