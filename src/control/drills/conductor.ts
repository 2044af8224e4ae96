// Owns one drill from its preparation to its score: it hurts the marked servers, begins the runbooks that the control
// room offers, as an operator would, and undoes everything whatever happens. It decides nothing that the control room
// decides on a real night: finding, explaining and moving viewers are watched, not helped.
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '#base'
import type { DrillAct, DrillTarget, DrillView, IncidentView } from '#wire'
import type { ControlContext } from '../context.ts'
import { runView } from '../runbooks/run-view.ts'
import { beginOffered, begunWords, SURE, togetherWith } from './begin-offered.ts'
import { type DrillPlan, faultWords, needs } from './drill-plan.ts'
import { feltBy, machineClockMs, outOfRange, ringsOf, slews, viewerMinutes } from './measure.ts'
import { offered } from './offered.ts'
import { feltWords, scoreOf } from './score.ts'
import { releaseServers, stopRuns } from './tidy-up.ts'

const LOOK_MS = 250
/** A short baseline is the last healthy minute. */
const STEADY_MS = 66_000
const WATCHED_MS = 45_000
const BASELINE_MS_MAX = 180_000
const NIGHT_MS_MAX = 200_000
const NORMAL_MS_MAX = 60_000
const UNATTENDED_MS = 15_000
const CHECK_MS_MAX = 1000
/** The wall clock stands a second behind its timers, as in 2012. */
const BEHIND_MS = -1000
/** Ahead of them: timers come late, which is no early timer. */
const AHEAD_MS = 1500
const LOG_MAX = 200

export interface ConductorOptions {
  readonly context: ControlContext
  readonly plan: DrillPlan
  readonly viewers: number
  readonly attended: boolean
}

/** Why a drill is over before its end. */
class Stopped extends Error {}

export class Conductor {
  readonly #options: ConductorOptions
  readonly #clockBeforeMs: number | null = machineClockMs()
  /** Sessions that are still fed by a hurt server. */
  readonly #waiting = new Map<string, Set<string>>()
  /** Runbooks that were offered where none should be. */
  readonly #offered: string[] = []
  #view: DrillView
  #stop: string | null = null
  /** Time in which nobody followed it, as far as this process ran. */
  #aloneMs = 0
  #checkedMs: number
  #save: Promise<void> = Promise.resolve()

  constructor(view: DrillView, options: ConductorOptions) {
    this.#view = view
    this.#options = options
    this.#checkedMs = options.context.options.clock.monotonicMs()
  }

  get view(): DrillView {
    return this.#view
  }

  stop(why: string): void {
    this.#stop ??= why
  }

  follow(): void {
    this.#aloneMs = 0
  }

  /** Resolves when nothing of it is left. */
  async run(): Promise<void> {
    let over: { state: 'stopped' | 'failed'; text: string } | null = null
    try {
      await this.#prepare()
      await this.#hurt()
      await this.#watch()
    } catch (error) {
      over = { state: error instanceof Stopped ? 'stopped' : 'failed', text: messageOf(error) }
    }
    const undone = await this.#undo()
    const out = over === null ? await this.#untilNormal() : []
    await this.#score({ over, undone, out })
  }

  async #prepare(): Promise<void> {
    const { plan, viewers } = this.#options
    const sick = plan.targets.find(({ fault }) => fault !== 'frozen')
    if (sick !== undefined) {
      this.#say(`prepares ${sick.server}: its agent starts again with a clock of its own`)
      await this.#act({ kind: 'prepare', server: sick.server, with: needs[sick.fault] })
    }
    if (viewers > 0) await this.#act({ kind: 'viewers', count: viewers })
    this.#say(`${viewers} simulated viewers watch; waits for a minute of health to compare with`)
    const since = this.#nowMs()
    await this.#until(BASELINE_MS_MAX, 'the fleet was not healthy for a minute', () => {
      const { fleet, runs } = this.#options.context
      const now = this.#nowMs()
      const steady = fleet
        .edges()
        .every(
          ({ standing, since: at, isLinked }) =>
            isLinked && standing.state === 'healthy' && now - at >= STEADY_MS,
        )
      const listed = plan.targets.every(
        ({ server, runbook }) =>
          runbook !== 'reset-clock' || runs.steps.stepOf(server, 'reset-clock') !== null,
      )
      return steady && listed && (viewers === 0 || now - since >= WATCHED_MS)
    })
  }

  async #hurt(): Promise<void> {
    const { fleet, state } = this.#options.context
    for (const { server, fault } of this.#options.plan.targets) {
      const sids = fleet.sessions.sidsOf(server)
      this.#waiting.set(server, new Set(sids))
      this.#target(server, { injectedAt: this.#nowMs(), viewers: sids.length })
      if (fault === 'frozen') await this.#act({ kind: 'freeze', server })
      else if (fault === 'leap-flag') await this.#act({ kind: 'leap', announced: true })
      else await this.#act({ kind: 'clock', ms: fault === 'stepped' ? AHEAD_MS : BEHIND_MS })
      const text = `drill: ${faultWords[fault]}`
      this.#say(`${server}: ${faultWords[fault]}; it feeds ${sids.length} viewers`)
      await state.marks.add({ kind: 'note', text, server }, this.#by())
    }
  }

  async #watch(): Promise<void> {
    const isOver = async (): Promise<boolean> => {
      await this.#observe()
      return this.#view.targets.every(({ runbook, returnedAt, detectedAt, mendedAt }) =>
        runbook === null ? detectedAt !== null && mendedAt !== null : returnedAt !== null,
      )
    }
    await this.#until(NIGHT_MS_MAX, 'not every server was back in time', isOver)
    const felt = await feltBy(this.#options.context, this.#view)
    if (felt !== null) await this.#tell(feltWords(felt))
  }

  async #observe(): Promise<void> {
    const { incidents } = this.#options.context
    const mine = incidents.keeper.open().filter(({ drill }) => drill === this.#view.id)
    this.#note(mine)
    for (const target of this.#view.targets) {
      this.#detect(target)
      this.#moved(target)
      if (target.runbook === null) await this.#calm(target.server, mine)
      else if (this.#find(target.server)?.run == null) await this.#begin(target.server, target.runbook, mine)
      else await this.#follow(target.server)
    }
  }

  #detect({ server, detectedAt, fault }: DrillTarget): void {
    if (detectedAt !== null) return
    const names = this.#options.plan.targets.find(one => one.server === server)?.alerts ?? []
    const found = this.#options.context.alerts
      .active()
      .find(
        ({ state, labels }) =>
          state === 'firing' && labels['instance'] === server && names.includes(labels['alertname'] ?? ''),
      )
    if (found === undefined) return
    const alert = found.labels['alertname'] ?? ''
    this.#target(server, { detectedAt: found.firedAt ?? this.#nowMs(), detectedBy: alert })
    this.#say(`${server}: found ${fault === 'frozen' ? 'frozen' : ''} by ${alert}`.replace('  ', ' '))
  }

  #moved({ server, movedAt }: DrillTarget): void {
    const waiting = this.#waiting.get(server)
    if (movedAt !== null || waiting === undefined) return
    const { sessions } = this.#options.context.fleet
    for (const sid of waiting) if (sessions.whereIs(sid)?.edge !== server) waiting.delete(sid)
    if (waiting.size > 0) return
    this.#target(server, { movedAt: this.#nowMs() })
    const { viewers = 0 } = this.#find(server) ?? {}
    if (viewers > 0) this.#say(`${server}: its viewers are on other edges`)
  }

  /** A step is over when it was seen and explained: there is nothing to mend but the clock itself. */
  async #calm(server: string, mine: readonly IncidentView[]): Promise<void> {
    const target = this.#find(server)
    if (target === undefined || target.detectedAt === null || target.mendedAt !== null) return
    if (!mine.some(({ servers, cause }) => servers.includes(server) && cause.confidence >= SURE)) return
    if (target.fault === 'leap-flag') await this.#refuse(server, mine)
    else await this.#act({ kind: 'clock', ms: 0 })
    this.#target(server, { mendedAt: this.#nowMs(), returnedAt: this.#nowMs() })
    if (target.fault !== 'leap-flag') this.#say(`${server}: its clock is right again`)
  }

  /** A clock that is right is not set, and a server that is well keeps its viewers. */
  async #refuse(server: string, mine: readonly IncidentView[]): Promise<void> {
    const { runs } = this.#options.context
    for (const incident of mine.filter(({ servers }) => servers.includes(server))) {
      const offers = await offered(this.#options.context, runs.files.all(), incident)
      this.#offered.push(...offers.map(({ runbook }) => runbook))
    }
    const words =
      this.#offered.length === 0 ? 'no runbook is offered' : `offered: ${this.#offered.join(', ')}`
    await this.#tell(`the leap second that is announced to ${server} is refused: ${words}, no clock is set`)
    await this.#act({ kind: 'leap', announced: false })
  }

  /** In the drill's log, and in the story of its incidents. */
  async #tell(text: string): Promise<void> {
    this.#say(text)
    const { incidents } = this.#options.context
    for (const { id } of this.#view.incidents)
      await incidents.keeper.actions.comment(id, text, this.#by()).catch(() => undefined)
  }

  /** As an operator: what the control room offers for this server, once it is sure enough of the cause. */
  async #begin(server: string, name: string, mine: readonly IncidentView[]): Promise<void> {
    const servers = togetherWith(this.#view.targets, server)
    const begun = await beginOffered(this.#options.context, { servers, name, mine, by: this.#by() })
    if (begun === null) return
    const { shortened, runs = [] } = this.#view
    const others = runs.filter(({ id }) => id !== begun.run.id)
    this.#view = {
      ...this.#view,
      shortened: [...new Set([...shortened, ...begun.changes])],
      runs: [...others, begun.run],
    }
    for (const id of begun.run.servers) this.#target(id, { run: begun.run.id })
    this.#say(begunWords(begun))
  }

  async #follow(server: string): Promise<void> {
    const { context } = this.#options
    const target = this.#find(server)
    if (target?.run == null || target.returnedAt !== null) return
    const stored = await context.state.runs.get(target.run)
    if (stored === null) return
    const view = runView(stored, () => null, this.#nowMs())
    const one = view.servers.find(({ id }) => id === server)
    const command = one?.steps.findLast(({ kind }) => kind === 'run')
    if (target.mendedAt === null && command?.state === 'done') {
      this.#target(server, { mendedAt: command.endedAt ?? this.#nowMs() })
      this.#say(`${server}: ${command.title} is done (${command.text})`)
    }
    // The canary is back while the run goes on with the others.
    const goesOn = view.endedAt === null
    if (goesOn && !(one?.outcome === 'returned' && view.servers.some(({ outcome }) => outcome === null)))
      return
    if (one?.outcome !== 'returned') throw new Error(`${server} did not come back: ${view.text}`)
    this.#target(server, { returnedAt: (goesOn ? one.steps.at(-1)?.endedAt : view.endedAt) ?? this.#nowMs() })
    this.#say(`${server}: back in service`)
  }

  async #undo(): Promise<string | null> {
    const { context } = this.#options
    const problems: string[] = []
    const attempt = async (what: string, run: () => Promise<void>): Promise<void> => {
      try {
        await run()
      } catch (error) {
        problems.push(`${what}: ${messageOf(error)}`)
      }
    }
    this.#note(context.incidents.keeper.open().filter(({ drill }) => drill === this.#view.id))
    const runs = this.#view.targets.flatMap(({ run }) => run ?? [])
    await attempt('runs', () => stopRuns(context, runs, this.#by()))
    await attempt('faults', () => this.#supervise({ kind: 'undo' }))
    await attempt('orders', () => releaseServers(context, runs, this.#by()))
    const hurt = this.#view.targets.filter(({ injectedAt }) => injectedAt !== null)
    for (const { server } of hurt)
      await attempt('mark', async () => {
        await context.state.marks.add({ kind: 'note', text: 'drill: over, all undone', server }, this.#by())
      })
    this.#say('all faults are undone')
    return problems.length === 0 ? null : problems.join('; ')
  }

  async #untilNormal(): Promise<readonly string[]> {
    this.#say('waits until every server is within its normal ranges')
    const endMs = this.#monotonicMs() + NORMAL_MS_MAX
    for (;;) {
      const out = await outOfRange(this.#options.context).catch((error: unknown) => [messageOf(error)])
      if (out.length === 0 || this.#monotonicMs() >= endMs || this.#stop !== null) return out
      await pause(4 * LOOK_MS)
    }
  }

  async #score({
    over,
    undone,
    out,
  }: {
    over: { state: 'stopped' | 'failed'; text: string } | null
    undone: string | null
    out: readonly string[]
  }): Promise<void> {
    const { context, plan } = this.#options
    const nowMs = this.#nowMs()
    const after = machineClockMs()
    const moved = after === null || this.#clockBeforeMs === null ? null : after - this.#clockBeforeMs
    const score = scoreOf({
      drill: this.#view,
      cause: plan.cause,
      rings: await ringsOf(context, this.#view).catch(() => 0),
      out: over === null ? out : [`not looked at: ${over.text}`],
      undone,
      felt: await feltBy(context, this.#view),
      offered: this.#offered,
      viewerMinutesLost: await viewerMinutes(context, this.#view),
      clockMovedMs: moved,
      slews: await slews(context),
      tookMs: nowMs - this.#view.startedAt,
    })
    const isPassed = over === null && score.points === score.of
    const text = over?.text ?? `${score.points} of ${score.of}`
    this.#view = {
      ...this.#view,
      endedAt: nowMs,
      state: over?.state ?? (isPassed ? 'passed' : 'failed'),
      score,
    }
    this.#say(text)
    await this.#save
  }

  #note(mine: readonly IncidentView[]): void {
    const shown = new Map(this.#view.incidents.map(one => [one.id, one]))
    for (const { id, title, cause, viewers } of mine) {
      const before = shown.get(id)
      const { lostViewerSeconds } = viewers
      shown.set(id, { id, title, cause: cause.kind, causeText: cause.text, lostViewerSeconds })
      if (before === undefined) this.#say(`incident ${id} is open: ${title}`)
      else if (before.cause !== cause.kind) this.#say(`incident ${id}: ${cause.text}`)
    }
    this.#view = { ...this.#view, incidents: [...shown.values()] }
  }

  #find(server: string): DrillTarget | undefined {
    return this.#view.targets.find(target => target.server === server)
  }

  #target(server: string, part: Partial<DrillTarget>): void {
    const targets = this.#view.targets.map(target =>
      target.server === server ? { ...target, ...part } : target,
    )
    this.#view = { ...this.#view, targets }
  }

  #say(text: string): void {
    const { context } = this.#options
    const log = [...this.#view.log, { at: this.#nowMs(), text }].slice(-LOG_MAX)
    this.#view = { ...this.#view, text, log }
    context.log.info('drill', { drill: this.#view.id, text })
    const view = this.#view
    this.#save = this.#save
      .then(() => context.state.drills.save(view))
      .catch((error: unknown) => context.log.error('drill-not-stored', { drill: view.id, error }))
  }

  async #act(act: DrillAct): Promise<void> {
    this.#check()
    await this.#supervise(act)
  }

  async #supervise(act: DrillAct): Promise<void> {
    const { supervisor } = this.#options.context.options
    if (supervisor === null) throw new Error('no supervisor')
    await supervisor.drill(act)
  }

  async #until(maxMs: number, late: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = this.#monotonicMs() + maxMs
    for (;;) {
      this.#check()
      if (await holds()) return
      if (this.#monotonicMs() >= endMs) throw new Error(`${late} (${Math.round(maxMs / 1000)} s)`)
      await pause(LOOK_MS)
    }
  }

  #check(): void {
    const nowMs = this.#monotonicMs()
    // Who did not run heard nobody.
    this.#aloneMs += Math.min(nowMs - this.#checkedMs, CHECK_MS_MAX)
    this.#checkedMs = nowMs
    if (this.#options.attended && this.#aloneMs > UNATTENDED_MS) this.#stop ??= 'nobody follows it any more'
    if (this.#stop !== null) throw new Stopped(this.#stop)
  }

  readonly #by = (): string => `drill ${this.#view.id}`
  readonly #nowMs = (): number => this.#options.context.fleetTime.nowMs()
  readonly #monotonicMs = (): number => this.#options.context.options.clock.monotonicMs()
}
