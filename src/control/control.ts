// Owns the start and the stop of a control room: opens what is durable, starts the parts, serves.

import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import {
  type Closable,
  Closers,
  Counters,
  certificateLogger,
  every,
  Fault,
  type Listening,
  type ListenOptions,
  type Log,
  listen,
  messageOf,
  registerProcessMetrics,
} from '#base'
import { readHostId } from '#link'
import { type MetricsStore, openStore } from '#metrics'
import type { Trust } from '#trust'
import type { SteeringTable } from '#wire'
import { AccessDirectory } from './access.ts'
import { AdmissionKeeper, startAdmission } from './admission/admission-keeper.ts'
import { startAlertKeeper } from './alerts/alert-keeper.ts'
import type { Gap } from './alerts/replay-gap.ts'
import { RuleFiles } from './alerts/rule-files.ts'
import { createApp } from './api/app.ts'
import { hostAllowed } from './api/guard.ts'
import { MetadataBook } from './api/metadata-book.ts'
import { type OwnAuthority, privateAuthority } from './authority.ts'
import { AuthorityKeeper, startAuthorityKeeper } from './authority-keeper.ts'
import type { ControlContext } from './context.ts'
import { DrillDesk } from './drills/drill-desk.ts'
import { controlFaults } from './faults.ts'
import { CONTROL_ID, Fleet } from './fleet/fleet.ts'
import { startFleetChannel } from './fleet/fleet-channel.ts'
import { isClockKept, openFleetTime } from './fleet/open-fleet-time.ts'
import { RefusalBook } from './fleet/refusal-book.ts'
import { SimulatedServers } from './fleet/simulated-servers.ts'
import { startCounterReader } from './health/counter-reader.ts'
import { startHealthKeeper } from './health/health-keeper.ts'
import { absenceOf, followAbsence } from './incidents/after-absence.ts'
import { openIncidents } from './incidents/open-incidents.ts'
import { startLeapKeeper } from './leap/leap-keeper.ts'
import { NoteStore } from './notes/note-store.ts'
import { type Notifications, startNotifications } from './notify/start-notify.ts'
import type { ControlOptions } from './options.ts'
import { AuditKeeper } from './people/audit-keeper.ts'
import { createOffboarding } from './people/offboarding.ts'
import { SignInPace } from './people/sign-in-pace.ts'
import { PlanKeeper } from './probes/plan-keeper.ts'
import { ProbeBudget } from './probes/probe-budget.ts'
import { ProbeCredentials } from './probes/probe-credentials.ts'
import { startProber } from './probes/prober.ts'
import { startSyntheticViewer } from './probes/synthetic-viewer.ts'
import { openRuleDesk, rulesFoldersOf } from './rule-desk/open-rule-desk.ts'
import { openRuns, startRuns } from './runbooks/open-runs.ts'
import { SelfMetrics, type SelfMetricsOptions } from './self-metrics.ts'
import { type FullState, openFullState } from './state/open-state.ts'
import { startLoadReader } from './steering/load-reader.ts'
import { startPathwayKeeper } from './steering/pathway-keeper.ts'
import { type RegionKeeper, startRegionKeeper } from './steering/region-keeper.ts'
import { SteeringKeeper } from './steering/steering-keeper.ts'
import { registerStoreMetrics } from './store-metrics.ts'
import { TryIt } from './try/try-it.ts'
import { openViewing } from './viewers/open-viewers.ts'
import { WallKeeper } from './wall/wall-keeper.ts'
import { PictureSender } from './watcher/picture-sender.ts'
import { WatcherKeeper } from './watcher/watcher-keeper.ts'
import { DemandKeeper } from './what-if/demand-keeper.ts'

export interface RunningControl extends Closable {
  /** `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string
  /** What join strings carry: the address, and the authority's pin where there is one. */
  readonly join: { readonly controlUrl: string; readonly pin: string | null }
  close(): Promise<void>
}

const SECOND_MS = 1000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const REGION = 'control' // of a control room that is not enrolled with a region of its own

/** Returns once it serves. What was started before a failure is closed again. */
export async function startControl(options: ControlOptions): Promise<RunningControl> {
  const closers = new Closers()
  try {
    return await start(options, closers)
  } catch (error) {
    await closers.close().catch(() => undefined)
    throw error
  }
}

async function start(options: ControlOptions, closers: Closers): Promise<RunningControl> {
  const { clock, log } = options
  const counters = new Counters()
  registerProcessMetrics(counters, 'control')
  const state = closers.add(await openFullState(options.stateFolder, clock))
  const store = closers.add(openMetrics(options))
  registerStoreMetrics(counters, store)
  const { fleetTime, gap } = await startTime(options, { state, store, counters })
  const fleet = new Fleet()
  await state.servers.enrol(options.enrol)
  const stored = await state.servers.list()
  fleet.load(stored, await state.servers.states(), await state.overrides.all(), fleetTime.nowMs())
  const region = stored.find(server => server.id === CONTROL_ID)?.region ?? REGION
  const access = new AccessDirectory()
  const simulated = new SimulatedServers()
  const late: Late = { url: options.publicUrl ?? '', channel: null }
  const probeBudget = await openBudget(options, { fleet, fleetTime, state }, closers)
  const { steering, probePlan, selfMetrics } = await openKeepers(
    { fleet, fleetTime, state, store, clock, counters, region, probeBudget, log },
    late,
  )
  closers.defer(() => steering.settled())
  // Before the first rule looks. A full disk keeps nobody from starting: an alert says so.
  attempt(log, 'metrics-not-written', () => selfMetrics.write())
  const rules = await openRules(options, { store, state, fleetTime, counters, gap }, late, closers)
  const { refreshAccess, followAccess } = accessReader({ fleet, state, access, fleetTime, simulated }, () =>
    late.channel?.access(),
  )
  await refreshAccess()
  const own = await privateAuthority(options, fleetTime, closers)
  const base = { fleet, store, steering, state, alerts: rules.alerts, fleetTime, log, counters }
  const context: ControlContext = {
    options,
    ...base,
    simulated,
    refusals: new RefusalBook({ nowMs: fleetTime.nowMs, log, known: id => fleet.get(id) !== null }),
    regions: closers.add(openRegions(options, counters, late)),
    probePlan,
    probeBudget,
    ...rules,
    access,
    tryIt: new TryIt(options.supervisor, fleet, fleetTime),
    notes: openNotes({ options, fleetTime, counters }, closers),
    ...openViewing(options, base, closers),
    ...(await openTelling(options, { fleet, state, fleetTime, counters, probePlan }, late, closers)),
    wall: new WallKeeper({ store, log, nowMs: () => fleetTime.nowMs() }),
    ...(await openJudged(options, base, late, closers)),
    admission: admissionKeeper(options, { fleet, state, fleetTime, probePlan, probeBudget }, late),
    region,
    authority: own.authority,
    authorityKeeper: authorityKeeper(options, own, { fleet, state }, late),
    joinUrl: () => joinUrl(late.url),
    selfUrl: () => late.url,
    startedAt: fleetTime.nowMs(),
    refreshAccess,
    followAccess,
    ...openPeople(options, state, closers),
  }
  const { url } = await serve(context, own.listen, late, closers)
  startLooking(context, selfMetrics, closers)
  closers.add(
    startLeapKeeper({ fleet, store, fleetTime, clock, counters, onSettled: state.publishTime, log }),
  )
  startWatcher(context, gap, late, closers)
  log.info('control-serving', { url, servers: fleet.all().length, rules: rules.ruleFiles.groups().length })
  return {
    url,
    join: { controlUrl: late.url, pin: own.authority?.pin ?? null },
    close: () => closers.close(),
  }
}

/** What is usual, and the incidents that are judged by it. */
async function openJudged(
  options: ControlOptions,
  parts: Omit<Parameters<typeof openIncidents>[0], 'demand' | 'drills' | 'options'>,
  late: Late,
  closers: Closers,
): Promise<Pick<ControlContext, 'demand' | 'drills' | 'incidents' | 'runs'>> {
  const demand = await openDemand(options, parts, closers)
  const drills = closers.add(new DrillDesk(() => options.clock.monotonicMs()))
  const incidents = await openIncidents({ ...parts, options, demand, drills }, closers)
  const send: Parameters<typeof openRuns>[0]['send'] = (server, order) => late.channel?.step(server, order)
  return { demand, drills, incidents, runs: openRuns({ ...parts, options, demand, incidents, send }) }
}

function openPeople(
  { clock, mentions = () => [], auditDays, log }: ControlOptions,
  state: FullState,
  closers: Closers,
): Pick<ControlContext, 'pace' | 'offboarding' | 'metadata' | 'auditKeeper'> {
  const offboarding = createOffboarding(state, mentions)
  const auditKeeper = new AuditKeeper(state, auditDays)
  closers.add(auditKeeper.follow(log))
  return { pace: new SignInPace(clock), offboarding, metadata: new MetadataBook(), auditKeeper }
}

async function openDemand(
  { clock, log }: ControlOptions,
  { store, state, fleetTime }: Pick<ControlContext, 'store' | 'state' | 'fleetTime'>,
  closers: Closers,
): Promise<DemandKeeper> {
  const nowMs = (): number => fleetTime.nowMs()
  return closers.add(await DemandKeeper.open({ store, book: state.demand, clock, log, nowMs }))
}

/** Known only once something listens; the parts that tell of it are made before. */
interface Late {
  url: string
  channel: ReturnType<typeof startFleetChannel> | null
}

/** The rules as their files stand, followed from now on, and what is pending and firing. */
async function openRules(
  {
    rulesFolders,
    shippedRules: shipped = null,
    stateFolder,
    externalLabels = {},
    clock,
    log,
  }: ControlOptions,
  {
    store,
    state,
    fleetTime,
    counters,
    gap,
  }: Pick<SelfMetricsOptions, 'store' | 'fleetTime' | 'counters'> & {
    readonly state: FullState
    readonly gap: Gap | null
  },
  late: Late,
  closers: Closers,
): Promise<Pick<ControlContext, 'alerts' | 'ruleFiles' | 'ruleDesk'>> {
  const folders = rulesFoldersOf(rulesFolders, stateFolder)
  const ruleFiles = closers.add(new RuleFiles({ folders, shipped, fleetTime, counters, log }))
  const groups = ruleFiles.groups()
  const externalUrl = (): string => late.url
  const own = { groups, externalLabels, externalUrl, alerts: state.alerts, gap }
  const alerts = closers.add(await startAlertKeeper({ ...own, store, fleetTime, counters, log }))
  ruleFiles.follow(alerts.replace)
  const ruleDesk = openRuleDesk({ folders, shipped, store, state, fleetTime, clock, log }, closers)
  return { alerts, ruleFiles, ruleDesk }
}

/** What follows from the fleet: the table, the plan of probes, and the series of both. */
async function openKeepers(
  parts: Omit<SelfMetricsOptions, 'steering' | 'probePlan'> & {
    readonly state: FullState
    readonly log: Log
  },
  late: Late,
): Promise<{ steering: SteeringKeeper; probePlan: PlanKeeper; selfMetrics: SelfMetrics }> {
  const { fleet, fleetTime, state } = parts
  const publish = (table: SteeringTable): void => late.channel?.table(table)
  const steering = await SteeringKeeper.open({ fleet, fleetTime, state, log: parts.log, publish })
  const credentials = await ProbeCredentials.open(state)
  const publishPlan = (): void => late.channel?.plan()
  const probePlan = new PlanKeeper({
    fleet,
    fleetTime,
    budget: parts.probeBudget,
    credentials,
    publish: publishPlan,
  })
  const selfMetrics = new SelfMetrics({ ...parts, steering, probePlan })
  steering.refresh()
  probePlan.refresh()
  return { steering, probePlan, selfMetrics }
}

function openNotifications(
  { notify: config = null, notifySource: source = null, log }: ControlOptions,
  parts: Pick<ControlContext, 'state' | 'fleetTime' | 'counters'>,
  late: Late,
  closers: Closers,
): Promise<Notifications> {
  const selfUrl = (): string => late.url
  return startNotifications({ config, source, environment: process.env, ...parts, log, selfUrl }, closers)
}

/** Who is told of incidents, and by whom when this room is gone. */
async function openTelling(
  options: ControlOptions,
  parts: Pick<ControlContext, 'fleet' | 'state' | 'fleetTime' | 'counters' | 'probePlan'>,
  late: Late,
  closers: Closers,
): Promise<Pick<ControlContext, 'notifications' | 'watcher'>> {
  const notifications = await openNotifications(options, parts, late, closers)
  return { notifications, watcher: await openWatcher(options, { ...parts, notifications }, late) }
}

/** The edges watch the control room, with what it tells them. */
function openWatcher(
  { log }: ControlOptions,
  parts: Pick<ControlContext, 'fleet' | 'state' | 'notifications' | 'probePlan'>,
  late: Late,
): Promise<WatcherKeeper> {
  const { fleet, state, notifications, probePlan } = parts
  return WatcherKeeper.open({
    plan: notifications.plan,
    fleet,
    state,
    log,
    probePlan,
    selfUrl: () => late.url,
    isHere: edge => late.channel?.addressOf(edge) != null,
    publish: () => late.channel?.sealedRoute(),
  })
}

function startWatcher(context: ControlContext, gap: Gap | null, late: Late, closers: Closers): void {
  const { watcher, alerts, incidents, log } = context
  closers.add(followAbsence(gap, alerts, incidents.keeper, log))
  const pictures = new PictureSender(context, picture => late.channel?.picture(picture))
  const turn = async (): Promise<void> => {
    pictures.turn()
    await watcher.turn()
  }
  closers.add(every(SECOND_MS, turn, error => log.error('watcher-broken', { error })))
}

function authorityKeeper(
  { stateFolder, clock, log }: ControlOptions,
  { authority, renewOwn }: OwnAuthority,
  { fleet, state }: Pick<ControlContext, 'fleet' | 'state'>,
  late: Late,
): AuthorityKeeper | null {
  if (authority === null) return null
  return new AuthorityKeeper({
    authority,
    folder: join(stateFolder, 'authority'),
    fleet,
    renewOwn,
    revokeStrings: () => state.joinStrings.revokeAll('authority change'),
    publish: () => late.channel?.authority(),
    clock,
    log,
  })
}

function admissionKeeper(
  { clock, log }: ControlOptions,
  parts: Pick<ControlContext, 'fleet' | 'state' | 'fleetTime' | 'probePlan' | 'probeBudget'>,
  late: Late,
): AdmissionKeeper {
  const { fleet, state, fleetTime, probePlan, probeBudget: budget } = parts
  return new AdmissionKeeper({
    checks: state.checks,
    fleet,
    budget,
    credential: probePlan.credential,
    order: (server, order) => late.channel?.order(server, order),
    addressOf: server => late.channel?.addressOf(server) ?? null,
    fleetTime,
    clock,
    log,
  })
}

function openRegions({ regionsFile, log }: ControlOptions, counters: Counters, late: Late): RegionKeeper {
  const publish = (): void => late.channel?.regions()
  return startRegionKeeper({ file: regionsFile ?? null, counters, log, publish })
}

/** What was spent is written each minute, and at the end. */
async function openBudget(
  { probeBytesMonth: bytesMonth, clock, log }: ControlOptions,
  { fleet, fleetTime, state }: Pick<ControlContext, 'fleet' | 'fleetTime' | 'state'>,
  closers: Closers,
): Promise<ProbeBudget> {
  const capacityBps = (server: string): number | null => fleet.get(server)?.tags.capacityBps ?? null
  const budget = await ProbeBudget.open({ bytesMonth, capacityBps, clock, fleetTime, state })
  closers.defer(() => budget.flush())
  closers.add(
    every(
      MINUTE_MS,
      () => budget.flush(),
      error => log.error('budget-not-stored', { error }),
    ),
  )
  return budget
}

/** What is too old or too much is dropped each minute. */
function openNotes(
  { options, fleetTime, counters }: Pick<ControlContext, 'options' | 'fleetTime' | 'counters'>,
  closers: Closers,
): NoteStore {
  const notes = closers.add(new NoteStore(options.stateFolder))
  const bytes = counters.gauge(
    'vitrine_control_host_notes_bytes',
    'Bytes of top processes and kernel messages on disk; beyond 512 MB the oldest go.',
  )
  counters.beforeCollect(() => bytes.set(notes.bytes()))
  const onError = (error: unknown): void => options.log.error('host-notes-not-swept', { error })
  closers.add(every(MINUTE_MS, () => notes.sweep(fleetTime.nowMs()), onError))
  return notes
}

async function serve(
  context: ControlContext,
  address: ListenOptions,
  late: Late,
  closers: Closers,
): Promise<Listening> {
  const app = await createApp(context)
  closers.defer(() => app.close())
  const onRequest: RequestListener = (request, reply) => app.routing(request, reply)
  const listening = closers.add(await listen(address, onRequest, certificateLogger(context.log)))
  if (context.options.publicUrl === null) late.url = listening.url
  late.channel = closers.add(
    startFleetChannel({
      context,
      server: listening.server,
      hostAllowed: request => hostAllowed(request, context),
    }),
  )
  return listening
}

/** An address that only says "all interfaces" is none that others can use. */
function joinUrl(url: string): string {
  if (!/^https?:\/\/(0\.0\.0\.0|\[::\])[:/]/.test(`${url}/`)) return url
  const message = `${url} is no address that other machines can reach; set control.publicUrl`
  throw controlFaults.fault('control-request-invalid', message)
}

function openMetrics({
  stateFolder,
  retentionDays,
  retentionBytes,
  clock,
  log,
}: ControlOptions): MetricsStore {
  const folder = join(stateFolder, 'metrics')
  const limits = {
    retentionMs: retentionDays * DAY_MS,
    ...(retentionBytes === null ? {} : { retentionBytes }),
  }
  try {
    return openStore({ folder, ...limits, sealOnClose: true, clock, log })
  } catch (error) {
    if (error instanceof Fault) throw error
    const message = `${folder}: ${messageOf(error)}; move that folder away to start without its samples`
    throw controlFaults.fault('control-state-unreadable', message, { cause: error })
  }
}

/** The control room believes its own authority. */
function trustOf({ authority }: ControlContext): Trust {
  if (authority === null) return null
  return {
    get authorityPem() {
      return authority.roots.join('')
    },
  }
}

/** Probes, health, and what happens each second: only once the channel can tell the fleet what follows from them. */
function startLooking(context: ControlContext, selfMetrics: SelfMetrics, closers: Closers): void {
  const { fleet, fleetTime, steering, state, store, options, log } = context
  const { clock } = options
  closers.add(startProber({ fleet, trust: trustOf(context), clock, log, nowMs: fleetTime.nowMs }))
  const { probeBudget: budget, probePlan } = context
  const { titles, credential } = probePlan
  closers.add(startSyntheticViewer({ fleet, budget, titles, credential, clock, log }))
  const counters = closers.add(startCounterReader({ fleet, store, fleetTime, clock, log }))
  const counterFault = counters.fault
  const onChange = (): void => onStateChange(context, selfMetrics)
  closers.add(
    startHealthKeeper({
      fleet,
      servers: state.servers,
      fleetTime,
      clock,
      log,
      hostId: readHostId(),
      counterFault,
      onChange,
    }),
  )
  closers.add(startLoadReader({ fleet, store, servers: state.servers, fleetTime, clock, log }))
  closers.add(
    startPathwayKeeper({ fleet, steering, state, fleetTime, clock, counters: context.counters, log }),
  )
  closers.add(startSecondly(context, selfMetrics))
  closers.add(startAdmission(context.admission, log))
  startRuns(context, closers)
  void context.drills.recover(context).catch((error: unknown) => log.error('drill-not-recovered', { error }))
  if (context.authorityKeeper !== null) closers.add(startAuthorityKeeper(context.authorityKeeper, log))
}

/** Tokens and servers in memory follow state.db, which commands in other processes change too. */
function accessReader(
  parts: Pick<ControlContext, 'fleet' | 'state' | 'access' | 'fleetTime' | 'simulated'>,
  onChange: () => void,
): Pick<ControlContext, 'refreshAccess' | 'followAccess'> {
  const { fleet, state, access, fleetTime, simulated } = parts
  let version = state.dataVersion()
  const refreshAccess = async (): Promise<void> => {
    version = state.dataVersion()
    const [servers, states, overrides] = [
      await state.servers.list(),
      await state.servers.states(),
      await state.overrides.all(),
    ]
    fleet.load([...servers, ...simulated.list()], states, overrides, fleetTime.nowMs())
    const [tokens, walls] = [await state.tokens.active(), await state.wallLinks.active()]
    if (access.set(tokens, fleet, walls)) onChange()
  }
  const followAccess = async (): Promise<void> => {
    const isOver = access.endsAt <= fleetTime.nowMs()
    if (state.dataVersion() !== version || isOver) await refreshAccess()
  }
  return { refreshAccess, followAccess }
}

async function startTime(
  { clock, log }: ControlOptions,
  parts: { readonly state: FullState; readonly store: MetricsStore; readonly counters: Counters },
): Promise<ReturnType<typeof openFleetTime> & { readonly gap: Gap | null }> {
  const { state, store, counters } = parts
  const newestMs = store.newestMs()
  // Before the room's own time is known, the file's is what was told last, if this machine has not booted since.
  const before = { newestMs, continuedMs: state.nowMs(), isKept: isClockKept() }
  const started = openFleetTime(clock, before, log)
  counters
    .gauge(
      'vitrine_control_fleet_time_held_seconds',
      'Fleet time minus the wall clock at the start. Other than 0: the clock lay behind the newest sample, or was set by far. Set this host’s clock.',
    )
    .set(started.heldMs / 1000)
  state.useTime(started.fleetTime.nowMs)
  await state.publishTime(started.fleetTime.offsetMs())
  return { ...started, gap: absenceOf(newestMs, started.fleetTime.nowMs()) }
}

/** In the same moment: a new table, the state's series, and the rules that watch it. */
function onStateChange({ steering, tryIt, alerts, log }: ControlContext, selfMetrics: SelfMetrics): void {
  steering.refresh()
  tryIt.observe()
  attempt(log, 'fleet-metrics-not-written', () => selfMetrics.writeFleet())
  alerts.kick()
}

/** What happens each second: sessions, table, own metrics, and changes that commands made in state.db. */
function startSecondly(context: ControlContext, selfMetrics: SelfMetrics): Closable {
  const { fleet, steering, probePlan, tryIt, options, log } = context
  const turn = async (): Promise<void> => {
    fleet.sweepSessions(options.clock.monotonicMs())
    tryIt.observe()
    steering.refresh()
    probePlan.refresh()
    attempt(log, 'metrics-not-written', () => selfMetrics.write())
    await context.followAccess()
    await context.incidents.silences.refresh()
  }
  return every(SECOND_MS, turn, error => log.error('second-broken', { error }))
}

function attempt(log: Log, event: string, run: () => void): void {
  try {
    run()
  } catch (error) {
    log.error(event, { error })
  }
}
