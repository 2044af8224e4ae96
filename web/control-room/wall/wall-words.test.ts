import { expect, test } from 'vitest'
import type { WallRow } from '#wire'
import { offsetText, offsetWrong, sentenceOf, witnessText, worstRowsFirst } from './wall-words.ts'

const row = (id: string, part: Partial<WallRow> = {}): WallRow => ({
  id,
  name: id,
  region: id,
  state: 'healthy',
  reason: '',
  since: 0,
  watching: 0,
  throughputBps: null,
  capacityBps: null,
  cpu: [],
  clockOffsetS: null,
  normal: null,
  rebuffering: null,
  witnesses: [],
  ...part,
})
const said = (edges: WallRow[], others: Parameters<typeof sentenceOf>[0]['others'] = []): string => {
  const { head, wrong } = sentenceOf({ edges, others })
  return wrong === '' ? head : `${head}; ${wrong}`
}

test('the sentence says how many serve and how many watch', () => {
  expect(said([])).toBe('No edge has joined yet')
  expect(said([row('a')])).toBe('All 1 edge serves, nobody is watching')
  expect(said([row('a', { watching: 1 }), row('b')])).toBe('All 2 edges serve, one viewer is watching')
  expect(said([row('a', { watching: 30, watchingSimulated: 28 })])).toBe(
    'All 1 edge serves, 30 viewers are watching (28 simulated)',
  )
})

test('the sentence says what is wrong in words, the worst first, and counts the rest', () => {
  const slow = row('ap', { state: 'degraded', reason: 'serves badly: slow: 400 ms', watching: 9_000 })
  const gone = row('eu', {
    state: 'unreachable',
    reason: 'its process is stopped: no answer for 4.2 s',
    watching: 3,
  })
  expect(said([slow, row('us'), gone])).toBe(
    '2 of 3 edges serve, 9003 viewers are watching; eu is unreachable: its process is stopped; ap serves badly: slow',
  )
  const resting = row('sa', { state: 'maintenance', reason: 'disk' })
  expect(said([slow, gone, resting])).toMatch(/; one more is not healthy$/)
  expect(sentenceOf({ edges: [slow, resting], others: [] }).tone).toBe('degraded')
})

test('an origin that is ill is told too, before an edge that is less ill', () => {
  const origin = { id: 'origin', role: 'origin' as const, state: 'unreachable' as const, reason: 'silent' }
  expect(said([row('a', { state: 'drained' })], [origin])).toBe(
    '0 of 1 edge serves, nobody is watching; origin is unreachable: silent; a is drained',
  )
})

test('an edge that drains serves nobody new and is not counted as serving', () => {
  expect(said([row('a', { state: 'draining' }), row('b')])).toMatch(/^1 of 2 edges serve/)
})

test('rows stand worst first, then by viewers, and healthy ones keep their places', () => {
  const rows = [
    row('d', { watching: 50 }),
    row('c', { state: 'degraded', watching: 1 }),
    row('b', { state: 'degraded', watching: 2 }),
    row('a'),
    row('e', { state: 'unreachable' }),
  ]
  expect(worstRowsFirst(rows).map(({ id }) => id)).toEqual(['e', 'b', 'c', 'a', 'd'])
})

test('an offset has a sign, and is wrong in words beyond what the rule allows', () => {
  expect([null, 0, 0.0031, -0.25, 1.2, -61].map(offsetText)).toEqual([
    '–',
    '0 ms',
    '+3 ms',
    '−250 ms',
    '+1.20 s',
    '−61 s',
  ])
  expect([null, 0.05, -0.05].map(offsetWrong)).toEqual([null, null, null])
  expect([0.051, -1].map(offsetWrong)).toEqual(['clock is ahead', 'clock is behind'])
})

test('a witness says what it says, and how old that is', () => {
  const word = { kind: 'inside', says: 'against', text: 'the process is stopped', at: 1_000 } as const
  expect(witnessText(word, 6_000)).toBe('inside speaks against it, 5 s ago: the process is stopped')
  expect(witnessText(word, 1_000)).toMatch(/, just now:/)
  expect(witnessText({ ...word, says: 'unknown', at: null, text: 'not heard' }, 0)).toBe('inside: not heard')
})

test('tells the past in the past, and where nobody judged, that', () => {
  const edges = [
    row('eu-west', { state: 'unreachable', reason: 'process frozen', watching: 0 }),
    row('us-east'),
  ]
  const past = { at: 1, watched: 'yes' as const }
  expect(sentenceOf({ edges, others: [] }, past)).toMatchObject({
    head: '1 of 2 edges served, nobody was watching',
    wrong: 'eu-west was unreachable: process frozen',
  })
  const unknown = edges.map(edge => ({ ...edge, state: 'unknown' as const, watching: null }))
  const { head, tone } = sentenceOf({ edges: unknown, others: [] }, { at: 1, watched: 'no' })
  expect(head).toBe('How the fleet was is not known (2 edges were enrolled)')
  expect(tone).toBe('resting')
  expect(sentenceOf({ edges: [], others: [] }, past).head).toBe('No edge had joined by then')
})
