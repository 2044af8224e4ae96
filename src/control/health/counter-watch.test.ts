import { describe, expect, it } from 'vitest'
import { type CounterSample, CounterWatch, standsStill } from './counter-watch.ts'

function samples(of: (step: number) => Partial<CounterSample>, count = 6): CounterSample[] {
  return Array.from({ length: count }, (_, step) => ({
    atMs: step * 5000,
    sessionBytes: step * 1e6,
    sentBytes: step * 1e6,
    cpuSeconds: 1 + step / 10,
    ...of(step),
  }))
}

describe('counters of a server at work', () => {
  it('move', () => expect(standsStill(samples(() => ({})))).toBeNull())

  it('stand still while sessions get bytes: a fault, with figures', () => {
    expect(standsStill(samples(() => ({ sentBytes: 7 })))).toBe(
      'its counters stand still: 4.0 MB went to sessions in 25 s, vitrine_edge_sent_bytes_total did not move',
    )
  })

  it('may stand still when nobody watches', () => {
    expect(standsStill(samples(() => ({ sentBytes: 7, sessionBytes: 100 })))).toBeNull()
  })

  it('may come later than the last step of sessions', () => {
    const late = samples(step => ({ sentBytes: 7, sessionBytes: step === 5 ? 9e6 : 0 }))
    expect(standsStill(late)).toBeNull()
  })

  it('that are scraped again and again with the same CPU time are a scrape that repeats itself', () => {
    expect(standsStill(samples(() => ({ cpuSeconds: 4.2 })))).toMatch(/repeat themselves.* 4\.2 for 25 s$/)
  })

  it('that are missing prove nothing', () => {
    expect(standsStill(samples(() => ({ sentBytes: null, cpuSeconds: null })))).toBeNull()
    expect(standsStill(samples(step => ({ cpuSeconds: step === 3 ? null : 4.2 })))).toBeNull()
    expect(standsStill(samples(() => ({ cpuSeconds: 4.2 }), 5))).toBeNull()
  })

  it('are remembered for as long as it takes, and forgotten with their server', () => {
    const watch = new CounterWatch()
    for (const sample of samples(() => ({ cpuSeconds: 4.2 }), 20)) watch.add('eu', sample)
    expect(watch.fault('eu')).toMatch(/for 25 s/)
    watch.keep(new Set(['us']))
    expect(watch.fault('eu')).toBeNull()
  })
})
