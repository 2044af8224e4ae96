// Owns carrying out rule tests: the samples go into a store of their own, rules are evaluated turn by turn with the
// code that evaluates them in earnest, and what comes out is compared. Times count from 0, as promtool's.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock, type Labels, messageOf, silentLog } from '#base'
import { formatNumber, type MetricsStore, openStore, parseSeries, staleMarker } from '#metrics'
import { advance, labelsKey } from '../alerts/advance.ts'
import { evaluateRule } from '../alerts/evaluate-rule.ts'
import type { AlertingRule, Rule } from '../alerts/rule.ts'
import { alertSeries, forStateSeries, recorded } from '../alerts/rule-series.ts'
import type { StoredAlert } from '../state/alerts.ts'
import { type RuleTest, type RuleTestFile, readRuleTests } from './read-tests.ts'

const TURNS_MAX = 1_000_000
const SERIES_MAX = 100_000
const CENTURY_MS = 100 * 366 * 86_400_000
/** As promtool's fuzzy_compare. */
const FUZZY = 1e-7

export interface RuleTestResult {
  readonly name: string
  readonly at: string
  /** What did not come out as expected, in words; none: it passed. */
  readonly failures: readonly string[]
}

/** Throws control-rules-invalid when the file, or a rule file that it names, cannot be read. */
export async function runRuleTests(file: string): Promise<RuleTestResult[]> {
  const read = readRuleTests(file)
  const results: RuleTestResult[] = []
  for (const test of read.tests) {
    const folder = mkdtempSync(join(tmpdir(), 'vitrine-rules-test-'))
    const clock = new FakeClock()
    const store = openStore({
      folder,
      clock,
      log: silentLog,
      retentionMs: CENTURY_MS,
      seriesMax: SERIES_MAX,
    })
    try {
      results.push({ name: test.name, at: test.at, failures: await new Run(read, test, store).run() })
    } finally {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return results
}

class Run {
  readonly #file: RuleTestFile
  readonly #test: RuleTest
  readonly #store: MetricsStore
  readonly #active = new Map<Rule, ReadonlyMap<string, StoredAlert>>()
  readonly #failures: string[] = []

  constructor(file: RuleTestFile, test: RuleTest, store: MetricsStore) {
    this.#file = file
    this.#test = test
    this.#store = store
  }

  async run(): Promise<string[]> {
    const { series, alerts, expressions } = this.#test
    const { evaluationMs } = this.#file
    const lastMs = Math.max(0, ...[...alerts, ...expressions].map(one => one.eval_time))
    if (lastMs / evaluationMs > TURNS_MAX)
      return [`more than ${TURNS_MAX} evaluations until the last eval_time`]
    const { refused } = this.#store.write(series, CENTURY_MS)
    const lost = Object.entries(refused).filter(([, count]) => count > 0)
    if (lost.length > 0) return lost.map(([reason, count]) => `${count} samples of input_series: ${reason}`)
    for (let now = 0; now <= lastMs; now += evaluationMs) {
      await this.#turn(now)
      const before = now + evaluationMs
      for (const one of alerts) {
        // An alert is as the last turn before its eval_time left it.
        if (one.eval_time >= now && one.eval_time < before) this.#compareAlerts(one)
      }
    }
    for (const one of expressions) await this.#compareExpression(one)
    return this.#failures
  }

  async #turn(now: number): Promise<void> {
    for (const rule of this.#file.groups.flatMap(group => group.rules)) {
      try {
        await this.#evaluate(rule, now)
      } catch (error) {
        this.#failures.push(`${rule.at}: ${rule.name} at ${secondsText(now)}: ${messageOf(error)}`)
      }
    }
  }

  async #evaluate(rule: Rule, now: number): Promise<void> {
    const { externalLabels, externalUrl } = this.#test
    const found = await evaluateRule(rule, now, { store: this.#store, externalLabels, externalUrl })
    if (rule.kind === 'record') {
      this.#store.write(recorded(rule, found.items, now, []), CENTURY_MS)
      return
    }
    const before = this.#active.get(rule) ?? new Map<string, StoredAlert>()
    const { active } = advance(rule, before, found.alerts, now)
    const left = [...before].filter(([key, old]) => active.get(key)?.state !== old.state)
    this.#store.write(
      [
        ...left.map(([, old]) => alertSeries(old, now, staleMarker())),
        ...[...active.values()].map(alert => alertSeries(alert, now, 1)),
        ...[...active.values()].map(alert => forStateSeries(alert, now, false)),
        ...left.filter(([key]) => !active.has(key)).map(([, old]) => forStateSeries(old, now, true)),
      ],
      CENTURY_MS,
    )
    this.#active.set(rule, active)
  }

  #compareAlerts({ alertname, eval_time, exp_alerts, at }: RuleTest['alerts'][number]): void {
    const isNamed = (rule: Rule): rule is AlertingRule => rule.kind === 'alert' && rule.name === alertname
    const rules = this.#file.groups.flatMap(group => group.rules).filter(isNamed)
    const got = rules
      .flatMap(rule => [...(this.#active.get(rule)?.values() ?? [])])
      .filter(({ state }) => state === 'firing')
      .map(({ labels, annotations }) => alertText(labels, annotations))
    const wanted = exp_alerts.map(({ exp_labels, exp_annotations = {} }) =>
      alertText({ ...exp_labels, alertname }, exp_annotations),
    )
    this.#compare(`${at}: alert ${alertname} at ${secondsText(eval_time)}`, wanted, got)
  }

  async #compareExpression({
    expr,
    eval_time,
    exp_samples,
    at,
  }: RuleTest['expressions'][number]): Promise<void> {
    const what = `${at}: ${expr} at ${secondsText(eval_time)}`
    const wanted = exp_samples.map(({ labels, value }) => ({
      labels: parseSeries(labels),
      value,
    }))
    try {
      const question = { text: expr, fromMs: eval_time, toMs: eval_time, stepMs: null }
      const { value } = await this.#store.ask(question)
      if (value.kind !== 'vector' && value.kind !== 'scalar') throw new TypeError(`it gives a ${value.kind}`)
      const got = value.kind === 'scalar' ? [{ labels: {}, value: value.value }] : value.items
      if (this.#file.fuzzy && equalLoosely(wanted, got)) return
      this.#compare(what, wanted.map(sampleText), got.map(sampleText))
    } catch (error) {
      this.#failures.push(`${what}: ${messageOf(error)}`)
    }
  }

  #compare(what: string, wanted: readonly string[], got: readonly string[]): void {
    const lists = [wanted.toSorted(), got.toSorted()] as const
    if (JSON.stringify(lists[0]) === JSON.stringify(lists[1])) return
    const text = (list: readonly string[]): string =>
      list.length === 0 ? ' nothing' : list.map(one => `\n    ${one}`).join('')
    this.#failures.push(`${what}\n  expected:${text(lists[0])}\n  got:${text(lists[1])}`)
  }
}

interface Sample {
  readonly labels: Labels
  readonly value: number
}

function equalLoosely(wanted: readonly Sample[], got: readonly Sample[]): boolean {
  const found = new Map(got.map(({ labels, value }) => [labelsKey(labels), value]))
  return (
    wanted.length === found.size &&
    wanted.every(({ labels, value }) => {
      const other = found.get(labelsKey(labels))
      if (other === undefined) return false
      return (
        Object.is(other, value) ||
        Math.abs(other - value) <= FUZZY * Math.max(Math.abs(other), Math.abs(value))
      )
    })
  )
}

function sampleText({ labels, value }: Sample): string {
  return `${labelsText(labels)} ${formatNumber(value)}`
}

function alertText(labels: Labels, annotations: Labels): string {
  return `${labelsText(labels)} ${labelsText(annotations)}`
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `${name}=${JSON.stringify(text)}`)
  return `{${pairs.join(', ')}}`
}

function secondsText(ms: number): string {
  return `${ms / 1000}s`
}
