import { describe, expect, it } from 'vitest'
import type { SelfStep } from '#wire'
import type { Door, DoorAddress } from './door.ts'
import { certificateVerdict, dnsVerdict, selfVerdict } from './verdict.ts'
import { chooseWarmTitles } from './warm-titles.ts'

const at = (address: string, part: Partial<DoorAddress> = {}): DoorAddress => ({
  address,
  edge: 'sa-east',
  problem: null,
  isOutOfReach: false,
  certificate: { problem: null, daysLeft: 60, issuer: 'A Public CA', chain: 3 },
  ...part,
})
const door = (addresses: readonly DoorAddress[], part: Partial<Door> = {}): Door => ({
  host: 'sa-east.example.org',
  isLiteral: false,
  isTls: true,
  unresolved: null,
  addresses,
  ...part,
})

describe('DNS equals address', () => {
  it('passes when the edge itself answers at every address, wherever its own connections come from', () => {
    expect(dnsVerdict(door([at('203.0.113.5')]), 'sa-east', '::ffff:203.0.113.5')).toMatchObject({
      state: 'passed',
      text: 'sa-east.example.org is 203.0.113.5, where sa-east answers.',
    })
    expect(dnsVerdict(door([at('203.0.113.5')]), 'sa-east', '10.0.0.3').text).toContain('come from 10.0.0.3')
  })

  it('fails when another edge, nobody of ours, or nothing answers at one of them', () => {
    const other = dnsVerdict(
      door([at('203.0.113.5'), at('203.0.113.9', { edge: 'us-east' })]),
      'sa-east',
      null,
    )
    expect(other).toMatchObject({ state: 'failed' })
    expect(other.text).toContain('203.0.113.9, which answers as us-east')
    const stranger = dnsVerdict(door([at('203.0.113.5', { edge: null })]), 'sa-east', null)
    expect(stranger.text).toContain('somebody who is no edge of Vitrine')
    const silent = at('203.0.113.5', { edge: null, problem: 'connect ECONNREFUSED' })
    expect(dnsVerdict(door([silent]), 'sa-east', null)).toMatchObject({ state: 'failed' })
  })

  it('names the address for the record when the name does not resolve', () => {
    const verdict = dnsVerdict(door([], { unresolved: 'ENOTFOUND' }), 'sa-east', '203.0.113.5')
    expect(verdict).toMatchObject({ state: 'failed', advice: expect.stringContaining('holds 203.0.113.5') })
    expect(dnsVerdict(door([], { unresolved: 'ENOTFOUND' }), 'sa-east', '127.0.0.1').advice).toContain(
      'public address',
    )
  })

  it('leaves out IPv6 where the control room has none, unless there is nothing else', () => {
    const v6 = at('2001:db8::1', { edge: null, isOutOfReach: true, problem: 'ENETUNREACH' })
    expect(dnsVerdict(door([at('203.0.113.5'), v6]), 'sa-east', null)).toMatchObject({
      state: 'passed',
      text: expect.stringContaining('2001:db8::1 could not be tried'),
    })
    expect(dnsVerdict(door([v6]), 'sa-east', null).state).toBe('failed')
  })

  it('says plainly what a literal or a loopback address is', () => {
    const literal = door([at('203.0.113.5')], { host: '203.0.113.5', isLiteral: true })
    expect(dnsVerdict(literal, 'sa-east', null).text).toContain('a literal address')
    const loopback = door([at('127.0.0.1')], { host: '127.0.0.1', isLiteral: true })
    expect(dnsVerdict(loopback, 'sa-east', null).text).toContain('for this machine alone')
  })
})

describe('certificate', () => {
  const certificate = { problem: null, daysLeft: 60, issuer: 'A Public CA', chain: 3 }
  it('passes with days left, warns when they are few, fails when it ends or viewers refuse it', () => {
    expect(certificateVerdict(door([at('a')]))).toMatchObject({ state: 'passed', advice: null })
    expect(
      certificateVerdict(door([at('a', { certificate: { ...certificate, daysLeft: 12 } })])),
    ).toMatchObject({
      state: 'passed',
      advice: 'Renew it soon.',
    })
    expect(certificateVerdict(door([at('a', { certificate: { ...certificate, daysLeft: 3 } })])).state).toBe(
      'failed',
    )
    const refused = at('b', { certificate: { ...certificate, problem: 'self-signed certificate' } })
    expect(certificateVerdict(door([at('a'), refused])).text).toContain('Viewers refuse it: self-signed')
    expect(certificateVerdict(door([at('a', { certificate: null })])).state).toBe('failed')
  })
  it('is not needed on loopback, and missed elsewhere', () => {
    expect(certificateVerdict(door([], { host: '127.0.0.1', isTls: false })).state).toBe('passed')
    expect(certificateVerdict(door([], { host: 'a.example', isTls: false })).state).toBe('failed')
  })
})

describe('what an edge measured itself', () => {
  const verdict = (step: SelfStep): string | undefined => selfVerdict(step, 8e6, 'those')?.state
  it('is judged by its figures', () => {
    const passed = { state: 'passed', problem: null } as const
    expect(verdict({ ...passed, step: 'clock', offsetMs: -49 })).toBe('passed')
    expect(verdict({ ...passed, step: 'clock', offsetMs: 51 })).toBe('failed')
    expect(verdict({ ...passed, step: 'disk', bytes: 64e6, ms: 3000 })).toBe('passed')
    expect(verdict({ ...passed, step: 'disk', bytes: 4e6, ms: 3000 })).toBe('failed')
    expect(verdict({ ...passed, step: 'origin', bytes: 6e6, ms: 3000, firstByteMs: 10 })).toBe('passed')
    expect(verdict({ ...passed, step: 'origin', bytes: 5e6, ms: 3000, firstByteMs: 10 })).toBe('failed')
    expect(verdict({ ...passed, step: 'origin', bytes: 60e6, ms: 3000, firstByteMs: 1500 })).toBe('failed')
    expect(verdict({ ...passed, step: 'origin' })).toBe('failed')
    expect(verdict({ step: 'warm', state: 'failed', problem: 'x' })).toBe('failed')
    expect(verdict({ step: 'disk', state: 'skipped', problem: 'viewers' })).toBe('skipped')
    expect(verdict({ step: 'disk', state: 'running', problem: null })).toBeUndefined()
  })
})

describe('titles to fetch beforehand', () => {
  const titles = ['a', 'b', 'c'].map(id => ({
    id,
    name: id,
    class: 'vod' as const,
    state: id === 'c' ? ('broken' as const) : ('ready' as const),
    reason: null,
    durationMs: 1,
    revision: 'r',
    renditions: [],
  }))
  it('are those of the region, else of the fleet, else of the library, and never one that cannot play', () => {
    const ids = (inRegion: readonly string[], inFleet: readonly string[]): readonly string[] =>
      chooseWarmTitles({ region: 'r', titles, inRegion, inFleet }).ids
    expect(ids(['b', 'c'], ['a'])).toEqual(['b'])
    expect(ids(['gone'], ['a'])).toEqual(['a'])
    expect(ids([], [])).toEqual(['a', 'b'])
    expect(chooseWarmTitles({ region: 'r', titles: [], inRegion: [], inFleet: [] }).ids).toEqual([])
  })
})
