// Owns one back-test: a rule evaluated over stored samples by the code that advances alerts in earnest, with what it
// would have told, and when. Steps, time, label sets and drawn points are bounded; the thread is given back.
import { setImmediate } from 'node:timers/promises'
import type { Labels } from '#base'
import { type MatrixItem, type MetricsStore, watchedBy } from '#metrics'
import type { BackTestResult, BackTestSet } from '#wire'
import { ACTIVE_MAX, advance, labelsKey } from '../alerts/advance.ts'
import type { AlertItem } from '../alerts/render-alert.ts'
import type { AlertingRule } from '../alerts/rule.ts'
import { controlFaults } from '../faults.ts'
import type { StoredAlert } from '../state/alerts.ts'

/** A day each 10 s; of longer times each 1/8640 is looked at. */
const STEPS_MAX = 8640
/** Of one question to the store: between two it is asked whether to go on. */
const CHUNK_STEPS = 360
const SLICE_MS = 10
/** Of the machine's time, not of the stored one. */
const RUN_MS_MAX = 120_000
const SETS_MAX = 5000
const SHOWN_SETS_MAX = 30
const SPANS_MAX = 200
/** Of the chart: more cannot be told apart. */
const POINTS_MAX = 480
const LINES_MAX = 12

export interface BackTestInput {
  readonly rule: AlertingRule
  readonly intervalMs: number
  /** Names that the same file records. */
  readonly recorded: readonly string[]
  readonly store: MetricsStore
  readonly fromMs: number
  readonly toMs: number
  readonly signal: AbortSignal
  /** 0 to 1. */
  readonly progress: (done: number) => void
}

/** Throws what the store throws, and control-back-test-long. */
export async function backTest(input: BackTestInput): Promise<BackTestResult> {
  const { rule, intervalMs, fromMs, toMs } = input
  const stepMs = stepFor(toMs - fromMs, intervalMs)
  const run = new Run(input, stepMs)
  await run.walk()
  const watched = await run.watched()
  const sets = run.sets()
  return {
    rule: rule.name,
    expr: rule.expr,
    forMs: rule.forMs,
    keepFiringForMs: rule.keepFiringForMs,
    from: fromMs,
    to: toMs,
    stepMs,
    intervalMs,
    alerts: sum(sets, set => set.alerts),
    neverFired: run.neverFired,
    longestMs: run.longestMs,
    sets: sets.length,
    shown: sets.slice(0, SHOWN_SETS_MAX),
    watched,
    hadData: run.hadData,
    notes: run.notes(),
  }
}

/** The group's interval, or the next whole multiple of it that keeps the steps few. */
export function stepFor(spanMs: number, intervalMs: number): number {
  return intervalMs * Math.max(1, Math.ceil(spanMs / (STEPS_MAX * intervalMs)))
}

interface SetRecord {
  readonly labels: Labels
  readonly spans: { state: 'pending' | 'firing'; from: number; to: number | null }[]
  alerts: number
  firingMs: number
  cut: boolean
}

class Run {
  readonly #input: BackTestInput
  readonly #stepMs: number
  readonly #endsAt = performance.now() + RUN_MS_MAX
  readonly #records = new Map<string, SetRecord>()
  #active: Map<string, StoredAlert> = new Map()
  #dropped = 0
  #setsCut = false
  hadData = false
  neverFired = 0
  longestMs = 0

  constructor(input: BackTestInput, stepMs: number) {
    this.#input = input
    this.#stepMs = stepMs
  }

  async walk(): Promise<void> {
    const { fromMs, toMs, progress } = this.#input
    const chunkMs = this.#stepMs * CHUNK_STEPS
    for (let from = fromMs; from <= toMs; from += chunkMs) {
      const to = Math.min(toMs, from + chunkMs - this.#stepMs)
      const items = await this.#ask(this.#input.rule.expr, from, to, this.#stepMs)
      await this.#advanceOver(items, from, to)
      progress(Math.min(1, (to - fromMs) / Math.max(1, toMs - fromMs)) * 0.95)
    }
    for (const [key, alert] of this.#active) this.#close(key, alert, null)
  }

  async #ask(text: string, fromMs: number, toMs: number, stepMs: number): Promise<readonly MatrixItem[]> {
    this.#check()
    const { value, explain } = await this.#input.store.ask({ text, fromMs, toMs, stepMs })
    if (explain.series > 0) this.hadData = true
    if (value.kind !== 'matrix')
      throw new TypeError(`a rule gives a vector or a scalar, this one a ${value.kind}`)
    if (value.items.length > 0) this.hadData = true
    return value.items
  }

  #check(): void {
    this.#input.signal.throwIfAborted()
    if (performance.now() < this.#endsAt) return
    const message = `it takes more than ${RUN_MS_MAX / 1000} s; choose a shorter time`
    throw controlFaults.fault('control-back-test-long', message)
  }

  /** Step by step, as the control room would have done it. */
  async #advanceOver(items: readonly MatrixItem[], fromMs: number, toMs: number): Promise<void> {
    const rows = items.map(item => ({ item, labels: this.#labelsOf(item.labels), at: 0 }))
    let sliceEndsMs = performance.now() + SLICE_MS
    for (let now = fromMs; now <= toMs; now += this.#stepMs) {
      const found: AlertItem[] = []
      for (const row of rows) {
        if (row.item.times[row.at] !== now) continue
        found.push({ labels: row.labels, annotations: {}, value: row.item.values[row.at] ?? Number.NaN })
        row.at += 1
      }
      this.#step(found, now)
      if (performance.now() < sliceEndsMs) continue
      await setImmediate()
      this.#check()
      sliceEndsMs = performance.now() + SLICE_MS
    }
  }

  #step(found: readonly AlertItem[], now: number): void {
    if (found.length === 0 && this.#active.size === 0) return
    const before = this.#active
    const { active, changed, forgotten, dropped } = advance(this.#input.rule, before, found, now)
    this.#active = active
    this.#dropped += dropped
    this.neverFired += forgotten.length
    for (const alert of [...changed, ...forgotten]) {
      const key = labelsKey(alert.labels)
      const old = before.get(key)
      const isOver = !active.has(key)
      if (old !== undefined && (isOver || old.state !== alert.state)) this.#close(key, old, now)
      if (!isOver && old?.state !== alert.state) this.#open(key, alert, now)
    }
  }

  #open(key: string, alert: StoredAlert, now: number): void {
    const record = this.#recordOf(key, alert.labels)
    if (record === null || alert.state === 'resolved') return
    if (alert.state === 'firing') record.alerts += 1
    if (record.spans.length < SPANS_MAX) record.spans.push({ state: alert.state, from: now, to: null })
    else record.cut = true
  }

  /** `now` null: the stored time ends, and it goes on. */
  #close(key: string, old: StoredAlert, now: number | null): void {
    const record = this.#records.get(key)
    if (old.state === 'firing') {
      const lastedMs = (now ?? this.#input.toMs) - (old.firedAt ?? this.#input.toMs)
      this.longestMs = Math.max(this.longestMs, lastedMs)
      if (record !== undefined) record.firingMs += lastedMs
    }
    const span = record?.spans.at(-1)
    if (span !== undefined && span.to === null) span.to = now
  }

  #recordOf(key: string, labels: Labels): SetRecord | null {
    const known = this.#records.get(key)
    if (known !== undefined) return known
    if (this.#records.size >= SETS_MAX) {
      this.#setsCut = true
      return null
    }
    const fresh: SetRecord = { labels, spans: [], alerts: 0, firingMs: 0, cut: false }
    this.#records.set(key, fresh)
    return fresh
  }

  /** As an alert has them, but for labels that a template makes: those may change from moment to moment. */
  #labelsOf(labels: Labels): Record<string, string> {
    const { rule } = this.#input
    const all: Record<string, string> = { ...labels }
    delete all['__name__']
    for (const [name, template] of Object.entries(rule.templates.labels)) {
      if (typeof template === 'string' && template !== '') all[name] = template
      else delete all[name]
    }
    all['alertname'] = rule.name
    return all
  }

  /** Those that fired longest first. */
  sets(): BackTestSet[] {
    return [...this.#records.values()]
      .toSorted((a, b) => b.firingMs - a.firingMs || b.spans.length - a.spans.length)
      .map(({ labels, spans, alerts, firingMs }) => ({ labels: { ...labels }, spans, alerts, firingMs }))
  }

  async watched(): Promise<BackTestResult['watched']> {
    const { rule, fromMs, toMs, progress } = this.#input
    const { text, bound } = watchedBy(rule.expr)
    const stepMs = Math.max(this.#stepMs, Math.ceil((toMs - fromMs) / POINTS_MAX / 1000) * 1000)
    const items = await this.#ask(text, fromMs, toMs, stepMs)
    progress(1)
    const fired = new Map(this.sets().map((set, place) => [seriesKey(set.labels), place]))
    // Those that would have fired are what the chart is about.
    const ranked = items
      .map(item => ({ item, rank: fired.get(seriesKey(this.#labelsOf(item.labels))) ?? SETS_MAX }))
      .toSorted((a, b) => a.rank - b.rank)
    return {
      text,
      bound,
      stepMs,
      cut: items.length > LINES_MAX,
      series: ranked.slice(0, LINES_MAX).map(({ item }) => ({
        labels: { ...item.labels },
        points: Array.from(item.times, (at, place): [number, number] => [at, item.values[place] ?? 0]).filter(
          ([, value]) => Number.isFinite(value), // JSON has no others
        ),
      })),
    }
  }

  notes(): string[] {
    const { rule, intervalMs, recorded } = this.#input
    const notes: string[] = []
    if (this.#stepMs > intervalMs)
      notes.push(
        `Looked at each ${this.#stepMs / 1000} s instead of each ${intervalMs / 1000} s: what was shorter may be missing, and \`for\` ends at the next look.`,
      )
    for (const name of recorded)
      if (new RegExp(`(?<![\\w:])${name}(?![\\w:])`).test(rule.expr))
        notes.push(
          `${name} is recorded by the same file: only what is stored of it already could be looked at.`,
        )
    if (Object.values(rule.templates.labels).some(template => typeof template !== 'string'))
      notes.push(
        'Labels that a template makes are left out: an alert whose label changes begins anew in earnest.',
      )
    if (this.#dropped > 0)
      notes.push(
        `More than ${ACTIVE_MAX} label sets at once, or one set twice: the rest was dropped, as in earnest.`,
      )
    if (this.#setsCut) notes.push(`More than ${SETS_MAX} label sets: the rest is not counted.`)
    if ([...this.#records.values()].some(({ cut }) => cut))
      notes.push(`Of each label set the first ${SPANS_MAX} spans are drawn; all are counted.`)
    return notes
  }
}

function seriesKey(labels: Labels): string {
  return labelsKey(labels)
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
