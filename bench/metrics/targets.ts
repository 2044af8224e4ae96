// Owns the servers of the metrics bench: ours, Prometheus and VictoriaMetrics, each alone on one core in its own folder.
// It refuses to leave one behind.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { silentLog, systemClock } from '#base'
import { openState } from '#control'
import { openStore } from '#metrics'
import { fetchPeer } from '../../test/conformance/peers.ts'

const SERVER_CORE = '0'
const READY_MS_MAX = 60_000
const TICKS_A_SECOND = 100

export interface Engine {
  readonly name: 'vitrine' | 'prometheus' | 'victoria-metrics'
  /** What an acknowledged sample has survived. */
  readonly durability: string
  start(folder: string): Promise<Target>
  /** Bytes on disk of a stopped server's folder, after everything is in its final form. */
  sealedBytes(folder: string, target: Target): Promise<number>
}

export interface Target {
  readonly name: string
  readonly port: number
  readonly prefix: string
  readonly token: string | null
  readonly authorization: string
  readonly extra: string
  cpuS(): number
  rssMb(peak: boolean): number
  stop(): Promise<void>
}

export async function engines(): Promise<{
  readonly found: readonly Engine[]
  readonly missing: readonly string[]
}> {
  const missing: string[] = []
  const found: Engine[] = [ours]
  for (const [name, make] of [
    ['prometheus', prometheus],
    ['victoria-metrics', victoria],
  ] as const) {
    const peer = await fetchPeer(name)
    if ('missing' in peer) missing.push(peer.missing)
    else found.push(make(peer.folder))
  }
  return { found, missing }
}

export function scratchFolder(): string {
  return mkdtempSync(join(tmpdir(), 'vitrine-bench-metrics-'))
}

const ours: Engine = {
  name: 'vitrine',
  durability: 'write() to a checksummed log before the answer, fdatasync at most 1 s later',
  start: async folder => {
    const state = await openState(folder)
    const { token } = await state.createToken('admin', `bench-${performance.now()}`)
    await state.close()
    const port = await freePort()
    const script = join(import.meta.dirname, 'control-server.mjs')
    const child = pinned(process.execPath, [script, folder, String(port)])
    return ready(child, 'vitrine', port, { prefix: '/prometheus', token, ready: '/healthz' })
  },
  sealedBytes: async (folder, target) => {
    await target.stop()
    const metrics = join(folder, 'metrics')
    const store = openStore({ folder: metrics, clock: systemClock, log: silentLog })
    await store.seal()
    await store.close()
    return folderBytes(metrics)
  },
}

function prometheus(packageFolder: string): Engine {
  return {
    name: 'prometheus',
    durability: 'write() to its WAL before the answer, no fsync until a segment of 128 MB is full',
    start: async folder => {
      const config = join(folder, 'prometheus.yml')
      writeFileSync(config, 'global: {}\n')
      const port = await freePort()
      const child = pinned(join(packageFolder, 'usr/bin/prometheus'), [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        '--storage.tsdb.retention.time=100y',
        `--web.listen-address=127.0.0.1:${port}`,
        '--web.enable-remote-write-receiver',
        '--web.enable-admin-api',
        '--log.level=error',
      ])
      return ready(child, 'prometheus', port, { prefix: '', token: null, ready: '/-/ready' })
    },
    sealedBytes: async (folder, target) => {
      // A snapshot writes the head as blocks, which is what compaction would leave.
      await fetch(`http://127.0.0.1:${target.port}/api/v1/admin/tsdb/snapshot`, { method: 'POST' })
      await target.stop()
      return folderBytes(join(folder, 'data', 'snapshots'))
    },
  }
}

function victoria(packageFolder: string): Engine {
  return {
    name: 'victoria-metrics',
    durability:
      'in memory when it answers; parts are written within some seconds: kill -9 loses the last of them',
    start: async folder => {
      const port = await freePort()
      const child = pinned(join(packageFolder, 'usr/bin/victoria-metrics'), [
        `-storageDataPath=${join(folder, 'data')}`,
        `-httpListenAddr=127.0.0.1:${port}`,
        '-retentionPeriod=100y',
        '-loggerLevel=ERROR',
        '-search.latencyOffset=0s',
      ])
      const target = await ready(child, 'victoria-metrics', port, {
        prefix: '',
        token: null,
        ready: '/health',
      })
      // Its cache of results would answer a repeated query without evaluating it.
      return { ...target, extra: '&nocache=1' }
    },
    sealedBytes: async (folder, target) => {
      await fetch(`http://127.0.0.1:${target.port}/internal/force_flush`)
      await fetch(`http://127.0.0.1:${target.port}/internal/force_merge`)
      await pause(5000)
      await target.stop()
      return folderBytes(join(folder, 'data'))
    },
  }
}

export function pinned(command: string, parameters: readonly string[], core = SERVER_CORE): ChildProcess {
  return spawn('taskset', ['-c', core, command, ...parameters], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, GOMAXPROCS: '1' },
  })
}

export async function ready(
  child: ChildProcess,
  name: string,
  port: number,
  how: { readonly prefix: string; readonly token: string | null; readonly ready: string },
): Promise<Target> {
  const pid = child.pid ?? 0
  const endMs = performance.now() + READY_MS_MAX
  while (child.exitCode === null && performance.now() < endMs) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}${how.ready}`, {
        signal: AbortSignal.timeout(5000),
      })
      await answer.arrayBuffer()
      if (answer.ok) {
        return {
          name,
          port,
          prefix: how.prefix,
          token: how.token,
          authorization: how.token === null ? '' : `Authorization: Bearer ${how.token}\r\n`,
          extra: '',
          cpuS: () => cpuS(pid),
          rssMb: peak => rssMb(pid, peak),
          stop: () => stop(child),
        }
      }
    } catch {
      // Not listening yet.
    }
    await pause(5)
  }
  child.kill('SIGKILL')
  throw new Error(`${name} was not ready`)
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

function cpuS(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

function rssMb(pid: number, peak: boolean): number {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`${peak ? 'VmHWM' : 'VmRSS'}:\\s+(\\d+)`).exec(text)?.[1] ?? 0) / 1024
}

/** Blocks that are taken, so that sparse and preallocated files count as what they take. */
function folderBytes(folder: string): number {
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** This process and its threads leave the server's core alone. */
export function pinSelf(): void {
  execFileSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)], { stdio: 'ignore' })
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** One remote-write request; throws what was answered. */
export async function writeTo(target: Target, body: Uint8Array): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${target.port}${target.prefix}/api/v1/write`, {
    method: 'POST',
    headers: {
      'content-encoding': 'snappy',
      'content-type': 'application/x-protobuf',
      'x-prometheus-remote-write-version': '0.1.0',
      ...(target.token === null ? {} : { authorization: `Bearer ${target.token}` }),
    },
    body: Buffer.from(body),
    signal: AbortSignal.timeout(60_000),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${target.name}: ${answer.status} ${text.slice(0, 300)}`)
}
