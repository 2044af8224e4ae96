// Owns the start and the stop of a control room.
import type { Closable } from '#base'
import { controlFaults } from './faults.ts'
import type { ControlOptions } from './options.ts'

export interface RunningControl extends Closable {
  /** `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string
  close(): Promise<void>
}

/** Returns once it serves. */
export function startControl(options: ControlOptions): Promise<RunningControl> {
  throw controlFaults.fault('control-starting', `not built yet: ${options.listen.host}`)
}
