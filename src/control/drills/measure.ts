// Owns the figures of a drill: the machine's clock, what viewers lost, who is out of range, who was rung.
import { readClockNs } from '#base'
import type { DrillView } from '#wire'
import type { ControlContext } from '../context.ts'

/** REALTIME minus MONOTONIC; null: cannot be read. */
export function machineClockMs(): number | null {
  const [wall, monotonic] = [readClockNs('realtime'), readClockNs('monotonic')]
  return wall === null || monotonic === null ? null : Number(wall - monotonic) / 1e6
}

/** Servers that are not within their normal ranges, in words. */
export async function outOfRange({ fleet, runs }: ControlContext): Promise<string[]> {
  const servers = fleet.all().filter(({ role }) => role === 'edge' || role === 'origin')
  const out: string[] = []
  for (const record of servers) {
    const { state, word, text } = await runs.bands.check(record, null)
    if (state !== 'healthy') out.push(`${record.id} is ${state}: ${record.reason}`)
    else if (word !== 'ok') out.push(`${record.id}: ${text}`)
  }
  return out
}

export async function ringsOf({ state }: ControlContext, { incidents }: DrillView): Promise<number> {
  const ids = incidents.map(({ id }) => id)
  if (ids.length === 0) return 0
  const rows = await state.db
    .selectFrom('notices')
    .select('id')
    .where('incident_id', 'in', ids)
    .where('rings', '=', 1)
    .execute()
  return rows.length
}

/** A time daemon keeps this machine's clock. */
export async function slews(context: ControlContext): Promise<boolean> {
  return (await one(context, 'max(node_timex_sync_status)')) === 1
}

/** Time that viewers waited since the first fault. */
export async function viewerMinutes(context: ControlContext, drill: DrillView): Promise<number | null> {
  const window = windowOf(context, drill)
  if (window === null) return null
  const seconds = await one(context, `sum(increase(vitrine_viewers_rebuffering_seconds_total[${window}]))`)
  return seconds === null ? null : seconds / 60
}

/** By edge, since the first fault, in words. */
export async function rebuffering(context: ControlContext, drill: DrillView): Promise<string> {
  const window = windowOf(context, drill)
  if (window === null) return ''
  const part = (name: string): string =>
    `sum by (instance) (increase(vitrine_viewers_${name}_seconds_total[${window}]))`
  const items = await vector(context, `${part('rebuffering')} / (${part('asked')} > 0)`)
  return items.map(({ name, value }) => `${name} ${(value * 100).toFixed(1)} %`).join(', ')
}

function windowOf({ fleetTime }: ControlContext, { targets }: DrillView): string | null {
  const from = targets.flatMap(({ injectedAt }) => injectedAt ?? [])
  return from.length === 0
    ? null
    : `${Math.max(1, Math.ceil((fleetTime.nowMs() - Math.min(...from)) / 1000))}s`
}

async function one(context: ControlContext, text: string): Promise<number | null> {
  return (await vector(context, text))[0]?.value ?? null
}

/** What cannot be asked is not known: a drill does not end by it. */
async function vector(
  { store, fleetTime }: ControlContext,
  text: string,
): Promise<{ name: string; value: number }[]> {
  const now = fleetTime.nowMs()
  try {
    const { value } = await store.ask({ text, fromMs: now, toMs: now, stepMs: null })
    if (value.kind !== 'vector') return []
    return value.items
      .map(item => ({ name: item.labels['instance'] ?? '', value: item.value }))
      .filter(item => Number.isFinite(item.value))
  } catch {
    return []
  }
}
