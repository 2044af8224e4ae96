// Owns an agent: it measures its host and one server, and tells the control room. It refuses to end for a failed
// measurement or delivery: those are counted.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import {
  type Clock,
  type Closable,
  Closers,
  type Counter,
  Counters,
  certificateLogger,
  createThrottle,
  ensureFolder,
  every,
  type Labels,
  type ListenOptions,
  type Log,
  listen,
  type MetricFamily,
  packageVersion,
  registerProcessMetrics,
  type Secret,
} from '#base'
import { AccessTable, type Link, readHostId, startLink } from '#link'
import { EXPOSITION_CONTENT_TYPE, renderExposition } from '#metrics'
import { AuthorityFollower, type Identity, type Trust, tlsClient } from '#trust'
import type { AuthorityState, Heartbeat, ServerRole } from '#wire'
import { ChangeWatch } from './changes/change-watch.ts'
import { FactReader } from './changes/read-facts.ts'
import { HostClock } from './clock/host-clock.ts'
import { HostMetrics } from './host/host-metrics.ts'
import { readPageBytes } from './host/page-size.ts'
import { ProcessScan } from './host/process-scan.ts'
import { ServerMetrics } from './host/server-metrics.ts'
import { HttpCalls, type TlsFor } from './http-call.ts'
import { HostNotes } from './notes/host-notes.ts'
import { LabelTable } from './push/label-table.ts'
import { type Pass, PassBuilder } from './push/pass.ts'
import { PushQueue } from './push/push-queue.ts'
import { Pusher } from './push/pusher.ts'
import { KernelMessages } from './recorder/kernel-messages.ts'
import { type Recalled, recall } from './recorder/recall.ts'
import { recallNotes } from './recorder/recall-notes.ts'
import { Recorder, readRecordings } from './recorder/recorder.ts'
import { TopProcesses } from './recorder/top-processes.ts'
import type { BuiltinStep } from './steps/allow-list.ts'
import { StepKeeper } from './steps/step-keeper.ts'
import { HealthCheck } from './watch/health-check.ts'
import { ProcessWatch } from './watch/process-watch.ts'
import { Scraper } from './watch/scraper.ts'

const PASS_MS = 1000
const LOOK_MS = 250
const TOP_EVERY_PASSES = 5
/** An agent that restarts in a moment has some seconds that were on their way: no news. */
const RECOVERED_PASSES_MIN = 5
/** Reading the list of processes takes some milliseconds; a change is news for hours. */
const CHANGES_MS = 15_000
const LOG_EVERY_MS = 600_000
/** A server that starts beside its agent is up by then; earlier, what it lacks is no evidence. */
const EARLY_MS = 5000

export interface AgentOptions {
  /** Id of the server that is watched; also this agent's `instance` label. */
  readonly id: string
  readonly role: ServerRole
  readonly region: string
  /** For /healthz and /metrics of the agent itself; null: it does not listen. */
  readonly listen: ListenOptions | null
  readonly controlUrl: string
  /** The watched server's own token: it opens its /metrics and lets the agent write as that server. */
  readonly token: Secret
  /** How other servers of the fleet prove who they are; left out: by public certificates. */
  readonly trust?: Trust
  /** Of an agent alone: it follows the authority's key. Null or left out: the server beside it does. */
  readonly identity?: Identity | null
  /** The watched server, for /healthz and /metrics; null: only the host is measured. */
  readonly serverUrl: string | null
  /** Leader of the watched server's process group; asked at each pass, null when there is none. */
  readonly watchedPid: () => number | null
  readonly stateFolder: string
  /** Files of the server beside it: a change of one is told. */
  readonly configFiles?: readonly string[]
  readonly certificateFiles?: readonly string[]
  /** The list of steps that runbooks may ask for; null or left out: there is none. */
  readonly stepsFile?: string | null
  /** Steps that this process carries out itself. */
  readonly builtinSteps?: readonly BuiltinStep[]
  /** Time servers to ask beside those that the host is configured to use; null or left out: none is asked. */
  readonly timeServers?: readonly string[] | null
  readonly clock: Clock
  readonly log: Log
}

export interface RunningAgent extends Closable {
  /** Where the agent itself listens; null when it does not. */
  readonly url: string | null
  close(): Promise<void>
}

/** Starts an agent; it works in the background until it is closed. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const closers = new Closers()
  try {
    return await new Agent(options, closers).start()
  } catch (error) {
    await closers.close()
    throw error
  }
}

class Agent {
  readonly #options: AgentOptions
  readonly #closers: Closers
  readonly #counters = new Counters()
  readonly #table = new LabelTable()
  readonly #queue = new PushQueue()
  readonly #scan = new ProcessScan()
  readonly #watch: ProcessWatch
  readonly #health: HealthCheck | null
  readonly #host: HostMetrics
  readonly #clock: HostClock
  readonly #access: AccessTable
  readonly #link: Link
  readonly #authority: AuthorityFollower | null
  readonly #calls: HttpCalls
  readonly #server: ServerMetrics
  readonly #pusher: Pusher
  readonly #scraper: Scraper | null
  readonly #changes: ChangeWatch
  readonly #recorder: Recorder
  readonly #top: TopProcesses
  readonly #kernel: KernelMessages
  readonly #notes: HostNotes
  readonly #steps: StepKeeper
  #passes = 0
  #changesDueMs = 0
  #recovered: { readonly first: Pass; readonly last: Pass; readonly seconds: number } | null = null
  readonly #scrapes: Counter
  readonly #own: Labels
  readonly #startedMs: number
  #hostFamilies: readonly MetricFamily[] = []

  constructor(options: AgentOptions, closers: Closers) {
    const { id, role, region, serverUrl, token, clock, log, controlUrl } = options
    this.#options = options
    this.#closers = closers
    this.#startedMs = clock.monotonicMs()
    registerProcessMetrics(this.#counters, 'agent')
    this.#own = { job: 'vitrine-agent', instance: id, region }
    this.#calls = closers.add(new HttpCalls(tlsFor(options)))
    this.#watch = new ProcessWatch(options.watchedPid)
    this.#health = serverUrl === null ? null : new HealthCheck(serverUrl, this.#calls, clock)
    this.#access = new AccessTable(token)
    this.#host = new HostMetrics(this.#unreadable())
    const { timeServers = null } = options
    this.#clock = new HostClock({ counters: this.#counters, clock, log, timeServers })
    const hostId = readHostId()
    const { identity = null } = options
    const send = (state: AuthorityState): void => void this.#link.send(state)
    this.#authority = identity === null ? null : closers.add(new AuthorityFollower({ identity, send, log }))
    this.#steps = closers.add(
      new StepKeeper({
        file: options.stepsFile ?? null,
        builtin: options.builtinSteps ?? [],
        folder: ensureFolder(join(options.stateFolder, 'steps')),
        send: message => void this.#link.send(message),
        log,
      }),
    )
    this.#link = closers.add(this.#startLink(hostId))
    this.#access.useTime(this.#link.fleet)
    const shared = { counters: this.#counters, clock, fleet: this.#link.fleet }
    this.#server = new ServerMetrics({ ...shared, hostId, pageBytes: readPageBytes(), agentPid: process.pid })
    const authorization = `Bearer ${token.reveal()}`
    const recordings = join(ensureFolder(options.stateFolder), 'recorder')
    const files = readRecordings(recordings)
    const recalled = recall(files, hostId)
    for (const pass of recalled.passes) this.#queue.add(pass)
    this.#recorder = closers.add(new Recorder(recordings, hostId, log))
    this.#top = new TopProcesses(readPageBytes())
    this.#kernel = closers.add(new KernelMessages())
    const { queue, calls } = { queue: this.#queue, calls: this.#calls }
    const onSettled = (bootMs: number): void => this.#recorder.acked(bootMs)
    this.#notes = new HostNotes({
      ...shared,
      controlUrl,
      authorization,
      calls,
      log,
      onSettled: bootMs => this.#recorder.notesAcked(bootMs),
    })
    this.#notes.add(recallNotes(files, hostId))
    this.#pusher = new Pusher({ ...shared, controlUrl, authorization, queue, calls, log, onSettled })
    const labels = { job: `vitrine-${role}`, instance: id, region }
    this.#scraper =
      serverUrl === null ? null : new Scraper({ serverUrl, token, labels, table: this.#table, calls, log })
    const { configFiles = [], certificateFiles = [], watchedPid } = options
    this.#changes = new ChangeWatch({
      folder: ensureFolder(options.stateFolder),
      reader: new FactReader({ configFiles, certificateFiles, watchedPid }),
      controlUrl,
      authorization,
      calls,
      fleetTime: this.#link.fleet,
      log,
    })
    this.#noteRecovery(recalled)
    this.#scrapes = this.#counters.counter(
      'vitrine_agent_scrapes_total',
      'Reads of the server by result. failed growing: the server is frozen, overloaded or stopped.',
    )
  }

  async start(): Promise<RunningAgent> {
    const { listen: address, log } = this.#options
    const onError = (error: unknown): void => log.error('agent-pass-failed', { error })
    const own =
      address === null
        ? null
        : this.#closers.add(
            await listen(
              address,
              (request, response) => this.#answer(request, response),
              certificateLogger(log),
            ),
          )
    this.#closers.add(every(LOOK_MS, () => this.#watch.look(), onError))
    this.#closers.add(every(PASS_MS, () => this.#pass(), onError))
    this.#closers.add(every(PASS_MS, () => this.#lookForChanges(), onError))
    this.#closers.add(every(StepKeeper.lookEveryMs, () => this.#steps.look(), onError))
    if (this.#health !== null) {
      const health = this.#health
      this.#closers.add(every(PASS_MS, () => health.look(), onError))
    }
    return { url: own?.url ?? null, close: () => this.#closers.close() }
  }

  /** At once when fleet time is known, then now and again. */
  async #lookForChanges(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    if (!this.#link.fleet.known() || nowMs < this.#changesDueMs) return
    this.#changesDueMs = nowMs + CHANGES_MS
    this.#tellRecovery()
    await this.#changes.look()
  }

  /** One second's work: measure, read the server, and send. */
  async #pass(): Promise<void> {
    const pass = new PassBuilder(this.#options.clock.bootMs())
    const { pid, state } = this.#watch.view()
    if (pid !== null) this.#server.update(this.#scan.membersOf(pid), pid, state === 'T')
    this.#server.lookAtClock()
    this.#clock.look()
    this.#hostFamilies = [...this.#host.collect(), ...this.#clock.families()]
    for (const { points } of [...this.#counters.collect(), ...this.#hostFamilies]) {
      for (const { name, labels, value } of points) {
        const own = this.#table.intern({ __name__: name, ...labels, ...this.#own })
        if (own !== null) pass.add(own, value)
      }
    }
    const answered = await this.#scraper?.collect(pass)
    if (answered !== undefined) this.#scrapes.add(1, { result: answered ? 'ok' : 'failed' })
    const built = pass.build()
    this.#record(built)
    this.#queue.add(built)
    // Not awaited: a slow control room must not delay the next measurement. A turn never rejects on failures.
    this.#pusher.turn().catch((error: unknown) => this.#options.log.error('agent-push-broken', { error }))
  }

  /** On disk before it is sent: what a crash takes from the queue is sent after it. */
  #record(pass: Pass): void {
    const { clock } = this.#options
    const { fleet } = this.#link
    const isTopTurn = this.#passes % TOP_EVERY_PASSES === 0
    this.#passes += 1
    const fleetMs = fleet.known() ? fleet.fromBootMs(pass.bootMs) : null
    const kernel = this.#kernel.take() ?? []
    const kernelRead = this.#kernel.permitted
    // The first look only begins to count.
    const top = isTopTurn ? this.#top.look(clock.monotonicMs()) : undefined
    const seen = this.#passes === 1 || top === undefined ? {} : { top }
    this.#recorder.add(pass, { fleetMs, wallMs: clock.wallMs(), kernel, kernelRead, ...seen })
    if ('top' in seen || kernel.length > 0) {
      const said = kernel.length === 0 ? {} : { kernel }
      this.#notes.add([{ bootMs: pass.bootMs, stampMs: fleetMs, kernelRead, ...seen, ...said }])
    }
    this.#notes.turn().catch((error: unknown) => this.#options.log.error('host-notes-broken', { error }))
  }

  /** A gap of more than a moment that is filled later is told, so that nobody wonders why nothing alarmed. */
  #noteRecovery({ passes, undated }: Recalled): void {
    const [first, last] = [passes[0], passes.at(-1)]
    if (first === undefined || last === undefined || passes.length < RECOVERED_PASSES_MIN) return
    this.#options.log.info('samples-recovered', { seconds: passes.length, undated })
    this.#recovered = { first, last, seconds: passes.length }
  }

  #tellRecovery(): void {
    const recovered = this.#recovered
    const { fleet } = this.#link
    if (recovered === null || !fleet.known()) return
    this.#recovered = null
    const { first, last, seconds } = recovered
    const at = (pass: Pass): number => Math.round(pass.stampMs ?? fleet.fromBootMs(pass.bootMs))
    const subject = `${seconds} seconds of samples, until then not sent`
    this.#changes.note({
      kind: 'recovered',
      subject,
      from: null,
      to: null,
      at: Math.min(at(first), at(last)),
    })
  }

  #startLink(hostId: string): Link {
    const { id, role, region, controlUrl, token, clock, log, stateFolder, serverUrl } = this.#options
    return startLink({
      controlUrl,
      token,
      trust: this.#options.trust ?? null,
      clock,
      log,
      memoryFolder: ensureFolder(join(stateFolder, 'link')),
      hello: {
        server: id,
        process: 'agent',
        role,
        region,
        version: packageVersion,
        pid: process.pid,
        url: serverUrl ?? '',
        hostId,
      },
      onMessage: message => {
        if (message.type === 'access') this.#access.set(message)
        if (message.type === 'authority') this.#authority?.take(message)
        if (message.type === 'step-order') this.#steps.take(message)
      },
      onWelcome: () => this.#steps.tell(),
      watched: () => this.#watched(),
    })
  }

  /** Nothing is said before there is something to say: a server that has never been seen is not gone yet. */
  #watched(): Heartbeat['watched'] {
    const { role } = this.#options
    if (role === 'foreign' || role === 'host') return undefined // nothing of ours runs there
    const view = this.#watch.view()
    const health = this.#health === null ? { httpOk: false, httpMs: null } : this.#health.view()
    const early = this.#options.clock.monotonicMs() - this.#startedMs < EARLY_MS
    if (health === null || (early && (view.pid === null || !health.httpOk))) return undefined
    return { ...view, ...health }
  }

  /** One line in ten minutes for each file; the count is a metric. */
  #unreadable(): (file: string) => void {
    const count = this.#counters.counter(
      'vitrine_agent_proc_unreadable_total',
      'Reads of /proc that failed: the metrics that come from that file are left out.',
    )
    const throttle = createThrottle(LOG_EVERY_MS)
    return file => {
      count.add(1)
      if (throttle(file, this.#options.clock.monotonicMs()).pass) {
        this.#options.log.warn('agent-proc-unreadable', { file })
      }
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url?.split('?')[0]
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
    } else if (path === '/healthz') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}')
    } else if (path !== '/metrics') {
      response.writeHead(404).end()
    } else if (!this.#access.mayReadMetrics(request.headers.authorization)) {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    } else {
      response
        .writeHead(200, { 'content-type': EXPOSITION_CONTENT_TYPE })
        .end(renderExposition([...this.#counters.collect(), ...this.#hostFamilies]))
    }
  }
}

/** Of the two that an agent talks to: the control room by its role, the server beside it by its id. */
function tlsFor({ id, controlUrl, trust = null }: AgentOptions): TlsFor {
  return url => tlsClient(trust, url, url.startsWith(controlUrl) ? { role: 'control' } : { server: id })
}
