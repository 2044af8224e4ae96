// Owns what this edge knows of the fleet: the last table, its age, the catalogue, and what its own probes reach.
// The age counts from receipt on the monotonic clock; a table from before a restart is old from the start.

import { setImmediate } from 'node:timers/promises'
import type { Clock } from '#base'
import {
  type AddressRegions,
  type Catalogue,
  noRegions,
  readRegions,
  readRegionsInSteps,
  type SteeringTable,
  type TitleClass,
} from '#wire'
import type { Standing } from './order.ts'

/** A table older than this is not trusted alone: own probes have a say. */
const TABLE_MS_MAX = 30_000
const TTL_SECONDS_DEFAULT = 10
/** As the control room's own table has it. */
const WEIGHT_LEAST_BAD = 0.1

export interface FleetViewOptions {
  readonly self: Standing
  readonly clock: Clock
  /** False while there is no channel to the control room, or nothing comes on it. */
  readonly connected: () => boolean
  /** Edges that our own probes cannot reach. */
  readonly unreachable: () => ReadonlySet<string>
  /** True when they have reached nobody for some seconds: then this edge is the suspect. */
  readonly blind: () => boolean
}

export class FleetView {
  readonly #options: FleetViewOptions
  #table: SteeringTable | null = null
  #receivedMs = Number.NEGATIVE_INFINITY
  #regions: AddressRegions = noRegions
  /** What is read, or being read. */
  #regionsText: string | null = null
  #leavingSinceMs: number | null = null
  #mustLeave = false
  #titles: Catalogue['titles'] = []
  #classes: ReadonlyMap<string, TitleClass> = new Map()

  constructor(options: FleetViewOptions) {
    this.#options = options
  }

  /** `remembered`: from disk, of unknown age. */
  setTable(table: SteeringTable, remembered: boolean): void {
    this.#table = table
    const nowMs = this.#options.clock.monotonicMs()
    this.#receivedMs = remembered ? Number.NEGATIVE_INFINITY : nowMs
    const { self } = this.#options
    const isLeaving = table.pathways.some(({ id, weight, keep = weight }) => id === self.id && keep === 0)
    this.#leavingSinceMs = isLeaving ? (this.#leavingSinceMs ?? nowMs) : null
    this.#mustLeave =
      isLeaving && table.pathways.some(({ id, drainOver }) => id === self.id && drainOver === true)
  }

  setTitles(titles: Catalogue['titles']): void {
    this.#titles = titles
    this.#classes = new Map(titles.map(title => [title.id, title.class]))
  }

  /**
   * What cannot be read leaves what was before; the control room has checked it. What is remembered is read at once,
   * since nobody is served yet; later ones in steps. The same table comes again with every new channel.
   */
  async setRegions(text: string, remembered: boolean): Promise<void> {
    if (text === this.#regionsText) return
    this.#regionsText = text
    const read = remembered ? readRegions(text) : await readRegionsInSteps(text, () => setImmediate())
    if (read.kind === 'regions' && text === this.#regionsText) this.#regions = read.regions
  }

  /** The region of an address by the operator's table; null: not known. */
  regionOf(address: string): string | null {
    return this.#regions.regionOf(address)
  }

  get titles(): Catalogue['titles'] {
    return this.#titles
  }

  /** Null: no title. */
  classOf(title: string | null): TitleClass {
    return title === null ? 'other' : (this.#classes.get(title) ?? 'other')
  }

  /** Foreign servers that share new viewers. */
  foreign(): NonNullable<SteeringTable['foreign']> {
    return this.#table?.foreign ?? []
  }

  /** Since when, monotonic ms, this edge should feed nobody: it drains, or is ill. Null: it may. */
  get leavingSinceMs(): number | null {
    return this.#leavingSinceMs
  }

  /** Its drain has lasted as long as it may: nobody is given time any more. */
  get mustLeave(): boolean {
    return this.#mustLeave
  }

  /** Null: no table has come yet. */
  get version(): number | null {
    return this.#table?.version ?? null
  }

  get ttlS(): number {
    return this.#table?.ttlS ?? TTL_SECONDS_DEFAULT
  }

  /** Seconds since the table came; null: none, or of unknown age. */
  tableAgeS(): number | null {
    const ageMs = this.#options.clock.monotonicMs() - this.#receivedMs
    return Number.isFinite(ageMs) ? ageMs / 1000 : null
  }

  /** This edge, as viewers are told of it. */
  self(): Standing {
    const { self } = this.#options
    return this.#pathways().find(edge => edge.id === self.id) ?? self
  }

  /**
   * For viewers who play: own probes count only while the control room's word is old or missing. Null: neither word
   * is good, as in the moment in which a process that stood goes on; who plays stays where it is.
   */
  forSteering(): readonly Standing[] | null {
    const { clock, connected } = this.#options
    const old = clock.monotonicMs() - this.#receivedMs > TABLE_MS_MAX || !connected()
    if (!old) return this.#pathways()
    return this.#isBlind() ? null : this.#judged(true)
  }

  /** For viewers who start: nobody is sent where we ourselves get no answer. Who reaches nobody names itself alone. */
  forEntry(): Standing[] {
    if (!this.#isBlind()) return this.#judged(false)
    return this.#pathways().map(edge => (edge.id === this.#options.self.id ? edge : { ...edge, weight: 0 }))
  }

  /** With a single peer its end and ours look the same, and the probe is believed. */
  #isBlind(): boolean {
    return this.#options.blind() && this.peers(this.#options.self.id).length > 1
  }

  /** All edges of the table but this one. */
  peers(selfId: string): Standing[] {
    return this.#pathways().filter(edge => edge.id !== selfId)
  }

  #pathways(): readonly Standing[] {
    const table = this.#table
    return table === null || table.pathways.length === 0 ? [this.#options.self] : table.pathways
  }

  /**
   * Who reaches nobody is the suspect itself (DESIGN, health: reachability fails open): viewers that play
   * elsewhere stay there. With a single peer the two cases look the same, and the probe is believed.
   */
  #judged(failOpen: boolean): Standing[] {
    const unreachable = this.#options.unreachable()
    const edges = this.#pathways()
    const peers = edges.filter(edge => edge.id !== this.#options.self.id)
    if (failOpen && peers.length > 1 && peers.every(edge => unreachable.has(edge.id))) return [...edges]
    const judged = edges.map(edge => (unreachable.has(edge.id) ? { ...edge, weight: 0, keep: 0 } : edge))
    if (judged.some(({ weight }) => weight > 0)) return judged
    // Nobody deserves viewers; who answers is better than who does not.
    return judged.map(edge =>
      unreachable.has(edge.id) ? edge : { ...edge, weight: WEIGHT_LEAST_BAD, keep: WEIGHT_LEAST_BAD },
    )
  }
}
