// Delivery of cached objects over plain HTTP/1.1: our edge against nginx proxy_cache, both on one core, in turns.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { fetchPeer, type Peer } from '../test/conformance/peers.ts'
import { startFleet, type TestFleet } from '../test/e2e/fleet.ts'
import type { BenchReport, BenchResult } from './result.ts'

const execute = promisify(execFile)
const ROUNDS = 5
const SECONDS = 4 // a round's length for one server and one object
const CONNECTIONS = 32
const SERVER_CORE = '0'
const CLIENT_CORE = '1'
const EDGE = 'us-east'
/** The design's measurements put a public node:http front at 0.63 to 0.78 of nginx sendfile; a proxy_cache hit is our peer. */
const GOAL = 0.8

interface Target {
  readonly name: string
  readonly path: string
  readonly bytes: number
}

interface Peers {
  readonly nginx: Peer
  readonly wrk: Peer
}

export async function run(): Promise<BenchReport> {
  const peers = await fetchPeers()
  const fleet = await startFleet()
  const scratch = mkdtempSync(join(tmpdir(), 'vitrine-bench-edge-'))
  try {
    const targets = await prepare(fleet)
    const nginx = 'folder' in peers.nginx ? await startNginx(peers.nginx.folder, fleet, scratch) : null
    await pinTo(SERVER_CORE, fleet.pid(EDGE))
    const results: BenchResult[] = []
    for (const target of targets) results.push(await compare(target, fleet, nginx, peers))
    nginx?.process.kill('SIGQUIT')
    return { bench: 'edge', settings: await settings(peers, targets), results }
  } finally {
    await fleet.close()
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function fetchPeers(): Promise<Peers> {
  return { nginx: await fetchPeer('nginx'), wrk: await fetchPeer('wrk', ['libluajit-5.1-2']) }
}

async function settings({ nginx, wrk }: Peers, targets: readonly Target[]): Promise<Record<string, unknown>> {
  const congestion = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
  return {
    rounds: ROUNDS,
    secondsARound: SECONDS,
    connections: CONNECTIONS,
    statistic: 'median of interleaved rounds',
    cache: 'hot, in memory (nginx: proxy_cache on tmpfs or page cache, sendfile on)',
    congestion,
    cores: `server ${SERVER_CORE}, client ${CLIENT_CORE}`,
    fleet: 'the rest of the fleet runs meanwhile, for both',
    bytes: Object.fromEntries(targets.map(target => [target.name, target.bytes])),
    nginx: 'missing' in nginx ? nginx.missing : 'Debian package, 1 worker',
    wrk: 'missing' in wrk ? wrk.missing : 'Debian package',
  }
}

/** A title of about 2 Mb/s beside the sample, so that an object of 1 MB is there, and every object fetched once. */
async function prepare(fleet: TestFleet): Promise<Target[]> {
  const file = join(fleet.data, 'bench.mp4')
  const source = 'testsrc2=size=1280x720:rate=25:duration=16,noise=alls=40:allf=t'
  const rate = [
    '-b:v',
    '2M',
    '-minrate',
    '2M',
    '-maxrate',
    '2M',
    '-bufsize',
    '2M',
    '-x264-params',
    'nal-hrd=cbr',
  ]
  await execute('ffmpeg', [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    source,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '100',
    ...rate,
    file,
  ])
  await fleet.vitrine('publish', file)
  const sample = await firstMedia(fleet, 'sample')
  const large = await firstMedia(fleet, 'bench')
  return [
    { name: 'init', ...sample.init },
    { name: 'segment of the sample', ...sample.segment },
    { name: 'segment of 2 Mb/s', ...large.segment },
  ]
}

type Media = Readonly<Record<'init' | 'segment', { readonly path: string; readonly bytes: number }>>

async function firstMedia(fleet: TestFleet, title: string): Promise<Media> {
  const base = fleet.edgeUrl(EDGE)
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await fetch(`${base}/vod/${title}/master.m3u8`)
    const text = await answer.text()
    const playlists = text.split('\n').filter(line => line.startsWith(`${base}/`))
    const playlist = playlists.at(-1)
    if (answer.ok && playlist !== undefined) {
      const at = async (name: string): Promise<{ path: string; bytes: number }> => {
        const url = playlist.replace('index.m3u8', name)
        const body = await (await fetch(url)).arrayBuffer()
        return { path: new URL(url).pathname, bytes: body.byteLength }
      }
      return { init: await at('init.mp4'), segment: await at('1.m4s') }
    }
    await pause(200)
  }
  throw new Error(`title ${title} does not play`)
}

interface Nginx {
  readonly process: ChildProcess
  readonly url: string
}

async function startNginx(folder: string, fleet: TestFleet, scratch: string): Promise<Nginx> {
  const port = fleet.portBase + 50
  const origin = `http://127.0.0.1:${fleet.portBase + 10}`
  const file = JSON.parse(readFileSync(join(fleet.data, 'run', 'fleet.json'), 'utf8')) as unknown
  const token = findToken(file, EDGE)
  for (const name of ['cache', 'temp']) mkdirSync(join(scratch, name))
  writeFileSync(
    join(scratch, 'nginx.conf'),
    `daemon off; worker_processes 1; worker_cpu_affinity 01; pid ${scratch}/nginx.pid; error_log ${scratch}/error.log;
user root;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush off; tcp_nodelay on; keepalive_requests 100000000; open_file_cache max=1000;
  client_body_temp_path ${scratch}/temp; fastcgi_temp_path ${scratch}/temp; uwsgi_temp_path ${scratch}/temp; scgi_temp_path ${scratch}/temp;
  proxy_temp_path ${scratch}/temp;
  proxy_cache_path ${scratch}/cache keys_zone=media:10m max_size=1g;
  server { listen 127.0.0.1:${port};
    location / { proxy_pass ${origin}; proxy_set_header Authorization "Bearer ${token}"; proxy_cache media; proxy_cache_valid 200 1h; } }
}
`,
  )
  const process = spawn(join(folder, 'usr/sbin/nginx'), ['-p', scratch, '-c', join(scratch, 'nginx.conf')], {
    stdio: 'ignore',
  })
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const answer = await fetch(`${url}/vod/sample/master.m3u8`).catch(() => null)
    if (answer?.ok === true) return { process, url }
    await pause(100)
  }
  throw new Error(`nginx does not answer: ${readFileSync(join(scratch, 'error.log'), 'utf8')}`)
}

/** The credential of one server in run/fleet.json. */
function findToken(value: unknown, id: string): string {
  const match = new RegExp(`"id":"${id}"[^}]*"token":"([^"]+)"`).exec(JSON.stringify(value))
  if (match?.[1] === undefined) throw new Error(`no credential of ${id}`)
  return match[1]
}

async function compare(
  target: Target,
  fleet: TestFleet,
  nginx: Nginx | null,
  { wrk }: Peers,
): Promise<BenchResult> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await load(wrk, `${fleet.edgeUrl(EDGE)}${target.path}`))
    if (nginx !== null) theirs.push(await load(wrk, `${nginx.url}${target.path}`))
    console.log(
      `${target.name} (${target.bytes} bytes), round ${round + 1}: ours ${ours.at(-1)?.toFixed(0)}/s, nginx ${theirs.at(-1)?.toFixed(0) ?? 'missing'}/s`,
    )
  }
  const peer = theirs.length === 0 ? null : median(theirs)
  const own = median(ours)
  const ratio = peer === null ? 0 : Number((own / peer).toFixed(3))
  return {
    name: target.name,
    unit: 'requests/s',
    ours: own,
    peer,
    peerName: 'nginx proxy_cache',
    ratio,
    goal: GOAL,
  }
}

async function load(wrk: Peer, url: string): Promise<number> {
  if ('missing' in wrk) throw new Error(wrk.missing)
  const libraries = join(wrk.folder, 'usr/lib/x86_64-linux-gnu')
  const command = [
    '-c',
    CLIENT_CORE,
    join(wrk.folder, 'usr/bin/wrk'),
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${SECONDS}s`,
    url,
  ]
  const { stdout } = await execute('taskset', command, {
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
  })
  if (/Non-2xx/.test(stdout)) throw new Error(`${url}: ${stdout}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
}

async function pinTo(core: string, pid: number): Promise<void> {
  await execute('taskset', ['-a', '-c', '-p', core, String(pid)])
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
