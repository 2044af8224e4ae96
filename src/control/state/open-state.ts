// Owns opening the control room's state from any process.
import { type Clock, systemClock } from '#base'
import { controlFaults } from '../faults.ts'
import type { State } from './state.ts'

/** Opens (and, when it is new, makes) `stateFolder/state.db`; the control room may run at the same time. */
export function openState(stateFolder: string, clock: Clock = systemClock): Promise<State> {
  throw controlFaults.fault('control-starting', `not built yet: ${stateFolder} ${clock.wallMs()}`)
}
