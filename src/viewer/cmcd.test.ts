import { decodeCmcd } from '@svta/common-media-library/cmcd/decodeCmcd'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EventFacts, eventRecord, requestQuery } from './cmcd.ts'

const facts: EventFacts = {
  kind: 'ps',
  state: 'p',
  sid: 'simulated-1',
  number: 7,
  atMs: 1_700_000_000_000.4,
  title: 'sample',
  bufferS: 12.34,
  bandwidthBps: 1_234_567,
  throughputBps: 9_870_000,
}

describe('CMCD of simulated viewers', () => {
  it('is read as version 2 by the library that edges read it with', () => {
    const line = eventRecord({ ...facts, startDelayMs: 321.4 })
    expect(decodeCmcd(line)).toMatchObject({
      v: 2,
      e: 'ps',
      sta: 'p',
      sid: 'simulated-1',
      cid: 'sample',
      sn: 7,
      ts: 1_700_000_000_000,
      msd: 321,
      bl: [12_300],
      br: [1235],
    })
  })

  it('tells how long the buffer was empty, errors, and responses', () => {
    expect(decodeCmcd(eventRecord({ ...facts, starvedMs: 1500 }))).toMatchObject({ bs: true, bsd: [1500] })
    expect(decodeCmcd(eventRecord({ ...facts, kind: 'e', errorCode: 'viewer-no-answer' }))).toMatchObject({
      ec: ['viewer-no-answer'],
    })
    const cmsd = 'n="eu-west"'
    const response = { url: 'http://a/"x"\\', status: 200, firstByteMs: 3.2, wholeMs: 8.9, cmsd }
    expect(decodeCmcd(eventRecord({ ...facts, kind: 'rr', response }))).toMatchObject({
      url: 'http://a/"x"\\',
      h: 'a',
      cmsds: Buffer.from(cmsd).toString('base64'),
      bl: [12_300],
      rc: 200,
      ttfb: 3,
      ttlb: 9,
    })
  })

  it('stays one line that can be read, whatever an address holds', () => {
    fc.assert(
      fc.property(fc.webUrl(), fc.string(), fc.nat(1e6), (url, text, ms) => {
        const line = (at: string): string => {
          const response = { url: at, status: 200, firstByteMs: ms, wholeMs: ms, cmsd: null }
          return eventRecord({ ...facts, kind: 'rr', response })
        }
        expect(line(text)).not.toMatch(/[\r\n]/)
        expect(decodeCmcd(line(url))).toMatchObject({ sid: 'simulated-1', v: 2 })
      }),
    )
  })

  it('is version 1 in queries', () => {
    const query = requestQuery({ ...facts, type: 'v' })
    const text = decodeURIComponent(query.slice('CMCD='.length))
    expect(text).toBe('bl=12300,br=1235,cid="sample",mtp=9900,ot=v,sf=h,sid="simulated-1",st=v')
  })
})
