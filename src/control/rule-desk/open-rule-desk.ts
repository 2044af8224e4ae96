// Owns what people need to look at rules and to write them: which folders there are, the files, back-tests, and what
// became of each rule.
import { join } from 'node:path'
import { type Clock, type Closers, ensureFolder, type FleetTime, type Log } from '#base'
import type { MetricsStore } from '#metrics'
import type { StateDb } from '../state/database.ts'
import { BackTests } from './back-tests.ts'
import { RuleHistory } from './rule-history.ts'
import { RuleLibrary, type RuleLibraryOptions } from './rule-library.ts'

export interface RuleDesk {
  readonly library: RuleLibrary
  readonly backTests: BackTests
  readonly history: RuleHistory
}

/** Those that are named, and one that pages can always write to. */
export function rulesFoldersOf(named: readonly string[], stateFolder: string): string[] {
  return [...named, ensureFolder(join(stateFolder, 'rules'))]
}

export function openRuleDesk(
  options: RuleLibraryOptions & {
    readonly store: MetricsStore
    readonly state: StateDb
    readonly fleetTime: FleetTime
    readonly clock: Clock
    readonly log: Log
  },
  closers: Closers,
): RuleDesk {
  const { store, fleetTime, clock, log } = options
  return {
    library: new RuleLibrary(options),
    backTests: closers.add(new BackTests({ store, fleetTime, log, monotonicMs: () => clock.monotonicMs() })),
    history: new RuleHistory(options.state),
  }
}
