// Owns what the edges are told so that they can watch the control room, and the end of what they told: one message to
// each receiver that they reached, written in one transaction with the name of the next outage.
import { z } from 'zod'
import type { Log } from '#base'
import { controlLostKey, controlLostMessage } from '#receivers'
import type { SealedRoute, WatcherState, WatcherView } from '#wire'
import type { Fleet } from '../fleet/fleet.ts'
import { addDelivery } from '../notify/delivery-book.ts'
import type { NotifyPlan } from '../notify/plan.ts'
import type { PlanKeeper } from '../probes/plan-keeper.ts'
import type { StateDb } from '../state/database.ts'
import { chooseHolders } from './choose-holders.ts'
import { type TopRoute, topRoute } from './sealed-receivers.ts'

const META_KEY = 'watcher'
/** Lists of people change with the hour. */
const ROUTE_MS = 30_000
/** So long most edges must be here before it is over: a control room that falls again is told of once. */
const BACK_MS = 5000

const kept = z.object({
  epoch: z.int(),
  holders: z.array(z.string()),
  last: z.object({ at: z.number(), closedAt: z.number(), receivers: z.array(z.string()) }).nullable(),
})
type Kept = z.infer<typeof kept>

export interface WatcherKeeperOptions {
  /** In force now. */
  plan(this: void): NotifyPlan
  readonly fleet: Fleet
  readonly state: StateDb
  readonly log: Log
  readonly probePlan: Pick<PlanKeeper, 'credential'>
  selfUrl(this: void): string
  /** Whether the server process has a channel. */
  isHere(this: void, edge: string): boolean
  /** To each edge, its own. */
  publish(this: void): void
}

export class WatcherKeeper {
  readonly #options: WatcherKeeperOptions
  #kept: Kept
  #route: TopRoute = { receivers: [], view: [] }
  #routeAt = Number.NEGATIVE_INFINITY
  #routeOf: NotifyPlan | null = null
  #key = ''
  /** What edges told, until it is closed. */
  #told: { readonly epoch: number; readonly names: ReadonlySet<string>; readonly at: number } | null = null
  #backSince: number | null = null

  private constructor(options: WatcherKeeperOptions, own: Kept) {
    this.#options = options
    this.#kept = own
  }

  static async open(options: WatcherKeeperOptions): Promise<WatcherKeeper> {
    const { db, nowMs } = options.state
    const row = await db.selectFrom('meta').select('value').where('key', '=', META_KEY).executeTakeFirst()
    const parsed = kept.safeParse(row === undefined ? null : JSON.parse(row.value))
    const fresh = { epoch: Math.floor(nowMs()), holders: [], last: null }
    const keeper = new WatcherKeeper(options, parsed.success ? parsed.data : fresh)
    await keeper.#store(keeper.#kept)
    return keeper
  }

  /** Each second. */
  async turn(): Promise<void> {
    await this.#close()
    const { fleet, state, publish } = this.#options
    const plan = this.#options.plan()
    const { holders: holdersWanted, afterSeconds } = plan.watcher
    const now = state.nowMs()
    if (now - this.#routeAt >= ROUTE_MS || this.#routeOf !== plan) {
      this.#routeAt = now
      this.#routeOf = plan
      this.#route = topRoute(plan, now)
    }
    const edges = this.#edges()
    const candidates = edges.map(({ id, region, standing }) => ({
      id,
      region,
      isHealthy: standing.state === 'healthy',
    }))
    const holders =
      edges.length < 2 || this.#route.receivers.length === 0
        ? []
        : chooseHolders(candidates, this.#kept.holders, holdersWanted)
    if (holders.join() !== this.#kept.holders.join()) {
      const own = { ...this.#kept, holders: [...holders] }
      await this.#store(own)
      this.#kept = own
    }
    const key = JSON.stringify([
      this.#kept,
      edges.map(({ id, url }) => [id, url, this.#options.probePlan.credential(id)]),
      this.#route.receivers,
      this.#options.selfUrl(),
      fleet.edges().length,
      afterSeconds,
      plan.zone,
    ])
    if (key === this.#key) return
    this.#key = key
    publish()
  }

  messageFor(edge: string): SealedRoute {
    const { selfUrl, probePlan } = this.#options
    const { watcher, zone } = this.#options.plan()
    const afterMs = watcher.afterSeconds * 1000
    const { epoch, holders } = this.#kept
    const edges = this.#edges()
    const peers = edges
      .filter(({ id }) => id !== edge)
      .map(({ id, url }) => ({ id, url, credential: probePlan.credential(id) }))
    const held = holders.includes(edge) ? { receivers: [...this.#route.receivers], peers } : null
    const common = { type: 'sealed-route', epoch, afterMs, members: edges.length, zone } as const
    return { ...common, holders, controlUrl: selfUrl(), held }
  }

  /** An edge says that somebody was told. */
  told(edge: string, { epoch, done, agoMs }: WatcherState): void {
    if (epoch < this.#kept.epoch || this.#options.fleet.get(edge)?.role !== 'edge') return
    const at = this.#options.state.nowMs() - agoMs
    const before = this.#told?.epoch === epoch ? this.#told : null
    if (this.#told !== null && this.#told.epoch > epoch) return
    this.#told = {
      epoch,
      names: new Set([...(before?.names ?? []), ...done]),
      at: Math.min(before?.at ?? at, at),
    }
  }

  view(): WatcherView {
    const { isHere, fleet, plan } = this.#options
    const edges = this.#edges()
    return {
      problem: problemOf(edges.length, this.#route),
      afterSeconds: plan().watcher.afterSeconds,
      edges: edges.length,
      holders: this.#kept.holders.map(id => ({
        id,
        region: fleet.get(id)?.region ?? '',
        connected: isHere(id),
      })),
      receivers: [...this.#route.view],
      last: this.#kept.last,
    }
  }

  #edges(): ReturnType<Fleet['edges']> {
    return this.#options.fleet.edges().filter(({ url }) => url !== '')
  }

  /** When most edges are here again, those who were told that it was lost are told that it is back. */
  async #close(): Promise<void> {
    const told = this.#told
    if (told === null) return
    const { isHere, state, plan, log } = this.#options
    const edges = this.#edges()
    const now = state.nowMs()
    if (edges.filter(({ id }) => isHere(id)).length * 2 <= edges.length) {
      this.#backSince = null
      return
    }
    this.#backSince ??= now
    if (now - this.#backSince < BACK_MS) return
    const { epoch, names, at } = told
    const receivers = [...names].filter(name => plan().receivers.has(name))
    const own = {
      ...this.#kept,
      epoch: Math.max(Math.floor(now), epoch + 1),
      last: { at, closedAt: now, receivers: [...names] },
    }
    const text = 'Most edges hear the control room again.'
    // They were told so long after it was lost.
    const since = at - plan().watcher.afterSeconds * 1000
    const message = controlLostMessage({ epoch, at: now, since, text, resolvedAt: now })
    await state.db.transaction().execute(async tx => {
      for (const receiver of receivers) {
        const key = `${controlLostKey(epoch)}-resolved-${receiver}`
        await addDelivery(tx, { noticeId: null, receiver, key, message, at: now, firstTryAt: now })
      }
      await tx
        .updateTable('meta')
        .set({ value: JSON.stringify(own) })
        .where('key', '=', META_KEY)
        .execute()
    })
    this.#kept = own
    this.#told = null
    this.#backSince = null
    log.warn('control-room-loss-closed', { epoch, receivers, toldAt: at })
  }

  async #store(own: Kept): Promise<void> {
    const value = JSON.stringify(own)
    await this.#options.state.db
      .insertInto('meta')
      .values({ key: META_KEY, value })
      .onConflict(conflict => conflict.column('key').doUpdateSet({ value }))
      .execute()
  }
}

function problemOf(edges: number, { receivers, view }: TopRoute): string | null {
  if (view.length === 0) return 'no route says who is told of what is critical'
  if (receivers.length === 0) return 'edges can use none of the receivers of the first route'
  if (edges < 2) return 'two edges are needed: one alone cannot tell who is cut off'
  return null
}
