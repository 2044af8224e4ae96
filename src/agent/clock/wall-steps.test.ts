import { describe, expect, it } from 'vitest'
import { Counters } from '#base'
import { readWall, stepBetween, type WallReading, WallSteps } from './wall-steps.ts'

const at = (bootMs: number, wallMinusBootMs: number, errorMs = 0.01): WallReading => ({
  bootMs,
  wallMinusBootMs,
  errorMs,
})

describe('steps of the wall clock', () => {
  it('tells what was set from what a daemon slews', () => {
    expect(stepBetween(at(0, 0), at(1000, 1000))).toBe(1000)
    expect(stepBetween(at(0, 0), at(1000, -3_600_000))).toBe(-3_600_000)
    expect(stepBetween(at(0, 0), at(1000, 83.333))).toBe(0)
    expect(stepBetween(at(0, 0), at(1000, 0.5))).toBe(0)
  })

  it('takes a suspended machine and a slow reading for no step', () => {
    expect(stepBetween(at(0, 5), at(8 * 3_600_000, 5.2))).toBe(0)
    expect(stepBetween(at(0, 0, 60), at(100, 90, 60))).toBe(0)
  })

  it('reads this machine, which nobody steps meanwhile', () => {
    const reading = readWall()
    expect(reading).not.toBeNull()
    expect(reading?.errorMs).toBeLessThan(1000)
  })

  it('counts from zero on, by direction, and keeps the last', () => {
    const counters = new Counters()
    const readings = [at(0, 0), at(1000, 0.1), at(2000, -999.9), at(3000, -999.9)]
    const steps = new WallSteps(counters, () => readings.shift() ?? null)
    const value = (): number | undefined => steps.families()[0]?.points[0]?.value
    steps.look()
    expect(value()).toBe(0)
    steps.look()
    steps.look()
    expect(value()).toBeCloseTo(-1)
    const points = counters.collect().find(({ name }) => name === 'vitrine_clock_steps_total')?.points
    expect(points?.map(({ labels, value: count }) => [labels['direction'], count])).toEqual([
      ['forward', 0],
      ['back', 1],
    ])
  })
})
