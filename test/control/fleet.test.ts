// The control room with a real fleet of small servers: states, evidence, alerts, steering, restart.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AlertView, ServerView, SteeringTable } from '#wire'
import { type FakeServer, startFleet, startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
let fleet: Record<string, FakeServer>

beforeAll(async () => {
  control = await startTestControl()
  fleet = await startFleet(control)
}, 30_000)
afterAll(() => control.close())

async function server(id: string): Promise<ServerView> {
  return (await control.get(`/api/v1/servers/${id}`)).body as ServerView
}
async function alerts(): Promise<AlertView[]> {
  return ((await control.get('/api/v1/alerts')).body as { alerts: AlertView[] }).alerts
}
function edge(id: string): FakeServer {
  const found = fleet[id]
  if (found === undefined) throw new Error(id)
  return found
}
function lastTable(id: string): SteeringTable | undefined {
  return edge(id).messages.findLast(message => message.type === 'steering-table')
}

describe('a fleet', () => {
  it('is healthy once everybody has answered, with evidence', async () => {
    await until(async () => {
      const { body } = await control.get('/api/v1/servers')
      return (body as { servers: ServerView[] }).servers.every(view => view.state === 'healthy')
    }, 'all are healthy')
    const view = await server('eu-west')
    expect(view).toMatchObject({ role: 'edge', region: 'eu-west', version: '0.1.0', weight: 1, pid: null })
    expect(view.evidence.map(word => word.witness)).toContain('control')
    expect(await server('control')).toMatchObject({ state: 'healthy', reason: 'this control room' })
  }, 20_000)

  it('tells edges the table, who may read, and the titles', async () => {
    await until(() => lastTable('us-east')?.pathways.length === 3, 'a table with three edges')
    const access = edge('us-east').messages.find(message => message.type === 'access')
    expect(access).toMatchObject({ edges: [{ id: 'eu-west' }, { id: 'us-east' }, { id: 'ap-southeast' }] })
    edge('origin').send({
      type: 'titles',
      titles: [
        {
          id: 'sample',
          name: 'Sample',
          class: 'vod',
          state: 'ready',
          reason: null,
          durationMs: 1000,
          revision: 'r',
          renditions: [],
        },
        {
          id: 'bad',
          name: 'Bad',
          class: 'vod',
          state: 'broken',
          reason: 'no',
          durationMs: null,
          revision: null,
          renditions: [],
        },
      ],
    })
    await until(
      () =>
        edge('us-east').messages.some(
          message => message.type === 'catalogue' && message.titles[0]?.id === 'sample',
        ),
      'the catalogue',
    )
    const table = await control.get('/watch-table', null)
    expect(table.body).toMatchObject({ titles: [{ id: 'sample', name: 'Sample', durationMs: 1000 }] })
    const titles = await control.get('/api/v1/titles')
    expect(titles.body).toMatchObject({
      titles: [{ id: 'sample', watchPath: '/watch/sample' }, { id: 'bad' }],
    })
  })

  it('sends new viewers to an edge that takes them, or to the one named, and passes their query on', async () => {
    const all = lastTable('us-east')?.pathways.map(
      ({ url }) => `${url}/vod/sample/master.m3u8?CMCD=sid%3D%22x%22`,
    )
    const play = await control.get('/play/sample.m3u8?CMCD=sid%3D%22x%22', null)
    expect(play.status).toBe(302)
    expect(all).toContain(play.headers.get('location'))
    const via = await control.get('/play/sample.m3u8?via=ap-southeast', null)
    expect(via.headers.get('location')).toBe(`${edge('ap-southeast').url}/vod/sample/master.m3u8`)
    expect((await control.get('/play/nothing.m3u8', null)).status).toBe(404)
  })

  it('counts who is watching, once over all edges', async () => {
    const session = { title: 'sample', estimated: false, agoMs: 0, bytes: 1 }
    edge('eu-west').send({
      type: 'sessions',
      sessions: [
        { ...session, sid: '1' },
        { ...session, sid: '2' },
      ],
    })
    edge('us-east').send({ type: 'sessions', sessions: [{ ...session, sid: '~3', estimated: true }] })
    await until(async () => (await server('eu-west')).watching === 2, 'two watch eu-west')
    edge('us-east').send({ type: 'sessions', sessions: [{ ...session, sid: '1' }] })
    await until(async () => (await server('us-east')).watching === 2, 'one has moved')
    expect(await server('eu-west')).toMatchObject({ watching: 1, watchingEstimated: 0 })
    expect(await server('us-east')).toMatchObject({ watchingEstimated: 1 })
  })
})

describe('a frozen edge', () => {
  // How fast: `npm run bench -- freeze`.
  it('is unreachable, seen by two, and its alert fires', async () => {
    edge('eu-west').freeze()
    const view = await until(async () => {
      const seen = await server('eu-west')
      return seen.state === 'unreachable' && seen
    }, 'eu-west is unreachable')
    expect(view.reason).toMatch(/^process frozen, host alive: no HTTP answer to /)
    expect(view.weight).toBe(0)
    const alert = await until(
      async () =>
        (await alerts()).find(({ rule, state }) => rule === 'EdgeUnreachable' && state === 'firing'),
      'EdgeUnreachable fires',
    )
    expect(alert.labels).toMatchObject({ instance: 'eu-west', severity: 'critical' })
    expect(alert.annotations['summary']).toBe('Edge eu-west does not answer')
  })

  it('is the only one, stands last in the table, and its firing is in the store', async () => {
    expect((await server('us-east')).state).toBe('healthy')
    await until(() => lastTable('us-east')?.pathways.at(-1)?.id === 'eu-west', 'eu-west is last')
    expect(lastTable('us-east')?.pathways.at(-1)?.weight).toBe(0)
    const play = await control.get('/play/sample.m3u8?via=eu-west', null)
    expect(play.headers.get('location')).not.toContain(edge('eu-west').url)
    const query = encodeURIComponent('ALERTS{alertname="EdgeUnreachable", alertstate="firing"}')
    const answer = await control.get(`/prometheus/api/v1/query?query=${query}`)
    expect(answer.body).toMatchObject({
      data: { result: [{ metric: { instance: 'eu-west' }, value: [expect.any(Number), '1'] }] },
    })
  })

  it('stays so over a restart of the control room, and nobody else is blamed for it', async () => {
    await control.restart()
    expect(await server('eu-west')).toMatchObject({ state: 'unreachable' })
    const alert = (await alerts()).find(({ rule }) => rule === 'EdgeUnreachable')
    expect(alert).toMatchObject({ state: 'firing', labels: { instance: 'eu-west' } })
    expect((await server('us-east')).state).toBe('healthy')
  })

  it('comes back by itself 5 s after it answers, and the alert is resolved', async () => {
    edge('eu-west').thaw()
    await until(async () => (await server('eu-west')).state === 'healthy', 'eu-west is healthy', 12_000)
    await until(
      async () =>
        (await alerts()).find(({ rule, state }) => rule === 'EdgeUnreachable' && state === 'resolved'),
      'the alert is resolved',
    )
    const { body } = await control.get('/api/v1/servers/eu-west/history')
    const { changes } = body as {
      changes: { from: string; to: string; reason: string; evidence: unknown[] }[]
    }
    const shown = JSON.stringify(changes)
    // With one observer a little ahead of the others, it and the agent are two witnesses: degraded for a moment.
    const lasting = changes.filter(({ to }) => to !== 'degraded')
    expect(lasting.map(({ to }) => to).slice(0, 3), shown).toEqual(['healthy', 'unreachable', 'healthy'])
    expect(lasting[1]?.evidence.length).toBeGreaterThan(1)
    for (const id of ['us-east', 'ap-southeast', 'origin']) {
      const other = (await control.get(`/api/v1/servers/${id}/history`)).body as { changes: { to: string }[] }
      expect(
        other.changes.map(change => change.to),
        id,
      ).toEqual(['healthy'])
    }
  }, 30_000)
})

describe('a slow edge', () => {
  it('is degraded when outside and peers agree, and loses its viewers', async () => {
    edge('ap-southeast').mode = 'slow'
    const view = await until(
      async () => {
        const seen = await server('ap-southeast')
        return seen.state === 'degraded' && seen
      },
      'ap-southeast is degraded',
      20_000,
    )
    expect(view.reason).toMatch(/^serves badly: /)
    expect(view.weight).toBeLessThan(1)
  }, 30_000)
})
