// Owns what is left of a drill's runs: those that go on are stopped, and servers that they hold are released.
import { setTimeout as pause } from 'node:timers/promises'
import type { ControlContext } from '../context.ts'
import { foldRun } from '../runbooks/run-events.ts'

const LOOK_MS = 250
const STOP_MS_MAX = 30_000

/** Resolves when they have ended; a command that is on its way is awaited for a while. */
export async function stopRuns(
  { state, fleetTime, options }: ControlContext,
  runs: readonly string[],
  by: string,
): Promise<void> {
  const endMs = options.clock.monotonicMs() + STOP_MS_MAX
  for (const id of runs) {
    let told = false
    for (;;) {
      const run = await state.runs.get(id)
      if (run === null || foldRun(run.plan, run.events).ended !== null) break
      if (!told) await state.runs.append(id, { kind: 'stop', by, at: fleetTime.nowMs() })
      told = true
      if (options.clock.monotonicMs() >= endMs) throw new Error(`run ${id} did not end`)
      await pause(LOOK_MS)
    }
  }
}

/** Only orders of these runs: what a person ordered meanwhile stays. */
export async function releaseServers(
  context: ControlContext,
  runs: readonly string[],
  by: string,
): Promise<void> {
  const { state, steering } = context
  const theirs = new Set(runs.flatMap(id => [`run ${id}`, `return by run ${id}`]))
  for (const [server, order] of await state.overrides.all())
    if (theirs.has(order.by)) await state.overrides.end(server, by)
  await context.refreshAccess()
  steering.refresh()
}
