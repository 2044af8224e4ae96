// Owns the admission checks of edges that go on: what is looked at from here, what the edge was ordered to measure,
// what both said, and when it is over. Every run ends, whatever the edge does.
import { type Clock, every, type FleetTime, type Log, messageOf } from '#base'
import { lookAt } from '#look'
import {
  type CheckOrder,
  type CheckReport,
  type CheckRun,
  type CheckStep,
  type CheckStepName,
  checkSteps,
  isCheckOver,
  PROBE_HEADER,
  selfSteps,
} from '#wire'
import type { Fleet, ServerRecord } from '../fleet/fleet.ts'
import type { ProbeBudget } from '../probes/probe-budget.ts'
import type { Checks } from '../state/checks.ts'
import { type Door, inspectDoor } from './door.ts'
import { portsVerdict } from './ports.ts'
import {
  certificateVerdict,
  dnsVerdict,
  fail,
  millis,
  pass,
  progressText,
  selfVerdict,
  type Verdict,
} from './verdict.ts'
import { chooseWarmTitles, type WarmTitles } from './warm-titles.ts'

const TURN_MS = 500
/** Between the paste and the channel: npm fetches, the role starts. */
const JOIN_MS_MAX = 180_000
/** What may come right by itself within moments: probes begin, a port is just being opened. */
const GRACE_MS = 20_000
const DOOR_EVERY_MS = 4000
/** An older edge does not know the order. */
const ORDER_MS_MAX = 15_000
const AWAY_MS_MAX = 60_000
/** Of everything after the edge has joined; the edge's own bounds are below it. */
const RUN_MS_MAX = 240_000
const PLAY_ATTEMPTS_MAX = 3
const PLAY_SEGMENTS = 3
const TEXT_CHARACTERS_MAX = 512

const LIMITS = {
  disk: { bytesMax: 64 * 1024 * 1024, msMax: 3000 },
  origin: { bytesMax: 16 * 1024 * 1024, msMax: 3000 },
  warm: { segments: 3, bytesMax: 128 * 1024 * 1024, msMax: 30_000 },
} as const

export interface AdmissionOptions {
  readonly checks: Checks
  readonly fleet: Fleet
  readonly budget: ProbeBudget
  readonly credential: (server: string) => string
  readonly order: (server: string, order: CheckOrder) => void
  readonly addressOf: (server: string) => string | null
  readonly fleetTime: FleetTime
  readonly clock: Clock
  readonly log: Log
}

interface Active {
  readonly run: CheckRun
  readonly sinceMs: number
  readonly warm: WarmTitles
  readonly bitrateBps: number
  joinedMs: number | null
  awayMs: number | null
  orderedMs: number | null
  /** The edge has said that it does it. */
  taken: boolean
  doorMs: number
  door: Promise<void> | null
  play: Promise<void> | null
  plays: number
  /** Steps as they were stored last. */
  kept: string
}

export class AdmissionKeeper {
  readonly #options: AdmissionOptions
  readonly #active = new Map<string, Active>()
  #turning: Promise<void> = Promise.resolve()

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** The present state of a run that goes on, which is ahead of the stored one. */
  live(server: string): CheckRun | null {
    return this.#active.get(server)?.run ?? null
  }

  /** Takes up runs that were asked for here or by a command, and moves each one on. One turn at a time. */
  turn(): Promise<void> {
    const next = this.#turning.then(() => this.#turn())
    this.#turning = next.catch(() => undefined)
    return next
  }

  async #turn(): Promise<void> {
    const open = await this.#options.checks.open()
    const ids = new Set(open.map(({ id }) => id))
    for (const [server, { run }] of this.#active) if (!ids.has(run.id)) this.#active.delete(server)
    for (const run of open) {
      const known = this.#active.get(run.server)
      if (known?.run.id !== run.id) this.#active.set(run.server, this.#begin(run))
    }
    for (const active of this.#active.values()) {
      this.#move(active)
      await this.#keep(active)
    }
  }

  /** What an edge says of its own steps. */
  report(server: string, report: CheckReport): void {
    const active = this.#active.get(server)
    if (active === undefined) return
    if (report.run !== active.run.id) {
      // It was restarted in between, or is still at another run.
      if (active.taken) this.#endSelf(active, 'The edge was restarted while it measured.', 'Check again.')
      else if (report.state === 'idle' || report.state === 'ended') active.orderedMs = null
      else active.orderedMs = this.#options.clock.monotonicMs()
      return
    }
    active.taken = true
    for (const step of report.steps) {
      if (isCheckOver(stepOf(active, step.step).state)) continue
      const verdict = selfVerdict(step, active.bitrateBps, active.warm.words)
      if (verdict !== null) this.#set(active, step.step, verdict)
      else this.#set(active, step.step, { state: step.state, text: progressText(step), advice: null })
    }
  }

  async close(): Promise<void> {
    const underWay = [...this.#active.values()].flatMap(({ door, play }) => [door, play])
    await Promise.all(underWay.filter(one => one !== null))
  }

  #begin(run: CheckRun): Active {
    const { fleet, clock } = this.#options
    const steps = checkSteps.map(
      step =>
        run.steps.find(kept => kept.step === step && isCheckOver(kept.state)) ??
        ({ step, state: 'pending', text: '', advice: null, at: null } as const),
    )
    const region = fleet.get(run.server)?.region ?? ''
    const neighbours = new Set(fleet.edges().flatMap(edge => (edge.region === region ? [edge.id] : [])))
    const titles = fleet.titles()
    const warm = chooseWarmTitles({
      region,
      titles,
      inRegion: fleet.sessions.titles(neighbours),
      inFleet: fleet.sessions.titles(),
    })
    const played = titles.find(({ id }) => id === warm.ids[0])
    return {
      run: { ...run, steps },
      sinceMs: clock.monotonicMs(),
      warm,
      bitrateBps: Math.max(0, ...(played?.renditions ?? []).map(({ bitrateBps }) => bitrateBps)),
      joinedMs: null,
      awayMs: null,
      orderedMs: null,
      taken: false,
      doorMs: Number.NEGATIVE_INFINITY,
      door: null,
      play: null,
      plays: 0,
      kept: '',
    }
  }

  #move(active: Active): void {
    const { fleet, addressOf, clock } = this.#options
    const { run } = active
    const nowMs = clock.monotonicMs()
    const record = fleet.get(run.server)
    if (record === null) {
      // Enrolled in this moment: the fleet learns of it in the next.
      if (nowMs - active.sinceMs < GRACE_MS) return
      return this.#endAll(active, 'skipped', 'The server is not enrolled any more.')
    }
    const address = addressOf(run.server)
    if (active.joinedMs === null && !this.#joined(active, record, { address, nowMs })) return
    if (address !== null) active.awayMs = null
    else active.awayMs ??= nowMs
    this.#orderSelf(active, record, { address, nowMs })
    this.#ports(active, record, nowMs)
    this.#door(active, record, address, nowMs)
    this.#play(active, record)
    if (nowMs - (active.joinedMs ?? nowMs) > RUN_MS_MAX) {
      this.#endAll(active, 'failed', `Not finished within ${RUN_MS_MAX / 60_000} min.`, 'Check again.')
    }
    if (run.steps.every(({ state }) => isCheckOver(state))) this.#end(active)
  }

  #joined(
    active: Active,
    record: ServerRecord,
    { address, nowMs }: { readonly address: string | null; readonly nowMs: number },
  ): boolean {
    if (address !== null && record.url !== '') {
      active.joinedMs = nowMs
      const agent = record.agentHeardMs === null ? '' : ', and its agent is heard'
      this.#set(active, 'joined', pass(`Version ${record.version} at ${record.url}${agent}.`))
      return true
    }
    if (nowMs - active.sinceMs <= JOIN_MS_MAX) {
      this.#set(active, 'joined', { state: 'running', text: 'Waiting for its channel.', advice: null })
      return false
    }
    const advice =
      'Start it, look at its log, and open the control room’s port to it (vitrine doctor --firewall control).'
    this.#set(active, 'joined', fail(`No channel within ${JOIN_MS_MAX / 60_000} min.`, advice))
    this.#endAll(active, 'skipped', 'Not measured: it has not joined.')
    return false
  }

  /** Orders once; again only when the edge says that it knows nothing of it. */
  #orderSelf(
    active: Active,
    record: ServerRecord,
    { address, nowMs }: { readonly address: string | null; readonly nowMs: number },
  ): void {
    const { run, warm } = active
    if (selfSteps.every(step => isCheckOver(stepOf(active, step).state))) return
    if (address === null) {
      if (nowMs - (active.awayMs ?? nowMs) > AWAY_MS_MAX) {
        this.#endSelf(
          active,
          `Its channel was lost for ${AWAY_MS_MAX / 1000} s.`,
          'See its log, and check again.',
        )
      }
      return
    }
    if (active.taken) return
    if (active.orderedMs === null) {
      active.orderedMs = nowMs
      const title = warm.ids[0] ?? null
      this.#options.order(run.server, {
        type: 'check',
        run: run.id,
        disk: LIMITS.disk,
        origin: { ...LIMITS.origin, title },
        warm: { ...LIMITS.warm, titles: [...warm.ids] },
      })
    } else if (nowMs - active.orderedMs > ORDER_MS_MAX) {
      const { state } = record.standing
      const advice =
        state === 'unreachable'
          ? `It is unreachable (${record.reason}): see its log, and check again.`
          : 'Update Vitrine there, and check again.'
      this.#endSelf(active, 'It did not take the order to measure itself.', advice)
    }
  }

  #ports(active: Active, record: ServerRecord, nowMs: number): void {
    if (isCheckOver(stepOf(active, 'ports').state)) return
    const fromMs = active.joinedMs ?? nowMs
    const verdict = portsVerdict(record, this.#options.fleet, { nowMs, fromMs })
    const isLate = nowMs - (active.joinedMs ?? nowMs) > GRACE_MS
    if (verdict.state === 'passed' || isLate) this.#set(active, 'ports', verdict)
    else this.#set(active, 'ports', { state: 'running', text: verdict.text, advice: null })
  }

  #door(active: Active, record: ServerRecord, address: string | null, nowMs: number): void {
    const isOver = (['dns', 'certificate'] as const).every(step => isCheckOver(stepOf(active, step).state))
    if (isOver || active.door !== null || nowMs - active.doorMs < DOOR_EVERY_MS) return
    active.doorMs = nowMs
    const isLate = nowMs - (active.joinedMs ?? nowMs) > GRACE_MS
    active.door = inspectDoor(record.url, this.#options.clock)
      .then(door => this.#doorSeen(active, door, { address, isLate }))
      .catch((error: unknown) => {
        const problem = fail(
          `${record.url} cannot be looked at: ${messageOf(error)}.`,
          'Correct its --public-url.',
        )
        for (const step of ['dns', 'certificate'] as const) this.#set(active, step, problem)
      })
      .then(() => {
        active.door = null
      })
  }

  #doorSeen(
    active: Active,
    door: Door,
    { address, isLate }: { readonly address: string | null; readonly isLate: boolean },
  ): void {
    const verdicts = {
      dns: dnsVerdict(door, active.run.server, address),
      certificate: certificateVerdict(door),
    }
    for (const step of ['dns', 'certificate'] as const) {
      const verdict = verdicts[step]
      if (isCheckOver(stepOf(active, step).state)) continue
      if (verdict.state === 'passed' || isLate) this.#set(active, step, verdict)
      else this.#set(active, step, { ...verdict, state: 'running' })
    }
  }

  /** Last: of a cache that is warm, through ports that are open. */
  #play(active: Active, record: ServerRecord): void {
    const { run, warm } = active
    const isReady = (['ports', 'warm'] as const).every(step => isCheckOver(stepOf(active, step).state))
    if (!isReady || active.play !== null || isCheckOver(stepOf(active, 'play').state)) return
    const [title] = warm.ids
    if (title === undefined) {
      const text = 'Not measured: the library has no title that is ready.'
      return this.#set(active, 'play', { state: 'skipped', text, advice: null })
    }
    this.#set(active, 'play', { state: 'running', text: `Plays ${title}.`, advice: null })
    active.plays += 1
    active.play = this.#watch(active, record, title)
      .catch((error: unknown) => {
        this.#options.log.error('admission-play-broken', { server: run.server, error })
        this.#set(active, 'play', fail(messageOf(error), 'Check again.'))
      })
      .then(() => {
        active.play = null
      })
  }

  async #watch(active: Active, { id, url }: ServerRecord, title: string): Promise<void> {
    const { clock, budget, credential } = this.#options
    const report = await lookAt(`${url}/vod/${title}/master.m3u8`, {
      clock,
      headers: { [PROBE_HEADER]: credential(id) },
      segments: PLAY_SEGMENTS,
      variant: 'first',
      origin: new URL(url).origin,
    })
    budget.spend(
      id,
      report.fetches.reduce((sum, { bytes }) => sum + bytes, 0),
    )
    if (report.ok) {
      const start = report.startMs === null ? '' : `, first picture after ${millis(report.startMs)}`
      const speed = report.speedRatio === null ? '' : `, ${timesWords(report.speedRatio)} as fast as it plays`
      return this.#set(active, 'play', pass(`Plays ${title}${start}${speed}.`))
    }
    if (active.plays < PLAY_ATTEMPTS_MAX) return // the next turn tries again
    const problem = report.problems.find(({ severity }) => severity === 'fault')?.text ?? 'no segment came'
    this.#set(
      active,
      'play',
      fail(
        `Cannot play ${title}: ${problem}.`,
        `See all of it: vitrine look ${url}/vod/${title}/master.m3u8`,
      ),
    )
  }

  #endSelf(active: Active, text: string, advice: string): void {
    // What to do is said once, at the first of them.
    const open = selfSteps.filter(step => !isCheckOver(stepOf(active, step).state))
    for (const [at, step] of open.entries()) {
      this.#set(active, step, { state: 'failed', text, advice: at === 0 ? advice : null })
    }
  }

  #endAll(active: Active, state: 'failed' | 'skipped', text: string, advice: string | null = null): void {
    for (const { step, state: now } of active.run.steps) {
      if (!isCheckOver(now)) this.#set(active, step, { state, text, advice })
    }
    this.#end(active)
  }

  #end({ run }: Active): void {
    run.endedAt ??= this.#options.fleetTime.nowMs()
  }

  #set(active: Active, name: CheckStepName, verdict: Verdict): void {
    const step = stepOf(active, name)
    const text = verdict.text.slice(0, TEXT_CHARACTERS_MAX)
    if (step.state === verdict.state && step.text === text) return
    step.state = verdict.state
    step.text = text
    step.advice = verdict.advice?.slice(0, TEXT_CHARACTERS_MAX) ?? null
    step.at = this.#options.fleetTime.nowMs()
  }

  /** Stored when it is taken up and at each end; progress is not: it would be a transaction each second. */
  async #keep(active: Active): Promise<void> {
    const { run } = active
    const text = JSON.stringify(run.steps.filter(({ state }) => isCheckOver(state)))
    if (text === active.kept && run.endedAt === null) return
    active.kept = text
    await this.#options.checks.keep(run)
    if (run.endedAt !== null) this.#active.delete(run.server)
  }
}

/** On the same host it is thousands, and says nothing more. */
function timesWords(ratio: number): string {
  return ratio > 100 ? 'more than 100 times' : `${ratio.toFixed(1)} times`
}

function stepOf({ run }: Active, name: CheckStepName): CheckStep {
  const step = run.steps.find(one => one.step === name)
  if (step === undefined) throw new TypeError(`a run without its step ${name}`)
  return step
}

export function startAdmission(keeper: AdmissionKeeper, log: Log): { close(): Promise<void> } {
  const turns = every(
    TURN_MS,
    () => keeper.turn(),
    error => log.error('admission-broken', { error }),
  )
  return {
    close: async () => {
      await turns.close()
      await keeper.close()
    },
  }
}
