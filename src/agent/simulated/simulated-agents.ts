// Owns N servers that do not exist, as the control room meets real ones: for each the channel of an edge and that of
// its agent, heartbeats, time exchange, and remote write of made-up figures. It opens no port and serves nothing.
import { type Clock, type Closable, Counters, type Log, packageVersion, Secret } from '#base'
import { type Link, startLink } from '#link'
import { type Trust, tlsClient } from '#trust'
import type { FromControl } from '#wire'
import { HttpCalls } from '../http-call.ts'
import { PushQueue } from '../push/push-queue.ts'
import { Pusher } from '../push/pusher.ts'
import { Latencies, type LatencySummary } from './latencies.ts'
import { MadeUpHost } from './made-up-host.ts'
import { TableArrivals, type TableSummary } from './table-arrivals.ts'

const SECOND_MS = 1000
/** Passes that wait for a control room that is away: a thousand agents share one process. */
const QUEUE = { passesMax: 60, bytesMax: 256 * 1024 }
/** DESIGN of the bench: so late is late. */
const LATE_MS = 500

export interface SimulatedAgentsOptions {
  readonly controlUrl: string
  readonly trust: Trust
  readonly servers: readonly { readonly id: string; readonly region: string; readonly token: string }[]
  /** Series that each agent pushes, once a second. */
  readonly series: number
  /** Over which the servers come. */
  readonly rampMs: number
  readonly clock: Clock
  readonly log: Log
}

export interface SimulatedAgentsStats {
  readonly servers: number
  /** Servers whose both channels are open. */
  readonly connected: number
  /** From sending a heartbeat to the answer that says it was taken, both ways and this process's own delay included. */
  readonly heartbeats: LatencySummary & { readonly shareWithin500Ms: number }
  /** From the moment of the figures to the answer to their write. */
  readonly writes: LatencySummary
  readonly samples: number
  readonly writesRefused: number
  readonly tables: TableSummary
}

export interface SimulatedAgents extends Closable {
  stats(this: void): SimulatedAgentsStats
  /** Forgets what was measured so far: after the ramp. */
  measureAnew(this: void): void
  close(): Promise<void>
}

export function startSimulatedAgents(options: SimulatedAgentsOptions): SimulatedAgents {
  const measured: Measured = { beats: new Latencies(), writes: new Latencies(), samples: 0, refused: 0 }
  const tables = new TableArrivals()
  const { servers, rampMs } = options
  const agents = servers.map((server, number) => {
    const startAfterMs = (rampMs * number) / Math.max(1, servers.length)
    return new SimulatedServer({ ...options, server, number, startAfterMs, measured, tables })
  })
  return {
    stats: () => {
      const connected = agents.filter(agent => agent.connected()).length
      return {
        servers: agents.length,
        connected,
        heartbeats: {
          ...measured.beats.summary(),
          shareWithin500Ms: measured.beats.shareWithin(LATE_MS),
        },
        writes: measured.writes.summary(),
        samples: measured.samples,
        writesRefused: measured.refused,
        tables: tables.summary(connected),
      }
    },
    measureAnew: () => {
      Object.assign(measured, { beats: new Latencies(), writes: new Latencies(), samples: 0, refused: 0 })
      tables.reset()
    },
    close: async () => {
      await Promise.all(agents.map(agent => agent.close()))
    },
  }
}

interface Measured {
  beats: Latencies
  writes: Latencies
  samples: number
  refused: number
}

type OneOptions = SimulatedAgentsOptions & {
  readonly server: SimulatedAgentsOptions['servers'][number]
  readonly number: number
  readonly startAfterMs: number
  readonly measured: Measured
  readonly tables: TableArrivals
}

class SimulatedServer {
  readonly #options: OneOptions
  readonly #host: MadeUpHost
  readonly #queue = new PushQueue(QUEUE)
  readonly #calls: HttpCalls
  #links: readonly Link[] = []
  #pusher: Pusher | null = null
  #timer: NodeJS.Timeout
  #second = 0

  constructor(options: OneOptions) {
    this.#options = options
    const { server, number, series, trust, startAfterMs } = options
    this.#host = new MadeUpHost(server.id, server.region, number, series)
    this.#calls = new HttpCalls(url => tlsClient(trust, url, { role: 'control' }))
    this.#timer = setTimeout(() => this.#start(), startAfterMs)
  }

  connected(): boolean {
    return this.#links.length > 0 && this.#links.every(link => link.connected())
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#links.map(link => link.close()))
    this.#calls.close()
  }

  #start(): void {
    const { clock, log, controlUrl, server, measured } = this.#options
    const agent = this.#link('agent')
    this.#links = [this.#link('server'), agent]
    this.#pusher = new Pusher({
      controlUrl,
      authorization: `Bearer ${server.token}`,
      queue: this.#queue,
      fleet: agent.fleet,
      calls: this.#calls,
      counters: new Counters(),
      clock,
      log,
      onSettled: bootMs => {
        measured.writes.add(clock.bootMs() - bootMs)
        measured.samples += this.#host.labels.length
      },
      onRefused: () => {
        measured.refused += 1
      },
    })
    this.#timer = setInterval(() => this.#measure(), SECOND_MS)
  }

  #measure(): void {
    const { clock, log } = this.#options
    this.#second += 1
    const values = this.#host.values(this.#second)
    this.#queue.add({ bootMs: clock.bootMs(), labels: this.#host.labels, values })
    void this.#pusher?.turn().catch((error: unknown) => log.error('simulated-push-broken', { error }))
  }

  #link(process: 'server' | 'agent'): Link {
    const { controlUrl, trust, server, number, clock, log, measured, tables } = this.#options
    const link: Link = startLink({
      controlUrl,
      trust,
      token: new Secret(server.token),
      hello: {
        server: server.id,
        process,
        role: 'edge',
        region: server.region,
        version: packageVersion,
        pid: number + 1,
        // RFC 6761 section 6.4: a name that never resolves.
        url: `http://${server.id}.invalid`,
        hostId: server.id,
      },
      clock,
      log,
      memoryFolder: null,
      exchangeEachBeat: process === 'agent',
      ...(process === 'agent'
        ? {
            onBeatTaken: (ms: number) => measured.beats.add(ms),
            watched: () => ({ pid: number + 1, state: 'S', httpOk: true, httpMs: 1 }),
          }
        : {}),
      onMessage: (message: FromControl) => {
        if (message.type === 'steering-table')
          tables.add(message.version, link.fleet.nowMs() - message.issuedMs)
      },
    })
    return link
  }
}
