// Owns what a rule would have said while nobody evaluated it: its expression over that time, and the steps of its
// alerts through it, each as long as the interval of its group. It looks at what has been delivered since, and is
// bounded: in time by GAP_MS_MAX, in memory by pieces, and where it would take too long in steps.
import type { MetricsStore } from '#metrics'
import type { StoredAlert } from '../state/alerts.ts'
import { ACTIVE_MAX, advance, labelsKey } from './advance.ts'
import { type AlertItem, renderAlert, type TemplateContext } from './render-alert.ts'
import type { AlertingRule } from './rule.ts'

/** Shorter than this is a restart, which rules bridge by themselves. */
export const ABSENCE_MS_MIN = 60_000
/** Of one question; and of the whole gap when it has to be quick. */
const STEPS_MAX = 2000
/** Beyond it, only the last part: agents keep no more either. */
const GAP_MS_MAX = 6 * 3_600_000
const ENDED_MAX = 500
const NOTHING: readonly AlertItem[] = []

export interface Gap {
  /** Fleet time, in ms. */
  readonly from: number
  readonly to: number
}

export interface Replayed {
  /** Fired and over before the gap was. */
  readonly ended: readonly StoredAlert[]
  /** As they stood at its end, by label set. */
  readonly active: ReadonlyMap<string, StoredAlert>
}

export interface ReplayContext extends Omit<TemplateContext, 'ask'> {
  readonly store: MetricsStore
}

export async function replayRule(
  rule: AlertingRule,
  before: ReadonlyMap<string, StoredAlert>,
  gap: Gap & { readonly intervalMs: number },
  context: ReplayContext,
  isQuick = false,
): Promise<Replayed> {
  const to = Math.floor(gap.to)
  const from = Math.floor(Math.max(gap.from, to - GAP_MS_MAX))
  const stepMs = isQuick ? Math.max(gap.intervalMs, Math.ceil((to - from) / STEPS_MAX)) : gap.intervalMs
  const pieceMs = stepMs * STEPS_MAX
  const ended: StoredAlert[] = []
  let active = before
  for (let pieceFrom = from; pieceFrom <= to; pieceFrom += pieceMs) {
    const pieceTo = Math.min(to, pieceFrom + pieceMs - stepMs)
    const byTime = await itemsByTime(rule, { from: pieceFrom, to: pieceTo, stepMs }, context)
    for (let at = pieceFrom; at <= pieceTo; at += stepMs) {
      const items = byTime.get(at) ?? NOTHING
      if (items.length === 0 && active.size === 0) continue
      const next = advance(rule, active, items, at)
      for (const alert of next.changed)
        if (alert.state === 'resolved' && ended.length < ENDED_MAX) ended.push(alert)
      active = next.active
    }
  }
  return { ended, active }
}

/** In the words of its first result: those of every second would cost as much as evaluating it. */
async function itemsByTime(
  rule: AlertingRule,
  { from, to, stepMs }: Gap & { readonly stepMs: number },
  { store, externalLabels, externalUrl }: ReplayContext,
): Promise<ReadonlyMap<number, AlertItem[]>> {
  const { value } = await store.ask({ text: rule.expr, fromMs: from, toMs: to, stepMs })
  const byTime = new Map<number, AlertItem[]>()
  if (value.kind !== 'matrix') return byTime
  // `query` in a template would ask of now, and not of then.
  const ask = async (): Promise<never> => {
    throw new TypeError('it was not looked at then')
  }
  for (const { labels, times, values } of value.items.slice(0, ACTIVE_MAX)) {
    const first = values[0]
    if (first === undefined) continue
    const item = await renderAlert(rule, { labels, value: first }, { externalLabels, externalUrl, ask })
    for (const [index, at] of times.entries()) {
      const list = byTime.get(at) ?? []
      list.push({ ...item, value: values[index] ?? Number.NaN })
      byTime.set(at, list)
    }
  }
  return byTime
}

/** What stands now, with what was found out about before: when it began, what has ended. */
export function mergeReplay(
  live: ReadonlyMap<string, StoredAlert>,
  { ended, active }: Replayed,
  seenNow: ReadonlySet<string>,
): { readonly active: Map<string, StoredAlert>; readonly changed: StoredAlert[] } {
  const merged = new Map(live)
  const changed: StoredAlert[] = []
  for (const alert of ended) {
    const key = labelsKey(alert.labels)
    const now = live.get(key)
    // One that fires now and fired before is the same to people: it goes on.
    if (now?.id === alert.id && seenNow.has(key)) continue
    if (now?.id === alert.id) merged.delete(key)
    changed.push(alert)
  }
  for (const [key, then] of active) {
    const now = merged.get(key)
    if (now === undefined || !seenNow.has(key) || now.activeAt <= then.activeAt) continue
    const firedAt = then.firedAt ?? now.firedAt
    const next = {
      ...now,
      activeAt: then.activeAt,
      firedAt,
      state: firedAt === null ? now.state : 'firing',
    } as const
    merged.set(key, next)
    changed.push(next)
  }
  return { active: merged, changed }
}
