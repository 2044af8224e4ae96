// Owns the putting together of an edge. It keeps no state of its own and speaks no protocol.
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import {
  type Clock,
  Closers,
  certificateLogger,
  ensureFolder,
  every,
  isTls,
  type Listening,
  type ListenOptions,
  type Log,
  listen,
  packageVersion,
  type Secret,
} from '#base'
import { AccessTable, type Link, readHostId, startLink } from '#link'
import { AuthorityFollower, type Identity, startRenewal, type Trust } from '#trust'
import type { FromControl } from '#wire'
import { type AccessLogLimits, Accounting } from './accounting/accounting.ts'
import { DiskTier } from './cache/disk-tier.ts'
import { MemoryTier } from './cache/memory-tier.ts'
import { ObjectCache } from './cache/object-cache.ts'
import { SelfCheck } from './checks/self-check.ts'
import { CmsdSpeaker } from './delivery/cmsd-dynamic.ts'
import { Connections, KEEP_ALIVE_SECONDS } from './delivery/connections.ts'
import { Entry } from './delivery/entry.ts'
import { hitHead } from './delivery/fields.ts'
import { Front } from './delivery/front.ts'
import { MediaDelivery } from './delivery/media.ts'
import { Pages } from './delivery/pages.ts'
import { typeOf } from './delivery/route.ts'
import { FleetView } from './steering/fleet-view.ts'
import { Glances } from './steering/glances.ts'
import { Probes } from './steering/probes.ts'
import { Tally } from './tally.ts'
import { OriginClient } from './upstream/origin-client.ts'
import { Intake } from './viewers/intake.ts'
import { PlaylistFacts } from './viewers/playlist-facts.ts'
import { ProbePass } from './viewers/probe-pass.ts'
import { Sessions } from './viewers/sessions.ts'
import { openWatch, type Watch } from './watcher/open-watch.ts'

const REPORT_MS = 1000
const PROBE_MS = 1000
const GLANCE_MS = 10_000
const TICK_MS = 250
/** How long a start waits for the index of a large disk cache; it goes on being built behind the service. */
const SCAN_WAIT_MS = 2000
const VIEWERS_MAX_DEFAULT = 10_000
const VIEWER_SPOOL_BYTES_DEFAULT: number = 256 * 1024 * 1024

export interface EdgeOptions {
  /** Permanent id; also the pathway id. */
  readonly id: string
  readonly region: string
  readonly listen: ListenOptions
  /** Where viewers reach this edge; null: the URL that it listens on. */
  readonly publicUrl: string | null
  readonly controlUrl: string
  /** This server's credential, for the control room and for the origin. */
  readonly token: Secret
  /** How other servers of the fleet prove who they are; left out: by public certificates. */
  readonly trust?: Trust
  /** Of a server that joined: its certificate is kept fresh. Null or left out: it did not. */
  readonly identity?: Identity | null
  readonly originUrl: string
  readonly stateFolder: string
  /** Built web pages (`watch.html` and `watch-assets/`); null: no player page. */
  readonly webFolder: string | null
  readonly memoryBytesMax: number
  readonly diskBytesMax: number
  /** Viewers' connections that are admitted at once. */
  readonly viewersMax?: number | undefined
  /** Null or left out: no access log. */
  readonly accessLog?: AccessLogLimits | null | undefined
  /** What viewers went through, until the control room has it; beyond it the oldest is dropped. */
  readonly viewerSpoolBytesMax?: number | undefined
  readonly clock: Clock
  readonly log: Log
}

export interface RunningEdge {
  /** Where it listens, without a slash at the end. */
  readonly url: string
  close(): Promise<void>
}

/** The parts that exist before the server listens. */
interface Parts {
  readonly tally: Tally
  readonly origin: OriginClient
  readonly memory: MemoryTier
  readonly disk: DiskTier
  readonly cache: ObjectCache
  readonly sessions: Sessions
  readonly probes: Probes
  readonly access: AccessTable
  readonly probePass: ProbePass
  readonly glances: Glances
  readonly accounting: Accounting
}

/** Starts an edge; it serves from its cache and its last table, whatever the control room and the origin do. */
export async function startEdge(options: EdgeOptions): Promise<RunningEdge> {
  const closers = new Closers()
  try {
    return await assemble(options, closers)
  } catch (error) {
    await closers.close()
    throw error
  }
}

async function assemble(options: EdgeOptions, closers: Closers): Promise<RunningEdge> {
  const { clock, log, id } = options
  const parts = await makeParts(options, closers)
  const pages = new Pages(options.webFolder, log)
  // The fleet and the door need the URL, which is known only once the server listens: requests wait that long.
  const doors: { front: Front | null; fleet: FleetView | null } = { front: null, fleet: null }
  // Closed after the server: what it answered 204 for is kept.
  const intake = openIntake(options, parts, address => doors.fleet?.regionOf(address) ?? null, closers)
  const onRequest: RequestListener = (req, res) => doors.front?.handle(req, res)
  const listening = await listen(options.listen, onRequest, certificateLogger(log))
  closers.add(listening)
  const url = options.publicUrl?.replace(/\/+$/, '') ?? listening.url
  const link: { running: Link | null } = { running: null }
  const fleet = new FleetView({
    self: { id, region: options.region, url, weight: 1 },
    clock,
    connected: () => link.running?.hears() ?? false,
    unreachable: parts.probes.unreachable,
    blind: parts.probes.blind,
  })
  doors.fleet = fleet
  parts.sessions.useTable(() => fleet.version)
  const entry = new Entry({ fleet, cache: parts.cache, clock, edgeId: id })
  const behindProxy = options.listen.behindProxy === true
  const connections = watchConnections(options, listening, closers)
  const underDuress = (): boolean => connections.isNearlyFull || intake.stoodStillLately
  const media = new MediaDelivery(
    parts.cache,
    clock,
    new CmsdSpeaker({ edgeId: id, behindProxy, underDuress }),
  )
  const watch = closers.add(
    openWatch({
      options,
      url,
      access: parts.access,
      link,
      probePass: parts.probePass,
      counters: parts.tally.counters,
    }),
  )
  const { door: watchDoor } = watch
  const own = { edgeId: id, behindProxy, clock, log, intake }
  const front = new Front({ ...parts, ...own, fleet, media, entry, pages, watchDoor })
  front.admitBy(connections)
  doors.front = front
  connectTally(parts, connections, fleet)
  const selfCheck = new SelfCheck({
    cache: parts.cache,
    origin: parts.origin,
    folder: options.stateFolder,
    watching: () => parts.sessions.watching(),
    fleetTime: () => link.running?.fleet ?? null,
    send: report => void link.running?.send(report),
    clock,
    log,
  })
  const authority = followAuthority(options, state => void link.running?.send(state), closers)
  const linked = { ...parts, selfCheck, authority, watch, intake }
  link.running = closers.add(openLink(options, url, linked, fleet))
  intake.connect(link.running)
  closers.add(selfCheck)
  watch.start()
  parts.accounting.useTime(link.running.fleet)
  parts.access.useTime(link.running.fleet)
  startTimers({ ...parts, selfCheck }, fleet, link.running, options, closers)
  const { identity = null } = options
  if (identity !== null) {
    closers.add(startRenewal({ identity, fleetTime: link.running.fleet, log }))
  }
  return { url: listening.url, close: () => closers.close() }
}

async function makeParts(options: EdgeOptions, closers: Closers): Promise<Parts> {
  const { clock, log, id, token, originUrl } = options
  ensureFolder(options.stateFolder)
  const hostId = readHostId()
  const tally = new Tally()
  const accessLog = options.accessLog ?? null
  // Closed after the server, whose last answers it is told of.
  const accounting = new Accounting({ stateFolder: options.stateFolder, hostId, accessLog, clock, log })
  closers.add(accounting)
  const origin = new OriginClient({ originUrl, token, trust: options.trust, edgeId: id })
  closers.add(origin)
  const memory = new MemoryTier(options.memoryBytesMax)
  const folder = join(options.stateFolder, 'objects')
  const disk = new DiskTier({ folder, bytesMax: options.diskBytesMax, hostId, clock, log })
  closers.add(disk)
  const scan = disk.scan()
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<void>(resolve => {
    timer = setTimeout(resolve, SCAN_WAIT_MS)
  })
  await Promise.race([scan, enough])
  clearTimeout(timer)
  const cache = new ObjectCache({
    clock,
    memory,
    disk,
    origin,
    hostId,
    hitHead: (facts, bodyBytes) => hitHead(id, facts, bodyBytes, KEEP_ALIVE_SECONDS),
    typeOf,
  })
  const probes = new Probes(clock, log)
  closers.add(probes)
  const glances = closers.add(new Glances(clock, log))
  return {
    tally,
    origin,
    memory,
    disk,
    cache,
    sessions: new Sessions(clock),
    probes,
    access: new AccessTable(token),
    probePass: new ProbePass(),
    glances,
    accounting,
  }
}

function watchConnections(options: EdgeOptions, listening: Listening, closers: Closers): Connections {
  const secure = isTls(options.listen)
  const viewersMax = options.viewersMax ?? VIEWERS_MAX_DEFAULT
  return closers.add(new Connections(listening.server, secure, viewersMax, options.clock))
}

/** Those that hear what the control room says. */
type LinkedParts = Parts & {
  readonly selfCheck: SelfCheck
  readonly authority: AuthorityFollower | null
  readonly watch: Watch
  readonly intake: Intake
}

function openIntake(
  { stateFolder, viewerSpoolBytesMax: bytesMax = VIEWER_SPOOL_BYTES_DEFAULT, clock, log }: EdgeOptions,
  { tally, memory }: Parts,
  regionOf: (address: string) => string | null,
  closers: Closers,
): Intake {
  const facts = new PlaylistFacts(key => memory.get(key))
  return closers.add(
    new Intake({
      folder: join(stateFolder, 'viewers'),
      bytesMax,
      hostId: readHostId(),
      counters: tally.counters,
      regionOf,
      objectFacts: facts.of,
      clock,
      log,
    }),
  )
}

function followAuthority(
  { identity = null, log }: EdgeOptions,
  send: ConstructorParameters<typeof AuthorityFollower>[0]['send'],
  closers: Closers,
): AuthorityFollower | null {
  return identity === null ? null : closers.add(new AuthorityFollower({ identity, send, log }))
}

function openLink(
  options: EdgeOptions,
  url: string,
  { access, sessions, probes, probePass, glances, selfCheck, authority, watch, intake }: LinkedParts,
  fleet: FleetView,
): Link {
  const { id, region, clock, log, controlUrl, token, trust = null } = options
  // What the link remembers from disk is told while it starts: that table is of unknown age.
  let remembered = true
  const onMessage = (message: FromControl): void => {
    if (message.type === 'steering-table') fleet.setTable(message, remembered)
    else if (message.type === 'regions') void fleet.setRegions(message.text, remembered)
    else if (message.type === 'probe-plan') {
      probes.setPlan(message)
      probePass.set(message.accepts)
      glances.setPlan(message)
    } else if (message.type === 'access') access.set(message)
    else if (message.type === 'catalogue') fleet.setTitles(message.titles)
    else if (message.type === 'check') selfCheck.order(message)
    else if (message.type === 'authority') authority?.take(message)
    else if (message.type === 'viewer-records-taken') intake.taken(message)
    else watch.take(message)
  }
  const hello = {
    server: id,
    process: 'server',
    role: 'edge',
    region,
    version: packageVersion,
    pid: process.pid,
    url,
    hostId: readHostId(),
  } as const
  const memoryFolder = join(options.stateFolder, 'link')
  const onWelcome = (): void => {
    sessions.tellAgain()
    selfCheck.tell()
    watch.report()
    intake.again()
  }
  const link = startLink({ controlUrl, token, trust, hello, clock, log, memoryFolder, onMessage, onWelcome })
  remembered = false
  return link
}

function startTimers(
  parts: Parts & { readonly selfCheck: SelfCheck },
  fleet: FleetView,
  link: Link,
  options: EdgeOptions,
  closers: Closers,
): void {
  const { sessions, probes, glances, selfCheck } = parts
  const { log, id } = options
  const failed = (error: unknown): void => log.error('edge-timer-failed', { error })
  const tick = setInterval(() => sessions.tick(), TICK_MS)
  closers.defer(() => clearInterval(tick))
  closers.add(
    every(
      REPORT_MS,
      () => {
        for (const part of sessions.report()) {
          if (link.send({ type: 'sessions', sessions: part })) sessions.told(part)
        }
        const seen = probes.report()
        if (seen.length > 0) link.send({ type: 'probes', probes: seen })
        const played = glances.report()
        if (played.length > 0) link.send({ type: 'plays', plays: played })
        selfCheck.turn()
      },
      failed,
    ),
  )
  closers.add(every(PROBE_MS, () => probes.look(fleet.peers(id)), failed))
  closers.add(every(GLANCE_MS, () => glances.turn(), failed))
}

function connectTally(parts: Parts, connections: Connections, fleet: FleetView): void {
  const { tally, origin, memory, disk, sessions, accounting } = parts
  tally.connect({
    totals: accounting.totals,
    sinceS: () => accounting.sinceS(),
    sessions: () => sessions.watching(),
    upstreamBytes: () => origin.counts.receivedBytes,
    upstreamFailures: () => origin.counts.failures,
    memoryBytes: () => memory.bytes,
    diskBytes: () => disk.bytes,
    diskTrouble: () => disk.trouble,
    connections: () => connections.count,
    tableAgeS: () => fleet.tableAgeS(),
    dropped: () => ({
      'connection-refused': connections.refused,
      'slow-reader': connections.slow,
      'session-evicted': sessions.counts.evicted,
      'session-doubted': sessions.counts.doubted,
      'disk-write-skipped': disk.counts.writesSkipped,
      'disk-write-failed': disk.counts.writeFailures,
      'disk-file-broken': disk.counts.broken,
      'cmcd-malformed': tally.cmcdMalformed,
      'access-log-line': accounting.linesDropped,
    }),
  })
}
