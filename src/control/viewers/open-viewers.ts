// Owns starting the understanding of viewers: what it knows of the fleet, its turns, and its own metrics.
import { type Closable, type Closers, type Counters, every } from '#base'
import type { MetricsStore } from '#metrics'
import type { TitleClass } from '#wire'
import type { ControlContext } from '../context.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { ControlOptions } from '../options.ts'
import { CompareKeeper } from './compare/compare-keeper.ts'
import type { Counting } from './compare/counting.ts'
import { edgeWitness } from './edge-witness.ts'
import { GrantKeys } from './grant-keys.ts'
import { Grants } from './grants.ts'
import type { EdgeWitness } from './judge-session.ts'
import { openViewerReceipt } from './receipt.ts'
import { results, SessionKeeper } from './session-keeper.ts'
import { SessionSearch } from './session-search.ts'
import { SESSION_LIMITS, SessionStore } from './session-store.ts'
import { referenceWords } from './stored-reference.ts'

export interface ViewersOptions {
  readonly retentionDays?: number
  readonly retentionBytes?: number
  readonly references?: 'hashed' | 'plain'
}

/** What the API answers from, and where records go. */
export interface Viewers {
  readonly keeper: SessionKeeper
  readonly search: SessionSearch
  readonly witness: EdgeWitness
  readonly grantKeys: GrantKeys
  classOf(this: void, title: string | null): TitleClass
  /** As references are stored. */
  storedRef(this: void, reference: string): string
}

const SECOND_MS = 1000
const SWEEP_MS = 5000
const COMMIT_MS = 5000
/** A commit that takes long comes less often: the journal holds what it has not. */
const REST_TIMES = 4
const PRUNE_MS = 60_000
/** Sums that do not change are told so often: a rate over half a minute has two samples. */
const ALL_MS = 10_000
/** Names and addresses of the fleet change slowly. */
const KNOWN_MS = 2000
const DAY_MS = 86_400_000

/** Both: what edges say goes into sessions. */
export function openViewing(
  options: ControlOptions,
  parts: Pick<ControlContext, 'fleet' | 'store' | 'fleetTime' | 'counters' | 'state' | 'log'>,
  closers: Closers,
): Pick<ControlContext, 'viewers' | 'viewerReceipt'> {
  const { state, counters, log } = parts
  const compare = closers.add(new CompareKeeper({ ...parts, clock: options.clock }))
  const viewers = openViewers(options, { ...parts, counting: compare.counting }, closers)
  compare.start()
  const viewerReceipt = closers.add(openViewerReceipt({ state, counters, log, sink: viewers.keeper }))
  return { viewers, viewerReceipt }
}

function openViewers(
  options: ControlOptions,
  parts: Pick<ControlContext, 'fleet' | 'store' | 'fleetTime' | 'counters'> & { readonly counting: Counting },
  closers: Closers,
): Viewers {
  const { clock, log, stateFolder, viewers: own = {} } = options
  const { fleet, store: metrics, counters } = parts
  const nowMs = (): number => parts.fleetTime.nowMs()
  const keptMs = (own.retentionDays ?? SESSION_LIMITS.keptMs / DAY_MS) * DAY_MS
  const store = closers.add(
    new SessionStore(stateFolder, { keptMs, bytes: own.retentionBytes ?? SESSION_LIMITS.bytes }),
  )
  const storedRef = referenceWords(stateFolder, own.references ?? 'hashed')
  const witness = edgeWitness(metrics, () => clock.monotonicMs())
  const known = new KnownFleet(fleet, () => clock.monotonicMs())
  const grantKeys = new GrantKeys(stateFolder)
  const grants = new Grants(grantKeys, () => clock.monotonicMs())
  const keeper = closers.add(
    new SessionKeeper({
      store,
      words: { edgeOfHost: known.edgeOfHost, edgeOfName: known.edgeOfName, storedRef, grants },
      witness,
      counting: parts.counting,
      classOf: known.classOf,
      regionOf: edge => (edge === null ? 'none' : (fleet.get(edge)?.region ?? 'none')),
      keptMs,
      log,
      nowMs,
      monotonicMs: () => clock.monotonicMs(),
    }),
  )
  registerMetrics(counters, keeper, store, grants)
  const turn = (periodMs: number, event: string, run: () => Promise<unknown> | void): Closable =>
    every(
      periodMs,
      async () => {
        await run()
      },
      error => log.error(event, { error }),
    )
  closers.add(turn(SECOND_MS, 'sessions-not-accounted', () => keeper.account()))
  closers.add(turn(SWEEP_MS, 'sessions-not-swept', () => keeper.sweep()))
  closers.add(turn(PRUNE_MS, 'sessions-not-pruned', () => keeper.prune()))
  const told = new ToldSums(keeper, metrics, nowMs)
  closers.add(turn(COMMIT_MS, 'sessions-not-stored', () => told.commit()))
  const search = new SessionSearch(keeper, store)
  return { keeper, search, witness, storedRef, grantKeys, classOf: known.classOf }
}

/** Tells the metrics store what stands in the file. */
class ToldSums {
  readonly #keeper: SessionKeeper
  readonly #metrics: MetricsStore
  readonly #nowMs: () => number
  #allAt = Number.NEGATIVE_INFINITY
  #lastAt = 0
  #restUntil = 0

  constructor(keeper: SessionKeeper, metrics: MetricsStore, nowMs: () => number) {
    this.#keeper = keeper
    this.#metrics = metrics
    this.#nowMs = nowMs
  }

  async commit(): Promise<void> {
    const startMs = this.#nowMs()
    if (startMs < this.#restUntil) return
    const sums = await this.#keeper.commit()
    this.#restUntil = startMs + REST_TIMES * (this.#nowMs() - startMs)
    const now = Math.max(Math.floor(this.#nowMs()), this.#lastAt + 1)
    this.#lastAt = now
    const isAll = now - this.#allAt >= ALL_MS
    if (isAll) this.#allAt = now
    const series = this.#keeper.counts.series(now, isAll ? undefined : sums.keys())
    if (series.length > 0) this.#metrics.write(series, now)
  }
}

/** Titles and addresses of the fleet, looked up for each record. */
class KnownFleet {
  readonly #fleet: Fleet
  readonly #monotonicMs: () => number
  #classes = new Map<string, TitleClass>()
  #hosts = new Map<string, string>()
  #atMs = Number.NEGATIVE_INFINITY

  constructor(fleet: Fleet, monotonicMs: () => number) {
    this.#fleet = fleet
    this.#monotonicMs = monotonicMs
  }

  readonly classOf = (title: string | null): TitleClass => {
    this.#refresh()
    return (title === null ? undefined : this.#classes.get(title)) ?? 'other'
  }

  readonly edgeOfHost = (host: string): string | null => {
    this.#refresh()
    return this.#hosts.get(host) ?? null
  }

  /** Players repeat whatever a header said. */
  readonly edgeOfName = (name: string): string | null =>
    this.#fleet.get(name)?.role === 'edge' ? name : null

  #refresh(): void {
    const now = this.#monotonicMs()
    if (now - this.#atMs < KNOWN_MS) return
    this.#atMs = now
    this.#classes = new Map(this.#fleet.titles().map(title => [title.id, title.class]))
    this.#hosts = new Map()
    for (const { id, role, url } of this.#fleet.all()) {
      if (role === 'edge' && URL.canParse(url)) this.#hosts.set(new URL(url).host, id)
    }
  }
}

function registerMetrics(
  counters: Counters,
  keeper: SessionKeeper,
  store: SessionStore,
  grants: Grants,
): void {
  const records = counters.counter(
    'vitrine_viewers_records_total',
    'Records of viewers by what became of them. late growing: an edge tells late; clock: players with wrong clocks; ahead: an edge with one; bad-time, absurd: somebody lies; removed: of sessions that were deleted.',
  )
  const evicted = counters.counter(
    'vitrine_viewers_sessions_evicted_total',
    'Sessions pushed out because there were too many. dropped growing: somebody floods with session ids.',
  )
  const granted = counters.counter(
    'vitrine_viewers_grants_total',
    'Grants of the operator’s site by what they proved. Refusals growing: its clock or its key is wrong, or somebody tries.',
  )
  const open = counters.gauge(
    'vitrine_viewers_sessions_open',
    'Sessions that are being assembled; at most 100,000.',
  )
  const resting = counters.gauge(
    'vitrine_viewers_sessions_bytes',
    'Memory of the sessions that are being assembled; at most 640 MiB, beyond it sessions are pushed out.',
  )
  const bytes = counters.gauge(
    'vitrine_viewers_stored_bytes',
    'Bytes of sessions on disk; beyond the retention budget the oldest days go.',
  )
  const folded = counters.gauge(
    'vitrine_viewers_sums_folded',
    'How often a sum went to other, because edges, regions and players were too many to tell apart.',
  )
  const last = new Map<string, number>()
  const follow = (key: string, total: number): number => {
    const more = total - (last.get(key) ?? 0)
    last.set(key, total)
    return more
  }
  counters.beforeCollect(() => {
    for (const result of results) records.add(follow(result, keeper.totals[result]), { result })
    for (const [result, total] of Object.entries(grants.totals)) {
      granted.add(follow(`grant ${result}`, total), { result })
    }
    evicted.add(follow('stored', keeper.evicted.stored), { how: 'stored' })
    evicted.add(follow('dropped', keeper.evicted.dropped), { how: 'dropped' })
    open.set(keeper.size())
    resting.set(keeper.restingBytes())
    bytes.set(store.bytes())
    folded.set(keeper.counts.folded())
  })
}
