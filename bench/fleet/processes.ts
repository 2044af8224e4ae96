// Owns the processes of the fleet bench: built code in processes of its own, their CPU as the kernel counts it.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
export const mainFile: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const TICKS_PER_S = 100 // USER_HZ of Linux
const STOP_MS_MAX = 15_000

export interface Spawned {
  readonly child: ChildProcess
  /** What it has printed so far. */
  output(this: void): string
  /** Resolves with all that it printed; rejects unless it ends well. */
  readonly ended: Promise<string>
}

/** Runs Node on a file; its errors go to ours. */
export function spawnNode(parameters: readonly string[], environment: NodeJS.ProcessEnv = {}): Spawned {
  const child = spawn(process.execPath, [...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const ended = new Promise<string>((resolve, reject) => {
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(text)
      else reject(new Error(`${parameters.join(' ')} ended with ${code ?? signal}`))
    })
  })
  ended.catch(() => undefined)
  return { child, output: () => text, ended }
}

export async function vitrine(...parameters: string[]): Promise<string> {
  return (await run(process.execPath, [mainFile, ...parameters])).stdout
}

/** User and system CPU seconds of one process since its start. */
export function cpuS(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S
}

export async function stop({ child, ended }: Spawned): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await ended.catch(() => undefined)
  clearTimeout(force)
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

export async function pinTo(core: string, pid: number): Promise<void> {
  await run('taskset', ['-a', '-c', '-p', core, String(pid)])
}
