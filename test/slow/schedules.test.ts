// 100 random schedules of freezes, cuts, slow-downs and returns over six edges, in virtual time, by seed.
// VITRINE_SEED=N runs one of them alone; VITRINE_SCHEDULES=N runs more.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#base'
import { type FullState, openFullState } from '../../src/control/state/open-state.ts'
import { scheduleOf } from '../fleet/schedule.ts'
import { enrolmentsOf, VirtualFleet } from '../fleet/virtual-fleet.ts'

const EDGES = 6
const LENGTH_MS = 80_000
const only = process.env['VITRINE_SEED']
const count = Number(process.env['VITRINE_SCHEDULES'] ?? 100)
const seeds = only === undefined ? Array.from({ length: count }, (_, at) => at + 1) : [Number(only)]

const folder = mkdtempSync(join(tmpdir(), 'vitrine-schedules-'))
let state: FullState
beforeAll(async () => {
  state = await openFullState(folder, systemClock)
  await state.servers.enrol(enrolmentsOf(EDGES))
})
afterAll(async () => {
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

describe(`a fleet of ${EDGES} edges under random faults`, () => {
  it('sends nobody to the dead, does not flap, keeps the last edge, and heals', async () => {
    const breaks: string[] = []
    let changes = 0
    let answers = 0
    for (const seed of seeds) {
      const seen = await VirtualFleet.run(scheduleOf(seed, { edges: EDGES, lengthMs: LENGTH_MS }), state)
      breaks.push(...seen.breaks)
      changes += seen.changes.length
      answers += seen.answers
    }
    console.log(
      `seeds ${seeds[0]} to ${seeds.at(-1)}: ${changes} changes of state, ${answers} answers checked`,
    )
    expect(breaks.slice(0, 5).join('\n')).toBe('')
    expect(changes).toBeGreaterThan(seeds.length)
  }, 300_000)
})
