// Owns the fleet in which the causes bench injects its faults: five networks, real processes in them, a proxy before the
// origin, a disk and a certificate of their own. It refuses to touch anything outside of these.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { JoinedFleet } from '../fleet/joined-fleet.ts'
import { CENTRE, type Network, type Networks } from '../fleet/networks.ts'

const run = promisify(execFile)
export const EDGES = 5
/** Its certificate is one of a public authority, as far as this fleet knows. */
export const TLS_EDGE = 'e4'
const PORT_BASE = 26_800
const PROXY_PORT = PORT_BASE + 11
const DISK_MB = 128
const sample = fileURLToPath(new URL('../../assets/sample/sample.mp4', import.meta.url))
const HOGS = 4
const TITLE_MS_MAX = 40_000

export class World {
  readonly folder: string
  readonly fleet: JoinedFleet
  readonly #networks: Networks
  readonly proxy: SlowProxy
  readonly #hogs: ChildProcess[] = []
  #titles = 0

  private constructor(folder: string, fleet: JoinedFleet, networks: Networks, proxy: SlowProxy) {
    this.folder = folder
    this.fleet = fleet
    this.#networks = networks
    this.proxy = proxy
  }

  static async open(networks: Networks): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'vitrine-causes-'))
    mkdirSync(join(folder, 'rules'))
    writeFileSync(join(folder, 'rules', 'sooner.yaml'), soonerRules)
    const last = networks.networks.at(-1)
    await makeCertificates(folder, last?.address ?? '')
    const proxy = await SlowProxy.start(PROXY_PORT, PORT_BASE + 10)
    const shim = fileURLToPath(new URL('causes-shim.mjs', import.meta.url))
    const fleet = await JoinedFleet.start({
      host: CENTRE,
      portBase: PORT_BASE,
      originPublicUrl: `https://${CENTRE}:${PROXY_PORT}`,
      control: { rulesFolders: [join(folder, 'rules')], wake: { groupWaitS: 1 } },
      environment: { NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem') },
      edges: networks.networks.map(({ address, prefix }, at) => ({
        id: `e${at}`,
        region: ['eu', 'us', 'ap', 'sa', 'af'][at] ?? 'eu',
        host: address,
        port: PORT_BASE + 20,
        prefix: [
          ...prefix,
          ...ownDisk(`edges/e${at}/objects`),
          ...shimmed(shim, join(folder, `e${at}.json`)),
        ],
        ...(`e${at}` === TLS_EDGE
          ? { settings: { tls: { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') } } }
          : {}),
      })),
    })
    return new World(folder, fleet, networks, proxy)
  }

  network(at: number): Network {
    const network = this.#networks.networks[at]
    if (network === undefined) throw new Error(`no network ${at}`)
    return network
  }

  /** What the process of that edge believes. */
  believe(
    at: number,
    what: { readonly shiftS?: number; readonly slowMs?: number; readonly version?: string },
  ): void {
    writeFileSync(join(this.folder, `e${at}.json`), JSON.stringify(what))
  }

  /** Takes or gives back the way from the edge's network to these addresses. */
  async routes(at: number, verb: 'add' | 'del', addresses: readonly string[]): Promise<void> {
    const [, , , name = ''] = this.network(at).prefix
    for (const address of addresses)
      await run('ip', ['-n', name, 'route', verb, 'blackhole', `${address}/32`])
  }

  /** The control room's own ways to all edges. */
  async controlRoutes(verb: 'add' | 'del'): Promise<void> {
    this.proxy.refuses = verb === 'add'
    if (verb === 'add') this.proxy.drop()
    for (const { address } of this.#networks.networks)
      await run('ip', ['route', verb, 'blackhole', `${address}/32`])
  }

  /** The disk of its cache, seen from inside the edge's own view of mounts; then viewers ask for what is new. */
  async fillDisk(at: number): Promise<void> {
    await run('dd', ['if=/dev/zero', `of=${this.#filler(at)}`, 'bs=1M']).catch(() => undefined)
    this.#titles += 1
    const title = `new-${this.#titles}`
    copyFileSync(sample, join(this.fleet.folder, 'origin', 'media', `${title}.mp4`))
    const url = `${this.fleet.edgeUrl(`e${at}`)}/vod/${title}/master.m3u8`
    const isThere = async (): Promise<boolean> => (await fetch(url)).ok
    await this.fleet.until(isThere, TITLE_MS_MAX, `${title} can be watched`)
  }

  emptyDisk(at: number): void {
    rmSync(this.#filler(at), { force: true })
  }

  #filler(at: number): string {
    const id = `e${at}`
    return `/proc/${this.fleet.pid(id)}/root${join(this.fleet.folder, id, 'edges', id, 'objects', 'full')}`
  }

  async certificate(which: 'good' | 'expired'): Promise<void> {
    await run('cp', [join(this.folder, `${which}.pem`), join(this.folder, 'cert.pem')])
  }

  /** Busy processes on one core, which the edge has to share with them and yields to. */
  async starve(at: number): Promise<void> {
    const pid = String(this.fleet.pid(`e${at}`))
    await run('taskset', ['-a', '-c', '-p', '1', pid])
    await run('sh', ['-c', `for t in /proc/${pid}/task/*; do renice -n 19 -p "\${t##*/}"; done`])
    for (let hog = 0; hog < HOGS; hog += 1)
      this.#hogs.push(spawn('taskset', ['-c', '1', process.execPath, '-e', 'for(;;);'], { stdio: 'ignore' }))
  }

  async feed(at: number): Promise<void> {
    for (const hog of this.#hogs.splice(0)) hog.kill('SIGKILL')
    const pid = String(this.fleet.pid(`e${at}`))
    await run('sh', ['-c', `for t in /proc/${pid}/task/*; do renice -n 0 -p "\${t##*/}"; done`])
    await run('taskset', ['-a', '-c', '-p', '0-1', pid])
  }

  async close(): Promise<void> {
    for (const hog of this.#hogs) hog.kill('SIGKILL')
    await this.fleet.close()
    await this.proxy.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A view of mounts of its own, in which the cache has a disk of its own; the last word is the data folder. */
function ownDisk(below: string): string[] {
  const mount = `for data; do :; done; mkdir -p "$data/${below}" && mount -t tmpfs -o size=${DISK_MB}m disk "$data/${below}"`
  return ['unshare', '-m', 'sh', '-c', `${mount} && exec "$@"`, 'sh']
}

function shimmed(shim: string, file: string): string[] {
  return ['env', `NODE_OPTIONS=--import ${shim}`, `VITRINE_SHIM=${file}`]
}

/** Causes are measured here, not waiting: the same conditions as the shipped rules, without their minutes. */
const soonerRules = `groups:
  - name: sooner
    interval: 1s
    rules:
      - alert: ClockOffset
        expr: abs(vitrine_clock_fleet_offset_seconds) > 0.05
        for: 3s
        labels: { severity: warning }
        annotations: { summary: "The clock of {{ $labels.instance }} is off" }
`

async function makeCertificates(folder: string, address: string): Promise<void> {
  const at = (name: string): string => join(folder, name)
  const config = `[ca]\ndefault_ca=own\n[own]\ndatabase=${at('index')}\nserial=${at('serial')}\nnew_certs_dir=${folder}\ndefault_md=sha256\npolicy=any\nunique_subject=no\n[any]\ncommonName=supplied\n[leaf]\nsubjectAltName=IP:${address}\n`
  writeFileSync(at('ca.conf'), config)
  writeFileSync(at('index'), '')
  writeFileSync(at('serial'), '01\n')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const ssl = (...words: string[]): Promise<unknown> => run('openssl', words)
  await ssl(
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=bench authority',
    '-days',
    '3650',
    '-keyout',
    at('ca.key'),
    '-out',
    at('authority.pem'),
  )
  await ssl('req', ...key, '-subj', '/CN=edge', '-keyout', at('key.pem'), '-out', at('edge.csr'))
  const dates = {
    good: ['20200101000000Z', '20491231000000Z'],
    expired: ['20200101000000Z', '20210101000000Z'],
  }
  for (const [name, [from = '', to = '']] of Object.entries(dates)) {
    const authority = [
      '-config',
      at('ca.conf'),
      '-cert',
      at('authority.pem'),
      '-keyfile',
      at('ca.key'),
      '-extensions',
      'leaf',
    ]
    const span = ['-startdate', from, '-enddate', to, '-notext', '-batch']
    await ssl('ca', ...authority, ...span, '-in', at('edge.csr'), '-out', at(`${name}.pem`))
  }
  await run('cp', [at('good.pem'), at('cert.pem')])
}

/** Bytes through, each way late by so much; TLS is none of its business. */
class SlowProxy {
  delayMs = 0
  refuses = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(port: number, to: number): Promise<SlowProxy> {
    const server = createServer()
    const proxy = new SlowProxy(server)
    server.on('connection', socket => proxy.#join(socket, connect({ host: CENTRE, port: to })))
    await new Promise<void>(resolve => server.listen(port, CENTRE, resolve))
    return proxy
  }

  drop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.drop()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #join(one: Socket, other: Socket): void {
    if (this.refuses) {
      one.destroy()
      other.destroy()
      return
    }
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      this.#sockets.add(from)
      from.on('data', chunk => setTimeout(() => to.destroyed || to.write(chunk), this.delayMs))
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        setTimeout(() => to.destroy(), this.delayMs)
      })
    }
  }
}
