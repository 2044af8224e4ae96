// Simulated servers against a real control room: who may make them, what they may not become, and that they end.
import { afterEach, describe, expect, it } from 'vitest'
import { startSimulatedAgents } from '#agent'
import { silentLog, systemClock } from '#base'
import { type ServerView, type SteeringTable, simulatedAnswer } from '#wire'
import { FakeServer, startTestControl, type TestControl, until } from './fixture.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(allowSimulated: boolean): Promise<TestControl> {
  const control = await startTestControl({ allowSimulated })
  closing.push(() => control.close())
  return control
}

async function call(
  control: TestControl,
  method: 'POST' | 'DELETE',
  token: string,
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${control.url}/api/v1/simulated-servers`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(method === 'POST' ? { body: JSON.stringify({ count: 5 }) } : {}),
  })
  return { status: answer.status, body: await answer.json() }
}

async function simulated(control: TestControl): Promise<ServerView[]> {
  const { servers } = (await control.get('/api/v1/servers')).body as { servers: ServerView[] }
  return servers.filter(({ id }) => id.startsWith('simulated-'))
}

describe('simulated servers', () => {
  it('are refused where nobody allowed them at the start, and to operators', async () => {
    const control = await start(false)
    const { status, body } = await call(control, 'POST', control.tokens.admin)
    expect([status, JSON.stringify(body)]).toEqual([
      409,
      expect.stringContaining('control-simulated-refused'),
    ])
    expect((await call(control, 'POST', control.tokens.operator)).status).toBe(403)
    expect(await simulated(control)).toEqual([])
  })

  it('beat, push and get tables, are called healthy, and never take a viewer', async () => {
    const control = await start(true)
    const real = new FakeServer('eu-west')
    await real.start(control)
    closing.push(() => real.close())
    const { servers } = simulatedAnswer.parse((await call(control, 'POST', control.tokens.admin)).body)
    const agents = startSimulatedAgents({
      controlUrl: control.url,
      trust: null,
      servers,
      series: 20,
      rampMs: 100,
      clock: systemClock,
      log: silentLog,
    })
    closing.push(() => agents.close())
    await until(() => agents.stats().connected === 5, 'all are connected')
    await until(() => agents.stats().heartbeats.count >= 10, 'heartbeats were taken')
    await until(() => agents.stats().samples >= 200, 'samples were taken')
    await until(() => agents.stats().tables.tables >= 1, 'a table reached all')
    await until(
      async () => (await simulated(control)).filter(({ state }) => state === 'healthy').length === 5,
      'all are healthy',
    )
    const tables = real.messages.filter((one): one is SteeringTable => one.type === 'steering-table')
    expect(tables.flatMap(({ pathways }) => pathways.map(({ id }) => id))).not.toContain('simulated-0001')
    const query = encodeURIComponent('count(node_load1{instance=~"simulated-.*"})')
    const { body } = await control.get(`/prometheus/api/v1/query?query=${query}`)
    expect(JSON.stringify(body)).toContain('"5"')
    expect(agents.stats().writesRefused).toBe(0)
    await call(control, 'DELETE', control.tokens.admin)
    expect(await simulated(control)).toEqual([])
    await until(() => agents.stats().connected === 0, 'their channels are closed')
  })

  it('do not come back with the control room, and no other server may have their name', async () => {
    const control = await start(true)
    await call(control, 'POST', control.tokens.admin)
    expect((await simulated(control)).length).toBe(5)
    await control.restart()
    expect(await simulated(control)).toEqual([])
    const answer = await fetch(`${control.url}/api/v1/foreign-servers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${control.tokens.admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'simulated-0001', region: 'x', url: 'https://a.example/x.m3u8', weight: 0 }),
    })
    expect(answer.status).toBe(400)
  })
})
