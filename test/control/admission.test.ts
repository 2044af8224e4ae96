// A new edge that is checked as it joins: a real control room, origin and two edges, every step to its end; and the
// runs that must be refused, taken up again, or ended by their bounds.
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Clock, Secret, silentLog, systemClock } from '#base'
import { openState } from '#control'
import { type RunningEdge, startEdge } from '#edge'
import { startOrigin } from '#origin'
import { enrol, type Identity, readJoinString } from '#trust'
import type { CheckRun, ChecksAnswer, ServerView } from '#wire'
import { startTestControl, type TestControl, until } from './fixture.ts'
import { sendAs } from './send-as.ts'

const sampleFolder = fileURLToPath(new URL('../../assets/sample/', import.meta.url))
const scratch = (): string => mkdtempSync(join(tmpdir(), 'vitrine-admission-'))
/** The machine's wall clock may be stepped while the tests run, and a check would rightly say so. */
const bornMs = systemClock.wallMs() - systemClock.bootMs()
const clock: Clock = { ...systemClock, wallMs: () => bornMs + systemClock.bootMs() }
const common = { clock, log: silentLog, publicUrl: null, listen: { host: '127.0.0.1', port: 0 } }

let control: TestControl
let originUrl = ''

beforeAll(async () => {
  control = await startTestControl({ clock })
  const origin = await startOrigin({
    ...common,
    id: 'origin',
    region: 'home',
    controlUrl: control.url,
    token: new Secret('vit_origin'),
    mediaFolder: scratch(),
    builtinFolders: [sampleFolder],
    stateFolder: scratch(),
  })
  control.closers.add(origin)
  originUrl = origin.url
  control.closers.add(
    await edgeOf({ id: 'eu-west', region: 'eu-west', credential: new Secret('vit_eu-west') }, scratch()),
  )
  await until(async () => (await server('eu-west'))?.state === 'healthy', 'the first edge serves', 30_000)
}, 60_000)
afterAll(() => control.close())

function edgeOf(
  { id, region, credential }: Pick<Identity, 'id' | 'region' | 'credential'>,
  stateFolder: string,
): Promise<RunningEdge> {
  return startEdge({
    ...common,
    id,
    region,
    controlUrl: control.url,
    token: credential,
    originUrl,
    stateFolder,
    webFolder: null,
    memoryBytesMax: 64 * 1024 * 1024,
    diskBytesMax: 0,
  })
}

async function server(id: string): Promise<ServerView | undefined> {
  const { body } = await control.get('/api/v1/servers')
  return (body as { servers: ServerView[] }).servers.find(one => one.id === id)
}

async function newest(id: string): Promise<CheckRun | undefined> {
  return ((await control.get(`/api/v1/servers/${id}/checks`)).body as ChecksAnswer).runs[0]
}

interface Invited {
  readonly id: string
  readonly joinString: string
}

async function invite(body: object): Promise<Invited> {
  const answer = await sendAs(control, 'operator', 'POST', '/api/v1/join-strings', body)
  expect(answer.status).toBe(200)
  return answer.body as Invited
}

describe('a new edge', () => {
  it('is checked as it joins, with every step passed and its figures in words, and next to no new sessions', async () => {
    const invited = await invite({ role: 'edge', region: 'sa-east', tags: { name: 'Sao Paulo' } })
    const folder = scratch()
    const identity = await enrol(scratch(), invited.joinString, { role: 'edge', id: null, region: null })
    expect(await newest('sa-east')).toMatchObject({ endedAt: null, by: 'test operator' })
    control.closers.add(await edgeOf(identity, folder))
    const run = await until(
      async () => {
        const seen = await newest('sa-east')
        return seen?.endedAt != null && seen
      },
      'all steps end',
      60_000,
    )
    expect(run.steps.map(({ step, state, text }) => [step, state, text])).toEqual([
      ['joined', 'passed', expect.stringContaining('Version ')],
      ['clock', 'passed', expect.stringMatching(/ms (ahead of|behind) fleet time/)],
      ['ports', 'passed', expect.stringMatching(/control room in .*eu-west in /)],
      ['dns', 'passed', expect.stringMatching(/loopback .* sa-east answers there/)],
      ['certificate', 'passed', expect.stringContaining('loopback')],
      ['disk', 'passed', expect.stringMatching(/MB\/s written and synced/)],
      ['origin', 'passed', expect.stringMatching(/B\/s, first byte after .* ms/)],
      ['warm', 'passed', expect.stringMatching(/objects, 1 of 1 titles/)],
      ['play', 'passed', expect.stringMatching(/^Plays sample, first picture after/)],
    ])
    expect(readdirSync(folder)).not.toContain('speed-check.tmp')
    expect((await server('sa-east'))?.sharePercent).toBe(0.01)
    const { body } = await control.get(`/api/v1/join-strings/${invited.id}`, control.tokens.operator)
    expect(body).toMatchObject({ joinString: { state: 'used', usedBy: 'sa-east', admission: true } })
  }, 90_000)

  it('is checked again by a command beside the control room; one run at a time; runs are kept over a restart', async () => {
    const state = await openState(control.folder)
    control.closers.defer(() => state.close())
    const id = await state.askForCheck('sa-east')
    await expect(state.askForCheck('sa-east')).rejects.toMatchObject({ code: 'control-check-running' })
    await expect(state.askForCheck('origin')).rejects.toMatchObject({ code: 'control-request-invalid' })
    await expect(state.askForCheck('nobody')).rejects.toMatchObject({ code: 'control-server-unknown' })
    // In the middle of it the control room goes away and comes back.
    await until(
      async () => (await newest('sa-east'))?.steps.some(({ state: so }) => so === 'passed'),
      'it has begun',
    )
    await control.restart()
    const run = await until(
      async () => {
        const seen = (await state.listChecks('sa-east'))[0]
        return seen?.endedAt != null && seen
      },
      'it ends',
      90_000,
    )
    expect(run.id).toBe(id)
    expect(run.steps.filter(({ state: so }) => so !== 'passed')).toEqual([])
    expect(await state.listChecks('sa-east')).toHaveLength(2)
  }, 120_000)

  it('that is restarted while it measures is said to have been, and the run ends', async () => {
    const identity = await enrol(scratch(), (await invite({ role: 'edge', id: 'restarter' })).joinString, {
      role: 'edge',
      id: null,
      region: null,
    })
    const first = await edgeOf(identity, scratch())
    await until(
      async () =>
        (await newest('restarter'))?.steps.some(({ step, state }) => step === 'disk' && state === 'running'),
      'it measures its disk',
      30_000,
    )
    await first.close()
    control.closers.add(await edgeOf(identity, scratch()))
    const run = await until(
      async () => {
        const seen = await newest('restarter')
        return seen?.endedAt != null && seen
      },
      'it ends',
      60_000,
    )
    // Its disk may have been through before the end of the process was told.
    const lost = run.steps.filter(({ text }) => text.includes('restarted'))
    expect(run.steps.every(({ state }) => state !== 'running' && state !== 'pending')).toBe(true)
    expect(lost.length + run.steps.filter(({ state }) => state === 'skipped').length).toBeGreaterThan(0)
  }, 120_000)
})

describe('an operator', () => {
  it('invites new edges, and nobody who would take the place of a server or has all media', async () => {
    const ask = (body: object): Promise<{ status: number }> =>
      sendAs(control, 'operator', 'POST', '/api/v1/join-strings', body)
    expect((await ask({ role: 'origin' })).status).toBe(403)
    expect((await ask({ role: 'edge', id: 'eu-west' })).status).toBe(409)
    const { id, joinString } = await invite({ role: 'edge', id: 'later', admission: false })
    expect(readJoinString(joinString).controlUrl).toBe(control.url)
    const seen = await control.get(`/api/v1/join-strings/${id}`, control.tokens.operator)
    expect(seen.body).toMatchObject({ joinString: { state: 'open', admission: true } })
    expect((await sendAs(control, 'operator', 'DELETE', `/api/v1/join-strings/${id}`)).status).toBe(200)
    await expect(enrol(scratch(), joinString, { role: 'edge', id: null, region: null })).rejects.toThrow(
      'revoked',
    )
  })
})
