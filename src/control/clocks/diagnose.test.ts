import { describe, expect, it } from 'vitest'
import { type ClockFacts, diagnoseClocks } from './diagnose.ts'

const MIDNIGHT = Date.UTC(2012, 6, 1)
const well: ClockFacts = {
  server: 'us-east',
  hostId: 'b',
  earlyS: 0,
  earlySince: null,
  hrtimerErrorS: 0,
  cores: 2,
  busyCores: 0.2,
  systemCores: 0.05,
  switchesPerS: 40,
  switchesUsualPerS: 41,
  processes: [{ name: 'node', cpu: 0.2 }],
  stepS: 0,
}
const sick: ClockFacts = {
  ...well,
  server: 'ap-southeast',
  hostId: 'a',
  earlyS: 1,
  earlySince: MIDNIGHT + 2000,
  hrtimerErrorS: 1,
  busyCores: 1.9,
  systemCores: 1.2,
  switchesPerS: 44_000,
  processes: [
    { name: 'java', cpu: 0.9 },
    { name: 'mysqld', cpu: 0.8 },
  ],
}

describe('the diagnosis of clocks', () => {
  it('knows the night of 2012 by its timers, its load and its midnight', () => {
    const found = diagnoseClocks([sick, { ...sick, server: 'sa-east', hostId: 'c' }, well])
    expect(found).toMatchObject({ kind: '2012-class', servers: ['ap-southeast', 'sa-east'] })
    expect(found.confidence).toBeGreaterThan(0.95)
    const said = found.for.join('\n')
    for (const part of [
      '1.00 s early',
      'timer_list',
      'in the kernel',
      '44000 context switches',
      'java',
      'mysqld',
    ])
      expect(said).toContain(part)
    expect(
      diagnoseClocks([sick, { ...sick, server: 'x', hostId: 'c' }])
        .for.concat(said)
        .join(),
    ).toContain('midnight')
    expect(found.against).toContain('timers of us-east fire in time')
  })

  it('never calls a busy CPU without early timers a clock’s fault, and says to leave the clock alone', () => {
    const found = diagnoseClocks([{ ...sick, earlyS: 0, hrtimerErrorS: 0, earlySince: null }, well])
    expect(found.kind).toBe('busy-without-early-timers')
    expect(found.advice).toContain('Do not touch the clock')
    expect(found.against.join()).toContain('fire in time')
  })

  it('cannot tell where timers are not measured, and never guesses from load', () => {
    const blind = { ...sick, earlyS: null, hrtimerErrorS: null, earlySince: null }
    expect(diagnoseClocks([blind])).toMatchObject({ kind: 'cannot-tell', confidence: 0 })
    expect(diagnoseClocks([])).toMatchObject({ kind: 'cannot-tell', confidence: 0 })
  })

  it('names what speaks against it: kernel timers that agree, one host, noon, an idle CPU', () => {
    const odd = {
      ...sick,
      hrtimerErrorS: 0,
      earlySince: MIDNIGHT + 12 * 3_600_000,
      busyCores: 0.1,
      systemCores: 0,
      switchesPerS: 40,
      processes: [],
    }
    const found = diagnoseClocks([odd])
    expect(found.kind).toBe('2012-class')
    expect(found.confidence).toBeLessThan(diagnoseClocks([sick]).confidence)
    for (const part of [
      'agree with its clock',
      'only one host',
      'no leap second happens then',
      '40 context switches',
    ])
      expect(found.against.join('\n')).toContain(part)
  })

  it('takes a minute before midnight for midnight, and workers of one program for one', () => {
    const twins = [
      { name: 'kworker/0:1', cpu: 0.5 },
      { name: 'kworker/1:2', cpu: 0.5 },
    ]
    const found = diagnoseClocks([{ ...sick, earlySince: MIDNIGHT - 30_000, processes: twins }])
    expect(found.for.join()).toContain('at midnight')
    expect(found.against.join()).toContain('kworker (1.0 cores) alone uses CPU')
  })

  it('is quiet where all is well', () => {
    expect(diagnoseClocks([well])).toMatchObject({ kind: 'none', servers: [] })
  })
})
