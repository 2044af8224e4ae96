import { describe, expect, it } from 'vitest'
import type { BehaviourDifference } from '#wire'
import { apartText, equalText, filtered, readPair } from './diff-words.ts'

const fleet = [
  { id: 'ap', role: 'edge' },
  { id: 'eu', role: 'edge' },
  { id: 'control', role: 'control' },
]

describe('the page of two servers', () => {
  it('takes the pair from its address, and makes up for what is not there', () => {
    const pair = (text: string): unknown => readPair(new URLSearchParams(text), fleet)
    expect(pair('a=eu&b=ap')).toEqual({ a: 'eu', b: 'ap' })
    expect(pair('')).toEqual({ a: 'ap', b: 'eu' })
    expect(pair('b=ap')).toEqual({ a: 'eu', b: 'ap' })
    expect(pair('a=nobody&b=eu')).toEqual({ a: 'ap', b: 'eu' })
    expect(pair('a=control')).toEqual({ a: 'ap', b: 'eu' })
    expect(readPair(new URLSearchParams('a=eu'), fleet.slice(1))).toBeNull()
  })

  it('says what is equal, most first', () => {
    expect(equalText({ kernel: 1, package: 312, configuration: 1 })).toBe(
      'Equal: 312 packages, kernel and configuration.',
    )
    expect(equalText({ kernel: 1 })).toBe('Equal: kernel.')
    expect(equalText({})).toBeNull()
  })

  it('says how far figures are apart and on which side there is more, or why it cannot', () => {
    const of = (median: number, n = 60): NonNullable<BehaviourDifference['a']> => ({
      median,
      low: median,
      high: median,
      n,
    })
    const metric = { id: 'cpu', title: 'CPU', note: '', unit: 'cores' } as const
    const names = ['eu', 'ap'] as const
    expect(apartText({ ...metric, a: of(1), b: of(4), apart: 'far', times: 4 }, names)).toBe(
      '4.0 times, more on ap',
    )
    expect(apartText({ ...metric, a: of(1), b: of(1), apart: 'near', times: 1 }, names)).toBe('alike')
    expect(apartText({ ...metric, a: of(1, 3), b: null, apart: 'unknown', times: null }, names)).toBe(
      'too few minutes: 3 of eu, none of ap',
    )
  })

  it('filters packages by name and version', () => {
    const list = [
      { kind: 'package', subject: 'openssl', a: '3.0.15', b: '3.0.16', since: null },
      { kind: 'package', subject: 'curl', a: '8.1', b: null, since: null },
    ] as const
    expect(filtered(list, ' SSL ').map(({ subject }) => subject)).toEqual(['openssl'])
    expect(filtered(list, '8.1').map(({ subject }) => subject)).toEqual(['curl'])
    expect(filtered(list, '')).toHaveLength(2)
  })
})
