// Owns the part of the fleet bench that runs random schedules of faults over six real edges, under real viewers.
// The same invariants are checked in virtual time by the tests; here with processes, namespaces and signals.
import { writeFileSync } from 'node:fs'
import { silentLog, systemClock } from '#base'
import { startViewers } from '#viewer'
import { Injection } from '../../src/cli/supervisor/injection.ts'
import { Invariants } from '../../test/fleet/invariants.ts'
import { type FaultSpan, faultKinds, inWords, type Schedule, scheduleOf } from '../../test/fleet/schedule.ts'
import type { BenchResult } from '../result.ts'
import { JoinedFleet } from './joined-fleet.ts'
import {
  CENTRE,
  insideNetwork,
  type Network,
  type Networks,
  openNetworks,
  resultFile,
  whyNoNetworks,
} from './networks.ts'

const EDGES = 6
const LENGTH_MS = 60_000
const CALM_MS_MAX = 90_000
const VIEWERS = 20
const LOOK_MS = 200
const ASK_MS = 500
const PORT_BASE = 26_600

export async function benchSchedules(count: number, firstSeed: number): Promise<BenchResult[]> {
  const reason = whyNoNetworks()
  if (reason !== null) {
    console.log(`schedules: skipped; ${reason}`)
    return []
  }
  const parameters = ['--schedules', String(count), '--seed', String(firstSeed)]
  if (resultFile === null) return insideNetwork('schedules', parameters)
  const networks = await openNetworks(EDGES)
  try {
    const results = await measure(networks, count, firstSeed)
    writeFileSync(resultFile, JSON.stringify(results))
    return results
  } finally {
    await networks.close()
  }
}

async function measure({ networks }: Networks, count: number, firstSeed: number): Promise<BenchResult[]> {
  const edges = networks.map(({ address, prefix }, at) => ({
    id: `e${at}`,
    region: at % 2 === 0 ? 'eu' : 'us',
    host: address,
    port: PORT_BASE + 20,
    prefix,
  }))
  const fleet = await JoinedFleet.start({ host: CENTRE, portBase: PORT_BASE, edges })
  const entries = edges.map(({ id }) => fleet.edgeUrl(id))
  const options = { title: 'sample', clock: systemClock, log: silentLog }
  const viewers = startViewers({ count: VIEWERS, entries, ...options })
  let broken = 0
  let answers = 0
  let changes = 0
  try {
    for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
      const seen = await runOne(
        fleet,
        networks,
        scheduleOf(seed, { edges: EDGES, lengthMs: LENGTH_MS, kinds: faultKinds }),
      )
      broken += seen.breaks.length
      answers += seen.answers
      changes += seen.changes.length
      console.log(
        `seed ${seed}: ${seen.changes.length} changes of state, ${seen.answers} answers, ${seen.breaks.length} breaks`,
      )
      for (const text of seen.breaks.slice(0, 3)) console.log(text)
    }
  } finally {
    await viewers.close()
    await fleet.close()
  }
  console.log(
    `schedules: ${count} from seed ${firstSeed}, ${changes} changes of state, ${answers} answers checked`,
  )
  const name = `${count} random schedules over ${EDGES} real edges: broken invariants`
  return [
    { name, unit: 'breaks', ours: broken, peer: null, peerName: null, ratio: broken === 0 ? 1 : 0, goal: 0 },
  ]
}

async function runOne(
  fleet: JoinedFleet,
  networks: readonly Network[],
  schedule: Schedule,
): Promise<Invariants> {
  await fleet.until(() => allHealthy(fleet), CALM_MS_MAX, 'all are healthy')
  console.log(`seed ${schedule.seed}: ${schedule.spans.map(inWords).join('; ')}`)
  const invariants = new Invariants(schedule)
  const states = new Map((await fleet.servers()).map(({ id, state }) => [id, state]))
  const startMs = performance.now()
  const since = (): number => performance.now() - startMs
  const faults = schedule.spans.map(span => inflict(fleet, networks, span, since))
  const running = { on: true }
  const asking = ask(fleet, invariants, since, running)
  const look = async (): Promise<boolean> => {
    const servers = await fleet.servers()
    const atMs = since()
    for (const { id, state, reason } of servers) {
      const from = states.get(id) ?? state
      states.set(id, state)
      if (from !== state && id.startsWith('e'))
        invariants.change({ atMs, edge: numberOf(id), from, to: state, reason })
    }
    const open = servers
      .filter(({ id, weight }) => id.startsWith('e') && (weight ?? 0) > 0)
      .map(({ id }) => numberOf(id))
    invariants.table(new Set(open), atMs)
    return servers.every(({ state }) => state === 'healthy') && atMs > schedule.calmFromMs + 5000
  }
  let healed = false
  while (!healed && since() < schedule.calmFromMs + CALM_MS_MAX) {
    healed = await look().catch(() => false)
    await passed(LOOK_MS)
  }
  running.on = false
  await Promise.all([asking, ...faults])
  const inOrder = fleet.options.edges.map(({ id }) => states.get(id) ?? 'unknown')
  invariants.end(inOrder, since())
  return invariants
}

async function inflict(
  fleet: JoinedFleet,
  networks: readonly Network[],
  { edge, kind, fromMs, toMs }: FaultSpan,
  since: () => number,
): Promise<void> {
  const network = networks[edge]
  if (network === undefined) return
  const pid = fleet.pid(`e${edge}`)
  await passed(fromMs - since())
  if (kind === 'cut') {
    await network.down()
    await passed(toMs - since())
    await network.up()
    return
  }
  const injection = new Injection(pid)
  if (kind === 'freeze') injection.freeze()
  else injection.slow()
  await passed(toMs - since())
  injection.end()
}

/** As new viewers and those who play would, of everybody who can be asked. */
async function ask(
  fleet: JoinedFleet,
  invariants: Invariants,
  since: () => number,
  running: { readonly on: boolean },
): Promise<void> {
  const { edges } = fleet.options
  for (let turn = 0; running.on; turn += 1) {
    const atMs = since()
    const feeding = edges[turn % edges.length]?.id ?? ''
    const sent = (by: string, asked: number | null) => (to: string | null) => {
      if (to === null) return
      // A request that waited through the end of a fault was answered after it.
      const endMs = since()
      const alive = invariants.deadForMs(numberOf(to), endMs) === null
      invariants.sent(by, numberOf(to), alive ? endMs : atMs, asked)
    }
    const session = `t${turn}`
    const all = edges.flatMap(({ id }) => [
      fleet.play(fleet.edgeUrl(id), session).then(sent(`/play of ${id}`, numberOf(id))),
      fleet
        .steer(fleet.edgeUrl(id), session, feeding)
        .then(sent(`/steer of ${id}, fed by ${feeding},`, numberOf(id))),
    ])
    all.push(fleet.play(fleet.controlUrl, session).then(sent('/play of the control room', null)))
    // Those that stand answer late or never; the next turn does not wait for them.
    await Promise.race([Promise.all(all), passed(ASK_MS)])
    await passed(ASK_MS - (since() - atMs))
  }
}

function numberOf(id: string): number {
  return Number(id.slice(1))
}

async function allHealthy(fleet: JoinedFleet): Promise<boolean> {
  return (await fleet.servers()).every(({ state }) => state === 'healthy')
}

async function passed(ms: number): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, Math.max(0, ms)))
}
