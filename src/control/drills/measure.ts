// Owns the figures of a drill: the machine's clock, what viewers lost, who is out of range, who was rung.
import { readClockNs } from '#base'
import type { DrillFelt, DrillView } from '#wire'
import type { ControlContext } from '../context.ts'
import { askAt } from '../incident-page/felt.ts'

const TOLD_MS = 10_000

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

/** Notices that rang; where nobody is to be rung every notice counts, for nobody is to be told either. */
export async function ringsOf({ state }: ControlContext, { incidents, ring }: DrillView): Promise<number> {
  const ids = incidents.map(({ id }) => id)
  if (ids.length === 0) return 0
  const rows = await state.db
    .selectFrom('notices')
    .select('id')
    .where('incident_id', 'in', ids)
    .where('rings', 'in', ring ? [1] : [0, 1])
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

/** What viewers of the server that was made sick felt, against others; null: nobody watched there. */
export async function feltBy(context: ControlContext, drill: DrillView): Promise<DrillFelt | null> {
  const target = drill.targets.find(({ fault }) => fault === 'early-timers')
  if (target?.injectedAt == null) return null
  const { injectedAt, movedAt } = target
  const now = context.fleetTime.nowMs()
  // Players tell within a second or two, sums are written each five.
  const sickTo = Math.min(now, (movedAt ?? now) + TOLD_MS)
  const hurt = drill.targets.map(({ server }) => server)
  const during = await shares(context, injectedAt, sickTo)
  const own = during.get(target.server)
  if (own === undefined || own.asked <= 0) return null
  const others = sumOf(
    [...during].filter(([id]) => id !== 'none' && !hurt.includes(id)).map(([, one]) => one),
  )
  const rest = movedAt === null ? null : sumOf([...(await shares(context, sickTo, now)).values()])
  return {
    server: target.server,
    sick: percent(own) ?? 0,
    elsewhere: percent(others),
    after: rest === null ? null : percent(rest),
  }
}

interface Share {
  readonly waited: number
  readonly asked: number
}

async function shares(context: ControlContext, from: number, to: number): Promise<Map<string, Share>> {
  const seconds = Math.max(1, Math.round((to - from) / 1000))
  const of = (name: string): Promise<Map<string, number>> =>
    askAt(context, `sum by (instance) (increase(vitrine_viewers_${name}_seconds_total[${seconds}s]))`, to)
  const [waited, asked] = [await of('rebuffering'), await of('asked')]
  return new Map([...asked].map(([id, value]) => [id, { asked: value, waited: waited.get(id) ?? 0 }]))
}

function sumOf(all: readonly Share[]): Share {
  return {
    waited: all.reduce((sum, { waited }) => sum + waited, 0),
    asked: all.reduce((sum, { asked }) => sum + asked, 0),
  }
}

function percent({ waited, asked }: Share): number | null {
  return asked > 0 ? (100 * waited) / asked : null
}

function windowOf({ fleetTime }: ControlContext, { targets }: DrillView): string | null {
  const from = targets.flatMap(({ injectedAt }) => injectedAt ?? [])
  return from.length === 0
    ? null
    : `${Math.max(1, Math.ceil((fleetTime.nowMs() - Math.min(...from)) / 1000))}s`
}

/** What cannot be asked is not known: a drill does not end by it. */
async function one(context: ControlContext, text: string): Promise<number | null> {
  return (await askAt(context, text, context.fleetTime.nowMs())).get('') ?? null
}
