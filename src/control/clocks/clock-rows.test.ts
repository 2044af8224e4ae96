import { describe, expect, it } from 'vitest'
import type { ServerView } from '#wire'
import { clockRows, outliers } from './clock-rows.ts'
import type { ClockReadings, Reading, Readings } from './read-clocks.ts'

const server = (id: string): ServerView =>
  ({ id, role: 'edge', region: id, tags: {} }) as Partial<ServerView> as ServerView
const one = (value: number, labels: Record<string, string> = {}): Reading => ({ labels, value })
const well: Readings = new Map([
  ['vitrine_clock_fleet_offset_seconds', [one(0.001)]],
  ['vitrine_clock_realtime_timer_early_seconds', [one(0)]],
  ['node_timex_sync_status', [one(0)]],
  ['node_timex_maxerror_seconds', [one(0.2)]],
])
const read = (servers: Record<string, Readings>, stepAt: Record<string, number> = {}): ClockReadings => ({
  at: 0,
  servers: new Map(Object.entries(servers)),
  earlySince: new Map(),
  stepAt: new Map(Object.entries(stepAt)),
  switchesUsual: new Map(),
})
const rowOf = (
  more: [string, Reading[]][],
  stepAt: Record<string, number> = {},
): ReturnType<typeof clockRows>[0] =>
  clockRows([server('a')], read({ a: new Map([...well, ...more]) }, stepAt))[0] as never

describe('a row of clocks', () => {
  it('is well, and a daemon that leaves the kernel’s bit alone is no fault', () => {
    expect(rowOf([])).toMatchObject({ word: 'ok', synchronised: true, text: 'in time with the fleet' })
  })

  it('says each fault in words: early timers, leap flags, steps, sources, smears', () => {
    const source = (name: string, value: number): Reading => one(value, { server: name })
    const row = rowOf(
      [
        ['vitrine_clock_realtime_timer_early_seconds', [one(1)]],
        ['vitrine_clock_leap_pending', [one(1)]],
        ['vitrine_clock_source_leap_indicator', [source('x', 1), source('y', 0)]],
        ['vitrine_clock_source_offset_seconds', [source('x', 0.3), source('y', 0)]],
        ['vitrine_clock_step_seconds', [one(-3600)]],
        ['vitrine_clock_sources', [one(1, { smear: 'yes' }), one(1, { smear: 'no' })]],
        ['vitrine_clock_readable', [one(0, { part: 'timer-list' })]],
        ['node_timex_maxerror_seconds', [one(16)]],
        ['vitrine_clock_daemon', [one(1, { daemon: 'chrony' })]],
      ],
      { a: 0 },
    )
    expect(row.word).toBe('sick')
    for (const part of [
      'before their time',
      'insert a second',
      'x says',
      'set by −60 min',
      'chrony runs and does not keep it',
      'differ by 300 ms',
      'smear',
    ])
      expect(row.text).toContain(part)
    expect(row.sources.map(({ server: name, leap }) => [name, leap])).toEqual([
      ['x', 1],
      ['y', 0],
    ])
    expect(row.unreadable).toEqual(['/proc/timer_list (needs root)'])
  })

  it('without a time daemon is calm, and says so', () => {
    expect(rowOf([['node_timex_maxerror_seconds', [one(16)]]])).toMatchObject({
      word: 'ok',
      text: 'in time with the fleet; no time daemon is running',
    })
  })

  it('is seen from outside where its agent is not heard, and not for a second of grain', () => {
    const seen = (value: number): ReturnType<typeof rowOf> =>
      clockRows(
        [server('a')],
        read({ a: new Map([['vitrine_probe_clock_offset_seconds', [one(value)]]]) }),
      )[0] as never
    expect(seen(-315_576_000)).toMatchObject({ word: 'warn', fromOutside: true, offsetS: -315_576_000 })
    expect(seen(-315_576_000).text).toContain('10 years behind by the date of its answers')
    expect(seen(0.6)).toMatchObject({ offsetS: null, fromOutside: false })
  })

  it('of which nothing is measured is unknown, never well; the control room without an agent is left out', () => {
    const control = { ...server('control'), role: 'control' as const }
    expect(clockRows([server('a'), control], read({}))).toMatchObject([{ id: 'a', word: 'unknown' }])
  })

  it('names who stands apart from the others, and nobody among two', () => {
    expect([
      ...outliers([
        ['a', 0],
        ['b', 0.001],
        ['c', 3],
        ['d', null],
      ]),
    ]).toEqual(['c'])
    expect(
      outliers([
        ['a', 0],
        ['b', 9],
      ]).size,
    ).toBe(0)
  })
})
