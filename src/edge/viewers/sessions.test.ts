import { describe, expect, it } from 'vitest'
import { FakeClock } from '#base'
import { Sessions } from './sessions.ts'

const viewer = { sid: 'abc', estimated: false }

function run(clock: FakeClock, sessions: Sessions, ms: number): void {
  for (let at = 0; at < ms; at += 250) {
    clock.advance(250)
    sessions.tick()
  }
}

describe('sessions', () => {
  it('reports who was fed since the last report, with age and bytes, once', () => {
    const clock = new FakeClock()
    const sessions = new Sessions(clock)
    sessions.fed(viewer, 'sample', 1000)
    run(clock, sessions, 500)
    const [part] = sessions.report()
    const began = { agoMs: 500, version: null }
    expect(part).toEqual([{ sid: 'abc', title: 'sample', estimated: false, agoMs: 500, bytes: 1000, began }])
    sessions.told(part ?? [])
    expect(sessions.report()).toEqual([])
    expect(sessions.watching()).toBe(1)
  })

  it('keeps a report that could not be sent, and adds to it', () => {
    const clock = new FakeClock()
    const sessions = new Sessions(clock)
    sessions.fed(viewer, 'sample', 1000)
    sessions.report()
    run(clock, sessions, 1000)
    sessions.fed(viewer, 'sample', 500)
    expect(sessions.report()[0]?.[0]).toMatchObject({ bytes: 1500, agoMs: 0 })
  })

  it('does not count 30 s later, and ends after 60 s', () => {
    const clock = new FakeClock()
    const sessions = new Sessions(clock)
    sessions.fed(viewer, 'sample', 1)
    sessions.told(sessions.report()[0] ?? [])
    run(clock, sessions, 30_250)
    expect(sessions.watching()).toBe(0)
    expect(sessions.played('abc')).toBe(true)
    expect(sessions.watching()).toBe(1)
    run(clock, sessions, 60_250)
    expect(sessions.played('abc')).toBe(false)
  })

  it('does not make a session of an event: another edge may feed that viewer', () => {
    const sessions = new Sessions(new FakeClock())
    expect(sessions.played('unknown')).toBe(false)
    expect(sessions.report()).toEqual([])
  })

  it('does not believe requests that lay in the kernel while the process was stopped', () => {
    const clock = new FakeClock()
    const sessions = new Sessions(clock)
    sessions.fed(viewer, 'sample', 1)
    sessions.told(sessions.report()[0] ?? [])
    clock.advance(20_000)
    sessions.fed(viewer, 'sample', 1)
    sessions.tick()
    sessions.fed(viewer, 'sample', 1)
    expect(sessions.report()).toEqual([])
    expect(sessions.counts.doubted).toBe(2)
    run(clock, sessions, 1000)
    sessions.fed(viewer, 'sample', 1)
    expect(sessions.report()[0]?.[0]).toMatchObject({ agoMs: 0, bytes: 1 })
  })

  it('does not believe playing events that lay in the kernel either', () => {
    const clock = new FakeClock()
    const sessions = new Sessions(clock)
    sessions.fed(viewer, 'sample', 1)
    sessions.told(sessions.report()[0] ?? [])
    clock.advance(20_000)
    expect(sessions.played('abc')).toBe(false)
    sessions.tick()
    expect(sessions.played('abc')).toBe(false)
    expect(sessions.report()).toEqual([])
    run(clock, sessions, 1000)
    expect(sessions.played('abc')).toBe(true)
  })

  it('tells the true age of what was fed before a stop', () => {
    const clock = new FakeClock()
    const sessions = new Sessions(clock)
    sessions.fed(viewer, 'sample', 7)
    clock.advance(45_000)
    sessions.tick()
    expect(sessions.report()[0]?.[0]).toMatchObject({ agoMs: 45_000, bytes: 7 })
  })

  it('holds 50,000 sessions, the longest untouched out first, and counts them', () => {
    const sessions = new Sessions(new FakeClock())
    for (let n = 0; n < 50_010; n += 1) sessions.fed({ sid: `s${n}`, estimated: false }, 'sample', 1)
    const parts = sessions.report()
    expect(parts.map(part => part.length)).toEqual([20_000, 20_000, 10_000])
    expect(parts[0]?.[0]?.sid).toBe('s10')
    expect(sessions.counts.evicted).toBe(10)
  })
})
