// The comparison: exact tails, sessions that count once, what is found, what is not called ill, and what survives.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Comparison, type EdgeVerdict } from './comparison.ts'
import { DistinctWindow, NEVER, TURNS_MAX } from './distinct-window.ts'
import { alphaOf, testEdge } from './edge-test.ts'
import { History } from './history.ts'
import { cellAt, channels, type EdgeCounts, TURN_MS } from './measures.ts'
import { logGamma, tailOf } from './tail.ts'
import { wordsOf } from './verdict-words.ts'

const START = Date.UTC(2027, 2, 4, 12)
const SEED = 20_270_304

interface Share {
  readonly n: number
  readonly hit: number
}

/** All in one stratum; the hit of five minutes are three times those of one. */
function countsOf({ n, hit }: Share): EdgeCounts {
  const cells = new Float64Array(channels.length * 2)
  for (const [at, { measure, turns }] of channels.entries()) {
    if (measure !== 'rebuffering') continue
    cells[cellAt(0, at)] = n
    cells[cellAt(0, at) + 1] = Math.min(n, turns > 12 ? 3 * hit : hit)
  }
  return { cells, entries: 1 }
}

class Fleet {
  readonly comparison: Comparison = new Comparison()
  nowMs = START

  turns(many: number, edges: Readonly<Record<string, Share>>): ReadonlyMap<string, EdgeVerdict> {
    let verdicts: ReadonlyMap<string, EdgeVerdict> = new Map()
    for (let turn = 0; turn < many; turn += 1) {
      this.nowMs += TURN_MS
      const counts = new Map(Object.entries(edges).map(([edge, share]) => [edge, countsOf(share)]))
      verdicts = this.comparison.turn(this.nowMs, counts)
    }
    return verdicts
  }
}

const HOUR = 720
const USUAL = {
  a: { n: 200, hit: 6 },
  b: { n: 200, hit: 6 },
  c: { n: 200, hit: 6 },
  poor: { n: 200, hit: 50 },
}

describe('the tail', () => {
  it('is that of the beta-binomial distribution, summed term by term', () => {
    const direct = (k: number, n: number, p: number, known: number): number => {
      const [a, b] = [p * known + 0.5, (1 - p) * known + 0.5]
      const logBeta = (x: number, y: number): number => logGamma(x) + logGamma(y) - logGamma(x + y)
      let sum = 0
      for (let j = k; j <= n; j += 1) {
        const choose = logGamma(n + 1) - logGamma(j + 1) - logGamma(n - j + 1)
        sum += Math.exp(choose + logBeta(j + a, n - j + b) - logBeta(a, b))
      }
      return sum
    }
    const shares = fc.record({
      n: fc.integer({ min: 1, max: 300 }),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      p: fc.double({ min: 0.001, max: 0.9, noNaN: true }),
      known: fc.integer({ min: 20, max: 5000 }),
    })
    fc.assert(
      fc.property(shares, ({ n, at, p, known }) => {
        const k = Math.ceil(at * n)
        const tail = tailOf(k, n, { p, known })
        const sum = direct(k, n, p, known)
        if (tail === 1) expect(k).toBeLessThanOrEqual((n * (p * known + 0.5)) / (known + 1))
        else expect(Math.abs(tail - sum)).toBeLessThanOrEqual(1e-6 * sum + 1e-15)
      }),
      { seed: SEED },
    )
  })

  it('gamma of whole numbers is a factorial', () => {
    for (const [n, factorial] of [
      [1, 1],
      [2, 1],
      [5, 24],
      [11, 3_628_800],
    ] as const)
      expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 10)
  })
})

describe('a window', () => {
  it('counts each session once, whatever happens to it, as a set of the last turns would', () => {
    const steps = fc.array(fc.record({ sid: fc.nat(9), skip: fc.constantFrom(0, 0, 0, 1, 5, 70) }), {
      maxLength: 300,
    })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: TURNS_MAX }), (all, turns) => {
        const window = new DistinctWindow()
        const last = new Map<number, number>()
        let turn = 0
        for (const { sid, skip } of all) {
          turn += skip
          window.advance(turn)
          last.set(sid, window.happens(last.get(sid) ?? NEVER))
          expect(last.get(sid)).toBe(turn)
          const expected = [...last.values()].filter(at => at > turn - turns).length
          expect(window.count(turns)).toBe(expected)
        }
      }),
      { seed: SEED },
    )
  })
})

describe('edges compared', () => {
  it('one that becomes worse than its peers and its past is found; one that always was is not', () => {
    const fleet = new Fleet()
    const before = fleet.turns(HOUR, USUAL)
    expect([...before.values()].map(({ says }) => says)).toEqual(['usual', 'usual', 'usual', 'usual'])
    const after = fleet.turns(1, { ...USUAL, a: { n: 200, hit: 60 } })
    expect([...after].filter(([, { says }]) => says === 'against').map(([edge]) => edge)).toEqual(['a'])
    const verdict = after.get('a')
    if (verdict === undefined) throw new Error('a has no verdict')
    expect(wordsOf(verdict)).toMatch(
      /^60 of 200 viewers stalled within 1 min; 6\.0 expected by its peers and its own past \(p = \de-\d+\)$/,
    )
  })

  it('what all edges go through speaks against none: neither a share more, nor the same times more', () => {
    for (const [good, poor] of [
      [60, 104],
      [18, 150],
    ] as const) {
      const fleet = new Fleet()
      fleet.turns(HOUR, USUAL)
      const ill = { n: 200, hit: good }
      const verdicts = fleet.turns(12, { a: ill, b: ill, c: ill, poor: { n: 200, hit: poor } })
      expect([...verdicts.values()].filter(({ says }) => says === 'against')).toEqual([])
    }
  })

  it('the poor edge is found as well when it becomes worse than it was', () => {
    const fleet = new Fleet()
    fleet.turns(HOUR, USUAL)
    const verdicts = fleet.turns(1, { ...USUAL, poor: { n: 200, hit: 120 } })
    expect([...verdicts].flatMap(([edge, { says }]) => (says === 'against' ? [edge] : []))).toEqual(['poor'])
  })

  it('an alarm holds until it has been as usual for a minute, and what it saw does not become usual', () => {
    const fleet = new Fleet()
    fleet.turns(HOUR, USUAL)
    const ill = { ...USUAL, a: { n: 200, hit: 60 } }
    expect(fleet.turns(3 * HOUR, ill).get('a')?.says).toBe('against')
    expect(fleet.turns(12, USUAL).get('a')?.says).toBe('against')
    expect(fleet.turns(1, USUAL).get('a')?.says).toBe('usual')
    expect(fleet.turns(1, ill).get('a')?.says).toBe('against')
  })

  it('says with how many it cannot tell, and why: few viewers, no past, no peers', () => {
    const few = new Fleet()
    const nine = few.turns(HOUR, { ...USUAL, a: { n: 9, hit: 0 } }).get('a')
    if (nine === undefined) throw new Error('no verdict')
    expect([nine.says, wordsOf(nine)]).toEqual(['too-few', 'too few to tell (n=9)'])
    const young = new Fleet().turns(120, USUAL).get('a')
    expect(young === undefined ? '' : wordsOf(young)).toBe(
      'too few to tell (n=200): what is usual here is known after 35 min of viewers, now 5',
    )
    const alone = new Fleet().turns(HOUR, { a: { n: 200, hit: 6 } }).get('a')
    expect(alone === undefined ? '' : wordsOf(alone)).toBe(
      'too few to tell (n=200): its peers have 0 viewers, a comparison takes 20',
    )
    const nobody = new Fleet().turns(1, { a: { n: 0, hit: 0 } }).get('a')
    expect(nobody === undefined ? '' : wordsOf(nobody)).toBe('too few to tell (n=0)')
  })

  it('when viewers leave a sick edge it says after five minutes that they are too few', () => {
    const fleet = new Fleet()
    fleet.turns(HOUR, USUAL)
    expect(fleet.turns(1, { ...USUAL, a: { n: 200, hit: 60 } }).get('a')?.says).toBe('against')
    const left = { ...USUAL, a: { n: 2, hit: 1 } }
    expect(fleet.turns(60, left).get('a')?.says).toBe('against')
    expect(fleet.turns(1, left).get('a')?.says).toBe('too-few')
  })

  it('goes on after a restart where it was', () => {
    const first = new Fleet()
    first.turns(HOUR, USUAL)
    const second = new Fleet()
    second.nowMs = first.nowMs + 60_000
    for (const edge of Object.keys(USUAL)) {
      expect(second.comparison.load(edge, first.comparison.pack(edge) ?? '')).toBe(true)
    }
    expect(second.turns(1, USUAL).get('poor')?.says).toBe('usual')
    expect(second.turns(1, { ...USUAL, a: { n: 200, hit: 60 } }).get('a')?.says).toBe('against')
  })
})

describe('the past', () => {
  it('is bounded, and what is no past is refused', () => {
    const fleet = new Fleet()
    fleet.turns(30 * HOUR, USUAL)
    const packed = fleet.comparison.pack('a') ?? ''
    expect((JSON.parse(packed) as unknown[][]).map(list => list.length)).toEqual([25, 30])
    for (const text of ['', '{', '[]', '[[],[[1]]]', '[[["a"]],[]]', 'null', '[[],{}]'])
      expect(History.unpack(text)).toBeNull()
    fc.assert(
      fc.property(fc.string(), text => {
        History.unpack(text)
      }),
      { seed: SEED },
    )
  })
})

describe('false alarms', () => {
  it('sum up to half of one in four weeks, for any number of edges', () => {
    const looks = (28 * 86_400_000) / TURN_MS
    const sum = channels.reduce((total, { alphaShare }) => total + alphaOf(10, alphaShare), 0) * looks * 10
    expect(sum).toBeCloseTo(0.5, 9)
  })

  it('a share that is drawn as usual is significant no more often than its level', () => {
    // At a level that can be counted: each look is an independent draw of sessions from what is usual.
    let state = SEED
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
      return (state >>> 0) / 2 ** 32
    }
    const draw = (n: number, p: number): number => {
      let hit = 0
      for (let each = 0; each < n; each += 1) if (random() < p) hit += 1
      return hit
    }
    const [looks, level] = [4000, 0.02]
    let significant = 0
    for (let look = 0; look < looks; look += 1) {
      const past = draw(400, 0.1) / 400
      const peers = draw(1800, 0.1) / 1800
      const usual = [{ own: past, peers: 0.1, times: past / 0.1, known: 400, minutes: 120 }]
      const finding = testEdge({ n: 200, x: draw(200, 0.1), e: 200 * peers, peers: 1800 }, usual, level)
      if (finding.kind === 'told' && finding.significant) significant += 1
    }
    expect(significant / looks).toBeLessThanOrEqual(level)
  })
})
