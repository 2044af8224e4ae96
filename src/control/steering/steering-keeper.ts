// Owns the current steering table: made anew on each change, issued again every 10 s. A version is one decision; each
// is stored once, with what went into it.
import type { FleetTime, Log } from '#base'
import type { SteeringInput, SteeringTable } from '#wire'
import type { Fleet, ServerRecord } from '../fleet/fleet.ts'
import type { StateDb } from '../state/database.ts'
import type { SteeringVersions } from '../state/steering-versions.ts'
import { capacityOf } from './fill.ts'
import { makeTable, type TableContent } from './make-table.ts'
import { type Decision, differences } from './version-words.ts'

/** Edges call a table older than 30 s stale; three of ten seconds may be lost. */
const ISSUE_EVERY_MS = 10_000
/** Versions are reserved by the thousand, so that a restart goes on above all that were issued. */
const VERSIONS_RESERVED = 1000
/** As many as a table takes. */
const FOREIGN_MAX = 100
const META_KEY = 'steering-version'

type Content = TableContent & { readonly foreign: NonNullable<SteeringTable['foreign']> }
/** What the newest version said. */
type Last = Decision & { readonly version: number; readonly key: string }

export class SteeringKeeper {
  readonly #options: SteeringOptions
  /** The next version is above it. */
  #version: number
  #reservedTo: number
  #table: SteeringTable | null = null
  #content: Content = { pathways: [], why: new Map(), ttlS: 5, exhausted: false, foreign: [] }
  #last: Last | null
  #writing: Promise<void> = Promise.resolve()

  private constructor(options: SteeringOptions, version: number, last: Last | null) {
    this.#options = options
    this.#version = version
    this.#reservedTo = version + VERSIONS_RESERVED
    this.#last = last
  }

  static async open(options: SteeringOptions): Promise<SteeringKeeper> {
    const { db, steeringVersions } = options.state
    const row = await db.selectFrom('meta').select('value').where('key', '=', META_KEY).executeTakeFirst()
    const stored = await steeringVersions.last()
    const keeper = new SteeringKeeper(
      options,
      Number(row?.value ?? 0),
      stored === null ? null : lastOf(stored),
    )
    await keeper.#reserve()
    return keeper
  }

  /** Makes the table from what the fleet is like now; publishes it when it differs or is old. */
  refresh(): void {
    const { fleet, fleetTime, publish } = this.#options
    const edges = fleet.edges()
    const content = { ...makeTable(edges.map(edge => this.#standing(edge))), foreign: this.#entries() }
    const nowMs = fleetTime.nowMs()
    const key = decisionOf(content)
    const old = this.#table === null || nowMs - this.#table.issuedMs >= ISSUE_EVERY_MS
    const isNew = this.#last?.key !== key
    if (!old && !isNew) return
    this.#content = content
    const version = isNew ? this.#decide(edges, content, { key, nowMs }) : (this.#last?.version ?? 0)
    const { pathways, ttlS, foreign } = content
    this.#table = { type: 'steering-table', version, issuedMs: nowMs, pathways, foreign, ttlS }
    publish(this.#table)
  }

  table(): SteeringTable | null {
    return this.#table
  }

  exhausted(): boolean {
    return this.#content.exhausted
  }

  weightOf(id: string): number {
    return this.#content.pathways.find(pathway => pathway.id === id)?.weight ?? 0
  }

  /** Resolves when every version so far is stored, or failed to be. */
  settled(): Promise<void> {
    return this.#writing
  }

  #standing(edge: ServerRecord): Parameters<typeof makeTable>[0][number] {
    return {
      id: edge.id,
      region: edge.region,
      url: edge.url,
      state: edge.standing.state,
      doubts: edge.doubts,
      sessions: this.#options.fleet.sessions.of(edge.id).watching,
      share: Math.min(edge.sharePercent, edge.returnPercent ?? 100) / 100,
      fillStep: edge.fillStep,
      comesBack: edge.standing.betterSinceMs !== null,
      drainOver: edge.drainOver,
    }
  }

  /** A new version, which is stored behind the back of whoever waits for the table. */
  #decide(
    edges: readonly ServerRecord[],
    content: Content,
    { key, nowMs }: { readonly key: string; readonly nowMs: number },
  ): number {
    this.#version += 1
    if (this.#version >= this.#reservedTo) {
      this.#reservedTo = this.#version + VERSIONS_RESERVED
      void this.#reserve()
    }
    const version = this.#version
    const inputs = edges.filter(({ url }) => url !== '').map(edge => this.#input(edge, content))
    const decision = { inputs, foreign: content.foreign }
    const changes = differences(this.#last, decision)
    this.#last = { version, key, ...decision }
    const { state, log } = this.#options
    const entry = { version, at: nowMs, decision: key, exhausted: content.exhausted, changes, inputs }
    this.#writing = this.#writing
      .then(() => state.steeringVersions.add(entry))
      .catch((error: unknown) => log.error('steering-version-not-stored', { version, error }))
    return version
  }

  #input(edge: ServerRecord, { pathways, why }: Content): SteeringInput {
    const { id, region, url, reason, doubts, throughputBps, sharePercent } = edge
    const capacity = capacityOf(edge.tags.capacityBps ?? null, edge.measuredBps)
    const pathway = pathways.find(one => one.id === id)
    const weight = pathway?.weight ?? 0
    return {
      id,
      region,
      url,
      state: edge.standing.state,
      reason,
      doubts,
      sessions: pathway?.sessions ?? 0,
      order: orderWords(edge, this.#options.fleetTime.nowMs()),
      share: Math.min(sharePercent, edge.returnPercent ?? 100) / 100,
      capacity,
      throughputBps,
      capacityLeftBps: capacity === null ? null : Math.max(0, capacity.bps - (throughputBps ?? 0)),
      weight,
      keep: pathway?.keep ?? weight,
      why: why.get(id) ?? '',
    }
  }

  /** Foreign servers that are well and take new viewers; those who play already are never sent there. */
  #entries(): NonNullable<SteeringTable['foreign']> {
    return this.#options.fleet
      .foreign()
      .filter(({ entryWeight, standing }) => entryWeight > 0 && standing.state === 'healthy')
      .slice(0, FOREIGN_MAX)
      .map(({ id, region, stream: url, entryWeight: weight }) => ({ id, region, url, weight }))
  }

  async #reserve(): Promise<void> {
    const value = String(this.#reservedTo)
    await this.#options.state.db
      .insertInto('meta')
      .values({ key: META_KEY, value })
      .onConflict(conflict => conflict.column('key').doUpdateSet({ value }))
      .execute()
  }
}

export interface SteeringOptions {
  readonly fleet: Fleet
  readonly fleetTime: FleetTime
  readonly state: StateDb & { readonly steeringVersions: SteeringVersions }
  readonly log: Log
  readonly publish: (table: SteeringTable) => void
}

/** Session counts and the order that follows from them are no decision, nor is the TTL: they go with the next issue. */
function decisionOf({ pathways, foreign }: Content): string {
  const edges = pathways.map(({ id, url, weight, keep, share, drainOver }) => {
    const said = [id, url, weight, keep, share]
    return drainOver === true ? [...said, drainOver] : said
  })
  return JSON.stringify([edges.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)), foreign])
}

function lastOf(stored: { version: number; decision: string; inputs: readonly SteeringInput[] }): Last {
  const [, foreign] = JSON.parse(stored.decision) as [unknown, Content['foreign']]
  return { version: stored.version, key: stored.decision, inputs: stored.inputs, foreign }
}

function orderWords({ override }: ServerRecord, nowMs: number): string | null {
  if (override === null || (override.expiresAt !== null && override.expiresAt <= nowMs)) return null
  return `${override.kind} by order of ${override.by}: ${override.reason}`
}
