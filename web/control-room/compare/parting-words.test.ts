import { expect, test } from 'vitest'
import { partingMarks, partingText } from './parting-words.ts'

const AT_S = Date.UTC(2012, 5, 30, 23, 59, 59) / 1000
const wording = { unit: 'cores', zone: 'utc', untilMs: AT_S * 1000 + 60_000 } as const
const eu = { id: 'eu-west', before: 0.4, after: 0.01 }
const ap = { id: 'ap-southeast', before: 0.41, after: 1.98 }

test('tells the moment with its zone, who moved, and both levels', () => {
  const found = { kind: 'found', atS: AT_S, untilS: null, changes: [ap, eu] } as const
  expect(partingText(found, wording)).toBe(
    'ap-southeast and eu-west part at 23:59:59 UTC: ap-southeast rises from 0.41 cores to 1.98 cores, eu-west falls from 0.40 cores to 0.01 cores.',
  )
  expect(partingMarks(found, 'utc')).toEqual([
    { atMs: AT_S * 1000, colour: '--text', label: 'they part 23:59:59' },
  ])
})

test('tells who parts from many, who stays, when they meet again, and the day where it is another', () => {
  const rest = { id: null, before: 0.4, after: 0.41 }
  const found = { kind: 'found', atS: AT_S, untilS: AT_S + 90, changes: [eu, rest] } as const
  expect(partingText(found, { ...wording, untilMs: AT_S * 1000 + 2 * 86_400_000 })).toBe(
    'eu-west parts from the others at 30 Jun, 23:59:59 UTC: eu-west falls from 0.40 cores to 0.01 cores, the others stay at 0.41 cores. They meet again after 1 min 30 s.',
  )
  expect(partingMarks(found, 'utc')).toHaveLength(2)
})

test('says that none was found, and why', () => {
  expect(partingText({ kind: 'none', why: 'steady' }, wording)).toBe('No parting found in this window.')
  expect(partingText({ kind: 'none', why: 'too few samples' }, wording)).toMatch(/too few samples/)
  expect(partingMarks({ kind: 'none', why: 'steady' }, 'utc')).toEqual([])
  expect(partingText({ kind: 'ended', id: 'eu-west', atS: AT_S }, wording)).toMatch(
    /^eu-west has no samples after 23:59:59 UTC/,
  )
})
