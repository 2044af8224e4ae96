// Second start of the whole service: time to the first page, and the CPU that it takes.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { againstGoal, type BenchReport } from './result.ts'

const ROUNDS = 5
const PORT_BASE = 18_400
const PAGE_MS_MAX = 60_000
const LOOK_MS = 20
const PAGE_GOAL_S = 5 // the promise of the first page for a second start
const CPU_GOAL_S = 8 // ten processes of well under a second each
const TICKS_PER_S = 100

const root = fileURLToPath(new URL('..', import.meta.url))

/** One start beside others would measure them too: stop what else runs. */
export async function run(): Promise<BenchReport> {
  const data = mkdtempSync(join(tmpdir(), 'vitrine-bench-'))
  const pages: number[] = []
  const cpus: number[] = []
  try {
    await once(data) // the first one makes databases and tokens
    for (let round = 0; round < ROUNDS; round += 1) {
      const { pageS, cpuS } = await once(data)
      console.log(
        `round ${round + 1}: first page after ${pageS.toFixed(2)} s, ${cpuS.toFixed(2)} s CPU until all are up`,
      )
      pages.push(pageS)
      cpus.push(cpuS)
    }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
  return {
    bench: 'start',
    settings: { rounds: ROUNDS, statistic: 'median', processes: 10 },
    results: [
      againstGoal('time to first page', 's', { ours: median(pages), goal: PAGE_GOAL_S }, 'lower'),
      againstGoal('CPU until all are up', 's', { ours: median(cpus), goal: CPU_GOAL_S }, 'lower'),
    ],
  }
}

/** As a person would: through the hook that npm runs, and then the command. */
async function once(data: string): Promise<{ pageS: number; cpuS: number }> {
  const startedMs = performance.now()
  const command = ['scripts/vitrine.mjs', 'start', '--data', data, '--port-base', String(PORT_BASE)]
  const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const up = waitForLine(child, /Ctrl-C stops/)
    await waitForPage()
    const pageS = (performance.now() - startedMs) / 1000
    await up
    return { pageS, cpuS: await treeCpuS(child.pid ?? 0) }
  } finally {
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGINT')
    await ended
  }
}

async function waitForPage(): Promise<void> {
  const deadlineMs = performance.now() + PAGE_MS_MAX
  while (performance.now() < deadlineMs) {
    try {
      const answer = await fetch(`http://127.0.0.1:${PORT_BASE}/watch/sample`, {
        signal: AbortSignal.timeout(2000),
      })
      await answer.arrayBuffer()
      if (answer.ok) return
    } catch {
      // Not yet.
    }
    await pause(LOOK_MS)
  }
  throw new Error(`no page within ${PAGE_MS_MAX} ms`)
}

async function waitForLine(child: ChildProcess, wanted: RegExp): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (wanted.test(text)) resolve()
    })
    child.once('exit', code => reject(new Error(`vitrine ended with ${code}:\n${text}`)))
  })
}

/** CPU seconds of the supervisor and of all that it started, the ended ones included. */
async function treeCpuS(root: number): Promise<number> {
  const { readdirSync, readFileSync } = await import('node:fs')
  let ticks = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'latin1')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      const mine = Number(name) === root || Number(fields[1]) === root
      if (mine) ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    } catch {
      // It has just ended.
    }
  }
  return ticks / TICKS_PER_S
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
