// A frozen edge of a real fleet is mended by its runbook, while the control room is killed in the middle of it.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { NormalAnswer, RunsAnswer, ServerView } from '#wire'
import { until } from '../control/fixture.ts'
import { startFleet, type TestFleet } from '../e2e/fleet.ts'

const EDGE = 'eu-west'
let fleet: TestFleet
beforeAll(async () => {
  fleet = await startFleet()
}, 120_000)
afterAll(() => fleet.close())

const runs = async (): Promise<RunsAnswer['runs']> => (await fleet.get<RunsAnswer>('/api/v1/runs')).runs
const lastRun = (): Promise<RunsAnswer['runs'][number] | undefined> =>
  runs().then(
    all => all[0],
    () => undefined,
  )

it('is ended, started, verified and returned in steps, and the run goes on after kill -9 of the control room', async () => {
  // A minute of healthy life is what it is compared with afterwards.
  await until(
    async () => {
      const { servers } = await fleet.get<NormalAnswer>(`/api/v1/normal?server=${EDGE}`)
      return servers[0]?.word === 'ok'
    },
    'it is within its normal ranges',
    240_000,
  )
  const frozen = fleet.pid(EDGE)
  process.kill(frozen, 'SIGSTOP')
  await until(
    async () => (await fleet.get<ServerView>(`/api/v1/servers/${EDGE}`)).state === 'unreachable',
    'it is unreachable',
    60_000,
  )
  const request = { runbook: 'restart-edge', servers: [EDGE], reason: 'frozen by a test' }
  await fleet.post('/api/v1/runs', request)
  await expect(fleet.post('/api/v1/runs', request), 'a second run of the same server').rejects.toThrow()
  await until(
    async () => (await lastRun())?.servers[0]?.steps[1]?.state === 'done',
    'it was restarted',
    120_000,
  )
  process.kill(fleet.pid('control'), 'SIGKILL')
  const ended = await until(
    async () => {
      const run = await lastRun()
      return run?.endedAt != null && run
    },
    'the run ends',
    900_000,
  )
  expect(ended.condition).toBe('completed')
  expect(ended.servers[0]?.outcome).toBe('returned')
  expect(ended.servers[0]?.steps.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done', 'done'])
  expect(fleet.pid(EDGE)).not.toBe(frozen)
  const server = await fleet.get<ServerView>(`/api/v1/servers/${EDGE}`)
  expect(server).toMatchObject({ state: 'healthy', override: null })
}, 1_500_000)
