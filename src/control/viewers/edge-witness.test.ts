// What agents saw of their edges, asked for by many stalls at once.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { type MetricsStore, openStore } from '#metrics'
import { edgeWitness } from './edge-witness.ts'

const START_MS = 1_800_000_003_000
const folder = mkdtempSync(join(tmpdir(), 'vitrine-witness-'))
let store: MetricsStore
beforeAll(() => {
  store = openStore({ folder, clock: systemClock, log: silentLog })
  const samples = Array.from({ length: 60 }, (_one, at) => ({
    timestampMs: START_MS + at * 1000,
    value: Number(at >= 20 && at < 25),
  }))
  const stopped = { __name__: 'vitrine_server_process_stopped', instance: 'eu-west', job: 'agent' }
  const state = { __name__: 'vitrine_fleet_server_state', instance: 'eu-west', job: 'vitrine-control' }
  const lost = samples.map(({ timestampMs }, at) => ({ timestampMs, value: Number(at >= 40 && at < 50) }))
  const series = [
    { labels: stopped, samples },
    { labels: { ...state, state: 'unreachable' }, samples: lost },
    { labels: { ...state, state: 'healthy' }, samples: samples.map(one => ({ ...one, value: 1 })) },
  ]
  store.write(series, START_MS + 60_000)
})
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

it('says for how long it stood, and that it does not know where no agent looked', () => {
  const { stoppedS } = edgeWitness(store, () => 0)
  const at = (edge: string, from: number, to: number): number | null =>
    stoppedS(edge, START_MS + from * 1000, START_MS + to * 1000)
  expect(at('eu-west', 0, 15)).toBe(0)
  expect(at('eu-west', 15, 40)).toBeGreaterThanOrEqual(5)
  expect(at('eu-west', 15, 40)).toBeLessThanOrEqual(6)
  expect(at('eu-west', 21, 22.5)).toBe(3)
  expect(at('eu-west', 200, 210)).toBeNull()
  expect(at('us-east', 15, 40)).toBeNull()
})

it('says whether those that watch it reached it', () => {
  const { unreachableS } = edgeWitness(store, () => 0)
  expect(unreachableS('eu-west', START_MS + 10_000, START_MS + 30_000)).toBe(0)
  expect(unreachableS('eu-west', START_MS + 42_000, START_MS + 44_000)).toBe(3)
  expect(unreachableS('us-east', START_MS + 42_000, START_MS + 44_000)).toBeNull()
})

it('answers for hundreds of viewers of one edge, whose stalls all differ a little', () => {
  let questions = 0
  const counted: Pick<MetricsStore, 'queryRange'> = {
    queryRange: (...asked) => {
      questions += 1
      return store.queryRange(...asked)
    },
  }
  const { stoppedS } = edgeWitness(counted, () => 0)
  for (let viewer = 0; viewer < 300; viewer += 1) {
    const from = START_MS + 19_000 + viewer * 10
    expect(stoppedS('eu-west', from, from + 3000 + viewer * 20), String(viewer)).toBeGreaterThan(0)
  }
  expect(questions).toBeLessThanOrEqual(6)
})

it('asks no more than so often in a second, and goes on in the next', () => {
  let nowMs = 0
  const { stoppedS } = edgeWitness(store, () => nowMs)
  const answers = Array.from({ length: 70 }, (_one, hour) =>
    stoppedS('eu-west', START_MS + 21_000 - hour * 3_600_000, START_MS + 22_000 - hour * 3_600_000),
  )
  expect(answers[0]).toBeGreaterThan(0)
  expect(stoppedS('eu-west', START_MS + 30_000, START_MS + 34_000), 'asked too much').toBeNull()
  nowMs = 1000
  expect(stoppedS('eu-west', START_MS + 30_000, START_MS + 34_000)).toBe(0)
})
