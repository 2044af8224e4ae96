// Owns one evaluation of one alerting rule: from what was active and what the condition gave, to what is active now.
// Pure. It refuses two results with one label set, as Prometheus does.
import { createHash } from 'node:crypto'
import type { Labels } from '#base'
import type { StoredAlert } from '../state/alerts.ts'
import type { AlertItem } from './render-alert.ts'
import type { AlertingRule } from './rule.ts'

/** Label sets that one rule may have active: more is a rule that lacks an aggregation. */
export const ACTIVE_MAX = 1000

export interface Advanced {
  /** Pending and firing, by label set. */
  readonly active: Map<string, StoredAlert>
  /** To be stored: new ones, those that changed, those that resolved. */
  readonly changed: StoredAlert[]
  /** Pending ones that ended without firing. */
  readonly forgotten: StoredAlert[]
  /** Results that were not taken because there are too many, or twice the same label set. */
  readonly dropped: number
}

/** `now` is fleet time in ms. `isHeld`: without a result it stays as it is, because what it looks at may not be here yet. */
export function advance(
  rule: AlertingRule,
  before: ReadonlyMap<string, StoredAlert>,
  items: readonly AlertItem[],
  now: number,
  isHeld: (alert: StoredAlert) => boolean = () => false,
): Advanced {
  const active = new Map<string, StoredAlert>()
  const changed: StoredAlert[] = []
  const forgotten: StoredAlert[] = []
  let dropped = 0
  for (const item of items) {
    const key = labelsKey(item.labels)
    if (active.has(key) || active.size >= ACTIVE_MAX) {
      dropped += 1
      continue
    }
    const old = before.get(key)
    const next = holds(rule, old, item, now)
    active.set(key, next)
    if (old === undefined || old.state !== next.state || old.keptSince !== next.keptSince) changed.push(next)
  }
  for (const [key, old] of before) {
    if (active.has(key)) continue
    const kept = isHeld(old) ? old : keeps(rule, old, now)
    if (kept !== null) {
      active.set(key, kept)
      if (kept.keptSince !== old.keptSince) changed.push(kept)
    } else if (old.state === 'pending') {
      forgotten.push(old)
    } else {
      changed.push({ ...old, state: 'resolved', resolvedAt: now, keptSince: null })
    }
  }
  return { active, changed, forgotten, dropped }
}

/** The condition holds for this label set. */
function holds(rule: AlertingRule, old: StoredAlert | undefined, item: AlertItem, now: number): StoredAlert {
  const { labels, annotations, value } = item
  const activeAt = old?.activeAt ?? now
  const fires = old?.state === 'firing' || now - activeAt >= rule.forMs
  return {
    id: old?.id ?? alertId(labels, activeAt),
    rule: rule.name,
    state: fires ? 'firing' : 'pending',
    labels,
    annotations,
    value: Number.isFinite(value) ? value : null,
    activeAt,
    firedAt: fires ? (old?.firedAt ?? now) : null,
    resolvedAt: null,
    keptSince: null,
  }
}

/** A firing alert whose condition ended goes on for keep_firing_for; null: it ends. */
function keeps(rule: AlertingRule, old: StoredAlert, now: number): StoredAlert | null {
  if (old.state !== 'firing' || rule.keepFiringForMs === 0) return null
  const keptSince = old.keptSince ?? now
  return now - keptSince < rule.keepFiringForMs ? { ...old, keptSince } : null
}

/** Equal for equal label sets, whatever the order. */
export function labelsKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function alertId(labels: Labels, activeAt: number): string {
  return createHash('sha256')
    .update(`${labelsKey(labels)}@${activeAt}`)
    .digest('hex')
    .slice(0, 16)
}
