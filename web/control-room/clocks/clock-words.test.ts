import { expect, it } from 'vitest'
import type { ClockRow } from '#wire'
import { clocksSentence, daemonText, plainS, signedS, smearText, worstClocksFirst } from './clock-words.ts'

const row = (id: string, word: ClockRow['word'], more: Partial<ClockRow> = {}): ClockRow =>
  ({ id, name: id, word, offsetS: 0, unreadable: [], smear: null, daemon: null, ...more }) as ClockRow

it('says in one sentence who is sick, who wants a look and who is not measured', () => {
  expect(clocksSentence({ servers: [row('a', 'ok'), row('b', 'ok')] }).text).toBe('All 2 clocks are in time.')
  const { text, tone } = clocksSentence({
    servers: [row('a', 'sick'), row('b', 'warn'), row('c', 'warn'), row('d', 'unknown')],
  })
  expect([text, tone]).toEqual(['a is sick; b and c want a look; d is not measured.', 'unreachable'])
})

it('puts the sick first, then the farthest off', () => {
  const rows = [
    row('a', 'ok'),
    row('b', 'warn', { offsetS: 0.1 }),
    row('c', 'warn', { offsetS: -4 }),
    row('d', 'sick'),
  ]
  expect(worstClocksFirst(rows).map(({ id }) => id)).toEqual(['d', 'c', 'b', 'a'])
})

it('writes offsets from microseconds to years', () => {
  expect([0, 0.0003, -1.2, 3600, -315_360_000, null].map(signedS)).toEqual([
    '0 ms',
    '+0.3 ms',
    '−1.20 s',
    '+3600 s',
    '−3650 d',
    '–',
  ])
  expect(plainS(0.25)).toBe('250 ms')
})

it('never calls a clock kept that nobody keeps', () => {
  expect(daemonText(row('a', 'ok', { synchronised: false, unreadable: ['x'] }))).toBe('none answers')
  expect(daemonText(row('a', 'ok', { daemon: 'chrony', synchronised: true }))).toBe('chrony')
  expect(smearText(row('a', 'ok', { smear: { yes: 1, no: 2 } }))).toContain('1 smear')
})
