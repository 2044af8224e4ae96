// A control room that is killed at random moments under alerts that fire: `npm run bench -- incidents --only kills` does
// the same a hundred times.
import { expect, it } from 'vitest'
import { killControl } from '../../bench/incidents/kills.ts'

const KILLS = 5

it(`loses and doubles no notification over ${KILLS} kills, and no alert begins anew`, async () => {
  const seed = Number(process.env['VITRINE_SEED'] ?? Math.floor(Math.random() * 1e6))
  const { lost, doubled, moved, repeated } = await killControl(KILLS, seed)
  expect({ seed, lost, doubled, moved }).toEqual({ seed, lost: [], doubled: [], moved: [] })
  expect(repeated).toBeGreaterThanOrEqual(0)
}, 300_000)
