// Owns the evaluation of rules: each second, and at once when a server's state changed. It keeps alerts in
// state.db, so that `for` and `keep_firing_for` go on over a restart, and writes ALERTS and ALERTS_FOR_STATE.
import { setImmediate } from 'node:timers/promises'
import type { Counter, Gauge } from '#base'
import { createThrottle, messageOf } from '#base'
import { SharedFrames, staleMarker, type WriteSeries } from '#metrics'
import type { StoredAlert } from '../state/alerts.ts'
import { advance, labelsKey } from './advance.ts'
import { type Evaluated, evaluateRule } from './evaluate-rule.ts'
import type { AlertKeeper, AlertKeeperOptions, Evaluation, RuleGroupStatus } from './keeper-contract.ts'
import type { AlertItem } from './render-alert.ts'
import { ABSENCE_MS_MIN, type Gap, mergeReplay, replayRule } from './replay-gap.ts'
import type { AlertingRule, RecordingRule, Rule, RuleGroup } from './rule.ts'
import { alertSeries, forStateSeries, type RecordedLabels, recorded } from './rule-series.ts'

const TICK_MS = 1000
const LOG_EVERY_MS = 60_000
/** A turn of rules is done at once, with what they watch, unless it takes longer than this. */
const SLICE_MS = 10
/** Between two rounds: alerts without `for` that look at few series, as many as this takes. See `#lookBetween`. */
const BETWEEN_SERIES_MAX = 50
const BETWEEN_MS_MAX = 10
/** Rules that are looked at after this long, of a gap, are looked at in coarse steps: held alerts must end some day. */
const REPLAY_MS_MAX = 120_000

/** Takes over what was pending or firing at the last stop. */
export async function startAlertKeeper(options: AlertKeeperOptions): Promise<AlertKeeper> {
  const keeper = new RunningKeeper(options)
  await keeper.restore()
  keeper.start()
  return keeper
}

class RunningKeeper implements AlertKeeper {
  readonly #options: AlertKeeperOptions
  #groups: readonly RuleGroup[]
  /** Replaced after the turn that is under way. */
  #nextGroups: readonly RuleGroup[] | null = null
  /** By rule (its place in the files), then by label set. */
  readonly #active = new Map<string, Map<string, StoredAlert>>()
  readonly #dueAt = new Map<RuleGroup, number>()
  readonly #last = new Map<Rule, Evaluation>()
  readonly #recordedLabels = new WeakMap<Rule, RecordedLabels>()
  readonly #failures: Counter
  readonly #dropped: Counter
  readonly #roundSeconds: Gauge
  readonly #rounds: Counter
  readonly #shared = new SharedFrames()
  readonly #throttle = createThrottle(LOG_EVERY_MS)
  #saves: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null
  #lastAt = 0
  /** What was pending or firing before the gap, until the gap has been looked at. */
  #restored: ReadonlyMap<string, StoredAlert> = new Map()
  readonly #seen = new Map<string, ReadonlySet<string>>()
  /** Gaps that are still to be looked at. */
  #gaps = 0
  #onAway: ((gap: Gap) => void) | null = null
  #turn: Promise<void> | null = null
  #observer: (changed: readonly StoredAlert[]) => void = () => undefined
  /** Something changed while a turn was running. */
  #again = false
  /** The half of a second passed while a turn was running. */
  #between = false
  #closed = false

  constructor(options: AlertKeeperOptions) {
    this.#options = options
    this.#groups = options.groups
    this.#failures = options.counters.counter(
      'vitrine_control_rule_failures_total',
      'Rules that could not be evaluated. The log names the rule; correct its expression.',
    )
    this.#dropped = options.counters.counter(
      'vitrine_control_rule_results_dropped_total',
      'Results of a rule not taken: more than 1000, or one label set twice. Aggregate in the rule.',
    )
    this.#rounds = options.counters.counter(
      'vitrine_control_rule_rounds_total',
      'Rounds in which all rules that were due were evaluated: one a second, and more when servers change.',
    )
    this.#roundSeconds = options.counters.gauge(
      'vitrine_control_rule_round_seconds',
      'Time that the last round of rules took. Above one second, rules are evaluated less often than they ask for.',
    )
  }

  async restore(): Promise<void> {
    await this.#options.alerts.save(this.#adopt(await this.#options.alerts.list(Number.MAX_SAFE_INTEGER)))
    if (this.#options.gap != null) this.#hold()
  }

  /** What is active stays until the gap has been looked at. */
  #hold(): void {
    this.#gaps += 1
    this.#restored = new Map(this.active().map(alert => [alert.id, alert]))
  }

  onAway = (observer: (gap: Gap) => void): void => {
    this.#onAway = observer
  }

  /** A process that was stopped goes on as if nothing had been: what it looks at then is not here yet. */
  #noticeAbsence(now: number): void {
    if (this.#onAway === null || this.#lastAt === 0 || now - this.#lastAt < ABSENCE_MS_MIN) return
    this.#hold()
    this.#onAway({ from: this.#lastAt, to: now })
  }

  /** Gives each alert to its rule; those of rules that are no longer there are resolved, and returned. */
  #adopt(alerts: readonly StoredAlert[]): StoredAlert[] {
    const rules = this.#groups.flatMap(group => group.rules).filter(rule => rule.kind === 'alert')
    const now = this.#options.fleetTime.nowMs()
    const orphans: StoredAlert[] = []
    this.#active.clear()
    for (const alert of alerts) {
      const rule = rules.find(candidate => isOf(alert, candidate))
      if (rule === undefined) orphans.push({ ...alert, state: 'resolved', resolvedAt: now, keptSince: null })
      else this.#of(rule).set(labelsKey(alert.labels), alert)
    }
    return orphans
  }

  start(): void {
    let isRound = false
    this.#timer = setInterval(() => {
      isRound = !isRound
      if (isRound) this.#evaluate(false)
      else if (this.#turn === null) this.#begin(this.#lookBetween())
      else this.#between = true
    }, TICK_MS / 2)
    this.#timer.unref()
  }

  replace = (groups: readonly RuleGroup[]): void => {
    this.#nextGroups = groups
    this.#evaluate(true)
  }

  kick = (): void => this.#evaluate(true)

  follow = (observer: (changed: readonly StoredAlert[]) => void): void => {
    this.#observer = observer
  }

  recover = async (gap: Gap, onHeld: () => void = () => undefined): Promise<void> => {
    const groups = this.#groups
    const restored = [...this.#restored.values()]
    const startedMs = performance.now()
    const all = groups.flatMap(({ intervalMs, rules }) =>
      rules
        .filter(rule => rule.kind === 'alert')
        .map(rule => ({ rule, intervalMs, held: restored.filter(alert => isOf(alert, rule)) })),
    )
    const holding = all.filter(({ held }) => held.length > 0)
    for (const [at, one] of [...holding, ...all.filter(({ held }) => held.length === 0)].entries()) {
      if (at === holding.length) await this.#saves.then(onHeld)
      if (this.#groups !== groups || this.#closed) break
      const isQuick = performance.now() - startedMs > REPLAY_MS_MAX
      await this.#replay(one.rule, one.held, { ...gap, intervalMs: one.intervalMs }, isQuick)
      await setImmediate()
    }
    this.#gaps -= 1
    if (this.#gaps === 0) this.#restored = new Map()
    if (this.#gaps === 0) this.#seen.clear()
    await this.#saves
  }

  async #replay(
    rule: AlertingRule,
    held: readonly StoredAlert[],
    gap: Gap & { readonly intervalMs: number },
    isQuick: boolean,
  ): Promise<void> {
    const { store, externalLabels, externalUrl } = this.#options
    const before = new Map(held.map(alert => [labelsKey(alert.labels), alert]))
    const groups = this.#groups
    try {
      const context = { store, externalLabels, externalUrl: externalUrl() }
      const replayed = await replayRule(rule, before, gap, context, isQuick)
      while (this.#turn !== null) await this.#turn // it reads what is active and writes it back
      const seen = this.#seen.get(rule.at) ?? new Set()
      const { active, changed } = mergeReplay(this.#of(rule), replayed, seen)
      if (this.#groups !== groups) return
      this.#active.set(rule.at, active)
      this.#save(changed, [])
    } catch (error) {
      this.#failed(rule, error)
    }
  }

  active = (): StoredAlert[] => [...this.#active.values()].flatMap(alerts => [...alerts.values()])

  groups = (): RuleGroupStatus[] =>
    this.#groups.map(group => ({
      group,
      rules: group.rules.map(rule => ({
        rule,
        last: this.#last.get(rule) ?? null,
        alerts: [...(this.#active.get(rule.at)?.values() ?? [])],
      })),
    }))

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#turn
    await this.#saves
  }

  #of(rule: AlertingRule): Map<string, StoredAlert> {
    const known = this.#active.get(rule.at)
    if (known !== undefined) return known
    const fresh = new Map<string, StoredAlert>()
    this.#active.set(rule.at, fresh)
    return fresh
  }

  /** One turn at a time. What changed during a turn is looked at after it; a tick that comes too early is left out. */
  #evaluate(all: boolean): void {
    if (this.#turn !== null) {
      this.#again ||= all
      return
    }
    this.#again = false
    this.#begin(this.#evaluateDue(all))
  }

  #begin(turn: Promise<void>): void {
    this.#turn = turn
      .catch((error: unknown) => this.#failed({ name: 'all', at: 'turn' }, error))
      .finally(() => {
        this.#turn = null
        if (this.#closed) return
        const isBetween = this.#between
        this.#between = false
        if (this.#again) this.#evaluate(true)
        else if (isBetween) this.#begin(this.#lookBetween())
      })
  }

  /** Whole milliseconds, and never twice the same: the store keeps one sample a series and timestamp. */
  #now(): number {
    const now = Math.max(Math.ceil(this.#options.fleetTime.nowMs()), this.#lastAt + 1)
    this.#noticeAbsence(now)
    this.#lastAt = now
    return now
  }

  /** Halfway between two rounds, so that a value that is to alert at once waits half as long, also while rounds are long. */
  async #lookBetween(): Promise<void> {
    const now = this.#now()
    const endMs = performance.now() + BETWEEN_MS_MAX
    for (const { intervalMs, rules } of this.#groups) {
      for (const rule of rules) {
        if (rule.kind === 'record' || rule.forMs > 0 || intervalMs > TICK_MS) continue
        if ((this.#last.get(rule)?.series ?? Infinity) > BETWEEN_SERIES_MAX) continue
        if (this.#closed || performance.now() > endMs) return
        // What has changed is written by itself; the rest is written by rounds.
        await this.#evaluateRule(rule, now, [], null)
      }
    }
  }

  async #evaluateDue(all: boolean): Promise<void> {
    const now = this.#now()
    const startedMs = performance.now()
    this.#shared.begin()
    const written: WriteSeries[] = []
    this.#takeOver(now, written)
    let sliceEndsMs = performance.now() + SLICE_MS
    for (const group of this.#groups) {
      if (!all && now < (this.#dueAt.get(group) ?? 0)) continue
      // A little early counts as due: a timer that fires 2 ms early must not skip a turn.
      this.#dueAt.set(group, now + group.intervalMs - TICK_MS / 2)
      for (const rule of group.rules) {
        if (this.#closed) return
        await this.#evaluateRule(rule, now, written, this.#shared)
        if (performance.now() < sliceEndsMs) continue
        await setImmediate()
        sliceEndsMs = performance.now() + SLICE_MS
      }
    }
    if (written.length > 0) this.#write(written, now)
    this.#rounds.add()
    this.#roundSeconds.set((performance.now() - startedMs) / 1000)
  }

  #takeOver(now: number, written: WriteSeries[]): void {
    if (this.#nextGroups === null) return
    this.#groups = this.#nextGroups
    this.#nextGroups = null
    this.#dueAt.clear()
    this.#last.clear()
    const orphans = this.#adopt(this.active())
    for (const orphan of orphans) {
      // The series has the state in which it was.
      const state = orphan.firedAt === null ? 'pending' : 'firing'
      written.push(alertSeries({ ...orphan, state }, now, staleMarker()), forStateSeries(orphan, now, true))
    }
    this.#save(orphans, [])
  }

  async #evaluateRule(
    rule: Rule,
    now: number,
    written: WriteSeries[],
    shared: SharedFrames | null,
  ): Promise<void> {
    const { externalLabels, externalUrl, store } = this.#options
    const startedMs = performance.now()
    const done = (problem: string | null, hadData: boolean, series: number): void =>
      void this.#last.set(rule, { at: now, tookMs: performance.now() - startedMs, problem, hadData, series })
    let found: Evaluated
    try {
      found = await evaluateRule(rule, now, {
        store,
        externalLabels,
        externalUrl: externalUrl(),
        ...(shared && { shared }),
      })
    } catch (error) {
      this.#failed(rule, error)
      done(messageOf(error), true, Infinity)
      return
    }
    done(null, found.hadData, found.series)
    if (rule.kind === 'record') this.#record(rule, found.items, now, written)
    else this.#advance(rule, found.alerts, now, written)
  }

  /** One by one: spread into a call, a hundred thousand are more than its stack holds. */
  #record(rule: RecordingRule, items: Evaluated['items'], now: number, written: WriteSeries[]): void {
    let known = this.#recordedLabels.get(rule)
    if (known === undefined) this.#recordedLabels.set(rule, (known = []))
    for (const series of recorded(rule, items, now, known)) written.push(series)
  }

  #advance(rule: AlertingRule, items: readonly AlertItem[], now: number, written: WriteSeries[]): void {
    const before = this.#of(rule)
    const isHeld = ({ id }: StoredAlert): boolean => this.#restored.has(id)
    const { active, changed, forgotten, dropped } = advance(rule, before, items, now, isHeld)
    this.#see(rule, items)
    this.#active.set(rule.at, active)
    if (dropped > 0) this.#dropped.add(dropped)
    // A change is not to wait for the end of a long round.
    const out = changed.length > 0 || forgotten.length > 0 ? [] : written
    for (const alert of active.values())
      out.push(alertSeries(alert, now, 1), forStateSeries(alert, now, false))
    for (const [key, old] of before) if (!active.has(key)) out.push(forStateSeries(old, now, true))
    for (const alert of [...changed, ...forgotten]) {
      const old = before.get(labelsKey(alert.labels))
      // The series of the state that it left ends now, not five minutes from now.
      if (old !== undefined && (old.state !== alert.state || !active.has(labelsKey(alert.labels)))) {
        out.push(alertSeries(old, now, staleMarker()))
      }
      if (alert.state !== 'pending') this.#log(alert)
    }
    if (out !== written && out.length > 0) this.#write(out, now)
    this.#save(changed, forgotten)
  }

  /** Which label sets the condition gives, not those that are only held; asked while something is held. */
  #see(rule: AlertingRule, items: readonly AlertItem[]): void {
    if (this.#gaps > 0) this.#seen.set(rule.at, new Set(items.map(({ labels }) => labelsKey(labels))))
  }

  #save(changed: readonly StoredAlert[], forgotten: readonly StoredAlert[]): void {
    if (changed.length === 0 && forgotten.length === 0) return
    const { alerts, log } = this.#options
    this.#saves = this.#saves
      .then(async () => {
        await alerts.save(changed)
        await alerts.forget(forgotten.map(alert => alert.id))
        this.#observer(changed)
      })
      .catch((error: unknown) => log.error('alerts-not-stored', { error }))
  }

  #write(series: WriteSeries[], now: number): void {
    try {
      this.#options.store.write(series, now)
    } catch (error) {
      this.#failed({ name: 'ALERTS', at: 'store' }, error)
    }
  }

  #failed(rule: { readonly name: string; readonly at: string }, error: unknown): void {
    this.#failures.add()
    const { pass, dropped } = this.#throttle(rule.at, performance.now())
    if (pass) this.#options.log.warn('rule-failed', { rule: rule.name, at: rule.at, error, dropped })
  }

  #log({ rule, state, labels }: StoredAlert): void {
    this.#options.log.info('alert', { rule, state, labels })
  }
}

/** By name, and by the labels that the rule gives as they stand: several rules may share a name. */
function isOf(alert: StoredAlert, rule: AlertingRule): boolean {
  if (rule.name !== alert.rule) return false
  return Object.entries(rule.templates.labels).every(
    ([name, template]) => typeof template !== 'string' || (alert.labels[name] ?? '') === template,
  )
}
