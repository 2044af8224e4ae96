import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FakeClock } from '#base'
import type { StoredAlert } from '../state/alerts.ts'
import { type FullState, openFullState } from '../state/open-state.ts'
import { RuleHistory } from './rule-history.ts'

const DAY_MS = 86_400_000
let folder: string
let state: FullState
const clock = new FakeClock()
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-rule-history-'))
  state = await openFullState(folder, clock)
})
afterEach(async () => {
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

function alert(id: string, part: Partial<StoredAlert> = {}): StoredAlert {
  const at = clock.wallMs() - DAY_MS
  return {
    id,
    rule: 'Busy',
    state: 'resolved',
    labels: { alertname: 'Busy', id },
    annotations: {},
    value: 1,
    activeAt: at,
    firedAt: at,
    resolvedAt: at + 1000,
    keptSince: null,
    ...part,
  }
}

/** Joined to an incident in which this happened. */
async function joined(alertId: string, kind: string, by: string): Promise<void> {
  const incident = `I-${alertId}`
  await state.db
    .insertInto('incident_alerts')
    .values({
      incident_id: incident,
      alert_id: alertId,
      joined_at: 1,
      resolved_at: null,
      labels: '{}',
      annotations: '{}',
    })
    .execute()
  await state.db
    .insertInto('incident_events')
    .values({ incident_id: incident, at: 1, kind: kind as 'comment', by, text: '' })
    .execute()
}

it('counts what fired, what somebody acted on, and what ended without', async () => {
  await state.alerts.save([
    alert('had', {}),
    alert('said'),
    alert('nobody'),
    alert('alone'),
    alert('open', { state: 'firing', resolvedAt: null }),
    alert('pending', { state: 'pending', firedAt: null, resolvedAt: null }),
    alert('foreign', { sender: 'prom' }),
    alert('old', { firedAt: clock.wallMs() - 31 * DAY_MS, state: 'firing', resolvedAt: null }),
    alert('other', { rule: 'Slow' }),
  ])
  await joined('had', 'acknowledged', 'ada')
  await joined('said', 'comment', 'bo')
  // What Vitrine did by itself is nobody's act.
  await joined('nobody', 'resolved', 'vitrine')
  const history = new RuleHistory(state)
  expect(Object.fromEntries(await history.all())).toEqual({
    Busy: { fired: 5, actedOn: 2, ignored: 2 },
    Slow: { fired: 1, actedOn: 0, ignored: 1 },
  })
})
