import { describe, expect, it } from 'vitest'
import type { ProbeCell, ProbesAnswer } from '#wire'
import { cellState, detailOf, matrixOf } from './matrix.ts'

const now = 1_000_000
const ids = ['eu', 'us', 'ap']

function cell(observer: string, target: string, changes: Partial<ProbeCell> = {}): ProbeCell {
  const times = { connectMs: 1, tlsMs: null, httpMs: 4, pingMs: null }
  return { observer, target, at: now - 500, ok: true, ...times, problem: null, play: null, ...changes }
}
function answer(of: (observer: string, target: string) => Partial<ProbeCell>): ProbesAnswer {
  const observers = ['control', ...ids].map(id => ({ id, region: id }))
  const targets = ids.map(id => ({
    id,
    role: 'edge' as const,
    region: id,
    certificateDays: null,
    usedBytes: 0,
  }))
  const cells = observers.flatMap(({ id }) =>
    ids.filter(target => target !== id).map(target => cell(id, target, of(id, target))),
  )
  return { now, mesh: 'full', budgetBytes: 20e9, observers, targets, cells }
}
const lost = { ok: false, httpMs: null, problem: 'no answer in 1000 ms' }
const sentence = (of: Parameters<typeof answer>[0]) => matrixOf(answer(of)).sentence

describe('the sentence above the matrix', () => {
  it('says that all is well', () => {
    expect(sentence(() => ({}))).toEqual({ tone: 'healthy', text: 'Everybody reaches everybody.' })
  })

  it('takes a sick column for an edge, though it reaches nobody itself either', () => {
    const { tone, text } = sentence((observer, target) => (target === 'us' || observer === 'us' ? lost : {}))
    expect(tone).toBe('unreachable')
    expect(text).toMatch(/^us answers nobody: it is sick itself; us reaches nobody: this observer is sick/)
    expect(sentence((_, target) => (target === 'us' ? lost : {})).text).toBe(
      'us answers nobody: it is sick itself.',
    )
  })

  it('takes a sick row for an observer', () => {
    expect(sentence(observer => (observer === 'ap' ? lost : {}))).toEqual({
      tone: 'degraded',
      text: 'ap reaches nobody: this observer is sick, not those that it looks at.',
    })
  })

  it('takes a single cell for a path', () => {
    const { tone, text } = sentence((observer, target) => (observer === 'eu' && target === 'ap' ? lost : {}))
    expect(tone).toBe('degraded')
    expect(text).toBe('eu does not reach ap, others do: the path between them is sick.')
  })

  it('suspects the observers when nobody reaches anybody', () => {
    expect(sentence(() => lost).text).toMatch(/^Nobody reaches anybody/)
  })

  it('says when answers are no good to players', () => {
    const play = { ok: false, text: 'cannot play sample', at: now }
    expect(sentence((_, target) => (target === 'eu' ? { play } : {}))).toEqual({
      tone: 'degraded',
      text: 'Everybody answers; eu cannot be played from.',
    })
    const refused = { problem: 'certificate has expired' }
    expect(sentence((_, target) => (target === 'eu' ? refused : {})).text).toMatch(/eu is refused by players/)
  })

  it('believes nothing that is old', () => {
    expect(sentence(() => ({ at: now - 20_000 })).tone).toBe('resting')
  })
})

describe('the matrix', () => {
  it('has the worst first, both ways', () => {
    const { targets, observers } = matrixOf(
      answer((observer, target) => (observer === 'us' && target === 'ap' ? lost : {})),
    )
    expect(targets.map(({ id }) => id)[0]).toBe('ap')
    expect(observers.map(({ id }) => id).slice(0, 2)).toEqual(['us', 'control'])
  })

  it('tells four states of a cell, and all of one look in words', () => {
    expect(cellState(cell('a', 'b'), now)).toBe('well')
    expect(cellState(cell('a', 'b', lost), now)).toBe('lost')
    expect(cellState(cell('a', 'b', { problem: 'expired' }), now)).toBe('doubted')
    expect(cellState(cell('a', 'b', { at: 0 }), now)).toBe('old')
    expect(detailOf(cell('a', 'b', { tlsMs: 12.4, pingMs: 3 }))).toBe(
      'ping 3.0 ms · TCP connect 1.0 ms · TLS 12 ms · HTTP answer after 4.0 ms',
    )
    expect(detailOf(cell('a', 'b', { ...lost, connectMs: null }))).toBe(
      'no TCP connect · no HTTP answer · no answer in 1000 ms',
    )
  })
})
