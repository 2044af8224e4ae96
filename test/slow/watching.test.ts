// How many are watching is one number: API, list of servers, wall, and PromQL say the same at the same moment.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ServerView, ViewersNowAnswer } from '#wire'
import { startFleet, type TestFleet, until } from '../e2e/fleet.ts'

const COUNT = 12

let fleet: TestFleet
beforeAll(async () => {
  fleet = await startFleet()
}, 120_000)
afterAll(() => fleet?.close())

interface Vector {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] }
}

async function promql(query: string): Promise<number> {
  const path = `/prometheus/api/v1/query?query=${encodeURIComponent(query)}`
  return Number((await fleet.get<Vector>(path)).data.result[0]?.value[1] ?? Number.NaN)
}

const sum = (counts: readonly (number | null | undefined)[]): number =>
  counts.reduce<number>((all, one) => all + (one ?? 0), 0)

async function everywhere(): Promise<Record<string, number>> {
  const [now, servers, wall, stored, estimated] = await Promise.all([
    fleet.get<ViewersNowAnswer>('/api/v1/viewers/now'),
    fleet.get<{ servers: ServerView[] }>('/api/v1/servers'),
    fleet.get<{ servers: { watching: number | null; role: string }[] }>('/api/v1/wall'),
    promql('sum(vitrine_fleet_watching)'),
    promql('sum(vitrine_fleet_watching_estimated)'),
  ])
  return {
    now: now.watching,
    byEdge: sum(now.byEdge.map(({ watching }) => watching)),
    byTitle: sum(now.byTitle.map(({ watching }) => watching)),
    byRegion: sum(now.byRegion.map(({ watching }) => watching)),
    byPlayer: sum(now.byPlayer.map(({ watching }) => watching)),
    servers: sum(servers.servers.map(({ watching }) => watching)),
    wall: sum(wall.servers.map(({ watching }) => watching)),
    promql: stored,
    measured: stored - estimated,
  }
}

it('is the same everywhere while viewers watch, and when they are gone', async () => {
  const viewers = fleet.vitrine('simulate', 'viewers', '--count', String(COUNT), '--duration', '60s')
  let last: Record<string, number> = {}
  const isAll = (wanted: number) => async (): Promise<boolean> => {
    last = await everywhere()
    return Object.values(last).every(count => count === wanted)
  }
  await until(isAll(COUNT), 60_000, () => JSON.stringify(last))
  await viewers
  await until(isAll(0), 60_000, () => JSON.stringify(last))
  expect(last['now']).toBe(0)
}, 240_000)
