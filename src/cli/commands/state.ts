// Owns opening the control room's state for commands that run beside it (or before it has ever run).
import { ensureFolder } from '#base'
import type { State } from '#control'
import { controlFolder } from '../settings.ts'
import { type CommonOptions, readConfig } from './context.ts'

/** Who the audit names for changes that were made on the command line. */
export const BY = 'command line'

export async function withState<Result>(
  options: CommonOptions,
  use: (state: State) => Promise<Result>,
): Promise<Result> {
  const { data } = readConfig(options)
  // Loaded when it is needed: most commands do without a database.
  const { openState } = await import('#control')
  const state = await openState(ensureFolder(controlFolder(data)))
  try {
    return await use(state)
  } finally {
    await state.close()
  }
}
