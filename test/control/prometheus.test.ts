// Every route of the Prometheus API through a real control room, as Grafana's data source and promtool ask them.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compressBlock, encodeRemoteWrite, REMOTE_WRITE_HEADERS } from '#metrics'
import { fetchPeer } from '../conformance/peers.ts'
import { startTestControl, type TestControl } from './fixture.ts'

const API = '/prometheus/api/v1'
const SAMPLES = 60

let control: TestControl
let lastS: number

/** What the tests look into; the rest is compared as a whole. */
interface Body {
  readonly status: string
  readonly warnings?: readonly string[]
  readonly data: {
    readonly [name: string]: unknown
    readonly name: string
    readonly result: readonly {
      readonly value: readonly [number, string]
      readonly values: readonly (readonly [number, string])[]
    }[]
    readonly groups: readonly { readonly rules: readonly unknown[] }[]
  }
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Body
}

async function send(
  method: string,
  path: string,
  sent: { form?: Record<string, string>; token?: string } = {},
): Promise<Answer> {
  const response = await fetch(`${control.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${sent.token ?? control.tokens.viewer}` },
    ...(sent.form === undefined ? {} : { body: new URLSearchParams(sent.form) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  const body = (isJson ? JSON.parse(text) : {}) as Body
  return { status: response.status, headers: response.headers, text, body }
}

/** The same question as GET and as form POST. */
async function both(path: string, parameters: Record<string, string>): Promise<Answer> {
  const get = await send('GET', `${API}${path}?${new URLSearchParams(parameters)}`)
  const post = await send('POST', `${API}${path}`, { form: parameters })
  expect(post.status).toBe(get.status)
  expect(post.body).toEqual(get.body)
  return get
}

async function write(
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = REMOTE_WRITE_HEADERS,
): Promise<Omit<Answer, 'body'>> {
  const response = await fetch(`${control.url}${API}/write`, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${control.tokens.admin}` },
    body: Buffer.from(body),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

beforeAll(async () => {
  control = await startTestControl()
  lastS = Math.floor(Date.now() / 1000)
  const samples = Array.from({ length: SAMPLES }, (_, at) => ({
    timestampMs: (lastS - SAMPLES + 1 + at) * 1000,
    value: at,
  }))
  const series = ['a', 'b', 'c'].map(zone => ({ labels: { __name__: 'tested_total', zone }, samples }))
  expect((await write(encodeRemoteWrite(series))).status).toBe(204)
}, 30_000)
afterAll(() => control.close())

describe('queries', () => {
  it('at an instant, by GET and by form POST', async () => {
    const { status, body } = await both('/query', { query: 'sum(tested_total)', time: String(lastS) })
    expect(status).toBe(200)
    expect(body).toEqual({
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: {}, value: [lastS, String(3 * (SAMPLES - 1))] }] },
    })
  })

  it('over a range, with times in seconds and in RFC 3339', async () => {
    const start = new Date((lastS - 10) * 1000).toISOString()
    const { body } = await both('/query_range', {
      query: 'tested_total{zone="a"}',
      start,
      end: String(lastS),
      step: '5s',
    })
    expect(body.data.result[0]?.values).toEqual([
      [lastS - 10, String(SAMPLES - 11)],
      [lastS - 5, String(SAMPLES - 6)],
      [lastS, String(SAMPLES - 1)],
    ])
  })

  it('leave series above the limit out, and warn', async () => {
    for (const [path, more] of [
      ['/query', { time: String(lastS) }],
      ['/query_range', { start: String(lastS - 5), end: String(lastS), step: '1' }],
    ] as const) {
      const { body } = await both(path, { query: 'tested_total', ...more, limit: '2' })
      expect(body.data.result).toHaveLength(2)
      expect(body.warnings).toEqual(['results truncated due to limit'])
      const all = await both(path, { query: 'tested_total', ...more, limit: '3' })
      expect(all.body.data.result).toHaveLength(3)
      expect(all.body).not.toHaveProperty('warnings')
    }
  })

  it.each([
    ['/query', {}, 400, 'bad_data'],
    ['/query', { query: 'sum(' }, 400, 'bad_data'],
    ['/query', { query: 'up', time: 'soon' }, 400, 'bad_data'],
    ['/query', { query: 'up', limit: 'many' }, 400, 'bad_data'],
    ['/query', { query: 'label_replace(up, "a", "", "b", "(")' }, 422, 'execution'],
    ['/query_range', { query: 'up', start: '1', end: '2' }, 400, 'bad_data'],
    ['/query_range', { query: 'up', start: '2', end: '1', step: '1' }, 400, 'bad_data'],
    ['/query_range', { query: 'up', start: '0', end: '100000', step: '1' }, 400, 'bad_data'],
    ['/query_range', { query: 'up[5m]', start: '0', end: '10', step: '1' }, 400, 'bad_data'],
    ['/series', {}, 400, 'bad_data'],
    ['/series', { 'match[]': 'rate(x[5m])' }, 400, 'bad_data'],
    ['/format_query', { query: 'sum(' }, 400, 'bad_data'],
    ['/parse_query', { query: '' }, 400, 'bad_data'],
  ])('%s with %j fails with %s %s', async (path, parameters, status, errorType) => {
    const answer = await both(path, parameters)
    expect(answer.status).toBe(status)
    expect(answer.body).toEqual({ status: 'error', errorType, error: expect.any(String) })
  })
})

describe('what there is', () => {
  const range = (): Record<string, string> => ({ start: String(lastS - 100), end: String(lastS) })

  it('series', async () => {
    const { body } = await both('/series', { 'match[]': 'tested_total{zone=~"a|b"}', ...range() })
    expect(body.data).toEqual([
      { __name__: 'tested_total', zone: 'a' },
      { __name__: 'tested_total', zone: 'b' },
    ])
    const cut = await both('/series', { 'match[]': 'tested_total', limit: '1' })
    expect(cut.body).toMatchObject({ data: [{ zone: 'a' }], warnings: ['results truncated due to limit'] })
    const before = await both('/series', { 'match[]': 'tested_total', start: '1', end: '2' })
    expect(before.body).toEqual({ status: 'success', data: [] })
  })

  it('labels and their values, of all and of those that match', async () => {
    expect((await both('/labels', { 'match[]': 'tested_total' })).body.data).toEqual(['__name__', 'zone'])
    expect((await both('/labels', { 'match[]': 'tested_total', limit: '1' })).body).toMatchObject({
      data: ['__name__'],
      warnings: [expect.any(String)],
    })
    const values = async (query: string): Promise<unknown> =>
      (await send('GET', `${API}/label/${query}`)).body.data
    expect(await values('zone/values')).toEqual(['a', 'b', 'c'])
    expect(
      await values(`zone/values?${new URLSearchParams({ 'match[]': 'tested_total{zone!="b"}' })}`),
    ).toEqual(['a', 'c'])
    expect(await values('zone/values?limit=2')).toEqual(['a', 'b'])
    expect(await values('__name__/values')).toContain('tested_total')
    expect((await send('GET', `${API}/label/no-label/values`)).status).toBe(400)
  })

  it('build and store', async () => {
    const info = await send('GET', `${API}/status/buildinfo`)
    expect(info.body.data).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+/) })
    const tsdb = await send('GET', `${API}/status/tsdb`)
    expect(tsdb.body.data).toMatchObject({
      headStats: { numSeries: expect.any(Number), minTime: expect.any(Number) },
      seriesCountByMetricName: expect.arrayContaining([
        expect.objectContaining({ name: expect.any(String) }),
      ]),
      labelValueCountByLabelName: expect.any(Array),
    })
  })
})

/** Fields of one protobuf message: number, and a text, a message, or a whole number below 128. */
function message(...fields: readonly (readonly [number, string | Uint8Array | number])[]): Uint8Array {
  return Buffer.concat(
    fields.map(([field, value]) => {
      if (typeof value === 'number') return Buffer.from([field * 8, value])
      const bytes = Buffer.from(value)
      return Buffer.concat([Buffer.from([field * 8 + 2, bytes.length]), bytes])
    }),
  )
}

describe('metadata', () => {
  const told = async (query = ''): Promise<Record<string, unknown>> =>
    (await send('GET', `${API}/metadata${query}`)).body.data

  it('of senders: remote write 1.0, in a request of its own', async () => {
    const entry = message([1, 1], [2, 'pages_total'], [4, 'Pages that were read'], [5, 'pages'])
    expect((await write(compressBlock(message([3, entry])))).status).toBe(204)
    expect(await told('?metric=pages_total')).toEqual({
      pages_total: [{ type: 'counter', help: 'Pages that were read', unit: 'pages' }],
    })
    // Another version of the sender, and the first one again.
    const other = message([1, 2], [2, 'pages_total'], [4, 'Pages'])
    await write(compressBlock(message([3, other])))
    await write(compressBlock(message([3, entry], [3, entry])))
    expect((await told('?metric=pages_total'))['pages_total']).toHaveLength(2)
    expect((await told('?metric=pages_total&limit_per_metric=1'))['pages_total']).toEqual([
      { type: 'counter', help: 'Pages that were read', unit: 'pages' },
    ])
  })

  it('of senders: remote write 2.0, with each series', async () => {
    const symbols = ['', '__name__', 'wait_seconds_bucket', 'How long', 'seconds'].map(
      text => [4, text] as const,
    )
    const series = message([1, Uint8Array.from([1, 2])], [5, message([1, 3], [3, 3], [4, 4])])
    const answer = await write(compressBlock(message(...symbols, [5, series])), {
      'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '2.0.0',
    })
    expect(answer.status).toBe(204)
    expect(await told('?metric=wait_seconds')).toEqual({
      wait_seconds: [{ type: 'histogram', help: 'How long', unit: 'seconds' }],
    })
  })

  it('of the control room itself, and no more than is asked for', async () => {
    expect(Object.keys(await told('?limit=2'))).toHaveLength(2)
    expect(Object.values(await told()).flat()[0]).toMatchObject({
      type: expect.any(String),
      help: expect.any(String),
    })
    expect((await send('GET', `${API}/metadata?limit=x`)).status).toBe(400)
  })
})

describe('remote write', () => {
  const labels = { __name__: 'written', zone: 'w' }

  it('counts what it has taken in its answer, in both versions', async () => {
    const one = encodeRemoteWrite([{ labels, samples: [{ timestampMs: lastS * 1000, value: 1 }] }])
    for (const expected of ['1', '0']) {
      const { status, headers } = await write(one)
      expect(status).toBe(204)
      expect(headers.get('x-prometheus-remote-write-samples-written')).toBe(expected)
      expect(headers.get('x-prometheus-remote-write-histograms-written')).toBe('0')
      expect(headers.get('x-prometheus-remote-write-exemplars-written')).toBe('0')
    }
  })

  it('names the reasons of what it has not taken, and their counts', async () => {
    const at = (secondsAgo: number, value: number): { timestampMs: number; value: number } => ({
      timestampMs: (lastS - secondsAgo) * 1000,
      value,
    })
    const { status, text, headers } = await write(
      encodeRemoteWrite([
        { labels, samples: [at(0, 2), at(5000, 1), at(-5000, 1), at(1, 7)] },
        { labels: { zone: 'nameless' }, samples: [at(0, 1)] },
      ]),
    )
    expect(status).toBe(400)
    expect(text).toMatch(/1 conflict/)
    expect(text).toMatch(/1 out-of-order/)
    expect(text).toMatch(/1 too-far-ahead/)
    expect(text).toMatch(/1 invalid/)
    expect(headers.get('x-prometheus-remote-write-samples-written')).toBe('1')
  })

  it.each([
    ['no snappy', Buffer.from('nonsense'), REMOTE_WRITE_HEADERS, 400],
    ['no protobuf', compressBlock(Buffer.from('nonsense')), REMOTE_WRITE_HEADERS, 400],
    ['another encoding', Buffer.from('{}'), { ...REMOTE_WRITE_HEADERS, 'content-encoding': 'gzip' }, 415],
    [
      'another type',
      Buffer.from('{}'),
      { 'content-type': 'application/json', 'content-encoding': 'snappy' },
      415,
    ],
  ])('refuses %s', async (_what, body, headers, status) => {
    expect((await write(body, headers)).status).toBe(status)
  })
})

describe('what Grafana asks besides', () => {
  it('is it there: 1+1', async () => {
    const { body } = await both('/query', { query: '1+1', time: '4' })
    expect(body).toEqual({ status: 'success', data: { resultType: 'scalar', result: [4, '2'] } })
  })

  it('exemplars: none', async () => {
    const { body } = await both('/query_exemplars', { query: 'tested_total', start: '0', end: '1' })
    expect(body).toEqual({ status: 'success', data: [] })
  })

  it('a query formatted, and as its tree', async () => {
    expect((await both('/format_query', { query: 'sum(tested_total)by(zone)' })).body).toEqual({
      status: 'success',
      data: 'sum by (zone) (tested_total)',
    })
    expect((await both('/parse_query', { query: 'tested_total' })).body.data).toMatchObject({
      type: 'vectorSelector',
      name: 'tested_total',
    })
  })

  it('rules and alerts', async () => {
    const found = await send('GET', `${API}/rules?type=alert`)
    expect(found.body.data.groups[0]?.rules[0]).toMatchObject({
      type: 'alerting',
      health: expect.any(String),
    })
    expect((await send('GET', `${API}/alerts`)).body).toMatchObject({
      status: 'success',
      data: { alerts: expect.any(Array) },
    })
  })
})

describe('administration', () => {
  it('is for admins, and deletes nothing without a matcher', async () => {
    for (const path of ['delete_series', 'snapshot']) {
      expect((await send('POST', `${API}/admin/tsdb/${path}`)).status).toBe(403)
      expect((await send('POST', `${API}/admin/tsdb/${path}`, { token: 'vit_eu-west' })).status).toBe(403)
    }
    const bare = await send('POST', `${API}/admin/tsdb/delete_series`, { token: control.tokens.admin })
    expect(bare.status).toBe(400)
  })

  it('copies the store, and deletes by matcher and time', async () => {
    const token = control.tokens.admin
    const copy = await send('POST', `${API}/admin/tsdb/snapshot`, { token })
    expect(copy.body.data.name).toMatch(/^\d{13}-\d+$/)
    expect(existsSync(join(control.folder, 'metrics', 'snapshots', copy.body.data.name, 'chunks.db'))).toBe(
      true,
    )
    const form = { 'match[]': 'tested_total{zone="c"}', end: String(lastS - 30) }
    expect((await send('POST', `${API}/admin/tsdb/delete_series`, { token, form })).status).toBe(204)
    const { body } = await both('/query', {
      query: 'count_over_time(tested_total[10m])',
      time: String(lastS),
    })
    expect(body.data.result.map(one => one.value[1])).toEqual(['60', '60', '30'])
    // And gives it back.
    const path = `${API}/admin/tsdb/restore`
    expect((await send('GET', path, { token })).body).toEqual({ status: 'success', data: null })
    const restored = await send('POST', path, { token, form: { name: copy.body.data.name } })
    expect(restored.body.data).toMatchObject({ phase: 'done', problem: null })
    expect((await send('GET', path, { token })).body.data).toEqual(restored.body.data)
    const again = await both('/query', { query: 'count_over_time(tested_total[10m])', time: String(lastS) })
    expect(again.body.data.result.map(one => one.value[1])).toEqual(['60', '60', '60'])
    const unknown = await send('POST', path, { token, form: { name: '../../x' } })
    expect(unknown.status).toBe(404)
    expect((await send('POST', path, { token })).status).toBe(400)
    expect((await send('POST', path, { form: { name: copy.body.data.name } })).status).toBe(403)
  })
})

const peer = await fetchPeer('prometheus')

describe.skipIf('missing' in peer)('promtool, as Debian has it', () => {
  async function promtool(...words: string[]): Promise<string> {
    if ('missing' in peer) return ''
    const { stdout } = await promisify(execFile)(join(peer.folder, 'usr/bin/promtool'), ['query', ...words], {
      timeout: 20_000,
    })
    return stdout
  }
  const server = (): string => `${control.url.replace('//', `//any:${control.tokens.viewer}@`)}/prometheus`

  it('queries instants and ranges', async () => {
    const instant = await promtool('instant', `--time=${lastS}`, server(), 'tested_total{zone="a"}')
    expect(instant.trim()).toBe(`tested_total{zone="a"} => 59 @[${lastS}]`)
    const range = await promtool(
      'range',
      `--start=${lastS - 2}`,
      `--end=${lastS}`,
      '--step=1s',
      server(),
      'sum(tested_total{zone=~"a|b"})',
    )
    expect(range.trim().split('\n')).toEqual([
      '{} =>',
      ...[114, 116, 118].map((sum, at) => `${sum} @[${lastS - 2 + at}]`),
    ])
  })

  it('finds series and labels', async () => {
    const range = [`--start=${lastS - 100}`, `--end=${lastS}`]
    const series = await promtool('series', '--match=tested_total', ...range, server())
    expect(series.trim().split('\n')).toHaveLength(3)
    expect((await promtool('labels', ...range, server(), 'zone')).split('\n')).toContain('a')
  })

  it('shows why a query is refused', async () => {
    await expect(promtool('instant', server(), 'sum(')).rejects.toThrow(/bad_data/)
  })
})
