import { expect, test } from 'vitest'
import {
  estimatedWords,
  eventText,
  partName,
  ratioText,
  shareText,
  stallWords,
  startWords,
} from './viewer-words.ts'

test('never says nothing of something, nor all of what is not all', () => {
  expect([0, 0.004, 0.5, 0.996, 1].map(shareText)).toEqual(['0%', '<1%', '50%', '>99%', '100%'])
  expect([0, 0.00004, 0.0042, 0.123].map(ratioText)).toEqual(['0%', '<0.01%', '0.42%', '12.3%'])
})

test('says the share of estimates beside each figure', () => {
  expect(estimatedWords({ watching: 8, estimated: 1 })).toBe('13% estimated')
  expect(estimatedWords({ watching: 8, estimated: 0 })).toBe('none estimated')
  expect(estimatedWords({ watching: 0, estimated: 0 })).toBe('')
})

test('calls events by what happened', () => {
  expect(eventText({ event: 'ps', state: 'rebuffering' })).toBe('rebuffering')
  expect(eventText({ event: 't', state: 'playing' })).toBe('report: playing')
  expect(eventText({ event: 'e', state: null })).toBe('error')
  expect(eventText({ event: 'zz', state: null })).toBe('zz')
  expect(partName('none')).toBe('not known')
})

test('tells a first frame that nobody timed from one that never came, and a stall of unknown length from none', () => {
  expect(startWords({ startTimeS: 0.25, attempt: 'started' })).toBe('250 ms')
  expect(startWords({ startTimeS: null, attempt: 'started' })).toBe('not told')
  expect(startWords({ startTimeS: null, attempt: 'starting' })).toBe('no frame yet')
  expect(startWords({ startTimeS: null, attempt: 'exit' })).toBe('no frame')
  expect(stallWords({ rebufferS: 0, rebuffers: 0 })).toBe('none')
  expect(stallWords({ rebufferS: 0, rebuffers: 2 })).toBe('length not known')
  expect(stallWords({ rebufferS: 1.13, rebuffers: 1 })).toBe('1.1 s')
})
