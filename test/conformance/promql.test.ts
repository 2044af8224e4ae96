// Owns the comparison of our query engine with Debian's Prometheus on the same data.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { decodeRemoteWrite, encodeRemoteWrite, type MetricsStore, openStore, toApiData } from '#metrics'
import { compareAnswers } from './compare-answers.ts'
import { fetchPeer } from './peers.ts'
import { type PrometheusAnswer, PrometheusServer } from './prometheus-server.ts'
import { comparisonData } from './promql-data.ts'
import { INSTANT_QUERIES, ORDERED_QUERIES, QUERIES } from './promql-queries.ts'

const SEED = 20_231_114
// None of them is a multiple of a subquery's step, whose windows 2.42 closes on the left as well.
const INSTANTS_S = [1_700_000_617, 1_700_001_477, 1_700_002_387, 1_700_002_597]
const RANGE_S = { start: 1_700_000_057, end: 1_700_002_637, step: 60 }

const peer = await fetchPeer('prometheus')
if ('missing' in peer) console.log(`comparison with Prometheus skipped: ${peer.missing}`)

describe.skipIf('missing' in peer)(`PromQL answers equal those of Prometheus 2.42 (seed ${SEED})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-promql-'))
  let store: MetricsStore
  let prometheus: PrometheusServer

  beforeAll(async () => {
    if ('missing' in peer) return
    const data = comparisonData(SEED)
    store = openStore({ folder, clock: systemClock, log: silentLog })
    // Through the wire form, so that what we read is what Prometheus reads. Half of it is sealed before the rest comes.
    const half = data.map(one => ({ ...one, samples: one.samples.slice(0, 80) }))
    const rest = data.map(one => ({ ...one, samples: one.samples.slice(80) }))
    const nowMs = RANGE_S.end * 1000
    store.write(decodeRemoteWrite(encodeRemoteWrite(half)), nowMs)
    await store.seal()
    store.write(decodeRemoteWrite(encodeRemoteWrite(rest)), nowMs)
    prometheus = await PrometheusServer.start(peer.folder)
    await prometheus.write(data)
  }, 60_000)

  afterAll(async () => {
    await prometheus?.close()
    await store?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function instant(query: string, atS: number, ordered: boolean): Promise<void> {
    const theirs = await prometheus.ask('query', { query, time: String(atS) })
    await compare(theirs, () => toApiData(store.query(query, atS * 1000)), ordered)
  }

  for (const query of [...QUERIES, ...INSTANT_QUERIES]) {
    it(`instant: ${query}`, async () => {
      for (const atS of INSTANTS_S) await instant(query, atS, false)
    })
  }

  for (const query of ORDERED_QUERIES) {
    it(`in order: ${query}`, async () => {
      for (const atS of INSTANTS_S) await instant(query, atS, true)
    })
  }

  for (const query of QUERIES) {
    it(`range: ${query}`, async () => {
      const { start, end, step } = RANGE_S
      const parameters = { query, start: String(start), end: String(end), step: String(step) }
      const theirs = await prometheus.ask('query_range', parameters)
      await compare(
        theirs,
        () => toApiData(store.queryRange(query, start * 1000, end * 1000, step * 1000)),
        false,
      )
    })
  }
})

async function compare(theirs: PrometheusAnswer, ask: () => unknown, ordered: boolean): Promise<void> {
  const { difference } = await compareAnswers(theirs, ask, ordered)
  expect(difference).toBeNull()
}
