import { describe, expect, it } from 'vitest'
import type { IncidentView, Verdict } from '#wire'
import {
  briefState,
  confidenceText,
  feltWords,
  inListOrder,
  lostText,
  verdictText,
} from './incident-words.ts'

const verdict = (part: Partial<Verdict>): Verdict => ({
  class: 'sleep',
  text: 'you can sleep',
  decideBy: null,
  reason: '',
  inputs: [],
  at: 0,
  ...part,
})

describe('words of incidents', () => {
  it('give a deadline in the reader’s zone', () => {
    expect(verdictText(verdict({}), 'utc')).toBe('You can sleep')
    const decideBy = Date.UTC(2026, 0, 1, 2, 40)
    expect(verdictText(verdict({ class: 'decide', decideBy, text: 'decide by 03:40' }), 'utc')).toBe(
      'Decide by 02:40',
    )
  })

  it('say how much time viewers lost, and how sure the cause is', () => {
    expect([lostText(12), lostText(600), lostText(7500)]).toEqual(['12 s', '10 min', '2 h 05 min'])
    expect([confidenceText(0), confidenceText(0.7), confidenceText(0.95)]).toEqual([
      'no cause named',
      'likely, 70 %',
      'sure, 95 %',
    ])
  })

  it('list open ones first, the worst of them first', () => {
    const one = (
      id: string,
      kind: Verdict['class'],
      resolvedAt: number | null,
      openedAt: number,
    ): IncidentView => ({ id, resolvedAt, openedAt, verdict: verdict({ class: kind }) }) as IncidentView
    const list = [
      one('old', 'sleep', 5, 9),
      one('asleep', 'sleep', null, 3),
      one('up', 'get-up', null, 1),
      one('older', 'get-up', 4, 2),
    ]
    expect(inListOrder(list).map(({ id }) => id)).toEqual(['up', 'asleep', 'old', 'older'])
  })
})

it('says what viewers felt, and who is there to compare with', () => {
  const hurt = { server: 'ap-southeast', worst: 41.4, waitedS: 23, estimated: 0 }
  expect(feltWords(hurt, ['ap-southeast'])).toBe(
    'ap-southeast: its viewers waited 23 s; in the worst half minute 41 % of the time they wanted to watch.',
  )
  expect(feltWords({ server: 'us-east', worst: 0, waitedS: 0, estimated: 12.4 }, ['ap-southeast'])).toBe(
    'us-east, not concerned: its viewers did not wait. 12 % of their viewing time is estimated.',
  )
})

it('tells what a server did with its first reason, and leaves the rest to the timeline', () => {
  expect(
    briefState(
      'eu-west is drained: takes no new viewers by order of run 9: runbook restart-edge (run 9): drill',
    ),
  ).toBe('eu-west is drained: takes no new viewers by order of run 9')
  expect(briefState('eu-west is healthy: answers control')).toBe('eu-west is healthy: answers control')
  expect(briefState(`a is degraded: ${'slow '.repeat(60)}`)).toHaveLength(110)
})
