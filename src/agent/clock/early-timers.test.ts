import { describe, expect, it } from 'vitest'
import { type EarlyProbe, EarlyTimers, earlyMs, probeEarly } from './early-timers.ts'

const sick: EarlyProbe = { askedMs: 50, realtimeMs: 0.2, monotonicMs: 50.3, movedMs: 0 }
const well: EarlyProbe = { ...sick, realtimeMs: 50.2 }

describe('early timers', () => {
  it('are told from late ones, from a stepped clock, and from a clock that cannot be trusted', () => {
    expect(earlyMs(sick)).toBeCloseTo(49.8)
    expect(earlyMs(well)).toBe(0)
    expect(earlyMs({ ...well, realtimeMs: 900, monotonicMs: 900 })).toBe(0)
    expect(earlyMs({ ...sick, movedMs: 30 })).toBeNull()
    expect(earlyMs({ ...sick, monotonicMs: 0.2 })).toBeNull()
  })

  it('do not fire early on this machine', async () => {
    const probe = await probeEarly(50)
    expect(probe).not.toBeNull()
    if (probe !== null) expect(earlyMs(probe) ?? 0).toBe(0)
  })

  it('need two of three, and are then measured with a longer sleep', async () => {
    const long: EarlyProbe = { askedMs: 2000, realtimeMs: 1000.4, monotonicMs: 2000.1, movedMs: 0 }
    const asked: number[] = []
    let isSick = true
    const timers = new EarlyTimers(async askedMs => {
      asked.push(askedMs)
      return isSick
        ? askedMs === 50
          ? sick
          : long
        : { ...well, askedMs, realtimeMs: askedMs, monotonicMs: askedMs }
    })
    const value = (): number | undefined => timers.families()[0]?.points[0]?.value
    expect(value()).toBeUndefined()
    await timers.turn()
    expect(value()).toBe(0)
    await timers.turn()
    expect(value()).toBeCloseTo(0.9996)
    await timers.turn()
    expect(asked).toEqual([50, 50, 2000, 50])
    isSick = false
    await timers.turn()
    await timers.turn()
    expect(value()).toBe(0)
  })
})
