import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FakeClock } from '#base'
import { audit } from '../state/database.ts'
import { type FullState, openFullState } from '../state/open-state.ts'
import { AuditKeeper } from './audit-keeper.ts'

const DAY_MS = 86_400_000
let folder: string
let state: FullState
let now = 1_700_000_000_000
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-audit-'))
  state = await openFullState(folder, new FakeClock())
  state.useTime(() => now)
})
afterEach(async () => {
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

it('wrong passwords are one entry a name and minute, and what strangers typed is not kept', async () => {
  const ada = { name: 'ada', role: 'viewer', password_hash: '', created_at: now } as const
  await state.db
    .insertInto('users')
    .values({ ...ada, offboarded_at: null, handed_to: null })
    .execute()
  const keeper = new AuditKeeper(state)
  const place = { device: 'curl', address: '192.0.2.1' }
  const refused = async (): Promise<unknown[]> =>
    (await state.auditBook.page({ action: 'sign-in-refused' })).entries.map(({ subject, facts }) => [
      subject,
      facts,
    ])
  for (let n = 0; n < 5; n += 1) {
    await keeper.wrongPassword('ada', place)
    await keeper.wrongPassword(`hunter${n}`, place)
  }
  expect(await refused()).toEqual([
    ['a name that nobody has', { device: 'curl' }],
    ['ada', { device: 'curl' }],
  ])
  now += 60_000
  await keeper.wrongPassword('ada', place)
  expect((await refused())[0]).toEqual(['ada', { device: 'curl', before: 4 }])
  const { entries } = await state.auditBook.page({ action: 'sign-in-refused', limit: 1 })
  expect(entries[0]).toMatchObject({ by: 'sign-in', actor: 'anonymous', address: '192.0.2.1' })
})

it('entries go when they are older than they are kept', async () => {
  const note = (days: number): Promise<number> =>
    audit(state.db, { at: now - days * DAY_MS, by: 'ada', action: 'mark-create', subject: String(days) })
  for (const days of [500, 401, 399, 1]) await note(days)
  expect(await new AuditKeeper(state).prune()).toBe(2)
  const left = await state.auditBook.page({ action: 'mark-create' })
  expect(left.entries.map(({ subject }) => subject)).toEqual(['1', '399'])
  expect(await new AuditKeeper(state, 30).prune()).toBe(1)
})
