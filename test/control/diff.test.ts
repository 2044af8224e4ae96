// How two servers differ, through a real control room: facts told by tokens of servers and by a real agent, figures
// from the store, the answer before, between and after restarts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAgent } from '#agent'
import { Secret, silentLog, systemClock } from '#base'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS } from '#metrics'
import type { DiffAnswer, Fact } from '#wire'
import { startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
beforeAll(async () => {
  control = await startTestControl()
}, 30_000)
afterAll(() => control.close())

async function tell(
  server: string,
  facts: readonly unknown[],
  at = systemClock.wallMs(),
): Promise<{ status: number; body: { version?: number; error?: { message: string } } }> {
  const answer = await fetch(`${control.url}/api/v1/facts`, {
    method: 'POST',
    headers: { authorization: `Bearer vit_${server}`, 'content-type': 'application/json' },
    body: JSON.stringify({ at, facts }),
  })
  return { status: answer.status, body: (await answer.json()) as { version?: number } }
}
async function diff(a: string, b: string): Promise<DiffAnswer> {
  return (await control.get(`/api/v1/servers/${a}/diff/${b}`)).body as DiffAnswer
}
const kernel = (value: string): Fact => ['kernel', 'linux', value]

describe('behaviour', () => {
  it('is ranked by how far apart the minutes are, and says where they are too few', async () => {
    const now = Math.floor(systemClock.wallMs() / 60_000) * 60_000
    for (const [server, cores, minutes] of [
      ['eu-west', 0.2, 30],
      ['us-east', 0.9, 30],
      ['ap-southeast', 0.9, 3],
    ] as const) {
      const steps = minutes * 4
      const series = (name: string, value: (step: number) => number): object => ({
        labels: { __name__: name, instance: server },
        samples: Array.from({ length: steps + 1 }, (_, step) => ({
          timestampMs: now - (steps - step) * 15_000,
          value: value(step),
        })),
      })
      const body = encodeRemoteWrite([
        series('vitrine_server_cpu_seconds_total', step => step * 15 * cores),
        series('vitrine_server_resident_memory_bytes', () => 2e8),
      ] as Parameters<typeof encodeRemoteWrite>[0])
      const answer = await fetch(`${control.url}/prometheus/api/v1/write`, {
        method: 'POST',
        headers: { ...REMOTE_WRITE_HEADERS, authorization: `Bearer vit_${server}` },
        body,
      })
      expect(answer.status).toBe(204)
    }
    const { metrics } = (await diff('eu-west', 'us-east')).behaviour
    expect(metrics.map(({ id, apart }) => [id, apart]).slice(0, 2)).toEqual([
      ['cpu', 'far'],
      ['memory', 'near'],
    ])
    expect(metrics[0]?.a?.median).toBeCloseTo(0.2, 2)
    expect(metrics[0]?.b?.n).toBeGreaterThanOrEqual(25)
    const few = (await diff('eu-west', 'ap-southeast')).behaviour.metrics.find(({ id }) => id === 'cpu')
    expect(few).toMatchObject({ apart: 'unknown', times: null })
    expect(few?.b?.n).toBeLessThan(5)
  })
})

describe('facts', () => {
  it('are kept whole in versions, and survive a restart; the same told again is the same version', async () => {
    expect((await diff('eu-west', 'us-east')).a.facts).toBeNull()
    expect((await tell('eu-west', [kernel('6.1.0-21'), ['package', 'openssl', '3.0.15']])).body.version).toBe(
      1,
    )
    expect((await tell('eu-west', [['package', 'openssl', '3.0.15'], kernel('6.1.0-21')])).body.version).toBe(
      1,
    )
    expect((await tell('us-east', [kernel('6.1.0-21'), ['package', 'openssl', '3.0.15']])).status).toBe(200)
    expect((await diff('eu-west', 'us-east')).differences.filter(({ kind }) => kind !== 'tag')).toEqual([])
    const before = systemClock.wallMs()
    expect((await tell('us-east', [kernel('6.1.0-25'), ['package', 'openssl', '3.0.15']])).body.version).toBe(
      2,
    )
    await control.restart()
    const { differences, equal, a, b } = await diff('eu-west', 'us-east')
    const [change] = differences
    expect(change).toMatchObject({ kind: 'kernel', a: '6.1.0-21', b: '6.1.0-25' })
    expect(change?.since).toBeGreaterThanOrEqual(before - 1000) // fleet time is slewed, this clock is not
    expect(equal.package).toBe(1)
    expect([a.facts?.version, b.facts?.version]).toEqual([1, 2])
  })

  it('told with a time ahead are dated now, and seen from the other side they are the same', async () => {
    await tell('us-east', [kernel('6.1.0-26'), ['package', 'openssl', '3.0.15']], systemClock.wallMs() + 1e12)
    const there = (await diff('eu-west', 'us-east')).differences[0]
    const back = (await diff('us-east', 'eu-west')).differences[0]
    expect(there?.since).toBeLessThanOrEqual(systemClock.wallMs() + 1000)
    expect([there?.a, there?.b, there?.since]).toEqual([back?.b, back?.a, back?.since])
  })

  it('are refused from people, with kinds that are none, with too many, and too large', async () => {
    const answer = await fetch(`${control.url}/api/v1/facts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${control.tokens.admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ at: 0, facts: [] }),
    })
    expect(answer.status).toBe(403)
    expect((await tell('eu-west', [['process', 'server', '1']])).status).toBe(400)
    expect((await tell('eu-west', [['kernel', 'linux', 'x'.repeat(300)]])).status).toBe(400)
    const flood = Array.from({ length: 21_000 }, (_, at) => ['package', `p${at}`, '1'])
    expect((await tell('eu-west', flood)).status).toBe(400)
    const heavy = Array.from({ length: 20_000 }, (_, at) => ['package', `${at}${'x'.repeat(240)}`, '1'])
    expect((await tell('eu-west', heavy)).status).toBe(413)
    expect((await diff('eu-west', 'us-east')).a.facts?.version).toBe(1)
  })

  it('of an unknown server are no difference but a 404', async () => {
    expect((await control.get('/api/v1/servers/eu-west/diff/nobody')).status).toBe(404)
    expect((await control.get('/api/v1/servers/control/diff/eu-west')).status).toBe(404)
  })

  it('come from a real agent', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vitrine-facts-'))
    const agent = await startAgent({
      id: 'ap-southeast',
      role: 'edge',
      region: 'ap-southeast',
      listen: null,
      controlUrl: control.url,
      token: new Secret('vit_ap-southeast'),
      serverUrl: null,
      watchedPid: () => process.pid,
      stateFolder: folder,
      clock: systemClock,
      log: silentLog,
    })
    control.closers.defer(() => rmSync(folder, { recursive: true, force: true }))
    control.closers.defer(() => agent.close())
    const told = await until(async () => {
      const answer = await diff('eu-west', 'ap-southeast')
      return answer.b.facts === null ? null : answer
    }, 'the agent tells its facts')
    expect(told.differences.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['kernel', 'version', 'hardware']),
    )
  })
})
