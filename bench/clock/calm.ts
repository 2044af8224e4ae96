// Owns a day without a fault: hosts under load, suspended, slewed and stepped by less than 100 ms, seen by the agent's own
// watch over clocks and judged by the shipped rules in our engine. An alert is a false alarm.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type EarlyProbe, EarlyTimers, type WallReading, WallSteps } from '#agent'
import { Counters, silentLog, systemClock } from '#base'
import { readRules, readTextFile } from '#control'
import { openStore, pointsOf } from '#metrics'
import type { ClockSizes } from '../clock.ts'
import { againstGoal, type BenchResult } from '../result.ts'
import { SimulatedHost } from './simulated-host.ts'

const HOSTS = 4
const DAY_S = 86_400
/** An hour of points a question: the engine refuses more than 11,000. */
const BLOCK_MS = 3_600_000
const WRITE_EVERY_S = 60
const START_MS = Date.UTC(2026, 0, 1)
const RULES = fileURLToPath(new URL('../../config/rules', import.meta.url))

export async function benchCalm({ days, seed }: ClockSizes): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-calm-'))
  const store = openStore({ folder, clock: systemClock, log: silentLog })
  try {
    const hosts = Array.from({ length: HOSTS }, (_, nth) => new SimulatedHost(seed + nth))
    const groups = ['clock.yaml', 'vitrine.yaml']
      .flatMap(file => readRules(readTextFile(join(RULES, file)), file))
      .map(onClocks)
      .filter(({ rules }) => rules.length > 0)
    const rules = groups.flatMap(group => group.rules)
    console.log(
      `calm: ${HOSTS} hosts, ${days} days, seeds ${seed} to ${seed + HOSTS - 1}; rules ${rules.map(({ name }) => name).join(', ')}`,
    )
    for (const [nth, host] of hosts.entries()) await feed(`host-${nth}`, host, days * DAY_S, store)
    const lived = hosts.map(({ lived: one }) => one)
    console.log(
      `  they lived through ${sum(lived.map(one => one.suspends))} suspends, ${sum(lived.map(one => one.steps))} steps below 100 ms, ${sum(lived.map(one => one.loadedS))} s of load`,
    )
    const alarms = await judge(groups, store, START_MS + days * DAY_S * 1000)
    for (const alarm of alarms) console.log(`  FALSE ALARM ${alarm}`)
    return [
      againstGoal(
        `false alarms in ${days * 24} h of ${HOSTS} hosts (goal: none)`,
        'alerts',
        { ours: alarms.length, goal: 0 },
        'lower',
      ),
    ]
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

type RuleGroup = ReturnType<typeof readRules>[number]
type AlertingRule = Extract<RuleGroup['rules'][number], { readonly kind: 'alert' }>
type Group = Omit<RuleGroup, 'rules'> & { readonly rules: readonly AlertingRule[] }

/** Rules that look at clocks. */
function onClocks(group: RuleGroup): Group {
  const rules = group.rules.filter((rule): rule is AlertingRule => rule.kind === 'alert')
  return { ...group, rules: rules.filter(({ expr }) => /node_timex_|vitrine_clock_/.test(expr)) }
}

interface Waiting {
  readonly labels: Record<string, string>
  readonly samples: { timestampMs: number; value: number }[]
}

/** Second by second what an agent would have sent, by the agent's own code. */
async function feed(
  instance: string,
  host: SimulatedHost,
  seconds: number,
  store: ReturnType<typeof openStore>,
): Promise<void> {
  const counters = new Counters()
  const steps = new WallSteps(counters, (): WallReading => host.reading())
  const early = new EarlyTimers((askedMs): Promise<EarlyProbe> => Promise.resolve(host.probe(askedMs)))
  const waiting = new Map<string, Waiting>()
  for (let second = 0; second < seconds; second += 1) {
    const awake = host.pass()
    if (awake) {
      steps.look()
      await early.turn()
      const atMs = START_MS + second * 1000
      const families = [...counters.collect(), ...steps.families(), ...early.families(), ...host.families()]
      for (const { points } of families)
        for (const { name, labels, value } of points) {
          const all = { ...labels, __name__: name, instance, region: instance, job: 'vitrine-agent' }
          const key = JSON.stringify(all)
          const series: Waiting = waiting.get(key) ?? { labels: all, samples: [] }
          series.samples.push({ timestampMs: atMs, value })
          waiting.set(key, series)
        }
    }
    if (second % WRITE_EVERY_S === WRITE_EVERY_S - 1 && waiting.size > 0) {
      store.write([...waiting.values()], START_MS + second * 1000)
      waiting.clear()
    }
  }
}

/** Each rule at each of its turns; one that holds for as long as it has to is an alarm. */
async function judge(
  groups: readonly Group[],
  store: ReturnType<typeof openStore>,
  endMs: number,
): Promise<string[]> {
  const alarms: string[] = []
  for (const { intervalMs, rules } of groups)
    for (const { name, expr, forMs } of rules) {
      const since = new Map<string, { from: number; last: number; told: boolean }>()
      for (let fromMs = START_MS; fromMs < endMs; fromMs += BLOCK_MS) {
        const toMs = Math.max(fromMs, Math.min(endMs, fromMs + BLOCK_MS) - intervalMs)
        const { value } = await store.ask({ text: expr, fromMs, toMs, stepMs: intervalMs })
        if (value.kind !== 'matrix') throw new Error(`${name}: no matrix`)
        for (const item of value.items) {
          const key = JSON.stringify(item.labels)
          for (const { timestampMs: at } of pointsOf(item)) {
            const known = since.get(key)
            const run =
              known !== undefined && at - known.last <= intervalMs
                ? { ...known, last: at }
                : { from: at, last: at, told: false }
            if (!run.told && at - run.from >= forMs) {
              run.told = true
              alarms.push(`${name} ${key} at ${new Date(at).toISOString()}`)
            }
            since.set(key, run)
          }
        }
      }
    }
  return alarms
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}
