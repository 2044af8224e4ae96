// Owns the current steering table: made anew on each change, issued again every 10 s, its version never repeats.
import type { FleetTime } from '#base'
import type { SteeringTable } from '#wire'
import type { Fleet } from '../fleet/fleet.ts'
import type { StateDb } from '../state/database.ts'
import { makeTable, type TableContent } from './make-table.ts'

/** Edges call a table older than 30 s stale; three of ten seconds may be lost. */
const ISSUE_EVERY_MS = 10_000
/** Versions are reserved by the thousand, so that a restart goes on above all that were issued. */
const VERSIONS_RESERVED = 1000
/** As many as a table takes. */
const FOREIGN_MAX = 100
const META_KEY = 'steering-version'

type Content = TableContent & { readonly foreign: NonNullable<SteeringTable['foreign']> }

export class SteeringKeeper {
  readonly #fleet: Fleet
  readonly #fleetTime: FleetTime
  readonly #state: StateDb
  readonly #publish: (table: SteeringTable) => void
  #version: number
  #reservedTo: number
  #table: SteeringTable | null = null
  #content: Content = { pathways: [], ttlS: 5, exhausted: false, foreign: [] }

  private constructor(options: SteeringOptions, version: number) {
    this.#fleet = options.fleet
    this.#fleetTime = options.fleetTime
    this.#state = options.state
    this.#publish = options.publish
    this.#version = version
    this.#reservedTo = version + VERSIONS_RESERVED
  }

  static async open(options: SteeringOptions): Promise<SteeringKeeper> {
    const { db } = options.state
    const row = await db.selectFrom('meta').select('value').where('key', '=', META_KEY).executeTakeFirst()
    const keeper = new SteeringKeeper(options, Number(row?.value ?? 0))
    await keeper.#reserve()
    return keeper
  }

  /** Makes the table from what the fleet is like now; publishes it when it differs or is old. */
  refresh(): void {
    const edges = this.#fleet.edges().map(edge => ({
      id: edge.id,
      region: edge.region,
      url: edge.url,
      state: edge.standing.state,
      doubts: edge.doubts,
      sessions: this.#fleet.sessions.of(edge.id).watching,
      comesBack: edge.standing.betterSinceMs !== null,
    }))
    const content = { ...makeTable(edges), foreign: this.#entries() }
    const nowMs = this.#fleetTime.nowMs()
    const old = this.#table === null || nowMs - this.#table.issuedMs >= ISSUE_EVERY_MS
    if (!old && sameDecision(content, this.#content)) return
    this.#content = content
    this.#version += 1
    if (this.#version >= this.#reservedTo) {
      this.#reservedTo = this.#version + VERSIONS_RESERVED
      void this.#reserve()
    }
    const { pathways, ttlS, foreign } = content
    this.#table = { type: 'steering-table', version: this.#version, issuedMs: nowMs, pathways, foreign, ttlS }
    this.#publish(this.#table)
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

  /** Foreign servers that are well and take new viewers; those who play already are never sent there. */
  #entries(): NonNullable<SteeringTable['foreign']> {
    return this.#fleet
      .foreign()
      .filter(({ entryWeight, standing }) => entryWeight > 0 && standing.state === 'healthy')
      .slice(0, FOREIGN_MAX)
      .map(({ id, region, stream: url, entryWeight: weight }) => ({ id, region, url, weight }))
  }

  async #reserve(): Promise<void> {
    const value = String(this.#reservedTo)
    await this.#state.db
      .insertInto('meta')
      .values({ key: META_KEY, value })
      .onConflict(conflict => conflict.column('key').doUpdateSet({ value }))
      .execute()
  }
}

export interface SteeringOptions {
  readonly fleet: Fleet
  readonly fleetTime: FleetTime
  readonly state: StateDb
  readonly publish: (table: SteeringTable) => void
}

/** Session counts alone are no decision; who comes first, with which weight, is. */
function sameDecision(a: Content, b: Content): boolean {
  const key = ({ pathways, ttlS, foreign }: Content): string =>
    JSON.stringify([ttlS, foreign, pathways.map(({ id, url, weight }) => [id, url, weight])])
  return key(a) === key(b)
}
