// Owns the fleet of the clock bench: the whole service with a data folder of its own, as `npm start` begins it.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePortBase } from '../../test/e2e/fleet.ts'
import { mainFile } from '../fleet/processes.ts'

const READY = /Vitrine is up/

export interface BenchFleet {
  readonly data: string
  /** By server: pids of agents. */
  agents(): ReadonlyMap<string, number>
  stop(): Promise<void>
}

export async function startBenchFleet(): Promise<BenchFleet> {
  const data = mkdtempSync(join(tmpdir(), 'vitrine-bench-clock-'))
  const base = await freePortBase()
  const parameters = [mainFile, 'start', '--data', data, '--port-base', String(base)]
  const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  await ready(child)
  return {
    data,
    agents: () => agentsBelow(child.pid ?? 0),
    stop: async () => {
      const ended = new Promise(resolve => child.once('exit', resolve))
      if (child.exitCode === null) {
        child.kill('SIGINT')
        await ended
      }
      rmSync(data, { recursive: true, force: true })
    },
  }
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text = `${text}${chunk}`.slice(-10_000)
      if (READY.test(text)) resolve()
    })
    child.once('exit', code => reject(new Error(`vitrine start ended with ${code}:\n${text}`)))
  })
}

function agentsBelow(parent: number): Map<string, number> {
  const agents = new Map<string, number>()
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent) continue
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      const at = words.indexOf('agent')
      if (at > 0) agents.set(words[at + 1] ?? pid, Number(pid))
    } catch {
      // It has just ended.
    }
  }
  return agents
}
