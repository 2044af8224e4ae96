import { describe, expect, it } from 'vitest'
import type { SteeringInput } from '#wire'
import { pathwayReason } from './pathway-words.ts'
import { differences } from './version-words.ts'

function input(id: string, part: Partial<SteeringInput> = {}): SteeringInput {
  return {
    id,
    region: id,
    url: `http://${id}`,
    state: 'healthy',
    reason: 'answers',
    doubts: 0,
    sessions: 0,
    order: null,
    share: 1,
    capacity: null,
    throughputBps: null,
    capacityLeftBps: null,
    weight: 1,
    keep: 1,
    why: 'healthy',
    ...part,
  }
}
const gone = { weight: 0, keep: 0, why: 'unreachable', reason: 'process frozen' }
const decision = (...inputs: SteeringInput[]) => ({ inputs, foreign: [] })

describe('what differed', () => {
  it('names every edge at first, then only what changed, losses first', () => {
    expect(differences(null, decision(input('a')))).toEqual(['a is in the table: weight 1, healthy'])
    const after = decision(input('a', { share: 0.1 }), input('b', gone), input('c', { url: 'http://other' }))
    expect(differences(decision(input('a'), input('b'), input('c'), input('d')), after)).toEqual([
      'b: weight 1 → 0: unreachable (process frozen)',
      'd left the table',
      'a: 10 % of new sessions at most, before 100 %',
      'c is reached at http://other now',
    ])
    expect(differences(decision(input('a')), decision(input('a')))).toEqual([])
  })

  it('says that viewers stay on an edge that is only full', () => {
    const full = input('a', { weight: 0, why: 'healthy; full' })
    expect(differences(decision(input('a')), decision(full))[0]).toBe(
      'a: weight 1 → 0, viewers stay: healthy; full (answers)',
    )
  })

  it('names foreign servers that begin, change and end', () => {
    const cdn = { id: 'cdn', region: 'r', url: 'u', weight: 2 }
    const none = decision()
    expect(differences(none, { inputs: [], foreign: [cdn] })).toEqual([
      'foreign server cdn takes new viewers: weight 2',
    ])
    expect(
      differences({ inputs: [], foreign: [cdn] }, { inputs: [], foreign: [{ ...cdn, weight: 1 }] }),
    ).toEqual(['foreign server cdn: weight 2 → 1'])
    expect(differences({ inputs: [], foreign: [cdn] }, none)).toEqual([
      'foreign server cdn takes no new viewers any more',
    ])
  })
})

describe('why a session moved', () => {
  const move = { edge: 'b', from: 'a', at: 1000 }
  const well = { version: 7, inputs: [input('a'), input('b')] }

  it('is the table where it took the edge before out', () => {
    const seen = { version: 8, inputs: [input('a', gone), input('b')] }
    expect(pathwayReason(move, seen, [])).toBe(
      'a had weight 0, unreachable (process frozen); b had weight 1, healthy',
    )
  })

  it('is the player itself where the table kept it, and what the table said soon after', () => {
    expect(pathwayReason(move, well, [])).toBe(
      'the player left a by itself: the table kept it there (healthy); b had weight 1, healthy',
    )
    const later = { version: 8, at: 3100, until: null, changes: [], inputs: [input('a', gone), input('b')] }
    expect(pathwayReason(move, well, [later])).toBe(
      'the player left a by itself; 2.1 s later version 8 said why: a had weight 0, unreachable (process frozen)',
    )
  })

  it('is not known when the table is not kept any more', () => {
    expect(pathwayReason(move, null, [])).toMatch(/not kept/)
    expect(pathwayReason({ ...move, from: null }, { version: 7, inputs: [input('b')] }, [])).toBe(
      'came in: b had weight 1, healthy; no other edge took new viewers',
    )
  })
})
