// A Prometheus of Debian's that sends its alerts to us, as to an Alertmanager; and what no Prometheus would send.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AlertView, IncidentView } from '#wire'
import { startTestControl, type TestControl, until } from '../control/fixture.ts'
import { fetchPeer } from './peers.ts'
import { PrometheusServer } from './prometheus-server.ts'

let control: TestControl
beforeAll(async () => {
  control = await startTestControl({ rulesFolders: [] })
}, 30_000)
afterAll(() => control.close())

async function post(body: unknown, path = '/api/v2/alerts'): Promise<number> {
  const answer = await fetch(`${control.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${control.tokens.operator}` },
    body: JSON.stringify(body),
  })
  await answer.arrayBuffer()
  return answer.status
}

async function alerts(name: string): Promise<AlertView[]> {
  const { body } = await control.get('/api/v1/alerts')
  return (body as { alerts: AlertView[] }).alerts.filter(({ rule }) => rule === name)
}

async function incidents(): Promise<IncidentView[]> {
  return ((await control.get('/api/v1/incidents')).body as { incidents: IncidentView[] }).incidents
}

const peer = await fetchPeer('prometheus')

describe.skipIf('missing' in peer)('a Prometheus that points here', () => {
  let prometheus: PrometheusServer | null = null
  afterAll(() => prometheus?.close())

  it('has its alert fire, join an incident, and end when Prometheus says so', async () => {
    if ('missing' in peer) return
    const host = new URL(control.url).host
    const alerting = [
      'alerting:',
      '  alertmanagers:',
      `    - static_configs: [{targets: ["${host}"]}]`,
      `      authorization: {credentials: "${control.tokens.operator}"}`,
      '',
    ].join('\n')
    // True for the first half of each 10 s.
    const rules = [
      'groups:',
      '  - name: outside',
      '    interval: 1s',
      '    rules:',
      '      - alert: Outside',
      '        expr: vector(time() % 10) < 5',
      '        labels: {severity: warning, instance: "eu-west:9100"}',
      '        annotations: {summary: "a host elsewhere says so"}',
      '',
    ].join('\n')
    prometheus = await PrometheusServer.start(peer.folder, rules, alerting)
    await until(
      async () => (await alerts('Outside')).some(({ state }) => state === 'firing'),
      'it fires here',
      40_000,
    )
    const [incident] = await until(async () => {
      const open = await incidents()
      return open.length > 0 ? open : null
    }, 'an incident opens')
    expect(incident).toMatchObject({
      title: 'a host elsewhere says so',
      servers: ['eu-west'],
      severity: 'warning',
    })
    await until(
      async () => (await alerts('Outside')).some(({ state }) => state === 'resolved'),
      'it ends',
      60_000,
    )
  }, 150_000)
})

describe('alerts from outside', () => {
  it('end at their endsAt, survive a restart, and are told with their sender’s words', async () => {
    const endsAt = new Date(Date.now() + 3_600_000).toISOString()
    const labels = { alertname: 'Told', instance: 'us-east', severity: 'page', empty: '' }
    expect(
      await post([{ labels, annotations: { summary: 's' }, startsAt: '0001-01-01T00:00:00Z', endsAt }]),
    ).toBe(200)
    await control.restart()
    expect(await alerts('Told')).toMatchObject([{ state: 'firing', labels: { instance: 'us-east' } }])
    expect((await alerts('Told'))[0]?.labels).not.toHaveProperty('empty')
    expect(await post([{ labels, endsAt: new Date(Date.now() - 1000).toISOString() }])).toBe(200)
    expect(await alerts('Told')).toMatchObject([{ state: 'resolved' }])
  }, 30_000)

  it('that are none are refused, all of them', async () => {
    for (const body of [
      {},
      [{}],
      [{ labels: {} }],
      [{ labels: { a: '' } }],
      [{ labels: { a: 'b' }, startsAt: 'soon' }],
      [{ labels: { a: 1 } }],
    ]) {
      expect(await post(body), JSON.stringify(body)).toBe(400)
    }
  })

  it('of 10,000 at once are taken, one incident, and not one more', async () => {
    const before = (await incidents()).length
    const flood = Array.from({ length: 10_000 }, (_, number) => ({
      labels: { alertname: 'Flood', host: `h${number}` },
    }))
    expect(await post(flood)).toBe(200)
    expect(await post([{ labels: { alertname: 'OneMore' } }])).toBe(200)
    expect(await post([...flood, ...flood])).toBe(400)
    expect(await alerts('OneMore')).toEqual([])
    const open = await until(
      async () => {
        const all = (await incidents()).filter(({ resolvedAt }) => resolvedAt === null)
        return all.some(one => one.firing >= 9_000) ? all : null
      },
      'the flood is one incident',
      30_000,
    )
    expect(open.length).toBeLessThanOrEqual(before + 1)
    const text = (await control.get('/metrics', control.tokens.viewer)).body as string
    expect(text).toMatch(/vitrine_control_foreign_alerts_refused_total\S* [1-9]/)
  }, 60_000)
})

describe('silences', () => {
  it('are made, listed and ended by the API; what they cover opens nothing', async () => {
    const now = Date.now()
    const silence = {
      matchers: [{ name: 'alertname', value: 'Quiet.*', isRegex: true, isEqual: true }],
      startsAt: now - 1000,
      endsAt: now + 60_000,
      recurs: null,
      comment: 'we know',
    }
    expect(await post(silence, '/api/v1/silences')).toBe(200)
    expect(
      await post({ ...silence, matchers: [{ ...silence.matchers[0], value: '.*' }] }, '/api/v1/silences'),
    ).toBe(400)
    const { body } = await control.get('/api/v1/silences')
    expect(body).toMatchObject({ silences: [{ id: 'S-1', comment: 'we know', endedAt: null }] })
  })
})
