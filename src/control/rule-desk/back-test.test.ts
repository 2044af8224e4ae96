// Back-tests against the rule evaluated moment by moment, as the control room does it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock, silentLog, systemClock } from '#base'
import { type MetricsStore, openStore } from '#metrics'
import type { BackTestRequest, BackTestResult } from '#wire'
import { advance } from '../alerts/advance.ts'
import { evaluateRule } from '../alerts/evaluate-rule.ts'
import { readRules } from '../alerts/read-rules.ts'
import type { AlertingRule, RuleGroup } from '../alerts/rule.ts'
import type { StoredAlert } from '../state/alerts.ts'
import { backTest, stepFor } from './back-test.ts'
import { BackTests } from './back-tests.ts'

const T0 = 1_700_000_000_000
let folder: string
let store: MetricsStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-back-test-'))
  store = openStore({ folder, clock: systemClock, log: silentLog })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const ruleText = (more = ''): string =>
  `groups:\n  - name: own\n    interval: 5s\n    rules:\n      - alert: Busy\n        expr: load > 0.9\n        for: 30s\n        keep_firing_for: 15s\n        labels: { severity: warning }\n${more}`

function groupOf(text: string): { group: RuleGroup; rule: AlertingRule } {
  const [group] = readRules(text, 'own.yaml')
  const rule = group?.rules[0]
  if (group === undefined || rule?.kind !== 'alert') throw new TypeError('no rule')
  return { group, rule }
}

/** Busy from 60 to 140 s, for 10 s at 200 s, and from 280 s on; the other edge never. */
function fill(seconds = 400): void {
  const samples = (of: (second: number) => number): { timestampMs: number; value: number }[] =>
    Array.from({ length: seconds / 5 }, (_, n) => ({ timestampMs: T0 + n * 5000, value: of(n * 5) }))
  const busy = (s: number): boolean => (s >= 60 && s < 140) || (s >= 200 && s < 210) || s >= 280
  const batch = [
    { labels: { __name__: 'load', instance: 'eu-west' }, samples: samples(s => (busy(s) ? 0.95 : 0.2)) },
    { labels: { __name__: 'load', instance: 'us-east' }, samples: samples(() => 0.1) },
  ]
  store.write(batch, T0 + seconds * 1000)
}

function test(text = ruleText(), toMs = T0 + 395_000): Promise<BackTestResult> {
  const { rule, group } = groupOf(text)
  const { signal } = new AbortController()
  const progress = (): void => undefined
  return backTest({
    rule,
    intervalMs: group.intervalMs,
    recorded: [],
    store,
    fromMs: T0,
    toMs,
    signal,
    progress,
  })
}

describe('a back-test', () => {
  it('says what the rule evaluated moment by moment would have said', async () => {
    fill()
    const result = await test()
    expect(result).toMatchObject({
      rule: 'Busy',
      alerts: 2,
      neverFired: 1,
      sets: 1,
      hadData: true,
      stepMs: 5000,
    })
    const [set] = result.shown
    expect(set?.labels).toEqual({ instance: 'eu-west', alertname: 'Busy', severity: 'warning' })
    const { rule } = groupOf(ruleText())
    let active: Map<string, StoredAlert> = new Map()
    const seen: string[] = []
    for (let now = T0; now <= T0 + 395_000; now += 5000) {
      const { alerts } = await evaluateRule(rule, now, { store, externalLabels: {}, externalUrl: '' })
      active = advance(rule, active, alerts, now).active
      seen.push([...active.values()][0]?.state ?? 'quiet')
    }
    const drawn = seen.map((_, n) => {
      const at = T0 + n * 5000
      return set?.spans.find(({ from, to }) => from <= at && (to === null || at < to))?.state ?? 'quiet'
    })
    expect(drawn).toEqual(seen)
    // From 90 s; the load ends at 140 s, and it is kept until 155 s. The last one goes on.
    expect(set?.spans).toContainEqual({ state: 'firing', from: T0 + 90_000, to: T0 + 155_000 })
    expect(set?.spans.at(-1)).toEqual({ state: 'firing', from: T0 + 310_000, to: null })
    expect(result.longestMs).toBe(85_000)
  })

  it('draws what is compared also where it did not hold, with its bound', async () => {
    fill()
    const { watched } = await test()
    expect(watched).toMatchObject({ text: 'load', bound: 0.9, cut: false })
    expect(watched.series.map(({ labels }) => labels['instance'])).toEqual(['eu-west', 'us-east'])
    expect(watched.series[0]?.points).toHaveLength(80)
  })

  it('tells a condition that never held from one that had nothing to look at', async () => {
    fill()
    expect(await test(ruleText().replace('load >', 'load > 5 and load >'))).toMatchObject({
      alerts: 0,
      hadData: true,
    })
    expect(await test(ruleText().replace('load >', 'laod >'))).toMatchObject({
      alerts: 0,
      sets: 0,
      hadData: false,
    })
  })

  it('takes larger steps over a longer time, and says so', async () => {
    expect(stepFor(3_600_000, 1000)).toBe(1000)
    expect(stepFor(86_400_000, 1000)).toBe(10_000)
    expect(stepFor(15 * 86_400_000, 5000)).toBe(150_000)
    fill()
    const result = await test(ruleText(), T0 + 15 * 86_400_000)
    expect(result.stepMs).toBe(150_000)
    expect(result.notes.join()).toContain('each 150 s instead of each 5 s')
  })
})

describe('back-tests', () => {
  const clock = new FakeClock()
  const request: BackTestRequest = { name: 'own.yaml', text: ruleText(), rangeMs: 400_000 }
  const open = (): BackTests =>
    new BackTests({
      store,
      fleetTime: { nowMs: () => T0 + 395_000, known: () => true, fromBootMs: at => at },
      log: silentLog,
      monotonicMs: clock.monotonicMs,
    })

  it('are few at once, can be ended, and end with the control room', async () => {
    fill()
    const tests = open()
    const [first, second] = [tests.start(request), tests.start(request)]
    expect(() => tests.start(request)).toThrow(/back-tests are under way/)
    tests.cancel(second.id)
    expect(tests.get(second.id)).toBeNull()
    expect(tests.get(first.id)).toMatchObject({ state: 'running' })
    await tests.close()
    expect(tests.get(first.id)).toMatchObject({ state: 'failed', problem: 'it was ended' })
  })

  it('are of the alerting rule on the line that is named, and of nothing else', async () => {
    const tests = open()
    const recorded = 'groups:\n  - name: g\n    rules:\n      - record: a\n        expr: up\n'
    expect(() => tests.start({ ...request, text: recorded })).toThrow('own.yaml: no alerting rule')
    expect(() => tests.start({ ...request, line: 3 })).toThrow('own.yaml:3: no alerting rule there')
    expect(() => tests.start({ ...request, text: ruleText('        sirens: 2\n') })).toThrow(
      /own\.yaml:10: .*sirens/,
    )
    await tests.close()
  })
})
