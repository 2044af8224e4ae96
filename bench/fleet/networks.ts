// Owns networks of a bench's own: namespaces joined by a bridge, whose links can be set down. It refuses to touch the
// machine's own interfaces: everything happens inside namespaces that it made, and goes with them.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { BenchResult } from '../result.ts'

const run = promisify(execFile)
const RESULT = 'VITRINE_BENCH_RESULT'
const PREFIX_VARIABLE = 'VITRINE_BENCH_PREFIX'
/** Of the outer process: whatever becomes of the inner one, its namespaces are found again. */
const PREFIX = process.env[PREFIX_VARIABLE] ?? `vt${process.pid}`
const SUBNET = '10.213.7'
/** Where everything but the edges lives. */
export const CENTRE = `${SUBNET}.1`

/** Null: it can be done; else why not. */
export function whyNoNetworks(): string | null {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const name = `${PREFIX}try`
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' })
    execFileSync('ip', ['-n', name, 'link', 'add', 'vt-try', 'type', 'bridge'], { stdio: 'pipe' })
    return null
  } catch (error) {
    return `network namespaces are not permitted here: ${error instanceof Error ? error.message.split('\n')[0] : ''}`
  } finally {
    try {
      execFileSync('ip', ['netns', 'del', name], { stdio: 'pipe' })
    } catch {
      // It was never made.
    }
  }
}

/** Runs `part` of a bench again, inside a namespace of its own, and gives its results. */
export async function insideNetwork(
  part: string,
  parameters: readonly string[],
  bench = 'fleet',
): Promise<BenchResult[]> {
  const name = `${PREFIX}c`
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-network-'))
  const file = join(folder, 'results.json')
  await run('ip', ['netns', 'add', name])
  try {
    const main = fileURLToPath(new URL('../main.ts', import.meta.url))
    const node = [process.execPath, ...process.execArgv, main, bench, '--only', part, ...parameters]
    const child = spawn('ip', ['netns', 'exec', name, ...node], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, [RESULT]: file, [PREFIX_VARIABLE]: PREFIX },
    })
    await new Promise(resolve => child.once('exit', resolve))
    if (!existsSync(file)) throw new Error(`the part ${part} ended without results`)
    return JSON.parse(readFileSync(file, 'utf8')) as BenchResult[]
  } finally {
    await removeAll()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function removeAll(): Promise<void> {
  const { stdout } = await run('ip', ['netns', 'list'])
  const names = stdout.split('\n').map(line => line.split(' ')[0] ?? '')
  for (const name of names.filter(one => one.startsWith(PREFIX))) await run('ip', ['netns', 'del', name])
}

/** Where the results go; null: this process is not inside. */
export const resultFile: string | null = process.env[RESULT] ?? null

export interface Network {
  readonly address: string
  /** Before the command of a process that shall live there. */
  readonly prefix: readonly string[]
  down(): Promise<void>
  up(): Promise<void>
}

export interface Networks {
  readonly networks: readonly Network[]
  close(): Promise<void>
}

/** `count` networks around this one; called inside. */
export async function openNetworks(count: number): Promise<Networks> {
  await run('ip', ['link', 'set', 'lo', 'up'])
  await run('ip', ['link', 'add', 'vtbr', 'type', 'bridge'])
  await run('ip', ['addr', 'add', `${CENTRE}/24`, 'dev', 'vtbr'])
  await run('ip', ['link', 'set', 'vtbr', 'up'])
  const names = Array.from({ length: count }, (_, at) => `${PREFIX}e${at}`)
  const networks: Network[] = []
  for (const [at, name] of names.entries()) networks.push(await openNetwork(name, at))
  return {
    networks,
    close: async () => {
      for (const name of names) await run('ip', ['netns', 'del', name])
    },
  }
}

async function openNetwork(name: string, at: number): Promise<Network> {
  const address = `${SUBNET}.${at + 2}`
  await run('ip', ['netns', 'add', name])
  await run('ip', ['link', 'add', `vtb${at}`, 'type', 'veth', 'peer', 'name', 'vt0', 'netns', name])
  await run('ip', ['link', 'set', `vtb${at}`, 'master', 'vtbr', 'up'])
  const inside = ['-n', name]
  await run('ip', [...inside, 'link', 'set', 'lo', 'up'])
  await run('ip', [...inside, 'addr', 'add', `${address}/24`, 'dev', 'vt0'])
  await run('ip', [...inside, 'link', 'set', 'vt0', 'up'])
  const set = async (state: string): Promise<void> => {
    await run('ip', [...inside, 'link', 'set', 'vt0', state])
  }
  return {
    address,
    prefix: ['ip', 'netns', 'exec', name],
    down: () => set('down'),
    up: () => set('up'),
  }
}
