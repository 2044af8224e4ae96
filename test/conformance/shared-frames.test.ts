// What rules share within a round, and how they glance at samples, changes no answer: generated queries both ways.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { messageOf, silentLog, systemClock } from '#base'
import { type MetricsStore, openStore, SharedFrames } from '#metrics'
import { QueryGenerator } from './generate-query.ts'
import { DATA_END_S, DATA_START_S, generatedRounds } from './generated-data.ts'
import { Random } from './random.ts'

const SEED = 11
const QUERIES = 150

describe(`queries of one round (seed ${SEED})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-shared-'))
  let store: MetricsStore
  beforeAll(async () => {
    store = openStore({ folder, clock: systemClock, log: silentLog })
    for (const [index, round] of generatedRounds(SEED).entries()) {
      if (round.length === 0) continue
      store.write(round, DATA_END_S * 1000)
      // Some of it in SQLite, some in chunks in memory, some in open columns.
      if (index % 3 === 2) await store.seal()
    }
  })
  afterAll(async () => {
    await store?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function answer(text: string, atMs: number, shared?: SharedFrames): Promise<unknown> {
    try {
      const question = { text, fromMs: atMs, toMs: atMs, stepMs: null, urgent: true }
      const { value, explain } = await store.ask({ ...question, ...(shared && { shared }) })
      return { value, series: explain.series }
    } catch (error) {
      return messageOf(error)
    }
  }

  it('are answered as each by itself, at three moments one after the other', async () => {
    const generator = new QueryGenerator(new Random(SEED))
    const texts = Array.from({ length: QUERIES }, () => generator.query())
    const shared = new SharedFrames()
    let found = 0
    for (const atS of [DATA_START_S + 1500, DATA_END_S - 7, DATA_END_S]) {
      shared.begin()
      for (const text of [...texts, ...texts.map(one => `(${one}) or (${one})`)]) {
        const alone = await answer(text, atS * 1000)
        const together = await answer(text, atS * 1000, shared)
        expect(together, text).toEqual(alone)
        if (typeof alone === 'object' && JSON.stringify(alone).includes('"labels"')) found += 1
      }
    }
    expect(found).toBeGreaterThan(QUERIES)
  })
})
