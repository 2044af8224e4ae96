// Two hundred rules over 1,000 edges each second, and the way from a value to an alert to a notification, beside Prometheus and Alertmanager.
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fetchPeer } from '../../test/conformance/peers.ts'
import { pinSelf, removeFolder, scratchFolder } from '../metrics/targets.ts'
import { SERIES_AN_EDGE } from '../metrics/workload.ts'
import { againstGoal, type BenchResult } from '../result.ts'
import { EDGES, Feed } from './feed.ts'
import { type Moments, Probes, type Watched } from './probes.ts'
import { measureRounds, type Rounds } from './rounds.ts'
import { MIXTURE, PROBES, RULES } from './rules.ts'
import { BESIDE_CORE, SERVER_CORE, type Server, startOurs, startPrometheus } from './servers.ts'

const PREFILL_S = 20
const IDLE_S = 15 // what the writes alone cost
const WARM_S = 12 // rules are found, compiled and have recorded what others read
const QUICK_S = 60
const FULL_S = 600
const PROBES_S = 40 // the moments at which values cross are spread over it
/** Until the last one has been told: a scrape, an evaluation and a group wait of the usual Prometheus. */
const WAIT_MS_MAX = 70_000
const GROUP_WAIT_MS = 10_000 // ours as shipped

const ROUND_GOAL_S = 1
const DECISION_GOAL_S = 1
const TOLD_GOAL_S = 2

/** As shipped: https://prometheus.io/docs/prometheus/latest/getting_started/ and alertmanager's own example. */
const USUAL = { intervalS: 15, groupWaitS: 30, groupIntervalS: 300, core: BESIDE_CORE }
const FAST = { intervalS: 1, groupWaitS: 0, groupIntervalS: 1, core: BESIDE_CORE }

type Seen = ReadonlyMap<string, readonly Moments[]>
type Peers = readonly [string, string]

export async function benchSpeed({
  full,
  ours: alone,
}: {
  readonly full: boolean
  readonly ours: boolean
}): Promise<readonly BenchResult[]> {
  const seconds = full ? FULL_S : QUICK_S
  pinSelf()
  const peers = alone ? '--ours' : await fetchPeers()
  if (typeof peers === 'string') console.log(`without Prometheus: ${peers}`)
  const both = typeof peers === 'string' ? null : peers
  const folder = scratchFolder()
  const probes = await new Probes().start()
  const load = loadavg()[0] ?? 0
  try {
    const first = await runOurs(join(folder, 'a'), both, probes, seconds)
    const second = both === null ? null : await runTheirs(join(folder, 'b'), both, probes, seconds)
    const seen = new Map([...first.seen, ...(second?.seen ?? [])])
    const rounds = new Map([
      ['vitrine', first.rounds],
      ...(second ? [['prometheus', second.rounds] as const] : []),
    ])
    print(rounds, seen)
    console.log({
      rules: RULES,
      mixture: MIXTURE,
      edges: EDGES,
      seriesAnEdge: SERIES_AN_EDGE,
      seconds,
      cores: 'the server under load 0 (GOMAXPROCS=1), everything else 1',
      ours: 'a whole control room: sign-in, remote write, store, rules, incidents, notifications',
      loadAverageBefore: load,
      prometheus: typeof peers === 'string' ? peers : { usual: USUAL, fast: FAST },
    })
    return results(rounds, seen)
  } finally {
    await probes.stop()
    removeFolder(folder)
  }
}

async function fetchPeers(): Promise<Peers | string> {
  const prometheus = await fetchPeer('prometheus')
  const manager = await fetchPeer('prometheus-alertmanager')
  if ('missing' in prometheus) return prometheus.missing
  return 'missing' in manager ? manager.missing : [prometheus.folder, manager.folder]
}

interface Measured {
  readonly rounds: Rounds
  readonly seen: Seen
}

/** Ours under load, and beside it, without load, ours as shipped and Prometheus with both settings. */
async function runOurs(
  folder: string,
  peers: Peers | null,
  probes: Probes,
  seconds: number,
): Promise<Measured> {
  const running: Server[] = []
  const add = (server: Server): Server => (running.push(server), server)
  try {
    const loaded = add(await ours(join(folder, 'loaded'), probes, 'ours-loaded', 0, SERVER_CORE))
    const watched: Watched[] = [{ name: 'ours-loaded', target: loaded.target, isWritten: true }]
    const shipped = add(
      await ours(join(folder, 'shipped'), probes, 'ours-shipped', GROUP_WAIT_MS, BESIDE_CORE),
    )
    watched.push({ name: 'ours-shipped', target: shipped.target, isWritten: true })
    for (const [name, settings] of [
      ['prometheus-usual', USUAL],
      ['prometheus-fast', FAST],
    ] as const) {
      if (peers === null) continue
      const urls = { receiver: probes.receiver(name), exporter: probes.exporter }
      const server = add(await startPrometheus(peers, join(folder, name), settings, urls))
      watched.push({ name, target: server.target, isWritten: false })
    }
    return await underLoad(loaded, watched, probes, seconds)
  } finally {
    for (const server of running) await server.stop()
  }
}

function ours(
  folder: string,
  probes: Probes,
  name: string,
  groupWaitMs: number,
  core: string,
): Promise<Server> {
  return startOurs(folder, { receiver: probes.receiver(name), groupWaitMs, core })
}

/** The same load, the same rules, every second. */
async function runTheirs(folder: string, peers: Peers, probes: Probes, seconds: number): Promise<Measured> {
  const name = 'prometheus-loaded'
  const urls = { receiver: probes.receiver(name), exporter: probes.exporter }
  const server = await startPrometheus(peers, folder, { ...FAST, core: SERVER_CORE }, urls)
  try {
    return await underLoad(server, [{ name, target: server.target, isWritten: false }], probes, seconds)
  } finally {
    await server.stop()
  }
}

async function underLoad(
  server: Server,
  watched: readonly Watched[],
  probes: Probes,
  seconds: number,
): Promise<Measured> {
  const { target } = server
  const feed = new Feed(target)
  console.log(`${target.name}: ${EDGES * SERIES_AN_EDGE} series, ${PREFILL_S} s of them at once`)
  await feed.prefill(PREFILL_S)
  feed.start()
  try {
    const idleCpuS = target.cpuS()
    await pause(IDLE_S * 1000)
    const writesCpu = (target.cpuS() - idleCpuS) / IDLE_S
    await server.useRules()
    await pause(WARM_S * 1000)
    console.log(
      `  writes alone: ${writesCpu.toFixed(2)} of a core; ${RULES} rules for ${seconds} s from now on`,
    )
    const spreadMs = PROBES_S * 1000
    const [rounds, seen] = await Promise.all([
      measureRounds(target, seconds, writesCpu),
      probes.run(watched, spreadMs, WAIT_MS_MAX),
    ])
    console.log(`  the latest write was answered ${feed.lateMsMax.toFixed(0)} ms after it was due`)
    return { rounds, seen }
  } finally {
    await feed.stop()
  }
}

interface Spread {
  readonly count: number
  readonly median: number
  readonly max: number
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return {
    count: sorted.length,
    median: sorted[sorted.length >> 1] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  }
}

/** Seconds between two moments of each probe that has both. */
function between(moments: readonly Moments[], from: keyof Moments, to: keyof Moments): Spread {
  return spread(
    moments.flatMap(one => {
      const [a, b] = [one[from], one[to]]
      return a === null || b === null ? [] : [(b - a) / 1000]
    }),
  )
}

const STRETCHES = [
  ['crossed -> firing', 'crossed', 'firing'],
  ['taken -> firing', 'taken', 'firing'],
  ['firing -> told', 'firing', 'told'],
  ['crossed -> told', 'crossed', 'told'],
] as const

function print(rounds: ReadonlyMap<string, Rounds>, seen: Seen): void {
  for (const [name, { medianS, p99S, maxS, cpuS, done, due }] of rounds)
    console.log(
      `${name}: a round takes ${medianS.toFixed(3)} s (p99 ${p99S.toFixed(3)}, longest ${maxS.toFixed(3)}), ` +
        `${cpuS.toFixed(3)} CPU s a round; ${done.toFixed(0)} of ${due} rounds`,
    )
  console.log(`\nof ${PROBES} values that cross a threshold, in s: median / longest`)
  console.log(['', ...STRETCHES.map(([title]) => title)].map(cell => cell.padEnd(20)).join(''))
  for (const [name, moments] of seen) {
    const cells = STRETCHES.map(([, from, to]) => {
      const { count, median, max } = between(moments, from, to)
      if (count === 0) return '-'
      const lacking = count < PROBES ? ` (${count})` : ''
      return `${median.toFixed(2)} / ${max.toFixed(2)}${lacking}`
    })
    console.log([name, ...cells].map(cell => cell.padEnd(20)).join(''))
  }
}

function results(rounds: ReadonlyMap<string, Rounds>, seen: Seen): BenchResult[] {
  const own = rounds.get('vitrine')
  const theirs = rounds.get('prometheus')
  const all: BenchResult[] = []
  if (own !== undefined) {
    all.push(
      againstGoal('evaluation round, median', 's', { ours: round(own.medianS), goal: ROUND_GOAL_S }, 'lower'),
      againstGoal('evaluation round, p99', 's', { ours: round(own.p99S), goal: ROUND_GOAL_S }, 'lower'),
      againstGoal('rounds done of those due', '', { ours: round(own.done / own.due), goal: 1 }, 'higher'),
    )
    if (theirs !== undefined) all.push(beside('CPU a round', [own.cpuS, theirs.cpuS], 'prometheus, 1 s'))
  }
  const loaded = seen.get('ours-loaded') ?? []
  const decision = between(loaded, 'taken', 'firing')
  const told = between(loaded, 'firing', 'told')
  all.push(
    againstGoal(
      'value in -> firing, longest',
      's',
      { ours: round(decision.max), goal: DECISION_GOAL_S },
      'lower',
    ),
    againstGoal('firing -> told, longest', 's', { ours: round(told.max), goal: TOLD_GOAL_S }, 'lower'),
    againstGoal('told of those that crossed', '', { ours: told.count / PROBES, goal: 1 }, 'higher'),
  )
  for (const [name, ownName, peerName] of [
    ['crossed -> told, as shipped', 'ours-shipped', 'prometheus-usual'],
    ['crossed -> told, no group wait', 'ours-loaded', 'prometheus-fast'],
  ] as const) {
    const peer = seen.get(peerName)
    if (peer === undefined) continue
    const medians = [seen.get(ownName) ?? [], peer].map(one => between(one, 'crossed', 'told').median)
    all.push(beside(`${name}, median`, [medians[0] ?? Number.NaN, medians[1] ?? Number.NaN], peerName))
  }
  return all
}

function beside(name: string, [ours, peer]: readonly [number, number], peerName: string): BenchResult {
  return {
    name,
    unit: 's',
    ours: round(ours),
    peer: round(peer),
    peerName,
    ratio: round(peer / ours),
    goal: 1,
  }
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}
