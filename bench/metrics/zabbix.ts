// Owns Zabbix with PostgreSQL as a peer of the metrics bench: Debian's packages, unpacked, run by an unprivileged user.
// It refuses to call a value stored before its row can be selected.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { fetchPeer } from '../../test/conformance/peers.ts'
import { makeEdge, SERIES_AN_EDGE } from './workload.ts'

/** Libraries of theirs that a bare machine lacks are unpacked beside them. */
const PACKAGES = [
  'postgresql-15',
  'postgresql-client-15',
  'libpq5',
  'libodbc2',
  'libsnmp40',
  'libopenipmi0',
  'libevent-2.1-7',
  'libevent-core-2.1-7',
  'libevent-extra-2.1-7',
  'libevent-pthreads-2.1-7',
  'libssh2-1',
]
const SERVER_CORE = '0'
const NOBODY = 65_534 // PostgreSQL and Zabbix refuse to run as root
const TICKS_A_SECOND = 100
const READY_MS_MAX = 60_000
const ROWS_MS_MAX = 15 * 60_000
const ANSWER_MS_MAX = 60_000
const CONNECTIONS = 2
const HOST_ID = 20_000
const ITEM_ID = 100_000

export const ZABBIX_DURABILITY =
  'a value is acknowledged in memory (history cache) and written within a second or so: kill -9 of the server loses what ' +
  'is there; rows are on the disk when they are in the database (fsync and synchronous_commit on, PostgreSQL defaults)'

export interface ZabbixFigures {
  readonly kValuesASecond: number
  readonly cpuSAMillion: number
  readonly bytesAValue: number
}

/** Sends `edges` x SERIES_AN_EDGE x `seconds` values and waits for their rows; a text says why it cannot be done. */
export async function runZabbix(
  folder: string,
  edges: number,
  seconds: number,
): Promise<ZabbixFigures | string> {
  const peer = await fetchPeer('zabbix-server-pgsql', PACKAGES)
  if ('missing' in peer) return peer.missing
  const zabbix = new Zabbix(peer.folder, folder)
  try {
    await zabbix.start(edges)
    return await zabbix.measure(edges, seconds)
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    return `Zabbix cannot be run: ${error instanceof Error ? error.message : String(error)} ${said} ${zabbix.lastWords()}`
  } finally {
    await zabbix.stop()
  }
}

class Zabbix {
  readonly #peer: string
  readonly #folder: string
  readonly #running: ChildProcess[] = []
  /** Zabbix takes none above 32767. */
  readonly #port = 22_000 + (process.pid % 10_000)

  constructor(peer: string, folder: string) {
    this.#peer = peer
    this.#folder = folder
  }

  async start(edges: number): Promise<void> {
    for (const name of ['', 'socket', 'db']) mkdirSync(join(this.#folder, name), { recursive: true })
    if (isRoot()) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, this.#folder])
    chmodSync(this.#folder, 0o755)
    this.#do(this.#bin('initdb'), [
      '-D',
      this.#at('db'),
      '-U',
      'zabbix',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C',
    ])
    const socket = ['-c', `unix_socket_directories=${this.#at('socket')}`, '-c', 'listen_addresses=']
    this.#spawn(this.#bin('postgres'), ['-D', this.#at('db'), ...socket])
    await this.#until(() => this.#sql('select 1', 'postgres') === '1', 'PostgreSQL is up')
    this.#sql('create database zabbix', 'postgres')
    const share = join(this.#peer, 'usr/share/zabbix-server-pgsql')
    for (const name of ['schema.sql.gz', 'images.sql.gz', 'data.sql.gz'])
      this.#load(gunzipSync(readFileSync(join(share, name))).toString())
    this.#load(itemsSql(edges))
    writeFileSync(this.#at('zabbix.conf'), this.#config())
    this.#spawn(join(this.#peer, 'usr/sbin/zabbix_server'), ['-f', '-c', this.#at('zabbix.conf')])
    await this.#until(() => this.#knows(edges), 'Zabbix knows the items')
  }

  async measure(edges: number, seconds: number): Promise<ZabbixFigures> {
    const values = edges * SERIES_AN_EDGE * seconds
    const before = Number(this.#sql('select count(*) from history'))
    const cpuBefore = this.#cpuS()
    const startedMs = performance.now()
    // Bodies are made while it works, on the generator's core: five million values as JSON are a GB.
    await Promise.all(
      Array.from({ length: CONNECTIONS }, (_, nth) =>
        this.#sendShard(nth, edges, Math.floor(Date.now() / 1000) - seconds, seconds),
      ),
    )
    const endMs = performance.now() + ROWS_MS_MAX
    while (Number(this.#sql('select count(*) from history')) - before < values) {
      if (performance.now() > endMs) throw new Error(`not all rows are there after ${ROWS_MS_MAX} ms`)
      await pause(1000)
    }
    const tookS = (performance.now() - startedMs) / 1000
    const cpuS = this.#cpuS() - cpuBefore
    const bytes = Number(
      this.#sql("select pg_total_relation_size('history') + pg_total_relation_size('trends')"),
    )
    return {
      kValuesASecond: values / tookS / 1000,
      cpuSAMillion: cpuS / (values / 1e6),
      bytesAValue: bytes / values,
    }
  }

  async stop(): Promise<void> {
    for (const child of this.#running.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit')
      // PostgreSQL: fast shutdown.
      child.kill('SIGINT')
      const force = setTimeout(() => child.kill('SIGKILL'), 30_000)
      await ended
      clearTimeout(force)
    }
  }

  lastWords(): string {
    const files = ['said.log', 'zabbix.log'].map(name => this.#at(name)).filter(file => existsSync(file))
    return files.map(file => readFileSync(file, 'utf8').trim().split('\n').slice(-4).join(' ')).join(' ')
  }

  /** The values of every CONNECTIONS-th edge, one edge and second a request. */
  async #sendShard(nth: number, edges: number, startS: number, seconds: number): Promise<void> {
    const own = Array.from({ length: edges }, (_, at) => at).filter(at => at % CONNECTIONS === nth)
    const made = own.map(at => ({ name: hostName(at), edge: makeEdge(at, null) }))
    const values = new Float64Array(SERIES_AN_EDGE)
    for (let second = 0; second < seconds; second += 1) {
      // Ten edges a request, as in the other engines' workload.
      for (let from = 0; from < made.length; from += 10) {
        const data: unknown[] = []
        for (const { name, edge } of made.slice(from, from + 10)) {
          edge.next(values)
          for (const [item, value] of values.entries()) {
            data.push({
              host: name,
              key: `k${item}`,
              value: String(value),
              clock: startS + second,
              ns: 137_000_000,
            })
          }
        }
        const answer = await this.#ask(JSON.stringify({ request: 'sender data', data }))
        if (!answer.includes(`processed: ${data.length}; failed: 0`))
          throw new Error(`sender was told: ${answer}`)
      }
    }
  }

  /** One request of the sender's protocol: "ZBXD", 1, length (uint64, little-endian), JSON; the server closes. */
  #ask(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.from(body)
      const head = Buffer.alloc(13)
      head.write('ZBXD\u0001', 'latin1')
      head.writeUInt32LE(bytes.length, 5)
      const socket = connect(this.#port, '127.0.0.1')
      socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error('no answer')))
      const parts: Buffer[] = []
      socket.on('data', part => parts.push(part))
      socket.on('error', reject)
      socket.on('end', () => resolve(Buffer.concat(parts).toString('latin1', 13)))
      socket.end(Buffer.concat([head, bytes]))
    })
  }

  async #knows(edges: number): Promise<boolean> {
    const data = [{ host: hostName(edges - 1), key: `k${SERIES_AN_EDGE - 1}`, value: '1' }]
    try {
      return (await this.#ask(JSON.stringify({ request: 'sender data', data }))).includes('processed: 1;')
    } catch {
      return false
    }
  }

  #config(): string {
    return [
      `ListenPort=${this.#port}`,
      'ListenIP=127.0.0.1',
      'LogType=file',
      `LogFile=${this.#at('zabbix.log')}`,
      `PidFile=${this.#at('zabbix.pid')}`,
      `SocketDir=${this.#folder}`,
      `DBHost=${this.#at('socket')}`,
      'DBName=zabbix',
      'DBUser=zabbix',
      'CacheSize=256M',
      'HistoryCacheSize=256M',
      'HistoryIndexCacheSize=64M',
      'TrendCacheSize=128M',
      'ValueCacheSize=64M',
      'StartTrappers=5',
      'StartDBSyncers=4',
      'StartPollers=0',
      'StartPollersUnreachable=0',
      'StartPingers=0',
      'StartDiscoverers=0',
      'StartHTTPPollers=0',
      'HousekeepingFrequency=0',
      '',
    ].join('\n')
  }

  #at(name: string): string {
    return join(this.#folder, name)
  }

  #bin(name: string): string {
    return join(this.#peer, 'usr/lib/postgresql/15/bin', name)
  }

  #sql(text: string, database = 'zabbix'): string {
    const how = ['-h', this.#at('socket'), '-U', 'zabbix', '-d', database, '-At', '-c', text]
    try {
      return this.#do(this.#bin('psql'), how).trim()
    } catch (error) {
      if (text === 'select 1') return ''
      throw error
    }
  }

  #load(sql: string): void {
    const how = ['-h', this.#at('socket'), '-U', 'zabbix', '-d', 'zabbix', '-q', '-v', 'ON_ERROR_STOP=1']
    this.#do(this.#bin('psql'), how, sql)
  }

  #environment(): NodeJS.ProcessEnv {
    const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib/aarch64-linux-gnu', 'lib/x86_64-linux-gnu']
    return {
      PATH: process.env['PATH'] ?? '',
      LD_LIBRARY_PATH: libraries.map(each => join(this.#peer, each)).join(':'),
    }
  }

  #do(command: string, parameters: readonly string[], input = ''): string {
    const [program = '', ...rest] = unprivileged([command, ...parameters])
    const stdio = ['pipe', 'pipe', 'pipe'] as const
    return execFileSync(program, rest, {
      input,
      encoding: 'utf8',
      env: this.#environment(),
      cwd: this.#folder,
      stdio: [...stdio],
      maxBuffer: 1 << 28,
    })
  }

  #spawn(command: string, parameters: readonly string[]): void {
    const [program = '', ...rest] = unprivileged(['taskset', '-c', SERVER_CORE, command, ...parameters])
    // To a file of its own: a full pipe would stop a server.
    const said = openSync(this.#at('said.log'), 'a')
    this.#running.push(
      spawn(program, rest, { stdio: ['ignore', said, said], env: this.#environment(), cwd: this.#folder }),
    )
    closeSync(said)
  }

  async #until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const endMs = performance.now() + READY_MS_MAX
    while (!(await condition())) {
      const ended = this.#running.find(child => child.exitCode !== null)
      if (ended !== undefined) throw new Error(`${ended.spawnargs.at(5) ?? ''} ended with ${ended.exitCode}`)
      if (performance.now() > endMs) throw new Error(`not within ${READY_MS_MAX} ms: ${what}`)
      await pause(200)
    }
  }

  /** Of all processes that were started, and theirs: both servers are many processes. */
  #cpuS(): number {
    const children = new Map<number, number[]>()
    const ticks = new Map<number, number>()
    for (const name of readdirSync('/proc').filter(entry => /^\d+$/.test(entry))) {
      try {
        const text = readFileSync(`/proc/${name}/stat`, 'latin1')
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
        const parent = Number(fields[1])
        children.set(parent, [...(children.get(parent) ?? []), Number(name)])
        // Own time, and that of children that have ended.
        ticks.set(
          Number(name),
          [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0),
        )
      } catch {
        // It has just ended.
      }
    }
    const of = (pid: number): number =>
      (ticks.get(pid) ?? 0) + (children.get(pid) ?? []).reduce((sum, child) => sum + of(child), 0)
    return this.#running.reduce((sum, { pid = 0 }) => sum + of(pid), 0) / TICKS_A_SECOND
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function unprivileged(command: readonly string[]): string[] {
  if (!isRoot()) return [...command]
  return ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...command]
}

function hostName(edge: number): string {
  return `edge-${String(edge).padStart(4, '0')}`
}

/** A host for each edge, and a trapper item (type 2) of numbers (value type 0) for each of its series. */
function itemsSql(edges: number): string {
  return `
    UPDATE hosts SET status = 1 WHERE host = 'Zabbix server';
    INSERT INTO hosts (hostid, host, name, status)
      SELECT ${HOST_ID} + n, 'edge-' || lpad(n::text, 4, '0'), 'edge-' || lpad(n::text, 4, '0'), 0
      FROM generate_series(0, ${edges - 1}) n;
    INSERT INTO items (itemid, type, hostid, name, key_, value_type, history, trends)
      SELECT ${ITEM_ID} + n * ${SERIES_AN_EDGE} + k, 2, ${HOST_ID} + n, 'k' || k, 'k' || k, 0, '90d', '365d'
      FROM generate_series(0, ${edges - 1}) n, generate_series(0, ${SERIES_AN_EDGE - 1}) k;
    INSERT INTO item_rtdata (itemid) SELECT itemid FROM items WHERE itemid >= ${ITEM_ID};
  `
}
