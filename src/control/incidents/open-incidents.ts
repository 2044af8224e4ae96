// Owns putting the parts of incidents together for the control room: alerts of ours and of others, silences, keeper.
import type { Closers } from '#base'
import type { ControlContext } from '../context.ts'
import { ForeignAlerts } from './foreign-alerts.ts'
import { IncidentKeeper } from './incident-keeper.ts'
import { SilenceBook } from './silence-book.ts'
import { openSources } from './sources.ts'
import { DEFAULT_WAKE, type WakePolicy } from './wake.ts'

/** What ended while nobody looked is looked at so far back. */
const MISSED_MS = 3_600_000

export interface IncidentParts {
  readonly keeper: IncidentKeeper
  readonly silences: SilenceBook
  readonly foreign: ForeignAlerts
  readonly policy: WakePolicy
}

export async function openIncidents(
  parts: Pick<
    ControlContext,
    | 'fleet'
    | 'store'
    | 'steering'
    | 'state'
    | 'alerts'
    | 'demand'
    | 'drills'
    | 'fleetTime'
    | 'log'
    | 'counters'
    | 'options'
  >,
  closers: Closers,
): Promise<IncidentParts> {
  const { state, fleetTime, counters, log, alerts, options } = parts
  const nowMs = (): number => fleetTime.nowMs()
  const policy = { ...DEFAULT_WAKE, ...options.wake }
  const silences = closers.add(new SilenceBook(state.silences, log))
  await silences.refresh()
  const late: { keeper: IncidentKeeper | null } = { keeper: null }
  const foreign = closers.add(
    await ForeignAlerts.open({
      alerts: state.alerts,
      counters,
      log,
      nowMs,
      onStored: changed => late.keeper?.observe(changed),
    }),
  )
  const since = nowMs() - MISSED_MS
  const recent = [...(await state.alerts.list(since)), ...(await state.alerts.foreign(since))]
  const sources = openSources({ ...parts, silences, foreign })
  const keeper = closers.add(
    await IncidentKeeper.open(
      { incidents: state.incidents, sources, policy, counters, log, nowMs },
      recent.filter(({ state: now }) => now === 'resolved'),
    ),
  )
  late.keeper = keeper
  alerts.follow(keeper.observe)
  keeper.start()
  return { keeper, silences, foreign, policy }
}
