// Owns bringing sessions' changes of pathway from memory to state.db, each second, in one transaction.
import { type Clock, type Closable, type Counters, every, type FleetTime, type Log } from '#base'
import type { Fleet } from '../fleet/fleet.ts'
import type { SessionPathways } from '../state/session-pathways.ts'
import type { SteeringKeeper } from './steering-keeper.ts'

const EVERY_MS = 1000
/** One transaction takes some 100 ms for as many; what waits is bounded by the book of sessions. */
const ROWS_MAX = 2000

export interface PathwayKeeperOptions {
  readonly fleet: Fleet
  readonly steering: SteeringKeeper
  readonly state: { readonly sessionPathways: SessionPathways }
  readonly fleetTime: FleetTime
  readonly clock: Clock
  readonly counters: Counters
  readonly log: Log
}

export function startPathwayKeeper(options: PathwayKeeperOptions): Closable {
  const { fleet, steering, state, fleetTime, clock, counters, log } = options
  const dropped = counters.gauge(
    'vitrine_control_pathway_changes_dropped',
    'Changes of sessions’ pathways that were not stored since the start. Above 0: more came than state.db takes.',
  )
  counters.beforeCollect(() => dropped.set(fleet.sessions.movesDropped()))
  const turn = async (): Promise<void> => {
    const moves = fleet.sessions.takeMoves(ROWS_MAX)
    const [nowMs, fleetMs] = [clock.monotonicMs(), fleetTime.nowMs()]
    const current = steering.table()?.version ?? null
    await state.sessionPathways.add(
      moves.map(({ atMs, version, ...move }) => ({
        ...move,
        at: fleetMs - (nowMs - atMs),
        // An edge that never lost sight of a session does not say by which table it has it back.
        version: version ?? current,
      })),
    )
  }
  return every(EVERY_MS, turn, error => log.error('pathways-not-stored', { error }))
}
