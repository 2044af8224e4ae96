import { expect, test } from 'vitest'
import type { SessionView, ViewerSessionAnswer } from '#wire'
import { bandAt, edgeBands, stateBands, withSaid } from './session-line.ts'

const session: SessionView = {
  sid: 'a',
  title: 'film',
  estimated: false,
  startedAt: 0,
  lastAt: 200_000,
  endedAt: null,
  state: 'playing',
  attempt: 'started',
  startTimeS: 2,
  watchedS: 1,
  rebufferS: 0,
  rebuffers: 0,
  bitrateBps: null,
  bitratePeakBps: null,
  switches: 0,
  errors: 0,
  viewerRegion: null,
  player: null,
  viewerRef: null,
  viewerRefIs: null,
  grantRefused: null,
  edges: [],
  unattributedS: 0,
  stalls: [],
}
type Said = ViewerSessionAnswer['timeline'][number]
const said = (s: number, state: Said['state'], more: Partial<Said> = {}): Said => ({
  at: s * 1000,
  event: 'ps',
  state,
  bufferS: null,
  bitrateBps: null,
  ...more,
})

test('a state holds until the next word, a report goes on with it, and silence is a hole', () => {
  const timeline = [said(0, 'starting'), said(2, 'playing'), said(12, null), said(150, 'rebuffering')]
  const bands = stateBands({ session, timeline })
  expect(bands).toEqual([
    { name: 'starting', fromMs: 0, toMs: 2000 },
    { name: 'playing', fromMs: 2000, toMs: 102_000 },
    { name: 'rebuffering', fromMs: 150_000, toMs: 200_000 },
  ])
  expect([bandAt(bands, 1000), bandAt(bands, 120_000)]).toEqual(['starting', null])
})

test('what has ended is no band', () => {
  const timeline = [said(0, 'playing'), said(9, 'quit')]
  expect(stateBands({ session, timeline })).toEqual([{ name: 'playing', fromMs: 0, toMs: 9000 }])
})

test('an estimated session plays but for its stalls', () => {
  const stall = { at: 10_000, seconds: 3, edge: null, blame: 'unknown' as const, evidence: '' }
  const bands = stateBands({
    session: { ...session, estimated: true, lastAt: 20_000, stalls: [stall] },
    timeline: [],
  })
  expect(bands.map(({ name, toMs }) => `${name} ${toMs}`)).toEqual([
    'starting 2000',
    'playing 10000',
    'rebuffering 13000',
    'playing 20000',
  ])
})

test('an edge feeds until the next one does', () => {
  const edges: SessionView['edges'] = [
    { id: 'eu-west', fromAt: 0, toAt: 5000, by: 'cmsd' },
    { id: 'us-east', fromAt: 8000, toAt: 9000, by: 'host' },
  ]
  const bands = edgeBands({ ...session, edges, lastAt: 30_000 })
  expect(bands.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([
    [0, 8000],
    [8000, 30_000],
  ])
})

test('what was said stands in its own cell, and a bitrate until the next', () => {
  const grid = { startS: 0, stepS: 1, length: 6, columns: new Map([['cpu/a', [1, 1, 1, 1, 1, 1]]]) }
  const answer: ViewerSessionAnswer = {
    now: 0,
    session: { ...session, lastAt: 4000 },
    timeline: [
      said(1, 'playing', { bufferS: 4, bitrateBps: 100 }),
      said(3, null, { bufferS: 2, bitrateBps: 200 }),
    ],
    answers: [],
    complete: true,
    lastError: null,
    network: null,
    records: { events: 2, requests: 0, duplicates: 0, late: 0 },
    clockOffsetMs: 0,
  }
  const { columns } = withSaid(grid, answer)
  expect(columns.get('buffer')).toEqual([null, 4, null, 2, null, null])
  expect(columns.get('bitrate')).toEqual([null, 100, 100, 200, 200, null])
  expect(columns.get('cpu/a')).toHaveLength(6)
})
