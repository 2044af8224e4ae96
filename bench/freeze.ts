// A frozen edge under 30 simulated viewers: when it is called so, when its alert fires, when its viewers have moved.
import type { AlertView, ServerView, TryAnswer, TryRequest } from '#wire'
import { edges, startFleet, type TestFleet, until } from '../test/e2e/fleet.ts'
import { againstGoal, type BenchReport } from './result.ts'

const ROUNDS = 5
const VIEWERS = 30
const NOTICED_GOAL_S = 5 // the promise: page and API show it within 5 s, and an alert fires
const MOVED_GOAL_S = 10 // hls.js with its own policies and steering elsewhere took 10.3 s to the first segment elsewhere
const WAIT_MS_MAX = 60_000

interface Round {
  readonly noticedS: number
  readonly alertS: number
  readonly movedS: number
}

export async function run(): Promise<BenchReport> {
  const fleet = await startFleet()
  try {
    await tryIt(fleet, { action: 'viewers', count: VIEWERS })
    await until(
      async () => (await watching(fleet)) >= VIEWERS,
      WAIT_MS_MAX,
      () => 'all viewers watch',
    )
    const rounds: Round[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const edge = edges[round % edges.length] ?? 'eu-west'
      await until(async () => (await servers(fleet)).every(({ state }) => state === 'healthy'), WAIT_MS_MAX)
      await until(
        async () => ((await server(fleet, edge)).watching ?? 0) > 0,
        WAIT_MS_MAX,
        () => `${edge} feeds somebody`,
      )
      const seen = await freeze(fleet, edge)
      console.log(
        `round ${round + 1}, ${edge}: noticed ${seen.noticedS.toFixed(1)} s, alert ${seen.alertS.toFixed(1)} s, moved ${seen.movedS.toFixed(1)} s`,
      )
      rounds.push(seen)
    }
    const middle = (pick: (round: Round) => number): number => median(rounds.map(pick))
    return {
      bench: 'freeze',
      settings: {
        rounds: ROUNDS,
        viewers: VIEWERS,
        statistic: 'median',
        fault: 'SIGSTOP to the edge process',
      },
      results: [
        againstGoal('noticed', 's', { ours: middle(one => one.noticedS), goal: NOTICED_GOAL_S }, 'lower'),
        againstGoal('alert fires', 's', { ours: middle(one => one.alertS), goal: NOTICED_GOAL_S }, 'lower'),
        againstGoal(
          'all its viewers moved',
          's',
          { ours: middle(one => one.movedS), goal: MOVED_GOAL_S },
          'lower',
        ),
      ],
    }
  } finally {
    await fleet.close()
  }
}

async function freeze(fleet: TestFleet, edge: string): Promise<Round> {
  await tryIt(fleet, { action: 'freeze', server: edge })
  const startedMs = performance.now()
  const fires = async (): Promise<boolean> =>
    (await fleet.get<{ alerts: AlertView[] }>('/api/v1/alerts')).alerts.some(
      ({ state, labels }) => state === 'firing' && labels['instance'] === edge,
    )
  const alert = until(fires, WAIT_MS_MAX, () => 'the alert fires')
  await until(async () => (await server(fleet, edge)).state === 'unreachable', WAIT_MS_MAX)
  const noticedS = (performance.now() - startedMs) / 1000
  const alertS = (await alert) / 1000
  let movedMs: number | null = null
  await until(
    async () => {
      const { faults } = await fleet.get<TryAnswer>('/api/v1/try')
      movedMs = faults.find(fault => fault.server === edge && fault.endedAt === null)?.movedMs ?? null
      return movedMs !== null
    },
    WAIT_MS_MAX,
    () => 'its viewers have moved',
  )
  await tryIt(fleet, { action: 'thaw', server: edge })
  return { noticedS, alertS, movedS: (movedMs ?? Number.NaN) / 1000 }
}

async function servers(fleet: TestFleet): Promise<ServerView[]> {
  return (await fleet.get<{ servers: ServerView[] }>('/api/v1/servers')).servers
}

async function server(fleet: TestFleet, id: string): Promise<ServerView> {
  const found = (await servers(fleet)).find(one => one.id === id)
  if (found === undefined) throw new Error(`no server ${id}`)
  return found
}

async function watching(fleet: TestFleet): Promise<number> {
  return (await servers(fleet)).reduce((sum, one) => sum + (one.watching ?? 0), 0)
}

async function tryIt(fleet: TestFleet, request: TryRequest): Promise<void> {
  await fleet.post('/api/v1/try', request)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
