import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEvents } from './events.ts'
import { addressPrefix, estimate, queryValue, readCmcd, sidOf } from './identity.ts'

const query = (cmcd: string): string => `CMCD=${encodeURIComponent(cmcd)}`

describe('session identity', () => {
  it.each([
    [query('br=300,ot=v,sid="abc-1"'), {}, { kind: 'sid', sid: 'abc-1' }],
    [`x=1&${query('v=2,br=(5000;v 128;a),sid="v2"')}`, {}, { kind: 'sid', sid: 'v2' }],
    ['', { 'cmcd-session': 'sid="from-header",st=v' }, { kind: 'sid', sid: 'from-header' }],
    ['sid=plain', {}, { kind: 'sid', sid: 'plain' }],
    [`sid=plain&${query('ot=v')}`, {}, { kind: 'sid', sid: 'plain' }],
    ['', {}, { kind: 'none' }],
    [query('sid="~pretends"'), {}, { kind: 'none' }],
    [query(`sid="${'x'.repeat(65)}"`), {}, { kind: 'none' }],
    [query('sid="open'), {}, { kind: 'malformed' }],
    ['CMCD=%zz', {}, { kind: 'none' }],
  ])('reads %s', (text, headers, expected) => {
    expect(sidOf(text, headers)).toEqual(expected)
  })

  it('never throws, whatever a player sends', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        expect(['sid', 'none', 'malformed']).toContain(sidOf(`CMCD=${text}`, { 'cmcd-session': text }).kind)
        readCmcd(text)
        queryValue(text, 'sid')
        readEvents(text)
      }),
      { numRuns: 2000 },
    )
  })

  it('estimates one viewer alike for one network, player and title', () => {
    const one = estimate('203.0.113.7', 'Player/1', 'sample')
    expect(one).toEqual(estimate('::ffff:203.0.113.99', 'Player/1', 'sample'))
    expect(one.sid.startsWith('~')).toBe(true)
    expect(one.sid).not.toBe(estimate('203.0.114.7', 'Player/1', 'sample').sid)
    expect(one.sid).not.toBe(estimate('203.0.113.7', 'Player/2', 'sample').sid)
    expect(one.sid).not.toBe(estimate('203.0.113.7', 'Player/1', 'other').sid)
  })

  it.each([
    ['203.0.113.7', '203.0.113'],
    ['::ffff:203.0.113.7', '203.0.113'],
    ['2001:db8:1:2::5', '2001:db8:1'],
    ['2001:0db8:0001::', '2001:db8:1'],
    ['::1', '0:0:0'],
    ['2001:db8::1', '2001:db8:0'],
  ])('takes the network of %s', (address, prefix) => {
    expect(addressPrefix(address)).toBe(prefix)
  })
})

describe('CMCD events', () => {
  it('takes one record a line, counts what it cannot read, and knows who plays', () => {
    const body = [
      'v=2,e=ps,sta=p,ts=1,sid="plays"',
      'v=2,e=t,ts=2,sid="goes-on"',
      'v=2,e=ps,sta=a,ts=3,sid="paused"',
      'v=2,e=ps,sta=e,ts=3,sid="ended"',
      'this is, not = cmcd ((',
      'v=2,e=t,ts=5',
      '',
    ].join('\n')
    expect(readEvents(body)).toEqual({ playing: ['plays', 'goes-on'], records: 4, malformed: 2 })
  })

  it('reads no more than a thousand records of a body', () => {
    const body = Array.from({ length: 5000 }, (_, n) => `e=t,sid="s${n}",ts=1,v=2`).join('\n')
    expect(readEvents(body).playing.length).toBe(1000)
  })
})
