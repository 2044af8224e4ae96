// How long a viewer waited for an upstream that was slow after its first byte is told apart from a slow viewer.
import { expect, it } from 'vitest'
import { Flight } from '../upstream/flight.ts'
import type { Exchange } from './exchange.ts'
import { sendFlight } from './send-object.ts'

it('tells for how long it waited for more from the upstream', async () => {
  let nowMs = 0
  const flight = new Flight('/vod/film/1/v0/3.m4s')
  const head = { contentType: null, etag: null, date: null, maxAgeMs: null, mayStore: false, bodyBytes: 8 }
  flight.begin(head)
  flight.take(Buffer.from('half'))
  const res = { destroyed: false, socket: null, write: () => true, end: () => undefined }
  const exchange = { res, handedBytes: 0, upstreamRestMs: 0 } as unknown as Exchange
  const sent = sendFlight(exchange, flight, () => nowMs)
  nowMs = 2400
  flight.take(Buffer.from('rest'))
  flight.land()
  expect(await sent).toBe(8)
  expect(exchange.upstreamRestMs).toBe(2400)
})
