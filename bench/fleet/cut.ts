// Owns the part of the fleet bench that cuts an edge off: its network's link is set down, and up again.
import { writeFileSync } from 'node:fs'
import type { ServerView } from '#wire'
import { againstGoal, type BenchResult } from '../result.ts'
import { JoinedFleet } from './joined-fleet.ts'
import { CENTRE, insideNetwork, type Networks, openNetworks, resultFile, whyNoNetworks } from './networks.ts'

const ROUNDS = 3
const EDGES = 4
const GOAL_S = 5
const WAIT_MS_MAX = 60_000
const ASK_EVERY = 3
/** Long enough for the recorder to have something that nobody has yet. */
const CUT_MS = 20_000
const PORT_BASE = 26_000

interface Round {
  readonly noticedS: number
  readonly alertS: number
  readonly steeredS: number
  readonly healthyS: number
  readonly recovered: number
}

export async function benchCut(): Promise<BenchResult[]> {
  const reason = whyNoNetworks()
  if (reason !== null) {
    console.log(`cut: skipped; ${reason}`)
    return []
  }
  if (resultFile === null) return insideNetwork('cut', [])
  const networks = await openNetworks(EDGES)
  try {
    const results = await measure(networks)
    writeFileSync(resultFile, JSON.stringify(results))
    return results
  } finally {
    await networks.close()
  }
}

async function measure({ networks }: Networks): Promise<BenchResult[]> {
  const fleet = await JoinedFleet.start({
    host: CENTRE,
    portBase: PORT_BASE,
    edges: networks.map(({ address, prefix }, at) => ({
      id: `e${at}`,
      region: at % 2 === 0 ? 'eu' : 'us',
      host: address,
      port: PORT_BASE + 20,
      prefix,
    })),
  })
  try {
    const rounds: Round[] = []
    for (let at = 0; at < ROUNDS; at += 1) {
      const network = networks[at]
      if (network === undefined) break
      await settled(fleet)
      rounds.push(await cutOnce(fleet, `e${at}`, network))
    }
    const worst = (pick: (round: Round) => number): number => Math.max(...rounds.map(pick))
    const goals: readonly [string, (round: Round) => number][] = [
      ['cut: unreachable', one => one.noticedS],
      ['cut: alert fires', one => one.alertS],
      ['cut: /steer and /play without it', one => one.steeredS],
    ]
    return [
      ...goals.map(([name, pick]) => againstGoal(name, 's', { ours: worst(pick), goal: GOAL_S }, 'lower')),
      againstGoal(
        'cut: recovered seconds of its agent',
        's',
        { ours: Math.min(...rounds.map(one => one.recovered)), goal: (CUT_MS / 1000) * 0.9 },
        'higher',
      ),
    ]
  } finally {
    await fleet.close()
  }
}

async function settled(fleet: JoinedFleet): Promise<void> {
  const all = async (): Promise<boolean> => (await fleet.servers()).every(({ state }) => state === 'healthy')
  await fleet.until(all, WAIT_MS_MAX, 'all are healthy')
}

async function cutOnce(
  fleet: JoinedFleet,
  id: string,
  network: { down(): Promise<void>; up(): Promise<void> },
): Promise<Round> {
  const before = pingOf(await fleet.server(id))
  await network.down()
  const startedMs = performance.now()
  const since = (): number => (performance.now() - startedMs) / 1000
  const steered = fleet.until(() => leftOut(fleet, id), WAIT_MS_MAX, 'nobody is sent there').then(since)
  const alert = fleet.until(() => fleet.fires(id), WAIT_MS_MAX, 'the alert fires').then(since)
  await fleet.until(async () => (await fleet.server(id)).state === 'unreachable', WAIT_MS_MAX, 'unreachable')
  const noticedS = since()
  const { reason } = await fleet.server(id)
  if (!reason.startsWith('host silent')) throw new Error(`a cut host is told as: ${reason}`)
  const [steeredS, alertS] = [await steered, await alert]
  await fleet.until(
    async () => pingOf(await fleet.server(id)) === 'no ping',
    WAIT_MS_MAX,
    'the ping is told as lost',
  )
  const pingS = since()
  const restMs = CUT_MS - (performance.now() - startedMs)
  await new Promise(resolve => setTimeout(resolve, Math.max(0, restMs)))
  await network.up()
  const upMs = performance.now()
  const upAtS = Date.now() / 1000
  let said = ''
  const healthy = async (): Promise<boolean> => {
    const { state, reason: now } = await fleet.server(id)
    const words = `${state}: ${now.replace(/\d+(\.\d+)? m?s/g, 'n')}`
    if (words !== said)
      console.log(`  ${((performance.now() - upMs) / 1000).toFixed(1)} s after its return: ${words}`)
    said = words
    return state === 'healthy'
  }
  await fleet.until(healthy, WAIT_MS_MAX, 'healthy again')
  const healthyS = (performance.now() - upMs) / 1000
  const recovered = await recoveredSeconds(fleet, id, upAtS)
  console.log(
    `cut ${id}: unreachable ${noticedS.toFixed(1)} s, alert ${alertS.toFixed(1)} s, steering without it ${steeredS.toFixed(1)} s ` +
      `(${reason.split(':')[0]}; before: ${before}, no ping after ${pingS.toFixed(1)} s), healthy ${healthyS.toFixed(1)} s after its return, ` +
      `${recovered} s of ${CUT_MS / 1000} s recovered`,
  )
  return { noticedS, alertS, steeredS, healthyS, recovered }
}

/** What the control room's own look says of ICMP, apart from TCP and HTTP. */
function pingOf({ evidence }: ServerView): string {
  const text = evidence.find(({ witness }) => witness === 'control')?.text ?? ''
  return /no ping|ping not permitted|ping [\d.]+ ms/.exec(text)?.[0] ?? 'no word of ping'
}

/** Some viewers at every other server, also such as it feeds now. */
async function leftOut(fleet: JoinedFleet, id: string): Promise<boolean> {
  const others = fleet.options.edges.filter(edge => edge.id !== id).map(edge => fleet.edgeUrl(edge.id))
  const sessions = Array.from({ length: ASK_EVERY }, (_, n) => `s${n}${Math.floor(performance.now())}`)
  const asked = sessions.flatMap(session => [
    fleet.play(fleet.controlUrl, session),
    ...others.flatMap(base => [fleet.play(base, session), fleet.steer(base, session, id)]),
  ])
  const answers = await Promise.all(asked)
  return answers.every(answer => answer !== null && answer !== id)
}

/** Seconds of the cut that have a sample of its agent: what it kept back has come since. */
async function recoveredSeconds(fleet: JoinedFleet, id: string, upAtS: number): Promise<number> {
  let seconds = 0
  const count = async (): Promise<boolean> => {
    const query = `count_over_time(node_load1{instance="${id}"}[${CUT_MS / 1000}s])`
    const { data } = await fleet.get<{ data: { result: { value: [number, string] }[] } }>(
      `/prometheus/api/v1/query?query=${encodeURIComponent(query)}&time=${upAtS.toFixed(3)}`,
    )
    seconds = Number(data.result[0]?.value[1] ?? 0)
    return seconds >= (CUT_MS / 1000) * 0.95
  }
  await fleet.until(count, 20_000, 'the recorder has sent all').catch(() => 0)
  return seconds
}
