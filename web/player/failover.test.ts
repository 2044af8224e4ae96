import { expect, test } from 'vitest'
import { blamesEdge, EdgeMemory, RELOADS_MAX, recover } from './failover.ts'

const edges = ['eu-west', 'us-east', 'ap-southeast']

test('moves to the first edge of the table that did not fail', () => {
  const memory = new EdgeMemory()
  memory.failed('eu-west', 1_000)
  expect(memory.next('eu-west', edges, 1_000)).toBe('us-east')
})

test('a second edge that fails leads to the third, not back to the first', () => {
  const memory = new EdgeMemory()
  memory.failed('eu-west', 1_000)
  memory.failed('us-east', 5_000)
  expect(memory.next('us-east', edges, 5_000)).toBe('ap-southeast')
})

test('does not move in circles when every edge failed a moment ago', () => {
  const memory = new EdgeMemory()
  for (const edge of edges) memory.failed(edge, 1_000)
  expect(memory.next('ap-southeast', edges, 1_001)).toBeNull()
})

test('an edge that came back is usable again after 15 s, not after the 300 s of hls.js', () => {
  const memory = new EdgeMemory()
  memory.failed('eu-west', 0)
  expect(memory.order(edges, 14_999)).toEqual(['us-east', 'ap-southeast', 'eu-west'])
  expect(memory.order(edges, 15_000)).toEqual(edges)
})

test('an edge that fails again after its pause is avoided for twice as long, up to a minute', () => {
  const memory = new EdgeMemory()
  memory.failed('eu-west', 0)
  memory.failed('eu-west', 16_000)
  expect(memory.avoided('eu-west', 45_999)).toBe(true)
  expect(memory.avoided('eu-west', 46_000)).toBe(false)
  memory.failed('eu-west', 46_000)
  memory.failed('eu-west', 107_000)
  expect(memory.avoided('eu-west', 166_999)).toBe(true)
  expect(memory.avoided('eu-west', 167_000)).toBe(false)
})

test('several time-outs of one freeze count as one failure', () => {
  const memory = new EdgeMemory()
  memory.failed('eu-west', 0)
  memory.failed('eu-west', 20)
  expect(memory.avoided('eu-west', 15_020)).toBe(false)
})

test('blames the edge for silence, no connection and 5xx, but not for 404', () => {
  expect(blamesEdge({ status: 0, timedOut: true })).toBe(true)
  expect(blamesEdge({ status: undefined, timedOut: false })).toBe(true)
  expect(blamesEdge({ status: 503, timedOut: false })).toBe(true)
  expect(blamesEdge({ status: 404, timedOut: false })).toBe(false)
})

test('reloads from another edge at once, then with growing pauses, five times at most, round the table', () => {
  const memory = new EdgeMemory()
  let lastEdge = 'eu-west'
  let nowMs = 0
  const asked: (string | null)[] = []
  const delays: (number | null)[] = []
  for (let attempt = 0; attempt <= RELOADS_MAX; attempt += 1) {
    nowMs += 3_000
    memory.failed(lastEdge, nowMs)
    const step = recover(
      { attempt, restarts: 0, bufferedAheadS: 0, hasPathways: true, lastEdge, edges },
      memory,
      nowMs,
    )
    delays.push(step.kind === 'give-up' ? null : step.delayMs)
    if (step.kind !== 'reload') continue
    asked.push(step.edge)
    lastEdge = step.edge ?? lastEdge
  }
  expect(delays).toEqual([0, 500, 1_000, 2_000, 4_000, null])
  expect(asked).toEqual(['us-east', 'ap-southeast', 'eu-west', 'us-east', 'ap-southeast'])
})

test('keeps the picture that is buffered: restarts in place before it reloads', () => {
  const facts = { attempt: 0, restarts: 0, bufferedAheadS: 12, hasPathways: true, lastEdge: 'eu-west', edges }
  expect(recover(facts, new EdgeMemory(), 0).kind).toBe('restart')
  expect(recover({ ...facts, restarts: 9 }, new EdgeMemory(), 0).kind).toBe('restart')
  expect(recover({ ...facts, bufferedAheadS: 3 }, new EdgeMemory(), 0).kind).toBe('reload')
  expect(recover({ ...facts, restarts: 10 }, new EdgeMemory(), 0).kind).toBe('reload')
  expect(recover({ ...facts, hasPathways: false }, new EdgeMemory(), 0).kind).toBe('reload')
})

test('reloads from the page itself when no edge is known', () => {
  const facts = { attempt: 0, restarts: 0, bufferedAheadS: 0, hasPathways: false, lastEdge: null, edges: [] }
  expect(recover(facts, new EdgeMemory(), 0)).toEqual({ kind: 'reload', delayMs: 0, edge: null })
})
