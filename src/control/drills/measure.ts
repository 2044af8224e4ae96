// Owns the figures of a drill: the machine's clock, what viewers lost, who is out of range, who was rung.
import { readClockNs } from '#base'
import type { DrillFelt, DrillView } from '#wire'
import type { ControlContext } from '../context.ts'
import { askAt } from '../incident-page/felt.ts'
import type { Found } from '../viewers/session-search.ts'
import { type Share, sharesOf } from './felt.ts'

/** Who is moved in the middle of a stall waits for the first segment of the other edge. */
const MOVING_MS = 10_000

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
  const sickTo = Math.min(now, (movedAt ?? now) + MOVING_MS)
  const hurt = drill.targets.map(({ server }) => server)
  const sessions: Found[] = []
  for await (const found of context.viewers.search.all({ fromMs: injectedAt, toMs: now }))
    sessions.push(found)
  const during = sharesOf(sessions, { from: injectedAt, to: sickTo })
  const own = during.get(target.server)
  if (own === undefined || own.askedS <= 0) return null
  const others = sumOf([...during].filter(([id]) => !hurt.includes(id)).map(([, one]) => one))
  const rest = movedAt === null ? null : sumOf([...sharesOf(sessions, { from: sickTo, to: now }).values()])
  return {
    server: target.server,
    sick: percent(own) ?? 0,
    elsewhere: percent(others),
    after: rest === null ? null : percent(rest),
  }
}

function sumOf(all: readonly Share[]): Share {
  return {
    waitedS: all.reduce((sum, { waitedS }) => sum + waitedS, 0),
    askedS: all.reduce((sum, { askedS }) => sum + askedS, 0),
  }
}

function percent({ waitedS, askedS }: Share): number | null {
  return askedS > 0 ? (100 * waitedS) / askedS : null
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
