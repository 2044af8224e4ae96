// Owns alerts that others send as to an Alertmanager: each ends at its endsAt unless it is told again. It takes a
// bounded number, and counts what it refuses.
import { createHash } from 'node:crypto'
import { type Closable, type Counter, type Counters, every, type Log } from '#base'
import { labelsKey } from '../alerts/advance.ts'
import type { Alerts, StoredAlert } from '../state/alerts.ts'

/** As many as are bounded: a flood of 10,000 fits, and no second one beside it. */
export const FOREIGN_MAX = 10_000
/** Alertmanager's resolve_timeout: for senders that say no end. */
const RESOLVE_MS = 5 * 60_000
/** After a restart senders have this long to tell again. */
const TURN_MS = 1000

export interface SentAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Null: not said. */
  readonly startsAt: number | null
  readonly endsAt: number | null
  readonly generatorUrl: string
}

export interface ForeignAlertsOptions {
  readonly alerts: Alerts
  readonly counters: Counters
  readonly log: Log
  nowMs(this: void): number
  /** Told of what changed, once it is stored. */
  onStored(this: void, changed: readonly StoredAlert[]): void
}

export class ForeignAlerts implements Closable {
  readonly #options: ForeignAlertsOptions
  readonly #active = new Map<string, StoredAlert>()
  readonly #refused: Counter
  #saves: Promise<void> = Promise.resolve()
  #turns: Closable | null = null

  private constructor(options: ForeignAlertsOptions) {
    this.#options = options
    const { counters } = options
    this.#refused = counters.counter(
      'vitrine_control_foreign_alerts_refused_total',
      'Alerts from outside that were not taken: 10,000 are firing already. Group them at their sender.',
    )
    const gauge = counters.gauge('vitrine_control_foreign_alerts', 'Alerts from outside that are firing.')
    counters.beforeCollect(() => gauge.set(this.#active.size))
  }

  static async open(options: ForeignAlertsOptions): Promise<ForeignAlerts> {
    const keeper = new ForeignAlerts(options)
    const now = options.nowMs()
    for (const alert of await options.alerts.foreign(Number.MAX_SAFE_INTEGER)) {
      // Its sender could not tell again while nobody listened.
      keeper.#active.set(labelsKey(alert.labels), {
        ...alert,
        endsAt: Math.max(alert.endsAt ?? 0, now + RESOLVE_MS),
      })
    }
    keeper.#turns = every(
      TURN_MS,
      () => keeper.sweep(),
      error => options.log.error('foreign-alerts-broken', { error }),
    )
    return keeper
  }

  firing = (): StoredAlert[] => [...this.#active.values()]

  /** Resolves once it is stored. */
  async receive(sent: readonly SentAlert[], sender: string): Promise<void> {
    const now = this.#options.nowMs()
    const changed: StoredAlert[] = []
    let refused = 0
    for (const alert of sent) {
      const key = labelsKey(alert.labels)
      const known = this.#active.get(key)
      const endsAt = alert.endsAt ?? now + RESOLVE_MS
      if (endsAt <= now) {
        if (known === undefined) continue
        this.#active.delete(key)
        changed.push({ ...known, state: 'resolved', resolvedAt: now })
      } else if (known !== undefined) {
        this.#active.set(key, { ...known, annotations: alert.annotations, endsAt })
      } else if (this.#active.size >= FOREIGN_MAX) {
        refused += 1
      } else {
        const fresh = firing(alert, { sender, now, endsAt, key })
        this.#active.set(key, fresh)
        changed.push(fresh)
      }
    }
    if (refused > 0) this.#refused.add(refused)
    await this.#store(changed)
  }

  /** Ends those that were not told again. */
  sweep(): Promise<void> {
    const now = this.#options.nowMs()
    const ended: StoredAlert[] = []
    for (const [key, alert] of this.#active) {
      if ((alert.endsAt ?? now) > now) continue
      this.#active.delete(key)
      ended.push({ ...alert, state: 'resolved', resolvedAt: now })
    }
    return this.#store(ended)
  }

  async close(): Promise<void> {
    await this.#turns?.close()
    await this.#saves
  }

  #store(changed: readonly StoredAlert[]): Promise<void> {
    if (changed.length === 0) return Promise.resolve()
    const { alerts, log, onStored } = this.#options
    const done = this.#saves.then(async () => {
      await alerts.save(changed)
      onStored(changed)
    })
    this.#saves = done.catch((error: unknown) => log.error('foreign-alerts-not-stored', { error }))
    return done
  }
}

function firing(
  { labels, annotations, startsAt, generatorUrl }: SentAlert,
  {
    sender,
    now,
    endsAt,
    key,
  }: { readonly sender: string; readonly now: number; readonly endsAt: number; readonly key: string },
): StoredAlert {
  // A clock of somebody else may be ahead; what fires has begun.
  const activeAt = Math.min(startsAt ?? now, now)
  const id = createHash('sha256').update(`${sender} ${key}@${now}`).digest('hex').slice(0, 16)
  return {
    id,
    rule: labels['alertname'] ?? 'alert',
    state: 'firing',
    labels,
    annotations: generatorUrl === '' ? annotations : { ...annotations, generator_url: generatorUrl },
    value: null,
    activeAt,
    firedAt: now,
    resolvedAt: null,
    keptSince: null,
    sender,
    endsAt,
  }
}
