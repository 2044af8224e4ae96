// Owns the part of the fleet bench in which the control room is away: who plays goes on, and no second of data is lost.

import { silentLog, systemClock } from '#base'
import { startViewers, type ViewerStats } from '#viewer'
import { againstGoal, type BenchResult } from '../result.ts'
import { JoinedFleet } from './joined-fleet.ts'

const PORT_BASE = 26_400
const VIEWERS = 20
const ASK_MS = 1000
const WAIT_MS_MAX = 120_000
const MARGIN_S = 10

export async function benchAway(seconds: number): Promise<BenchResult[]> {
  const fleet = await JoinedFleet.onLoopback(PORT_BASE)
  const entries = fleet.options.edges.map(({ id }) => fleet.edgeUrl(id))
  const viewers = startViewers({
    count: VIEWERS,
    entries,
    title: 'sample',
    clock: systemClock,
    log: silentLog,
  })
  try {
    await fleet.until(() => Promise.resolve(viewers.stats().playing >= VIEWERS), WAIT_MS_MAX, 'all play')
    await passed(MARGIN_S * 1000)
    return await measure(fleet, viewers, seconds)
  } finally {
    await viewers.close()
    await fleet.close()
  }
}

async function measure(
  fleet: JoinedFleet,
  viewers: { stats(): ViewerStats },
  seconds: number,
): Promise<BenchResult[]> {
  const before = viewers.stats()
  const fromS = Date.now() / 1000
  await fleet.stopControl()
  const endMs = performance.now() + seconds * 1000
  const asked = { entry: 0, steering: 0, failed: 0 }
  for (let turn = 0; performance.now() < endMs; turn += 1) {
    for (const { id } of fleet.options.edges) {
      asked.entry += 1
      asked.steering += 1
      if ((await fleet.play(fleet.edgeUrl(id), `n${turn}`)) === null) asked.failed += 1
      if ((await fleet.steer(fleet.edgeUrl(id), `n${turn}`, id)) === null) asked.failed += 1
    }
    await passed(ASK_MS)
  }
  const after = viewers.stats()
  const toS = Date.now() / 1000
  await fleet.restartControl()
  await passed(MARGIN_S * 1000)
  const gaps = await fleetGaps(fleet, fromS, toS)
  const stalls = after.stalls - before.stalls
  console.log(
    `control room away for ${seconds} s: ${after.playing} of ${VIEWERS} play on, ${stalls} stalls, ` +
      `${asked.entry} times /play and ${asked.steering} times /steer asked of edges, ${asked.failed} without an answer; ` +
      gaps.map(({ id, missing, twice }) => `${id}: ${missing} s missing, ${twice} twice`).join(', '),
  )
  return [
    none('control room away: stalls of viewers', 'stalls', stalls),
    againstGoal(
      'control room away: viewers that play on',
      'viewers',
      { ours: after.playing, goal: VIEWERS },
      'higher',
    ),
    none('control room away: /play and /steer without an answer', 'requests', asked.failed),
    none(
      'control room away: seconds without a sample of an agent',
      's',
      sum(gaps.map(({ missing }) => missing)),
    ),
    none('control room away: seconds with two', 's', sum(gaps.map(({ twice }) => twice))),
  ]
}

interface Gaps {
  readonly id: string
  readonly missing: number
  readonly twice: number
}

/** Every sample as it was stored; a second of the clock is missed or met twice only beyond the jitter of a timer. */
async function fleetGaps(fleet: JoinedFleet, fromS: number, toS: number): Promise<Gaps[]> {
  const ids = ['origin', ...fleet.options.edges.map(({ id }) => id)]
  let gaps: Gaps[] = []
  const complete = async (): Promise<boolean> => {
    gaps = await Promise.all(ids.map(id => gapsOf(fleet, id, fromS, toS)))
    return gaps.every(({ missing }) => missing === 0)
  }
  await fleet.until(complete, WAIT_MS_MAX, 'the agents have sent all').catch(() => 0)
  return gaps
}

async function gapsOf(fleet: JoinedFleet, id: string, fromS: number, toS: number): Promise<Gaps> {
  const query = `node_load1{instance="${id}"}[${Math.ceil(toS - fromS) + 2 * MARGIN_S}s]`
  const { data } = await fleet.get<{ data: { result: { values: [number, string][] }[] } }>(
    `/prometheus/api/v1/query?query=${encodeURIComponent(query)}&time=${(toS + MARGIN_S).toFixed(3)}`,
  )
  const times = (data.result[0]?.values ?? []).map(([atS]) => atS)
  let missing = times.length === 0 ? Math.ceil(toS - fromS) : 0
  let twice = 0
  for (const [at, time] of times.entries()) {
    const apartS = time - (times[at - 1] ?? time - 1)
    if (apartS > 1.5) missing += Math.round(apartS) - 1
    if (apartS < 0.5) twice += 1
  }
  return { id, missing, twice }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** A goal of none: the ratio is 1 when it holds. */
function none(name: string, unit: string, ours: number): BenchResult {
  return { name, unit, ours, peer: null, peerName: null, ratio: ours === 0 ? 1 : 0, goal: 0 }
}

async function passed(ms: number): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, ms))
}
