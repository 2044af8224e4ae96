// Owns the comparison of edges while the control room runs: a turn each five seconds, the word of viewers on each server's
// record, its series, and the past of each edge in state.db, so that a restart does not make everything new.
import { type Clock, type Closable, every, type FleetTime, type Log } from '#base'
import type { MetricsStore, WriteSeries } from '#metrics'
import type { Fleet, ServerRecord } from '../../fleet/fleet.ts'
import type { StateDb } from '../../state/database.ts'
import { Comparison, type EdgeVerdict } from './comparison.ts'
import { Counting } from './counting.ts'
import { TURN_MS } from './measures.ts'
import { windowName, wordsOf } from './verdict-words.ts'

const STORE_MS = 300_000
const JOB = 'vitrine-control'
const SAYS = ['against', 'usual', 'too-few'] as const

export interface CompareKeeperOptions {
  readonly fleet: Fleet
  readonly state: StateDb
  readonly store: Pick<MetricsStore, 'write'>
  readonly fleetTime: FleetTime
  readonly clock: Clock
  readonly log: Log
}

export class CompareKeeper implements Closable {
  readonly counting: Counting
  readonly #options: CompareKeeperOptions
  readonly #comparison = new Comparison()
  readonly #timers: Closable[] = []
  #loaded = false
  #lastAt = 0

  constructor(options: CompareKeeperOptions) {
    this.#options = options
    this.counting = new Counting(options.fleetTime.nowMs())
  }

  start(): this {
    const onError = (event: string) => (error: unknown) => this.#options.log.error(event, { error })
    this.#timers.push(
      every(TURN_MS, () => this.turn(), onError('viewers-not-compared')),
      every(STORE_MS, () => this.save(), onError('viewers-past-not-stored')),
    )
    return this
  }

  async turn(): Promise<void> {
    const { fleet, fleetTime, clock } = this.#options
    await this.#load()
    const nowMs = Math.floor(fleetTime.nowMs())
    const edges = fleet.edges()
    const ids = edges.map(({ id }) => id)
    const verdicts = this.#comparison.turn(nowMs, this.counting.counts(ids, nowMs))
    this.#comparison.keep(new Set(ids))
    const series: WriteSeries[] = []
    const at = Math.max(nowMs, this.#lastAt + 1)
    this.#lastAt = at
    for (const record of edges) {
      const verdict = verdicts.get(record.id)
      if (verdict === undefined) continue
      this.#tell(record, verdict)
      record.viewersWord = { says: verdict.says, text: wordsOf(verdict), atMs: clock.monotonicMs() }
      series.push(...seriesOf(record, verdict, at))
    }
    if (series.length > 0) this.#options.store.write(series, at)
  }

  /** What is usual on each edge; edges that are gone are forgotten. */
  async save(): Promise<void> {
    if (!this.#loaded) return
    const { fleet, state, fleetTime } = this.#options
    const ids = fleet.edges().map(({ id }) => id)
    for (const edge of ids) {
      const past = this.#comparison.pack(edge)
      if (past === null) continue
      const row = { past, at: fleetTime.nowMs() }
      await state.db
        .insertInto('viewer_excess')
        .values({ edge, ...row })
        .onConflict(conflict => conflict.column('edge').doUpdateSet(row))
        .execute()
    }
    if (ids.length > 0) await state.db.deleteFrom('viewer_excess').where('edge', 'not in', ids).execute()
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) await timer.close()
    await this.save()
  }

  async #load(): Promise<void> {
    if (this.#loaded) return
    const { state, log } = this.#options
    for (const { edge, past } of await state.db.selectFrom('viewer_excess').selectAll().execute()) {
      if (!this.#comparison.load(edge, past)) log.warn('viewers-past-unreadable', { edge })
    }
    this.#loaded = true
  }

  #tell({ id, viewersWord: before }: ServerRecord, verdict: EdgeVerdict): void {
    if (before?.says === verdict.says || (before === null && verdict.says !== 'against')) return
    if (verdict.says !== 'against' && before?.says !== 'against') return
    const told = { edge: id, says: verdict.says, text: wordsOf(verdict) }
    this.#options.log.warn('viewers-compared', told)
  }
}

function seriesOf(
  { id, region }: ServerRecord,
  { says, words }: EdgeVerdict,
  timestampMs: number,
): WriteSeries[] {
  const series: WriteSeries[] = []
  const add = (name: string, value: number, more: Readonly<Record<string, string>>): void => {
    const labels = { ...more, job: JOB, instance: id, region, __name__: `vitrine_viewers_excess_${name}` }
    series.push({ labels, samples: [{ timestampMs, value }] })
  }
  for (const verdict of SAYS) add('verdict', Number(says === verdict), { verdict })
  for (const { channel, now, finding } of words) {
    if (now.n === 0) continue
    const labels = { measure: channel.measure, window: windowName(channel) }
    add('sessions', now.n, labels)
    add('affected', now.x, labels)
    if (finding.kind !== 'told') continue
    add('expected', finding.expected, labels)
    add('share', (now.x - finding.expected) / now.n, labels)
  }
  return series
}
