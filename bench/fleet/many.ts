// Owns the part of the fleet bench with more real edges than a full mesh has: the plan of probes stays bounded.
import type { ServerView } from '#wire'
import { againstGoal, type BenchResult } from '../result.ts'
import { JoinedFleet } from './joined-fleet.ts'

const EDGES = 24
const NEIGHBOURS = 6
const REGIONS = 6
const PORT_BASE = 26_800
const GOAL_S = 5
const WAIT_MS_MAX = 60_000
const TURN_MS_MAX = 120_000
const CACHE_BYTES = 8 * 1024 * 1024

export async function benchMany(): Promise<BenchResult[]> {
  const fleet = await JoinedFleet.start({
    host: '127.0.0.1',
    portBase: PORT_BASE,
    cacheBytes: CACHE_BYTES,
    edges: Array.from({ length: EDGES }, (_, at) => ({
      id: `e${at}`,
      region: `r${at % REGIONS}`,
      host: '127.0.0.1',
      port: PORT_BASE + 20 + at,
      prefix: [],
    })),
  })
  try {
    return await measure(fleet)
  } finally {
    await fleet.close()
  }
}

async function measure(fleet: JoinedFleet): Promise<BenchResult[]> {
  const probes = await fleet.get<{ mesh: string }>('/api/v1/probes')
  let looks: number[] = []
  // While they joined there were few enough for a full mesh; who looks elsewhere by now is forgotten after a minute.
  const isTurned = async (): Promise<boolean> => {
    looks = (await fleet.servers()).filter(({ role }) => role === 'edge').map(observersOf)
    return looks.every(count => count > 0 && count <= NEIGHBOURS)
  }
  await fleet
    .until(isTurned, TURN_MS_MAX, 'six neighbours each')
    .catch((error: unknown) => console.log(String(error)))
  const series = await fleet.get<{ data: { result: { value: [number, string] }[] } }>(
    `/prometheus/api/v1/query?query=${encodeURIComponent('count(count_over_time(vitrine_probe_success[5s]))')}`,
  )
  const pairs = Number(series.data.result[0]?.value[1] ?? 0)
  const found: number[] = []
  for (const at of [3, 11, 20]) found.push(await freeze(fleet, `e${at}`))
  console.log(
    `${EDGES} edges: mesh ${probes.mesh}, each is looked at by ${Math.min(...looks)} to ${Math.max(...looks)} others, ` +
      `${pairs} series of vitrine_probe_success, frozen ones found after ${found.map(s => s.toFixed(1)).join(', ')} s`,
  )
  return [
    againstGoal(
      `${EDGES} edges: a frozen one is unreachable`,
      's',
      { ours: Math.max(...found), goal: GOAL_S },
      'lower',
    ),
    againstGoal(
      `${EDGES} edges: most observers of one edge`,
      'edges',
      { ours: Math.max(...looks), goal: NEIGHBOURS },
      'lower',
    ),
  ]
}

/** Edges that look at it, beside the control room. */
function observersOf({ evidence }: ServerView): number {
  return evidence.filter(({ kind, witness }) => kind === 'outside' && witness !== 'control').length
}

async function freeze(fleet: JoinedFleet, id: string): Promise<number> {
  const pid = fleet.pid(id)
  const startedMs = performance.now()
  process.kill(pid, 'SIGSTOP')
  try {
    const isNoticed = async (): Promise<boolean> => (await fleet.server(id)).state === 'unreachable'
    await fleet.until(isNoticed, WAIT_MS_MAX, 'unreachable')
    return (performance.now() - startedMs) / 1000
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}
