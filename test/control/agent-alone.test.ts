// Agents on machines where no server of ours runs: a real control room over its private authority, real agents that
// join with a string, and everybody who must be turned away.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningAgent, startAgent } from '#agent'
import { silentLog, systemClock } from '#base'
import { openState } from '#control'
import { enrol, type Identity, readIdentity, writeJoinString } from '#trust'
import type { JoinStringRequest, ServerView } from '#wire'
import { startTestControl, type TestControl, until } from './fixture.ts'

const scratch = (): string => mkdtempSync(join(tmpdir(), 'vitrine-agent-alone-'))
const wish = { role: 'agent', id: null, region: null } as const

let control: TestControl
beforeAll(async () => {
  control = await startTestControl({ privateTls: true, enrol: [] })
  const state = await openState(control.folder)
  // Nothing listens there: what its host tells is another matter.
  await state.watchForeign({ id: 'cdn', region: 'abroad', url: 'http://127.0.0.1:9/live.m3u8', weight: 0 })
  await state.close()
}, 30_000)
afterAll(() => control.close())

async function invite(request: JoinStringRequest): Promise<string> {
  const state = await openState(control.folder)
  try {
    const { token } = await state.makeJoinString(request)
    return writeJoinString({ controlUrl: control.url, token, pin: control.join.pin })
  } finally {
    await state.close()
  }
}

async function run({ id, region, watches, controlUrl, credential, trust }: Identity): Promise<RunningAgent> {
  const agent = await startAgent({
    id,
    role: watches ?? 'edge',
    region,
    listen: null,
    controlUrl,
    token: credential,
    trust,
    serverUrl: null,
    watchedPid: () => null,
    stateFolder: scratch(),
    clock: systemClock,
    log: silentLog,
  })
  control.closers.add(agent)
  return agent
}

async function server(id: string): Promise<ServerView | undefined> {
  const { body } = await control.get('/api/v1/servers')
  return (body as { servers: ServerView[] }).servers.find(one => one.id === id)
}

async function series(expr: string): Promise<readonly { metric: Record<string, string> }[]> {
  const { body } = await control.get(`/prometheus/api/v1/query?query=${encodeURIComponent(expr)}`)
  return (body as { data: { result: { metric: Record<string, string> }[] } }).data.result
}

describe('an agent alone', () => {
  it('measures the host of a foreign server, and stands among its witnesses', async () => {
    const folder = scratch()
    const identity = await enrol(folder, await invite({ role: 'agent', for: 'cdn' }), wish)
    expect(identity).toMatchObject({ id: 'cdn', role: 'agent', region: 'abroad', watches: 'foreign' })
    expect(readIdentity(folder)).toMatchObject({ id: 'cdn', watches: 'foreign' })
    await run(identity)
    const seen = await until(async () => {
      const one = await server('cdn')
      return (
        one?.agentSeen != null && one.evidence.some(({ witness, ok }) => witness === 'agent' && ok) && one
      )
    }, 'its agent is heard')
    expect(seen.role).toBe('foreign')
    expect(seen.evidence.find(({ witness }) => witness === 'agent')).toMatchObject({
      ok: true,
      text: 'host alive',
    })
    const cpu = await until(async () => {
      const found = await series('sum by (instance, region) (node_cpu_seconds_total{instance="cdn"})')
      return found.length > 0 && found
    }, 'its host is measured')
    expect(cpu[0]?.metric).toEqual({ instance: 'cdn', region: 'abroad' })
    // It may not speak as anybody else, nor be sent viewers or media.
    const { body } = await control.get('/watch-table', null)
    expect(JSON.stringify(body)).not.toContain('cdn')
  }, 40_000)

  it('is a host of its own without a server, healthy while it is heard, and unreachable after', async () => {
    const identity = await enrol(scratch(), await invite({ role: 'agent', region: 'lab' }), wish)
    expect(identity).toMatchObject({ id: 'lab', role: 'agent', watches: 'host' })
    expect(await server('lab')).toMatchObject({ role: 'host', state: 'maintenance' })
    const agent = await run(identity)
    await until(async () => (await server('lab'))?.state === 'healthy', 'the host is healthy')
    const offset = 'vitrine_clock_fleet_offset_seconds{instance="lab"}'
    await until(async () => (await series(offset)).length > 0, 'its clock is compared with fleet time')
    await agent.close()
    const gone = await until(async () => {
      const one = await server('lab')
      return one?.state === 'unreachable' && one
    }, 'the host is unreachable')
    expect(gone.reason).toMatch(/^host silent: its agent is silent for/)
    await run(identity)
    await until(async () => (await server('lab'))?.state === 'healthy', 'the host is back', 20_000)
  }, 60_000)

  it('is refused for a server that is not foreign, and for one that is not there', async () => {
    await expect(invite({ role: 'agent', for: 'lab' })).rejects.toMatchObject({
      code: 'control-server-unknown',
    })
    await expect(invite({ role: 'agent', for: 'nobody' })).rejects.toMatchObject({
      code: 'control-server-unknown',
    })
    await expect(invite({ role: 'edge', for: 'cdn' })).rejects.toMatchObject({
      code: 'control-server-unknown',
    })
    await expect(invite({ role: 'agent', id: 'cdn' })).rejects.toMatchObject({
      code: 'control-server-duplicate',
    })
    const edge = await invite({ role: 'edge', region: 'x' })
    await expect(enrol(scratch(), edge, wish)).rejects.toThrow('it is for role edge')
  })

  it('loses its credential when the foreign server is retired or gets another agent', async () => {
    const text = await invite({ role: 'agent', for: 'cdn' })
    await enrol(scratch(), text, wish)
    // The first one's channel is closed: it was replaced.
    const before = (await server('cdn'))?.agentSeen ?? 0
    await until(async () => {
      const { body } = await control.get('/api/v1/servers')
      const { now } = body as { now: number }
      return now - ((await server('cdn'))?.agentSeen ?? before) > 3000
    }, 'the agent before is not heard any more')
    const state = await openState(control.folder)
    await state.retireServer('cdn')
    await state.close()
    await expect(invite({ role: 'agent', for: 'cdn' })).rejects.toMatchObject({
      code: 'control-server-unknown',
    })
  }, 40_000)
})
