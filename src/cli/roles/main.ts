// Owns the entry of a role's process: settings from the environment, and only the rooms that this role needs.
import { unreachable } from '#base'
import type { Settings } from '../settings.ts'

/** Holds the settings as JSON; `argv` carries kind and id for people who look at `ps`. */
export const SETTINGS_VARIABLE = 'VITRINE_SETTINGS'

/** Runs one role to its end. Rooms are loaded lazily, so that an agent does not carry the control room. */
export async function runSettings(settings: Settings): Promise<void> {
  switch (settings.kind) {
    case 'control':
      return (await import('./run-control.ts')).runControl(settings)
    case 'origin':
      return (await import('./run-origin.ts')).runOrigin(settings)
    case 'edge':
      return (await import('./run-edge.ts')).runEdge(settings)
    case 'agent':
      return (await import('./run-agent.ts')).runAgent(settings)
    default:
      return unreachable(settings)
  }
}
