// Owns the measure of an edge's intake: event reports over HTTP into the spool and on to a control room, one core.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { SmallControl, until } from '../../test/edge/small-fleet.ts'
import { againstGoal, type BenchResult } from '../result.ts'

const CONNECTIONS = 16
/** Of a report: what a player collects in some seconds. */
const RECORDS = 20
const SESSIONS = 20_000
const TICKS_A_SECOND = 100
const RECORDS_A_SECOND = 20_000
const MEMORY_MIB = 400
const EDGE_CORE = '0'

export async function benchIntake(seconds: number): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-viewers-'))
  const control = await SmallControl.start()
  const forwarded = new Forwarded(control)
  const edge = await startEdge(folder, control.url)
  try {
    const before = usageOf(edge.pid)
    const startMs = performance.now()
    const { taken, failed } = await load(edge.url, seconds)
    await until('all records are forwarded', () => forwarded.count >= taken, 60_000)
    const lasted = (performance.now() - startMs) / 1000
    const after = usageOf(edge.pid)
    const cpu = (after.cpuS - before.cpuS) / lasted
    console.error(
      `intake: ${taken} records in ${lasted.toFixed(1)} s, forwarded ${forwarded.count}, reports that failed ${failed}, ` +
        `CPU of the edge ${(cpu * 100).toFixed(0)} %, memory ${(after.bytes / 2 ** 20).toFixed(0)} MiB`,
    )
    const rate = Math.round(taken / lasted)
    const higher = (name: string, ours: number): BenchResult =>
      againstGoal(name, 'records/s', { ours, goal: RECORDS_A_SECOND }, 'higher')
    return [
      higher('intake: records taken and forwarded', rate),
      higher('intake: the same for a whole core', Math.round(rate / cpu)),
      againstGoal(
        'intake: memory of the edge',
        'MiB',
        { ours: Math.round(after.bytes / 2 ** 20), goal: MEMORY_MIB },
        'lower',
      ),
    ]
  } finally {
    edge.child.kill('SIGKILL')
    forwarded.close()
    await control.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A control room that takes everything at once. */
class Forwarded {
  count = 0
  readonly #timer: NodeJS.Timeout

  constructor(control: SmallControl) {
    this.#timer = setInterval(() => {
      const messages = control.of('viewer-records')
      control.heard.length = 0
      for (const { first, lines } of messages)
        this.count = Math.max(this.count, first + lines.split('\n').length)
      const spool = messages.at(-1)?.spool
      if (spool !== undefined) control.say({ type: 'viewer-records-taken', spool, next: this.count })
    }, 50)
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

async function startEdge(
  folder: string,
  controlUrl: string,
): Promise<{ child: ChildProcess; url: string; pid: number }> {
  const script = new URL('intake-edge.ts', import.meta.url).pathname
  const parameters = [
    '-c',
    EDGE_CORE,
    process.execPath,
    '--import',
    'tsx',
    '-C',
    'source',
    script,
    folder,
    controlUrl,
  ]
  const child = spawn('taskset', parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', code => reject(new Error(`the edge ended with ${code}`)))
  })
  return { child, url, pid: child.pid ?? 0 }
}

async function load(url: string, seconds: number): Promise<{ taken: number; failed: number }> {
  execFileSync('taskset', ['-p', '-c', '1', String(process.pid)])
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const untilMs = performance.now() + seconds * 1000
  let taken = 0
  let failed = 0
  let number = 0
  const one = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      number += 1
      const status = await post(agent, url, number)
      if (status === 204) taken += RECORDS
      else failed += 1
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, one))
  agent.destroy()
  return { taken, failed }
}

function post(agent: Agent, url: string, number: number): Promise<number> {
  const { hostname, port } = new URL(url)
  const session = number % SESSIONS
  const address = `10.${session >> 8}.${session & 255}.7`
  const headers = { 'content-type': 'application/cmcd', 'x-forwarded-for': address }
  return new Promise(resolve => {
    const asked = request({ agent, hostname, port, path: '/cmcd', method: 'POST', headers }, answer => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode ?? 0))
    })
    asked.once('error', () => resolve(0))
    asked.end(bodyOf(session, number))
  })
}

/** As hls.js and the player library write them. */
function bodyOf(session: number, number: number): string {
  const lines: string[] = []
  for (let n = 0; n < RECORDS; n += 1) {
    const sn = number * RECORDS + n
    const ts = 1_800_000_000_000 + sn
    const head = `bl=(${(sn * 37) % 20_000}),br=(2500),cid="sample",e=`
    const tail = `sf=h,sid="bench-session-${session}",sn=${sn},st=v,sta=p`
    lines.push(
      n % 4 === 0
        ? `${head}t,mtp=(18000),${tail},ts=${ts},v=2`
        : `${head}rr,h="edge.example",mtp=(18000),rc=200,${tail},ts=${ts},ttfb=14,ttlb=88,url="https://edge.example/vod/sample/r1/v0/${n}.m4s",v=2`,
    )
  }
  return `${lines.join('\n')}\n`
}

function usageOf(pid: number): { readonly cpuS: number; readonly bytes: number } {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const fields = rest.split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
  return { cpuS: ticks / TICKS_A_SECOND, bytes: Number(resident) * 1024 }
}
