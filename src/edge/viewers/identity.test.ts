import { decodeCmcd } from '@svta/common-media-library/cmcd/decodeCmcd'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ViewerEvent, viewerEvent } from '#wire'
import { readEvents } from './events.ts'
import { addressPrefix, estimate, queryValue, readCmcd, sidOf } from './identity.ts'
import { readOrdinary } from './read-record.ts'

/** Events of a body as the control room reads them, and what was refused or left out. */
function read(body: string): {
  playing: readonly string[]
  records: ViewerEvent[]
  refused: string[]
  mended: string[]
} {
  const refused: string[] = []
  const mended: string[] = []
  const { lines, playing } = readEvents(body, {
    at: 1_800_000_000_000,
    batch: 7,
    admits: () => null,
    refused: reason => refused.push(reason),
    mended: what => mended.push(what),
  })
  return { playing, records: lines.map(line => viewerEvent.parse(JSON.parse(line))), refused, mended }
}

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
        read(text)
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
    const { playing, records, refused } = read(body)
    expect(playing).toEqual(['plays', 'goes-on'])
    expect(records.map(({ sid }) => sid)).toEqual(['plays', 'goes-on', 'paused', 'ended'])
    expect(refused).toEqual(['malformed', 'no-session'])
  })

  it('reads no more than a thousand records of a body', () => {
    const body = Array.from({ length: 5000 }, (_, n) => `e=t,sid="s${n}",ts=1,v=2`).join('\n')
    expect(read(body).playing.length).toBe(1000)
  })
})

describe('a record', () => {
  const line = (part: string): string => `e=ps,sid="s",ts=1700000000000${part === '' ? '' : `,${part}`}`

  it('keeps its keys, known or not, and is numbered as the player numbered it', () => {
    const { records } = read(line('sn=4,sta=p,bl=(4200),br=(5000;v 128;a),com.example-x="y",bs,msd=310'))
    expect(records[0]).toEqual({
      kind: 'event',
      at: 1_800_000_000_000,
      sid: 's',
      sn: 4,
      e: 'ps',
      ts: 1_700_000_000_000,
      batch: 7,
      keys: {
        sta: 'p',
        bl: [4200],
        br: [
          { value: 5000, params: { v: true } },
          { value: 128, params: { a: true } },
        ],
        'com.example-x': 'y',
        bs: true,
        msd: 310,
      },
    })
  })

  it.each([
    ['e=ps,sid="s",ts=-1', 'bad-time'],
    ['e=ps,sid="s",ts=4102444800000', 'bad-time'],
    ['e=ps,sid="s"', 'bad-time'],
    ['e=zz,sid="s",ts=1', 'unknown-event'],
    ['sid="s",ts=1', 'no-event'],
    ['e=ps,ts=1', 'no-session'],
    [`e=ps,sid="${'x'.repeat(65)}",ts=1`, 'no-session'],
    ['e=ps,sid="~1",ts=1', 'no-session'],
    [`e=ps,sid="s",ts=1,x-y="${'z'.repeat(5000)}"`, 'record-too-long'],
    ['<html>', 'malformed'],
  ])('%s is refused: %s', (text, reason) => {
    expect(read(text)).toMatchObject({ records: [], refused: [reason] })
  })

  it('of a television that stands in 1970 is taken: only differences of its clock count', () => {
    expect(read('e=ps,sid="s",ts=86400000').records).toHaveLength(1)
  })

  it('loses what lies, what is too much and what lets its holder in, and is kept', () => {
    const many = Array.from({ length: 100 }, (_, n) => `x-${n}`).join(',')
    const { records, mended } = read(
      line(`bsd=(-5),msd=-1,url="https://a.example/x.m4s?token=secret",${many}`),
    )
    expect(records[0]?.keys).toMatchObject({ url: 'https://a.example/x.m4s' })
    expect(Object.keys(records[0]?.keys ?? {})).toHaveLength(64)
    expect(mended.filter(what => what === 'negative')).toHaveLength(2)
    expect(mended.filter(what => what === 'too-many-keys')).toHaveLength(37)
  })

  it('becomes one that the control room can read, whatever a player sends', () => {
    const good = line(
      'sn=4,sta=p,bl=(4200),br=(5000;v 128;a),com.example-x="y",bs,msd=310,url="https://a/b?c"',
    )
    const junk = fc.oneof(
      fc.constantFrom(
        '"',
        ',',
        ';',
        '(',
        ')',
        '=',
        '\n',
        '\r\n',
        '\\',
        '%zz',
        '?',
        ':',
        '@1',
        '-',
        '1e9',
        '\0',
        '~',
        'ts=',
      ),
      fc.string({ maxLength: 5 }),
      fc.constantFrom('9'.repeat(40), 'x'.repeat(5000), ',a'.repeat(200), '(('.repeat(50)),
    )
    const cuts = fc.array(fc.tuple(fc.nat({ max: good.length * 2 }), fc.nat({ max: 6 }), junk), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(cuts, edits => {
        let body = `${good}\n${good}`
        for (const [at, length, text] of edits) body = body.slice(0, at) + text + body.slice(at + length)
        const { records } = read(body)
        for (const { keys } of records) expect(Object.keys(keys).length).toBeLessThanOrEqual(64)
      }),
      { numRuns: 5000 },
    )
  })

  it('is read by the quick reader as by the library, or left to it', () => {
    const value = fc.oneof(
      fc.integer({ min: 0, max: 999_999_999_999_999 }).map(n => `=${n}`),
      fc.integer({ min: -99, max: 99 }).map(n => `=${n}.25`),
      fc.string({ maxLength: 8 }).map(text => `="${text}"`),
      fc.constantFrom(
        '',
        '=?1',
        '=?0',
        '=?2',
        '=tok/en',
        '=(1 2  a)',
        '=()',
        '=(1;v 2)',
        '=(',
        '=',
        '=1.',
        '=-0',
        '=01',
      ),
      fc.string({ maxLength: 4 }).map(text => `=${text}`),
    )
    const key = fc.constantFrom('a', 'br', 'com.example-x', '*', 'constructor', 'A', '', 'x_y', 'sid')
    const separator = fc.constantFrom(',', ', ', ' ,', ',,', ';', '\t,')
    const text = fc.array(fc.tuple(key, value, separator), { minLength: 1, maxLength: 6 }).chain(parts =>
      fc.boolean().map(trailing => {
        const joined = parts.map(([name, rest, end]) => `${name}${rest}${end}`).join('')
        return trailing ? joined : joined.replace(/[, ;\t]+$/, '')
      }),
    )
    fc.assert(
      fc.property(text, dictionary => {
        const quick = readOrdinary(dictionary)
        if (quick !== null) expect(JSON.stringify(quick)).toBe(JSON.stringify(decodeCmcd(dictionary)))
      }),
      { numRuns: 20_000 },
    )
  })
})
