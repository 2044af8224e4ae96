// Owns opening the control room's state for commands that run beside it (or before it has ever run).
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ensureFolder } from '#base'
import type { State } from '#control'
import { cliFaults } from '../faults.ts'
import { controlFolder } from '../settings.ts'
import { type CommonOptions, readConfig } from './context.ts'

/** Who the audit names for changes that were made on the command line. */
export const BY = 'command line'

/** Opens the state that is there. Faults: none is, so that a mistyped folder is told and not made. */
export async function withState<Result>(
  options: CommonOptions,
  use: (state: State) => Promise<Result>,
): Promise<Result> {
  const folder = controlFolder(readConfig(options).data)
  if (existsSync(join(folder, 'state.db'))) return withNewState(options, use)
  throw cliFaults.fault(
    'cli-no-state',
    `no control room has its state in ${folder}: give the folder that it runs with (--data), or start it first`,
  )
}

/** The same for what may be done before the first start: people, servers, tokens and join strings that it will find. */
export async function withNewState<Result>(
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
