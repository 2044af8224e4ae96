import { describe, expect, it } from 'vitest'
import { SessionBook } from './session-book.ts'

function seen(sid: string, agoMs = 0): Parameters<SessionBook['report']>[1][number] {
  return { sid, title: 'sample', estimated: sid.startsWith('~'), agoMs, bytes: 1 }
}

describe('SessionBook', () => {
  it('counts a session once, for the edge that fed it last', () => {
    const book = new SessionBook()
    book.report('eu', [seen('1'), seen('2'), seen('~3')], 1000)
    book.report('us', [seen('1')], 2000)
    book.sweep(2000, () => 'vod')
    expect(book.of('eu')).toMatchObject({ watching: 2, estimated: 1 })
    expect(book.of('us')).toMatchObject({ watching: 1, estimated: 0 })
  })

  it('tells simulated viewers from people', () => {
    const book = new SessionBook()
    book.report('eu', [seen('1'), seen('simulated-7'), seen('simulated-8')], 1000)
    book.sweep(1000, () => 'vod')
    expect(book.of('eu')).toMatchObject({ watching: 3, simulated: 2, estimated: 0 })
  })

  it('does not move a session back for a report that came late', () => {
    const book = new SessionBook()
    book.report('us', [seen('1', 100)], 2000)
    book.report('eu', [seen('1', 900)], 2000)
    expect(book.whereIs('1')?.edge).toBe('us')
  })

  it('leaves a session where its media came from when another edge only hears an event', () => {
    const book = new SessionBook()
    book.report('us', [seen('1')], 1000)
    book.report('eu', [{ ...seen('1'), bytes: 0 }], 29_000)
    book.sweep(31_500, () => 'vod')
    expect(book.of('us').watching).toBe(1)
    expect(book.of('eu').watching).toBe(0)
  })

  it('forgets a session 30 s after it was fed', () => {
    const book = new SessionBook()
    book.report('eu', [seen('1')], 0)
    book.sweep(30_000, () => 'vod')
    expect(book.of('eu').watching).toBe(1)
    book.sweep(30_001, () => 'vod')
    expect(book.of('eu').watching).toBe(0)
    expect(book.whereIs('1')).toBeNull()
  })
})
