import { describe, expect, it } from 'vitest'
import { type StoredFact, withTimes } from '../state/facts.ts'
import { distance, figuresOf } from './behaviour.ts'
import { type PairSide, pairFacts } from './pair-facts.ts'

function side(facts: readonly StoredFact[], firstAt = 1000): PairSide {
  const stored = { version: 1, sha256: '', at: firstAt, toldAt: firstAt, firstAt, facts }
  return { region: 'r', tags: {}, facts: stored }
}

describe('two sets of facts', () => {
  it('give differences only, newest first, packages apart and counted, and the number of what is equal', () => {
    const a = side([
      ['kernel', 'linux', '6.1.0-25', 5000],
      ['version', 'node', 'v22', null],
      ['package', 'openssl', '3.0.16', 7000],
      ['package', 'htop', '3.2', null],
      ['package', 'bash', '5.2', null],
    ])
    const b = side([
      ['kernel', 'linux', '6.1.0-21', null],
      ['version', 'node', 'v22', null],
      ['package', 'openssl', '3.0.15', null],
      ['package', 'bash', '5.2', null],
      ['package', 'nginx', '1.22', 9000],
      ['time-source', 'daemon', 'chronyd', 8000],
    ])
    const { differences, packages, equal } = pairFacts(a, b)
    expect(differences.map(({ subject, since }) => [subject, since])).toEqual([
      ['daemon', 8000],
      ['linux', 5000],
    ])
    expect(packages.otherVersion).toEqual({
      total: 1,
      list: [{ kind: 'package', subject: 'openssl', a: '3.0.16', b: '3.0.15', since: 7000 }],
    })
    expect(packages.onlyA.list.map(({ subject, since }) => [subject, since])).toEqual([['htop', null]])
    expect(packages.onlyB.list.map(({ subject }) => subject)).toEqual(['nginx'])
    expect(equal).toEqual({ version: 1, package: 1, tag: 1 })
  })

  it('say since when only where the younger change is known', () => {
    const kernel = (value: string, since: number | null): StoredFact => ['kernel', 'linux', value, since]
    const since = (a: PairSide, b: PairSide): unknown => pairFacts(a, b).differences[0]?.since
    expect(since(side([kernel('1', 5000)]), side([kernel('2', 6000)]))).toBe(6000)
    expect(since(side([kernel('1', null)]), side([kernel('2', null)]))).toBeNull()
    // B was not looked at before 8000: it may have changed after A did.
    expect(since(side([kernel('1', 5000)]), side([kernel('2', null)], 8000))).toBeNull()
    expect(since(side([kernel('1', 9000)]), side([kernel('2', null)], 8000))).toBe(9000)
  })

  it('compare files by name and certificates by the day on which they end', () => {
    const a = side([
      ['configuration', '/srv/a/edge.yaml', 'aaa', null],
      ['certificate', '/srv/a/cert.pem', 'f1 until Nov 22 10:00:00 2027 GMT', null],
    ])
    const b = side([
      ['configuration', '/srv/b/edge.yaml', 'aaa', null],
      ['certificate', '/srv/b/cert.pem', 'f2 until Nov 22 18:00:00 2027 GMT', null],
    ])
    expect(pairFacts(a, b)).toMatchObject({ differences: [], equal: { configuration: 1, certificate: 1 } })
    const renewed = side([['certificate', '/srv/b/cert.pem', 'f3 until Jan  2 18:00:00 2028 GMT', 99]])
    expect(pairFacts(a, renewed).differences.map(({ subject }) => subject)).toEqual(
      ['edge.yaml', 'cert.pem'].toReversed(),
    )
  })

  it('of which one is not known differ in what people said alone, and a list of thousands is cut and counted', () => {
    const none: PairSide = { region: 'x', tags: { capacityBps: 8e8 }, facts: null }
    expect(pairFacts(side([['kernel', 'linux', '1', null]]), none).differences).toEqual([
      { kind: 'tag', subject: 'capacity', a: null, b: '800 Mb/s', since: null },
      { kind: 'tag', subject: 'region', a: 'r', b: 'x', since: null },
    ])
    const many = Array.from({ length: 3000 }, (_, at): StoredFact => ['package', `p${at}`, '1', null])
    const { onlyA } = pairFacts(side(many), side([['package', 'x', '1', null]])).packages
    expect([onlyA.total, onlyA.list.length]).toEqual([3000, 1000])
  })
})

describe('the time since which a fact is so', () => {
  it('is kept while it is the same, set when it changes, and known of what is gone', () => {
    const at = (): number => 500
    const first = withTimes(
      null,
      [
        ['kernel', 'linux', '1'],
        ['package', 'vim', '9'],
      ],
      at,
    )
    expect(first).toEqual([
      ['kernel', 'linux', '1', null],
      ['package', 'vim', '9', null],
    ])
    const next = withTimes(
      first,
      [
        ['kernel', 'linux', '2'],
        ['hardware', 'processors', '4'],
        ['package', 'mc', '4'],
      ],
      at,
    )
    expect(next).toEqual([
      ['kernel', 'linux', '2', 500],
      ['hardware', 'processors', '4', null],
      ['package', 'mc', '4', 500],
      ['package', 'vim', null, 500],
    ])
    // What is gone stays gone since then; what comes back is new.
    const later = withTimes(
      next,
      [
        ['kernel', 'linux', '2'],
        ['package', 'vim', '9'],
      ],
      () => 900,
    )
    expect(later).toEqual([
      ['kernel', 'linux', '2', 500],
      ['package', 'vim', '9', 900],
      ['hardware', 'processors', null, 900],
      ['package', 'mc', null, 900],
    ])
  })
})

describe('how far two behaviours are apart', () => {
  const of = (...minutes: readonly number[]): ReturnType<typeof figuresOf> => figuresOf(minutes)
  it('is told by medians of enough minutes, and one wild minute changes nothing', () => {
    expect(of(1, 2, 3, 4, 100)).toEqual({ median: 3, low: 2, high: 4, n: 5 })
    expect(distance(of(1, 1, 1, 1, 90), of(3, 3, 3, 3, 3), 0.01).apart).toBe('far')
    expect(distance(of(1, 1, 1, 1, 90), of(1.1, 1, 1, 1, 1), 0.01).apart).toBe('near')
    expect(distance(of(1, 1, 1, 1, 1), of(1.6, 1.5, 1.5, 1.5, 1.5), 0.01).apart).toBe('some')
  })

  it('is unknown with few minutes or none, near where the minutes overlap, and no wonder next to nothing', () => {
    expect(distance(of(1, 1), of(9, 9, 9, 9, 9), 0.01)).toEqual({ apart: 'unknown', times: null })
    expect(distance(of(), of(9, 9, 9, 9, 9), 0.01).apart).toBe('unknown')
    expect(distance(of(1, 1, 5, 9, 9), of(4, 4, 11, 12, 12), 0.01).apart).toBe('near')
    expect(distance(of(0, 0, 0, 0, 0), of(0.001, 0.001, 0.001, 0.001, 0.001), 0.005).apart).toBe('near')
    // Offsets with a sign: 20 ms ahead and 20 ms behind are 40 ms apart.
    expect(
      distance(of(0.02, 0.02, 0.02, 0.02, 0.02), of(-0.02, -0.02, -0.02, -0.02, -0.02), 0.005).apart,
    ).toBe('far')
  })
})
