import { createPrivateKey, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ViewerEvent, ViewerRequest } from '#wire'
import { type AssembleWords, newSession, takeEvent, takeRequest } from './assemble.ts'
import { GrantKeys } from './grant-keys.ts'
import { Grants } from './grants.ts'
import { proofOf, settleGrant } from './prove.ts'
import { packSession, unpackSession } from './rest/packed-session.ts'
import type { Session } from './session.ts'

const AT = Date.UTC(2026, 10, 22, 21)
const EXP = AT / 1000 + 600
let folder = ''
let keys: GrantKeys
let grants: Grants
let made: ReturnType<GrantKeys['make']>
let secondMs = 0

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-grants-'))
  keys = new GrantKeys(folder)
  secondMs = 0
  grants = new Grants(keys, () => secondMs)
  made = keys.make('site', 'ada', AT)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** As docs/watch/grants.md does it. */
function grant(more: Record<string, unknown> = {}, head: Record<string, unknown> = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: 'customer-4711', sid: 's1', stream: 'film', exp: EXP, ...more }
  const text = `${part({ alg: 'EdDSA', kid: made.id, ...head })}.${part(claims)}`
  return `${text}.${sign(null, Buffer.from(text), createPrivateKey(made.privateKey)).toString('base64url')}`
}

const words: AssembleWords = {
  edgeOfHost: () => null,
  edgeOfName: () => null,
  storedRef: reference => `#${reference}`,
  grants: { check: (text, use) => grants.check(text, use), count: result => grants.count(result) },
}

function event(
  sn: number,
  text: string | null,
  keysMore: ViewerEvent['keys'] = { cid: 'film' },
): ViewerEvent {
  const proof = text === null ? {} : { 'com.vitrine-grant': text }
  const own = { sta: 'p', 'com.vitrine-viewer': 'customer-9', ...proof, ...keysMore }
  return { kind: 'event', at: AT + sn, sid: 's1', sn, e: 'ps', ts: AT + sn, batch: 0, keys: own }
}

function play(...events: readonly ViewerEvent[]): Session {
  const session = newSession('s1', AT)
  for (const one of events) {
    takeEvent(session, one, words)
    settleGrant(session, words)
  }
  return session
}

const seen = (session: Session): unknown[] => [
  session.viewerRef,
  proofOf(session),
  session.grant?.refused ?? null,
]

describe('a grant', () => {
  it('proves whose session it is, whatever the player claims, before or after', () => {
    expect(seen(play(event(1, null)))).toEqual(['#customer-9', 'claimed', null])
    expect(seen(play(event(1, null), event(2, grant()), event(3, null)))).toEqual([
      '#customer-4711',
      'proven',
      null,
    ])
    expect(grants.totals).toEqual({ proven: 1 })
    // Also of a session that rests.
    const rested = unpackSession(packSession(play(event(1, grant()))))
    expect(seen(rested)).toEqual(['#customer-4711', 'proven', null])
  })

  it('waits for the title where nobody has told it yet', () => {
    const session = play(event(1, grant(), {}))
    expect(seen(session)).toEqual(['#customer-9', 'claimed', null])
    const request = { kind: 'request', at: AT, sid: 's1', title: 'film', object: 'playlist', player: null }
    takeRequest(session, 'eu-west', request as ViewerRequest)
    settleGrant(session, words)
    expect(seen(session)).toEqual(['#customer-4711', 'proven', null])
  })

  it.each([
    ['malformed', () => 'nonsense'],
    ['malformed', () => `${grant()}.more`],
    ['malformed', () => grant({ sub: '' })],
    ['malformed', () => grant({ exp: 'soon' })],
    ['malformed', () => grant({}, { alg: 'none' })],
    ['malformed', () => grant({ more: 'x'.repeat(1024) })],
    ['unknown-key', () => grant({}, { kid: 'another' })],
    ['wrong-session', () => grant({ sid: 's2' })],
    ['wrong-stream', () => grant({ stream: 'another' })],
    ['expired', () => grant({ exp: AT / 1000 - 61 })],
    ['lives-too-long', () => grant({ exp: AT / 1000 + 90_000 })],
    ['bad-signature', () => `${grant().split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}`],
    [
      'bad-signature',
      () => [grant().split('.')[0], grant({ sub: 'else' }).split('.')[1], grant().split('.')[2]].join('.'),
    ],
  ])('leaves the reference claimed and counts %s', (reason, text) => {
    expect(seen(play(event(1, text())))).toEqual(['#customer-9', 'claimed', reason])
    expect(grants.totals).toEqual({ [reason]: 1 })
  })

  it('comes a minute late, as by the clock of a site that is wrong', () => {
    expect(proofOf(play(event(1, grant({ exp: AT / 1000 - 59 }))))).toBe('proven')
  })

  it('may be bad four times, then no more is looked at', () => {
    const bad = [1, 2, 3, 4, 5, 6].map(sn => event(sn, grant({ sid: 's2' })))
    expect(seen(play(...bad, event(7, grant())))).toEqual(['#customer-9', 'claimed', 'wrong-session'])
    expect(grants.totals).toEqual({ 'wrong-session': 4 })
  })

  it('costs a thousand signatures a second at most, and may come again', () => {
    for (let n = 0; n < 1000; n += 1) grants.check(grant(), { sid: 's1', at: AT })
    const session = play(event(1, grant()))
    expect(seen(session)).toEqual(['#customer-9', 'claimed', 'too-many'])
    secondMs = 1000
    takeEvent(session, event(2, grant()), words)
    settleGrant(session, words)
    expect(proofOf(session)).toBe('proven')
  })
})

describe('keys of grants', () => {
  it('keep their public halves over a restart, and prove nothing once removed', () => {
    const text = grant()
    expect(readFileSync(join(folder, 'viewers', 'grant-keys.json'), 'utf8')).not.toContain('PRIVATE')
    const again = new GrantKeys(folder)
    expect(again.list()).toEqual([{ id: made.id, name: 'site', by: 'ada', at: AT }])
    grants = new Grants(again, () => 0)
    expect(grants.check(text, { sid: 's1', at: AT })).toMatchObject({ reference: 'customer-4711' })
    again.remove(made.id)
    expect(grants.check(text, { sid: 's1', at: AT })).toBe('unknown-key')
    expect(() => again.remove(made.id)).toThrow('no grant key')
    expect(new GrantKeys(folder).list()).toEqual([])
  })

  it('are sixteen at most', () => {
    for (let n = 0; n < 15; n += 1) keys.make(`site ${n}`, 'ada', AT)
    expect(() => keys.make('one more', 'ada', AT)).toThrow('16 grant keys')
  })
})
