// Windows that move on with the rounds of rules give what each question by itself gives, whatever happens to samples.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FakeClock, silentLog } from '#base'
import { SharedFrames } from '../promql/shared-frames.ts'
import { staleMarker } from '../stale.ts'
import { openStore } from './open-store.ts'
import type { MetricsStore } from './store.ts'

const START_MS = 1_800_000_000_000
const SECOND_MS = 1000
const SERIES = 12
const ROUNDS = 700
const SEED = 20_261
const TEXTS = [
  'rate(requests_total[1m])',
  'increase(requests_total[5m])',
  'delta(requests_total[30s])',
  'sum by (parity) (rate(requests_total[5m]))',
  'avg without (instance) (rate(requests_total[1m])) > 3',
  'rate(requests_total[1m]) / increase(requests_total[5m])',
  'rate(requests_total[1m] offset 20s) - on (instance) group_left rate(requests_total[30s])',
  'max by (parity) (requests_total) - min by (parity) (requests_total)',
  '-1 < requests_total > 40',
  'avg_over_time(requests_total[1m]) * 2',
]

let folder: string
let store: MetricsStore

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-windows-'))
  store = openStore({ folder, clock: new FakeClock(), log: silentLog })
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function makeRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x80000000
  }
}

/** One second of all series: resets, pauses, stale markers, late samples, samples of the future, new series. */
function writeSecond(nowMs: number, random: () => number, totals: number[]): void {
  const batch = []
  const round = (nowMs - START_MS) / SECOND_MS
  for (let at = 0; at < Math.min(SERIES, 4 + round / 60); at += 1) {
    const labels = { __name__: 'requests_total', instance: `e${at}`, parity: String(at % 2) }
    const isAway = at % 4 === 1 && round % 200 > 120
    if (isAway || random() < 0.02) continue
    const isReset = at % 3 === 0 && random() < 0.02
    totals[at] = isReset ? 0 : (totals[at] ?? 0) + Math.floor(random() * 9)
    const isStale = at === 5 && random() < 0.005
    const samples = [{ timestampMs: nowMs - at * 7, value: isStale ? staleMarker() : (totals[at] ?? 0) }]
    if (at === 7 && random() < 0.01) samples.push({ timestampMs: nowMs - 33_333, value: totals[at] ?? 0 })
    if (at === 8 && random() < 0.01) samples.push({ timestampMs: nowMs + 4500, value: totals[at] ?? 0 })
    batch.push({ labels, samples })
  }
  store.write(batch, nowMs)
}

async function answer(text: string, atMs: number, shared?: SharedFrames): Promise<unknown> {
  const question = { text, fromMs: atMs, toMs: atMs, stepMs: null, urgent: true }
  const { value, explain } = await store.ask({ ...question, ...(shared && { shared }) })
  return { value, series: explain.series }
}

it(`gives the answers of single questions over ${ROUNDS} rounds (seed ${SEED})`, async () => {
  const random = makeRandom(SEED)
  const totals: number[] = []
  const shared = new SharedFrames()
  for (let round = 0; round < ROUNDS; round += 1) {
    const nowMs = START_MS + round * SECOND_MS
    writeSecond(nowMs, random, totals)
    if (round % 150 === 149) await store.seal()
    if (round === 500) await store.deleteSeries(['requests_total{instance="e2"}'], 0, nowMs)
    // A round is left out now and then, as under load.
    if (round % 17 === 3 || (round > 300 && round < 340)) continue
    shared.begin()
    for (const text of TEXTS)
      expect(await answer(text, nowMs, shared), `${text} @${round}`).toEqual(await answer(text, nowMs))
  }
})
