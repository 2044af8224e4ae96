// The small parts of people: the pace of guessing, words for devices, places in a configuration, and that questions to
// the audit go along an index.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, describe, expect, it } from 'vitest'
import { FakeClock } from '#base'
import { openFullState } from '../state/open-state.ts'
import { deviceWords } from './device-words.ts'
import { mentionsOf } from './mentions.ts'
import { SignInPace } from './sign-in-pace.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitrine-people-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the pace of guessing', () => {
  it('leaves who mistypes alone, then waits longer each time, and no longer than 3 s apart', () => {
    const clock = new FakeClock()
    const pace = new SignInPace(clock)
    const waits: number[] = []
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const wait = pace.wait('ada')
      pace.failed('ada')
      waits.push(wait)
      clock.advance(wait)
    }
    expect(waits.slice(0, 5)).toEqual([0, 0, 0, 0, 0])
    expect(
      waits
        .slice(5)
        .every((wait, index) => wait > 0 && wait <= 3500 && (index === 0 || wait >= (waits[4 + index] ?? 0))),
    ).toBe(true)
  })

  it('turns away what would wait too long, lets others through, and forgives', () => {
    const clock = new FakeClock()
    const pace = new SignInPace(clock)
    for (let attempt = 0; attempt < 20; attempt += 1) pace.failed('ada')
    const wait = (): number => pace.wait('ada')
    expect(() => Array.from({ length: 5 }, wait)).toThrow(/slowed down/)
    expect(pace.wait('grace')).toBe(0)
    expect(pace.wait('ada 10.0.0.7')).toBe(0)
    clock.advance(20 * 60_000)
    expect(pace.wait('ada')).toBe(0)
    pace.failed('ada')
    pace.succeeded('ada')
    expect(pace.wait('ada')).toBe(0)
  })
})

it.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1',
    'Safari on iPhone',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0',
    'Edge on Windows',
  ],
  [
    'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36',
    'Chrome on Android',
  ],
  ['curl/8.5.0', 'curl'],
  ['<script>', 'unknown device'],
  [undefined, 'unknown device'],
])('%s is %s', (agent, words) => {
  expect(deviceWords(agent)).toBe(words)
})

it('finds where a configuration names somebody, and gives no values', () => {
  const configuration = {
    notify: { onCall: [{ person: 'grace' }, { person: 'ada' }], routes: [{ to: 'grace, ada' }] },
    people: { ada: { phone: 'secret' } },
    other: 'adamant',
  }
  expect(mentionsOf(configuration, 'ada')).toEqual([
    'notify.onCall[1].person',
    'notify.routes[0].to',
    'people.ada',
  ])
  expect(mentionsOf(null, 'ada')).toEqual([])
})

it('asks the audit along an index, whatever is asked', async () => {
  const state = await openFullState(folder, new FakeClock())
  await state.close()
  const sqlite = new Sqlite(join(folder, 'state.db'), { readonly: true })
  for (const condition of [
    'action = ? AND at >= 1 AND at < 2',
    'subject = ?',
    'by = ?',
    'person = ? AND at <= 5',
    'at >= 1',
    "action IN ('server-tag', 'server-drain') AND at <= 2",
  ]) {
    const ordered = condition.includes('IN (') ? '' : 'ORDER BY at DESC, id DESC LIMIT 101'
    const bound = condition.includes('?') ? ['x'] : []
    const plan = sqlite
      .prepare(`EXPLAIN QUERY PLAN SELECT * FROM audit WHERE ${condition} ${ordered}`)
      .all(...bound)
    const text = JSON.stringify(plan)
    expect(text, condition).toMatch(/SEARCH audit USING INDEX audit_by_/)
    expect(text, condition).not.toMatch(/TEMP B-TREE/)
  }
  sqlite.close()
})
