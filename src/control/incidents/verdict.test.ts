import { describe, expect, it } from 'vitest'
import type { VerdictClass } from '#wire'
import type { CapacityFacts } from './facts.ts'
import { type VerdictInput, verdictOf } from './verdict.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const NOW = Date.UTC(2026, 0, 15, 1, 10)
const AT_TWO = Date.UTC(2026, 0, 15, 2)

const capacity = (part: Partial<CapacityFacts> = {}): CapacityFacts => ({
  restBps: 1e9,
  restEdges: 2,
  unknown: [],
  out: ['eu-west'],
  nowBps: 2e8,
  hours: [
    { at: AT_TWO, peakBps: 4e8 },
    { at: AT_TWO + HOUR_MS, peakBps: 8e8 },
  ],
  ...part,
})

function input(part: Partial<VerdictInput> = {}): VerdictInput {
  const opened = { now: NOW, hurtSince: NOW - 2 * MINUTE_MS, grewAt: NOW - 2 * MINUTE_MS }
  return {
    ...opened,
    hurtNow: 0,
    trend: 'steady',
    moved: 3,
    capacity: capacity(),
    planned: [],
    blind: null,
    zone: 'UTC',
    ...part,
  }
}

const maintenance = {
  from: AT_TWO,
  to: AT_TWO + 2 * HOUR_MS,
  servers: ['us-east'],
  capacityBps: 5e8,
  text: 'disk change',
}

const table: readonly [string, VerdictClass, Partial<VerdictInput>][] = [
  ['nobody is hurt and the rest carries the usual peak', 'sleep', {}],
  ['viewers are hurt and do not become fewer', 'get-up', { hurtNow: 12 }],
  ['viewers are hurt and become more', 'get-up', { hurtNow: 12, trend: 'rising' }],
  ['viewers are just moving', 'cannot-tell', { hurtNow: 12, grewAt: NOW - 10_000, trend: null }],
  ['viewers become fewer', 'cannot-tell', { hurtNow: 2, trend: 'falling' }],
  [
    'some stay hurt for minutes',
    'get-up',
    { hurtNow: 2, trend: 'falling', grewAt: NOW - 4 * MINUTE_MS, hurtSince: NOW - 4 * MINUTE_MS },
  ],
  ['how many are hurt is not known', 'cannot-tell', { hurtNow: null }],
  ['the control room is cut off', 'cannot-tell', { blind: 'cut off' }],
  ['the rest does not carry what is asked now', 'get-up', { capacity: capacity({ restBps: 1e8 }) }],
  ['the rest does not carry a peak to come', 'decide', { capacity: capacity({ restBps: 5e8 }) }],
  [
    'the peak comes within the half hour',
    'get-up',
    { now: AT_TWO - 10 * MINUTE_MS, capacity: capacity({ restBps: 3e8 }) },
  ],
  ['no edge is left', 'get-up', { capacity: capacity({ restEdges: 0, restBps: 0 }) }],
  [
    'a capacity that matters is not known',
    'cannot-tell',
    { capacity: capacity({ restBps: 3e8, unknown: ['us-east'] }) },
  ],
  [
    'a capacity is not known and the others suffice',
    'sleep',
    { capacity: capacity({ unknown: ['us-east'] }) },
  ],
  [
    'no earlier week is stored',
    'cannot-tell',
    { capacity: capacity({ hours: [{ at: AT_TWO, peakBps: null }] }) },
  ],
  ['capacity could not be looked up', 'cannot-tell', { capacity: null }],
  [
    'no edge is out of service, whatever is known of capacity',
    'sleep',
    { capacity: capacity({ out: [], restBps: 0, unknown: ['us-east'], hours: [] }) },
  ],
  ['maintenance takes away what the peak needs', 'decide', { planned: [maintenance] }],
  ['maintenance that the rest can do without', 'sleep', { planned: [{ ...maintenance, capacityBps: 1e8 }] }],
]

describe('the verdict', () => {
  it.each(table)('when %s: %s', (_when, kind, part) => {
    const verdict = verdictOf(input(part))
    expect(verdict.class, verdict.reason).toBe(kind)
    expect(verdict.reason).not.toBe('')
    expect(verdict.decideBy === null).toBe(kind !== 'decide')
  })

  it('names the hour by which somebody has to decide, half an hour before it is needed', () => {
    const verdict = verdictOf(input({ capacity: capacity({ restBps: 5e8 }), zone: 'Europe/Berlin' }))
    expect(verdict.decideBy).toBe(AT_TWO + HOUR_MS - 30 * MINUTE_MS)
    expect(verdict.text).toBe('decide by 03:30')
    expect(verdict.reason).toBe('The remaining edges carry 500 Mbit/s; from 04:00 on 800 Mbit/s is usual.')
  })

  it('shows each input with its figure, and which are missing', () => {
    const { inputs } = verdictOf(input({ hurtNow: null, capacity: null }))
    expect(inputs.filter(({ missing }) => missing).map(({ name }) => name)).toEqual([
      'Viewers hurt now',
      'Edges left',
      'They carry',
      'Asked now',
      'Usual peak of the next 12 h',
    ])
    expect(verdictOf(input()).inputs.find(({ name }) => name === 'They carry')).toMatchObject({
      text: '1.0 Gbit/s',
      value: 1e9,
    })
  })
})
