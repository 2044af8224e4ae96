// What the rest carries when one is lost, through a real control room with samples of now and of a week ago.
import { fetch } from 'undici'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '#base'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS } from '#metrics'
import type { WhatIfAnswer } from '#wire'
import { startFleet, startTestControl, type TestControl, until } from './fixture.ts'

const HOUR_MS = 3_600_000
const EDGES = ['eu-west', 'us-east', 'ap-southeast'] as const

let control: TestControl
beforeAll(async () => {
  control = await startTestControl()
  await startFleet(control)
}, 30_000)
afterAll(() => control.close())

/** A counter that grows by `mb` megabits a second from `fromMs` to `toMs`. */
async function send(server: string, mb: number, fromMs: number, toMs: number): Promise<void> {
  const samples = []
  for (let at = fromMs; at <= toMs; at += 10_000) {
    samples.push({ timestampMs: at, value: ((at - fromMs) / 1000) * ((mb * 1e6) / 8) })
  }
  const labels = { __name__: 'vitrine_edge_sent_bytes_total', instance: server, class: 'vod' }
  const answer = await fetch(`${control.url}/prometheus/api/v1/write`, {
    method: 'POST',
    headers: { ...REMOTE_WRITE_HEADERS, authorization: `Bearer vit_${server}` },
    body: encodeRemoteWrite([{ labels, samples }]),
  })
  expect(answer.status).toBe(204)
}

async function tag(server: string, capacityBps: number): Promise<void> {
  const answer = await fetch(`${control.url}/api/v1/servers/${server}/tags`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${control.tokens.operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({ capacityBps }),
  })
  expect(answer.status).toBe(200)
}

async function whatIf(): Promise<WhatIfAnswer> {
  return (await control.get('/api/v1/what-if')).body as WhatIfAnswer
}

it('cannot tell without capacities, and says of whom; the peak is that of the sum, and not the sum of peaks', async () => {
  const now = Math.floor(systemClock.wallMs() / 10_000) * 10_000
  const lastWeek = Math.floor(now / HOUR_MS) * HOUR_MS - 168 * HOUR_MS
  // A week ago two edges had their peaks one after the other: 30 and 50 at once, never 80.
  await send('eu-west', 30, lastWeek, lastWeek + 20 * 60_000)
  await send('us-east', 50, lastWeek + 30 * 60_000, lastWeek + 50 * 60_000)
  for (const [place, server] of EDGES.entries()) await send(server, 10 * (place + 1), now - 200_000, now)
  const answer = await until(
    async () => {
      const found = await whatIf()
      const settled = found.sameHours.length > 0 && found.losses[0]?.now.demandBps !== null
      return settled && found.edges.every(({ takes }) => takes) ? found : null
    },
    'both are measured',
    30_000,
  )
  expect(answer.losses).toHaveLength(6)
  expect(answer.losses.every(({ word }) => word === 'cannot-tell')).toBe(true)
  expect(answer.losses[0]?.rest.unknown).toHaveLength(2)
  expect(answer.losses[0]?.now.demandBps).toBeCloseTo(60e6, -6)
  expect(answer.sameHours[0]?.peakBps).toBeCloseTo(50e6, -6)
  expect(answer.losses[0]?.usual.demandBps).toBeCloseTo(50e6, -6)
  const sent = answer.losses.find(({ kind, id }) => kind === 'edge' && id === 'ap-southeast')
  expect(sent?.sentBps).toBeCloseTo(30e6, -6)
}, 40_000)

it('weighs what is left once capacities are said, and goes on with the stored hours after a restart', async () => {
  await tag('eu-west', 100e6)
  await tag('us-east', 40e6)
  await tag('ap-southeast', 40e6)
  const word = (answer: WhatIfAnswer, id: string): string | undefined =>
    answer.losses.find(loss => loss.kind === 'edge' && loss.id === id)?.word
  const told = await until(async () => {
    const answer = await whatIf()
    return word(answer, 'us-east') === 'carried' ? answer : null
  }, 'the tags are known')
  // 60 Mb/s on 80 Mb/s; and on 140.
  expect(word(told, 'eu-west')).toBe('carried')
  await tag('us-east', 30e6)
  await until(async () => word(await whatIf(), 'eu-west') === 'tight', 'less is left')
  await control.restart()
  expect((await whatIf()).sameHours[0]?.peakBps).toBeCloseTo(50e6, -6)
})
