// A step that says `on: <server>` goes to that server's agent, with the name of the sick one, and only that agent's word
// counts. A real control room, its disk and its channels; agents that say what the test wants.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunAnswer, StepOrder, StepState } from '#wire'
import { type FakeServer, startFleet, startTestControl, type TestControl, until } from './fixture.ts'
import { sendAs } from './send-as.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitrine-elsewhere-'))
let control: TestControl
let fleet: Record<string, FakeServer>
beforeAll(async () => {
  const steps = '  - run: reboot-host\n    on: us-east\n    with: { server: $server }\n'
  writeFileSync(
    join(folder, 'reach.yaml'),
    `runbook: reach\ntitle: Reach it from elsewhere\nsteps:\n${steps}`,
  )
  control = await startTestControl({ runbooksFolders: [folder] })
  fleet = await startFleet(control)
  const step = { name: 'reboot-host', description: '', idempotent: false, hasCheck: false, timeoutS: 60 }
  fleet['us-east']?.sendAsAgent({
    type: 'step-list',
    steps: [{ ...step, parameters: { server: '[a-z-]+' } }],
    problem: null,
  })
}, 30_000)
afterAll(async () => {
  await control.close()
  rmSync(folder, { recursive: true, force: true })
})

const request = { runbook: 'reach', servers: ['eu-west'], reason: 'its agent is gone' }
const begin = async (): Promise<string> => {
  // The list is on its way.
  const made = await until(async () => {
    const answer = await sendAs(control, 'operator', 'POST', '/api/v1/runs', request)
    return answer.status === 200 && answer
  }, 'the run begins')
  return (made.body as RunAnswer).run.id
}
const ordersOf = (id: string): StepOrder[] =>
  (fleet[id]?.orders ?? []).filter(message => message.type === 'step-order')
const ended = (id: string): Promise<RunAnswer['run']> =>
  until(async () => {
    const { run } = (await control.get(`/api/v1/runs/${id}`)).body as RunAnswer
    return run.endedAt !== null && run
  }, 'the run ends')
const say = (server: string, id: string, state: StepState, text: string): void => {
  fleet[server]?.sendAsAgent({ type: 'step-report', id, state, text, output: 'printed' })
}

it('is carried out by the named agent alone, for the server of the run, whoever else speaks of it', async () => {
  const id = await begin()
  const again = await sendAs(control, 'operator', 'POST', '/api/v1/runs', request)
  expect(again, 'two people press at once').toMatchObject({ status: 409 })
  expect(JSON.stringify(again.body)).toContain(id)
  const order = await until(() => ordersOf('us-east').at(-1), 'its agent is asked')
  expect(order).toMatchObject({ step: 'reboot-host', arguments: { server: 'eu-west' } })
  say('eu-west', order.id, 'failed', 'a lie of another agent')
  say('us-east', order.id, 'done', 'rebooted')
  const run = await ended(id)
  expect(run.condition).toBe('completed')
  expect(run.servers[0]?.steps[0]).toMatchObject({ state: 'done', text: 'rebooted', output: 'printed' })
  expect(ordersOf('eu-west')).toEqual([])
})

it('leaves the server untouched where that agent refuses, and asks a person where nobody knows', async () => {
  const before = ordersOf('us-east').length
  const refused = await begin()
  await until(() => ordersOf('us-east').length > before, 'asked')
  say('us-east', ordersOf('us-east').at(-1)?.id ?? '', 'refused', 'not on the list any more')
  const run = await ended(refused)
  expect(run).toMatchObject({ condition: 'failed' })
  expect(run.servers[0]).toMatchObject({ outcome: 'untouched' })
  expect(run.servers[0]?.steps[0]?.text).toBe('refused by the agent of us-east: not on the list any more')

  const asked = ordersOf('us-east').length
  const unknown = await begin()
  await until(() => ordersOf('us-east').length > asked, 'asked again')
  say('us-east', ordersOf('us-east').at(-1)?.id ?? '', 'unknown', 'the agent ended meanwhile')
  const left = await ended(unknown)
  expect(left.servers[0]).toMatchObject({ outcome: 'held' })
  expect(left.servers[0]?.text).toContain('somebody has to look at it')
})
