import { expect, test } from 'vitest'
import type { ServerView } from '#wire'
import { effectOf, effectOfRelease } from './effect.ts'

const server = (id: string, part: Partial<ServerView> = {}): ServerView => ({
  id,
  region: id,
  role: 'edge',
  state: 'healthy',
  reason: '',
  since: 0,
  version: '',
  url: '',
  hostId: '',
  tags: {},
  override: null,
  pid: null,
  watching: 0,
  watchingEstimated: 0,
  agentSeen: null,
  weight: 1,
  sharePercent: 100,
  evidence: [],
  ...part,
})
const fleet = [server('eu', { watching: 12 }), server('us'), server('ap', { weight: 0 })]
const [eu = server('eu')] = fleet

test('a drain says how many viewers move, to where, and what becomes of the edge', () => {
  const text = effectOf('drain', eu, fleet)
  expect(text).toMatch(/^Its 12 viewers move to us, /)
  expect(text).not.toContain('ap')
  expect(text).toContain('draining until the last viewer has gone, then drained')
  expect(effectOf('drain', server('eu', { watching: 1 }), fleet)).toMatch(/^Its one viewer moves to us/)
  expect(effectOf('drain', server('eu'), fleet)).toMatch(
    /^Nobody watches through eu\. New viewers go to us\./,
  )
})

test('the last edge that works is said to keep its viewers', () => {
  const alone = [eu, server('us', { weight: 0 }), server('origin', { role: 'origin' })]
  for (const kind of ['drain', 'maintenance'] as const) {
    expect(effectOf(kind, eu, alone)).toMatch(/^No other edge takes viewers now/)
  }
})

test('keeping says that viewers come also while it serves badly', () => {
  expect(effectOf('keep', eu, fleet)).toContain(
    'its 12 viewers stay, and new ones come, also while it serves badly',
  )
})

test('an origin has no viewers: only its alerts fall silent', () => {
  expect(effectOf('maintenance', server('origin', { role: 'origin' }), fleet)).toBe(
    'Alerts on origin are silent. It goes on serving as it does now.',
  )
})

test('a release says what the witnesses will make of it', () => {
  expect(effectOfRelease(eu)).toContain('viewers come back')
  const word = { witness: 'agent', kind: 'inside', ok: false, text: 'stopped', at: 0 } as const
  expect(effectOfRelease({ ...eu, evidence: [word] })).toContain('one speaks against eu, so it may stay out')
  const override = { kind: 'keep', reason: 'x', by: 'ada', since: 0, expiresAt: null } as const
  expect(effectOfRelease({ ...eu, override, evidence: [word, word] })).toContain(
    'may lose its viewers at once',
  )
})
