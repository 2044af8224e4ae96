// Owns the comparison of our query engine with Debian's Prometheus over thousands of generated queries.
// VITRINE_CONFORMANCE_SEED and VITRINE_CONFORMANCE_COUNT ask for others, or more; see docs/develop/conformance.md.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { decodeRemoteWrite, encodeRemoteWrite, type MetricsStore, openStore, type Question } from '#metrics'
import { type Comparison, compareAnswers } from '../conformance/compare-answers.ts'
import { QueryGenerator } from '../conformance/generate-query.ts'
import { DATA_END_S, DATA_START_S, generatedRounds } from '../conformance/generated-data.ts'
import { KNOWN_DIFFERENCES } from '../conformance/known-differences.ts'
import { fetchPeer } from '../conformance/peers.ts'
import { PrometheusServer } from '../conformance/prometheus-server.ts'
import { Random } from '../conformance/random.ts'

const SEED = Number(process.env['VITRINE_CONFORMANCE_SEED'] ?? 3)
const COUNT = Number(process.env['VITRINE_CONFORMANCE_COUNT'] ?? 5000)
const BLOCK = 250
const SHOWN_MAX = 20
/** A generator whose queries mostly fail or find nothing would prove little. */
const WITH_VALUES_MIN = 0.5
const STEPS_S = [10, 30, 60, 90]

const peer = await fetchPeer('prometheus')
if ('missing' in peer) console.log(`comparison with Prometheus skipped: ${peer.missing}`)

describe.skipIf('missing' in peer)(
  `generated queries are answered as by Prometheus 2.42 (seed ${SEED})`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'vitrine-generated-'))
    const random = new Random(SEED)
    const generator = new QueryGenerator(random)
    const seen = { error: 0, empty: 0, values: 0, points: 0, known: 0 }
    let store: MetricsStore
    let prometheus: PrometheusServer

    beforeAll(async () => {
      if ('missing' in peer) return
      store = openStore({ folder, clock: systemClock, log: silentLog })
      prometheus = await PrometheusServer.start(peer.folder)
      for (const [index, round] of generatedRounds(SEED).entries()) {
        if (round.length === 0) continue
        await prometheus.write(round)
        store.write(decodeRemoteWrite(encodeRemoteWrite(round)), DATA_END_S * 1000)
        // Some of it in SQLite, some in chunks in memory, some in open columns.
        if (index % 3 === 2) await store.seal()
      }
    }, 60_000)

    afterAll(async () => {
      await prometheus?.close()
      await store?.close()
      rmSync(folder, { recursive: true, force: true })
    })

    /** As the API sends it. */
    async function printed(question: Question): Promise<unknown> {
      const { pieces } = await store.print(question)
      return JSON.parse(`{${pieces.join('')}}`)
    }

    async function both(query: string): Promise<[string, Comparison][]> {
      // Prometheus 3 renamed it: https://prometheus.io/docs/prometheus/latest/migration/#holt_winters-function-renamed
      const ours = query.replaceAll('holt_winters', 'double_exponential_smoothing')
      const atS = DATA_START_S + 2407 + 10 * random.below(119)
      const instant = await compareAnswers(
        await prometheus.ask('query', { query, time: String(atS) }),
        () => printed({ text: ours, fromMs: atS * 1000, toMs: atS * 1000, stepMs: null }),
        false,
      )
      const stepS = random.pick(STEPS_S)
      const fromS = DATA_START_S + 2407 + 10 * random.below(60)
      const toS = Math.min(fromS + stepS * (1 + random.below(12)), DATA_END_S - 3)
      const range = await compareAnswers(
        await prometheus.ask('query_range', {
          query,
          start: String(fromS),
          end: String(toS),
          step: String(stepS),
        }),
        () => printed({ text: ours, fromMs: fromS * 1000, toMs: toS * 1000, stepMs: stepS * 1000 }),
        false,
      )
      return [
        [`at ${atS}`, instant],
        [`from ${fromS} to ${toS} step ${stepS}`, range],
      ]
    }

    for (let first = 0; first < COUNT; first += BLOCK) {
      it(`queries ${first} to ${Math.min(first + BLOCK, COUNT) - 1}`, { timeout: 120_000 }, async () => {
        const differences: string[] = []
        for (let at = first; at < Math.min(first + BLOCK, COUNT); at += 1) {
          const query = generator.query()
          for (const [when, { difference, outcome, points }] of await both(query)) {
            seen[outcome] += 1
            seen.points += points
            if (difference === null) continue
            if (KNOWN_DIFFERENCES.some(known => known.applies(query, difference))) seen.known += 1
            else differences.push(`${query}\n    ${when}: ${difference}`)
          }
        }
        if (differences.length > SHOWN_MAX)
          differences.splice(SHOWN_MAX, Infinity, `(${differences.length} in all)`)
        expect(differences.join('\n')).toBe('')
      })
    }

    it('most of them have values to compare, and few are known to differ', () => {
      const answers = seen.error + seen.empty + seen.values
      console.log(
        `compared ${COUNT} queries (seed ${SEED}): ${seen.values} answers with ${seen.points} points, ${seen.empty} empty, ${seen.error} errors, ${seen.known} known differences`,
      )
      expect(seen.values / answers).toBeGreaterThan(WITH_VALUES_MIN)
      expect(seen.known / answers).toBeLessThan(0.02)
    })
  },
)
