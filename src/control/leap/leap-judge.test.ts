import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HostSays, LeapJudge } from './leap-judge.ts'
import { hostsOf } from './leap-keeper.ts'

const host = (at: number, offsetS: number | null, more: Partial<HostSays> = {}): HostSays => ({
  host: `host-${at}`,
  offsetS,
  kept: true,
  announced: 0,
  ...more,
})
const all = (offsets: readonly number[], more: Partial<HostSays> = {}): HostSays[] =>
  offsets.map((offsetS, at) => host(at, offsetS, more))
const AFTER_S = 60

/** Looks every five seconds; the first answer, and after how many seconds. */
function judged(
  judge: LeapJudge,
  hosts: readonly HostSays[],
  fromS = 0,
): { byMs: number; afterS: number } | null {
  for (let s = 0; s <= AFTER_S; s += 5) {
    const follow = judge.look((fromS + s) * 1000, hosts)
    if (follow !== null) return { byMs: follow.byMs, afterS: s }
  }
  return null
}

describe('a leap second', () => {
  it('is followed when most hosts took it and held it for 30 s; 10 s where it was announced', () => {
    expect(judged(new LeapJudge(), all([-1, -1.03, -0.98, 0]))).toEqual({ byMs: -1000, afterS: 30 })
    const told = new LeapJudge()
    expect(judged(told, all([0, 0, 0], { announced: 1 }))).toBeNull()
    expect(judged(told, all([-1, -1, -1]), 100)).toEqual({ byMs: -1000, afterS: 10 })
    const left = new LeapJudge()
    expect(judged(left, all([1, 1, 1], { announced: -1 }))).toEqual({ byMs: 1000, afterS: 10 })
  })

  it('is no one host’s, no minority’s, no unkept host’s, no flag’s, and neither more nor less than a second', () => {
    for (const hosts of [
      all([-1, 0, 0]),
      all([-1, -1, 0, 0]),
      all([-1, -1, -1]).map(one => ({ ...one, kept: false })),
      all([0, 0, 0], { announced: 1 }),
      all([-2, -2, -2]),
      all([-0.5, -0.5, -0.5]),
      all([-1, 1, 0]),
      all([-1, -1]),
      all([-1]),
      all([1], { announced: 1 }),
      [host(0, -1, { announced: 1 }), host(1, 0, { announced: 1 })],
      [],
    ])
      expect(judged(new LeapJudge(), hosts)).toBeNull()
  })

  it('is believed of fewer than three hosts only when it was announced, by all of them', () => {
    expect(judged(new LeapJudge(), all([-1], { announced: 1 }))).toEqual({ byMs: -1000, afterS: 10 })
    expect(judged(new LeapJudge(), all([-1, -1], { announced: 1 }))).toEqual({ byMs: -1000, afterS: 10 })
  })

  it('goes back as it came, and then no further for a day', () => {
    const judge = new LeapJudge()
    expect(judged(judge, all([-1], { announced: 1 }))).toMatchObject({ byMs: -1000 })
    expect(judged(judge, all([-1], { announced: 1 }), 200)).toBeNull()
    expect(judged(judge, all([1]), 400)).toMatchObject({ byMs: 1000 })
    expect(judged(judge, all([-1, -1, -1], { announced: 1 }), 600)).toBeNull()
    expect(judged(judge, all([-1, -1, -1]), 90_000)).toMatchObject({ byMs: -1000 })
  })

  it('has to be seen all the time: a look that came late begins anew', () => {
    const judge = new LeapJudge()
    const hosts = all([-1, -1, -1])
    expect(judge.look(0, hosts)).toBeNull()
    expect(judge.look(40_000, hosts)).toBeNull()
    expect(judge.look(50_000, all([-1, 0, 0]))).toBeNull()
    expect(judged(judge, hosts, 55)).toEqual({ byMs: -1000, afterS: 30 })
  })

  it('whatever a minority says, fleet time stays; whatever all say, it moves by a second in a day', () => {
    const wild = fc.record({
      offsetS: fc.option(fc.constantFrom(-1, 1, -1.05, 0.97, 0, 3600, Number.NaN)),
      kept: fc.boolean(),
      announced: fc.constantFrom(-1 as const, 0 as const, 1 as const),
    })
    fc.assert(
      fc.property(fc.array(fc.array(wild, { maxLength: 3 }), { minLength: 1, maxLength: 30 }), rounds => {
        const judge = new LeapJudge()
        for (const [at, liars] of rounds.entries()) {
          const honest = all([0, 0, 0, 0])
          const says = liars.map((one, place) => ({ ...one, host: `liar-${place}` }))
          expect(judge.look(at * 5000, [...honest, ...says])).toBeNull()
        }
      }),
    )
    fc.assert(
      fc.property(fc.array(fc.array(wild, { maxLength: 5 }), { minLength: 20, maxLength: 200 }), rounds => {
        const judge = new LeapJudge()
        let sum = 0
        for (const [at, says] of rounds.entries()) {
          const follow = judge.look(
            at * 5000,
            says.map((one, place) => ({ ...one, host: `host-${place}` })),
          )
          sum += follow?.byMs ?? 0
          expect(Math.abs(sum)).toBeLessThanOrEqual(1000)
        }
      }),
    )
  })
})

describe('what a host says', () => {
  const server = (name: string, own: Readonly<Record<string, readonly number[]>>) => ({
    host: name,
    own: new Map(Object.entries(own)),
  })
  const OFFSET = 'vitrine_clock_fleet_offset_seconds'

  it('is one voice for all its servers, and none when they contradict each other', () => {
    const kept = { node_timex_sync_status: [1] }
    expect(
      hostsOf([
        server('a', { [OFFSET]: [-1], ...kept, vitrine_clock_source_leap_indicator: [0, 1] }),
        server('a', { [OFFSET]: [-1.02], ...kept }),
        server('b', { [OFFSET]: [-1], ...kept }),
        server('b', { [OFFSET]: [0], ...kept }),
        server('c', { [OFFSET]: [0], node_timex_sync_status: [0], node_timex_maxerror_seconds: [16] }),
      ]),
    ).toEqual([
      { host: 'a', offsetS: -1.01, kept: true, announced: 1 },
      { host: 'b', offsetS: null, kept: true, announced: 0 },
      { host: 'c', offsetS: 0, kept: false, announced: 0 },
    ])
  })
})
