// Three edges of a real fleet under one run: the canary goes alone and has to come back before anybody else is touched.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { NormalAnswer, RunsAnswer, RunView, ServerView } from '#wire'
import { until } from '../control/fixture.ts'
import { edges, startFleet, type TestFleet } from '../e2e/fleet.ts'

const [CANARY, ...OTHERS] = edges
const folder = mkdtempSync(join(tmpdir(), 'vitrine-canary-'))
const steps = `
  - wait-until: vitrine_probe_success{instance="$server",observer="control",check="http"} == 1
    timeout: 60s
  - verify: { timeout: 4m, hold: 2s }
  - undrain: { stage: 2s }
strategy: { canary: true, batch: 2 }
`
let fleet: TestFleet
beforeAll(async () => {
  const restart = `
runbook: rolling-restart
title: Restart one after the other
for: [edge]
steps:
  - drain: { max: 2s }
  - run: restart-edge
    timeout: 60s${steps}`
  const never = `
runbook: never-well
title: What it waits for never comes
for: [edge]
steps:
  - drain: { max: 2s }
  - wait-until: vector(0) == 1
    timeout: 3s${steps}`
  writeFileSync(join(folder, 'rolling-restart.yaml'), restart)
  writeFileSync(join(folder, 'never-well.yaml'), never)
  const config = join(folder, 'vitrine.json')
  writeFileSync(config, JSON.stringify({ control: { runbooksFolders: [folder] } }))
  fleet = await startFleet({ config })
}, 120_000)
afterAll(async () => {
  await fleet.close()
  rmSync(folder, { recursive: true, force: true })
})

async function runOf(runbook: string): Promise<RunView> {
  await fleet.post('/api/v1/runs', { runbook, servers: [...edges], reason: 'a test' })
  return until(
    async () => {
      const { runs } = await fleet.get<RunsAnswer>('/api/v1/runs')
      const run = runs.find(one => one.runbook === runbook)
      return run?.endedAt != null && run
    },
    `the run of ${runbook} ends`,
    900_000,
  )
}

it('takes the canary alone, and the others only after it is back', async () => {
  await until(
    async () => {
      const { servers } = await fleet.get<NormalAnswer>('/api/v1/normal')
      return edges.every(edge => servers.find(({ id }) => id === edge)?.word === 'ok')
    },
    'all edges are within their normal ranges',
    240_000,
  )
  const before = edges.map(edge => fleet.pid(edge))
  const run = await runOf('rolling-restart')
  expect(run).toMatchObject({ condition: 'completed', canary: CANARY })
  const stepsOf = (id: string): RunView['servers'][number]['steps'] =>
    run.servers.find(server => server.id === id)?.steps ?? []
  const backAt = stepsOf(CANARY).at(-1)?.endedAt ?? Number.NaN
  for (const id of OTHERS) expect(stepsOf(id)[0]?.beganAt, id).toBeGreaterThanOrEqual(backAt)
  for (const [at, id] of edges.entries()) {
    expect(fleet.pid(id), id).not.toBe(before[at])
    expect(await fleet.get<ServerView>(`/api/v1/servers/${id}`)).toMatchObject({ override: null })
  }
}, 1_500_000)

it('touches nobody else when the canary is not mended', async () => {
  const run = await runOf('never-well')
  expect(run).toMatchObject({ condition: 'failed', canary: CANARY })
  const outcomes = Object.fromEntries(run.servers.map(({ id, outcome }) => [id, outcome]))
  expect(outcomes[CANARY]).toBe('held')
  for (const id of OTHERS) {
    expect(['untouched', null], id).toContain(outcomes[id])
    expect(await fleet.get<ServerView>(`/api/v1/servers/${id}`)).toMatchObject({ override: null })
  }
  expect((await fleet.get<ServerView>(`/api/v1/servers/${CANARY}`)).override).toMatchObject({ kind: 'drain' })
}, 300_000)
