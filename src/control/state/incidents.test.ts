import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '#base'
import { type IncidentChange, NEW_MEMO, type StoredIncident } from './incidents.ts'
import { type FullState, openFullState } from './open-state.ts'

let folder: string
let state: FullState
const clock = new FakeClock()
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-incidents-'))
  state = await openFullState(folder, clock)
})
afterEach(async () => {
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

function incident(id: string, part: Partial<StoredIncident> = {}): StoredIncident {
  return {
    id,
    groupKey: 'loss',
    title: 'Edge eu-west does not answer',
    severity: 'critical',
    openedAt: clock.wallMs(),
    resolvedAt: null,
    servers: ['eu-west'],
    cause: { kind: 'cannot-tell', text: 'not known', confidence: 0, for: [], against: [] },
    verdict: { class: 'cannot-tell', text: 'cannot tell', decideBy: null, reason: '', inputs: [], at: 1 },
    viewers: { hurtNow: 1, peak: 2, moved: null, lostViewerSeconds: 3 },
    acknowledgedBy: null,
    acknowledgedAt: null,
    assignedTo: null,
    waitUntil: null,
    memo: NEW_MEMO,
    ...part,
  }
}

function change(one: StoredIncident, part: Partial<IncidentChange> = {}): IncidentChange {
  return { incident: one, alerts: [], events: [], notices: [], ...part }
}

const alert = { alertId: 'a1', joinedAt: 5, resolvedAt: null, labels: { alertname: 'A' }, annotations: {} }
const opened = { at: 5, kind: 'opened' as const, by: 'vitrine', text: 'opened' }

describe('incidents', () => {
  it('are read as they were written, with their alerts, events and notices', async () => {
    const one = incident('I-1')
    const notices = [{ at: 6, reason: 'opened' as const, rings: true, text: 'get up' }]
    await state.incidents.save([change(one, { alerts: [alert], events: [opened], notices })])
    expect(await state.incidents.get('I-1')).toEqual({ incident: one, alerts: [alert] })
    expect(await state.incidents.events('I-1')).toEqual([{ id: 1, ...opened }])
    expect(await state.incidents.notices('I-1')).toEqual([{ id: 1, ...notices[0] }])
    expect(await state.incidents.joined(['a1', 'a2'])).toEqual(new Set(['a1']))
    // The outbox of the notifier.
    const waiting = await state.db
      .selectFrom('notices')
      .selectAll()
      .where('done_at', 'is', null)
      .executeTakeFirst()
    expect(waiting).toMatchObject({ incident_id: 'I-1', rings: 1 })
  })

  it('change all together or not at all: no notice without its event', async () => {
    await state.incidents.save([change(incident('I-1'), { events: [opened] })])
    const broken = { ...opened, text: undefined } as unknown as typeof opened
    const notices = [{ at: 6, reason: 'opened' as const, rings: true, text: 'get up' }]
    const next = incident('I-1', { title: 'other' })
    await expect(state.incidents.save([change(next, { notices, events: [broken] })])).rejects.toThrow()
    expect((await state.incidents.get('I-1'))?.incident.title).toBe('Edge eu-west does not answer')
    expect(await state.incidents.notices('I-1')).toEqual([])
  })

  it('are listed while open and for a while after; numbers go on above the highest', async () => {
    await state.incidents.save([
      change(incident('I-9', { resolvedAt: 100, openedAt: 1 })),
      change(incident('I-10', { openedAt: 2 })),
      change(incident('I-11', { resolvedAt: 50, openedAt: 3 })),
    ])
    const ids = (await state.incidents.list(60)).map(({ incident: { id } }) => id)
    expect(ids).toEqual(['I-10', 'I-9'])
    expect(await state.incidents.lastNumber()).toBe(11)
    expect(await state.incidents.get('I-12')).toBeNull()
  })

  it('that ended more than a year ago go when the next one opens, with all that is theirs', async () => {
    await state.incidents.save([change(incident('I-1', { resolvedAt: 1 }), { alerts: [alert] })])
    await state.incidents.save([change(incident('I-2'), { events: [opened] })])
    expect(await state.incidents.get('I-1')).toBeNull()
    expect(await state.incidents.joined(['a1'])).toEqual(new Set())
  })
})
