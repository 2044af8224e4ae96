// People's orders about servers: drain, maintenance, keep; who, why, until when; over the API and beside it.
import { fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openState } from '#control'
import type { OverrideRequest, Pathway, ServerView } from '#wire'
import { type FakeServer, startFleet, startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
let fleet: Record<string, FakeServer>
beforeAll(async () => {
  control = await startTestControl()
  fleet = await startFleet(control)
  await until(async () => (await view('eu-west')).state === 'healthy', 'eu-west is healthy')
}, 30_000)
afterAll(() => control.close())

async function view(id: string): Promise<ServerView> {
  return (await control.get(`/api/v1/servers/${id}`)).body as ServerView
}
async function send(method: string, id: string, body: OverrideRequest | null, query = ''): Promise<number> {
  const headers = { authorization: `Bearer ${control.tokens.operator}`, 'content-type': 'application/json' }
  const answer = await fetch(`${control.url}/api/v1/servers/${id}/override${query}`, {
    method,
    headers,
    ...(body === null
      ? { headers: { authorization: headers.authorization } }
      : { body: JSON.stringify(body) }),
  })
  return answer.status
}
/** In the newest table that edges were given. */
function pathwayOf(id: string): Pathway | undefined {
  const tables = (fleet['us-east']?.messages ?? []).filter(({ type }) => type === 'steering-table')
  const last = tables.at(-1)
  return last?.type === 'steering-table' ? last.pathways.find(one => one.id === id) : undefined
}
function becomes(id: string, state: ServerView['state']): Promise<ServerView> {
  return until(async () => {
    const seen = await view(id)
    return seen.state === state && seen
  }, `${id} is ${state}`)
}

describe('a drained edge', () => {
  it('is draining while it has viewers, then drained, takes no weight, and says who ordered it and why', async () => {
    const session = { title: 'sample', estimated: false, agoMs: 0, bytes: 1, sid: 'd1' }
    fleet['eu-west']?.send({ type: 'sessions', sessions: [session] })
    await until(async () => (await view('eu-west')).watching === 1, 'one watches')
    expect(await send('PUT', 'eu-west', { kind: 'drain', reason: 'disk change', expiresInS: null })).toBe(200)
    const seen = await becomes('eu-west', 'draining')
    expect(seen.weight).toBe(0)
    expect(seen.reason).toMatch(/^takes no new viewers by order of test operator: disk change; seen: /)
    expect(seen.override).toMatchObject({ kind: 'drain', by: 'test operator', expiresAt: null })
    fleet['us-east']?.send({ type: 'sessions', sessions: [session] })
    await becomes('eu-west', 'drained')
  })

  it('stays so over a restart of the control room, and comes back in steps when it is released', async () => {
    await control.restart()
    expect((await view('eu-west')).state).toBe('drained')
    expect(await send('DELETE', 'eu-west', null)).toBe(200)
    const back = await becomes('eu-west', 'healthy')
    expect(back.override).toBeNull()
    await until(() => (pathwayOf('eu-west')?.share ?? 1) < 1, 'it takes a part of new sessions')
    expect(await send('DELETE', 'eu-west', null)).toBe(404)
    // Ordered again and released at once: no steps.
    expect(await send('PUT', 'eu-west', { kind: 'drain', reason: 'again', expiresInS: null })).toBe(200)
    await becomes('eu-west', 'drained')
    expect(await send('DELETE', 'eu-west', null, '?at-once=maybe')).toBe(400)
    expect(await send('DELETE', 'eu-west', null, '?at-once=true')).toBe(200)
    await until(() => {
      const { share, weight } = pathwayOf('eu-west') ?? { weight: 0 }
      return share === undefined && weight === 1
    }, 'it takes all of them')
  })

  it('counts as drained when its time is over, though it still feeds somebody, and tells edges so', async () => {
    const session = { title: 'sample', estimated: false, agoMs: 0, bytes: 1, sid: 'd2' }
    const feed = (): void => {
      fleet['eu-west']?.send({ type: 'sessions', sessions: [session] })
    }
    feed()
    await until(async () => (await view('eu-west')).watching === 1, 'one watches')
    const order = { kind: 'drain', reason: 'short', expiresInS: null, drainMaxS: 1 } as const
    expect(await send('PUT', 'eu-west', order)).toBe(200)
    const seen = await until(async () => {
      feed()
      const now = await view('eu-west')
      return now.state === 'drained' && now
    }, 'it is drained')
    expect(seen.watching).toBe(1)
    expect(seen.override?.drainMaxS).toBe(1)
    await until(async () => pathwayOf('eu-west')?.drainOver === true, 'edges are told')
    expect(await send('PUT', 'eu-west', { ...order, kind: 'maintenance' })).toBe(400)
    expect(await send('DELETE', 'eu-west', null, '?at-once=true')).toBe(200)
    await becomes('eu-west', 'healthy')
  })
})

describe('other orders', () => {
  it('maintenance raises no alert while the server is gone, and what is seen stays visible', async () => {
    expect(await send('PUT', 'us-east', { kind: 'maintenance', reason: 'kernel', expiresInS: 3600 })).toBe(
      200,
    )
    fleet['us-east']?.freeze()
    await until(async () => (await view('us-east')).reason.includes('frozen'), 'its silence is seen')
    expect((await view('us-east')).state).toBe('maintenance')
    const { alerts } = (await control.get('/api/v1/alerts')).body as {
      alerts: { labels: Record<string, string> }[]
    }
    expect(alerts.filter(({ labels }) => labels['instance'] === 'us-east')).toEqual([])
    await send('DELETE', 'us-east', null)
    await becomes('us-east', 'unreachable')
  })

  it('keep holds it in service against the witnesses, and must end', async () => {
    expect(await send('PUT', 'us-east', { kind: 'keep', reason: 'probe is wrong', expiresInS: null })).toBe(
      400,
    )
    expect(await send('PUT', 'us-east', { kind: 'keep', reason: 'probe is wrong', expiresInS: 600 })).toBe(
      200,
    )
    expect((await becomes('us-east', 'healthy')).reason).toContain(
      'kept in service by order of test operator',
    )
    fleet['us-east']?.thaw()
    await send('DELETE', 'us-east', null)
  })

  it('an order that a command makes beside the control room counts within a second', async () => {
    const state = await openState(control.folder)
    await state.setOverride('ap-southeast', { kind: 'drain', reason: 'by hand', expiresInS: 60 })
    expect((await becomes('ap-southeast', 'drained')).override?.by).toBe('command line')
    await state.endOverride('ap-southeast')
    await becomes('ap-southeast', 'healthy')
    await expect(
      state.setOverride('nobody', { kind: 'drain', reason: 'x', expiresInS: null }),
    ).rejects.toMatchObject({ code: 'control-server-unknown' })
    await state.close()
  })
})
