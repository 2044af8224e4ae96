// Blame from records as they come: of the player's events and of the edge's own answers, through the assembly.
import { expect, it } from 'vitest'
import type { ViewerEvent, ViewerRequest } from '#wire'
import { newSession, takeEvent, takeRequest } from './assemble.ts'
import { figuresOf } from './figures.ts'
import { judgeSession } from './judge-session.ts'

const START = Date.UTC(2027, 2, 4, 12)
const words = {
  edgeOfHost: () => null,
  edgeOfName: (name: string) => name,
  storedRef: (text: string) => text,
}

/** `ms` since START; the player's reports take 300 ms to the edge. */
function event(sn: number, e: 'ps' | 'rr', ms: number, keys: ViewerEvent['keys']): ViewerEvent {
  const ts = START + ms
  const named = { cid: 'film', cmsdd: 'n="eu-west"', ...keys }
  return { kind: 'event', at: ts + 300, sid: 'a', sn, e, ts, batch: 0, keys: named }
}

function request(ms: number, more: Partial<ViewerRequest>): ViewerRequest {
  return {
    kind: 'request',
    at: START + ms,
    sid: 'a',
    estimated: false,
    title: 'film',
    object: 'segment',
    mediaS: 4,
    bitrateBps: 900_000,
    segment: 3,
    media: 'video',
    status: 200,
    bytes: 450_000,
    whole: true,
    firstByteMs: 20,
    durationMs: 25,
    cache: 'miss',
    upstreamMs: 18,
    bufferMs: null,
    starting: false,
    starved: false,
    viewerRegion: null,
    network: null,
    player: null,
    ...more,
  }
}

/** A stall from 12.0 to 13.9 s; the segment that ended it was asked for at 11.4 s. */
const recorded: readonly [
  string,
  string,
  Partial<ViewerRequest> & { ms: number },
  ViewerEvent['keys'],
  number,
][] = [
  [
    'origin',
    'no answer for 2.4 s',
    { ms: 11_410, firstByteMs: 2420, durationMs: 2450, upstreamMs: 2410 },
    { ttfb: 2440, ttlb: 2480 },
    0,
  ],
  [
    'origin',
    'an answer that stopped in its midst',
    { ms: 11_410, firstByteMs: 21, durationMs: 2450, upstreamMs: 19, upstreamRestMs: 2400 },
    { ttfb: 40, ttlb: 2480 },
    0,
  ],
  ['edge', 'stopped before it read the request', { ms: 13_800, heldMs: 2380 }, { ttfb: 2430, ttlb: 2470 }, 0],
  [
    'edge',
    'stopped while it waited, seen by its agent alone',
    { ms: 11_410, firstByteMs: 2420, durationMs: 2450, upstreamMs: 2410 },
    { ttfb: 2440, ttlb: 2480 },
    2,
  ],
  ['path', 'the request came late', { ms: 13_790 }, { ttfb: 2420, ttlb: 2460 }, 0],
  ['path', 'the answer came late', { ms: 11_410 }, { ttfb: 2420, ttlb: 2460 }, 0],
  ['path', 'the answer stopped in its midst', { ms: 11_410 }, { ttfb: 40, ttlb: 2470 }, 0],
  ['player', 'its page was busy', { ms: 11_410 }, { ttfb: 40, ttlb: 60, 'com.vitrine-late': 2300 }, 0],
  ['player', 'media lay in its buffer', { ms: 11_410 }, { ttfb: 40, ttlb: 60, bl: 3500 }, 0],
]

it.each(recorded)('%s: %s', (blame, _name, { ms, ...own }, seen, stoppedS) => {
  const session = newSession('a', START)
  const isStarved = seen['bl'] === undefined
  for (const one of [
    event(1, 'ps', 0, { sta: 's' }),
    event(2, 'ps', 500, { sta: 'p' }),
    event(3, 'ps', 12_000, { sta: 'r', bl: isStarved ? 0 : 3500 }),
    event(4, 'rr', 11_400, { rc: 200, ...seen }),
    event(5, 'ps', 13_900, { sta: 'p', bl: 4000 }),
    event(6, 'ps', 24_500, { sta: 'a' }),
  ])
    takeEvent(session, one, words)
  takeRequest(session, 'eu-west', request(ms, own))
  const witness = { stoppedS: () => stoppedS, unreachableS: () => 0 }
  const { fresh } = judgeSession(session, figuresOf(session), START + 60_000, witness)
  expect(fresh).toMatchObject([{ blame, edge: 'eu-west' }])
})

it('path: after stalls of other causes, whose slow answers do not push out the quick one', () => {
  const session = newSession('a', START)
  const say = (sn: number, e: 'ps' | 'rr', ms: number, keys: ViewerEvent['keys']): void => {
    takeEvent(session, event(sn, e, ms, keys), words)
  }
  say(1, 'ps', 0, { sta: 's' })
  say(2, 'ps', 500, { sta: 'p' })
  // One every five seconds, of pictures and sound; then the stall, and what follows while it settles.
  const slow = { firstByteMs: 2420, durationMs: 2450, upstreamMs: 2410 }
  for (let ms = 10_000; ms < 40_000; ms += 5000) {
    takeRequest(session, 'eu-west', request(ms, slow))
    takeRequest(session, 'eu-west', request(ms + 1, { ...slow, media: 'audio' }))
  }
  takeRequest(session, 'eu-west', request(41_410, {}))
  takeRequest(session, 'eu-west', request(41_415, { media: 'audio' }))
  say(3, 'ps', 42_000, { sta: 'r', bl: 0 })
  say(4, 'rr', 41_400, { rc: 200, ttfb: 2420, ttlb: 2460 })
  say(5, 'ps', 43_900, { sta: 'p', bl: 4000 })
  for (let ms = 46_000; ms < 54_000; ms += 4000) {
    takeRequest(session, 'eu-west', request(ms, {}))
    takeRequest(session, 'eu-west', request(ms + 1, { media: 'audio' }))
  }
  say(6, 'ps', 54_500, { sta: 'a' })
  const witness = { stoppedS: () => 0, unreachableS: () => 0 }
  const { fresh } = judgeSession(session, figuresOf(session), START + 60_000, witness)
  expect(fresh).toMatchObject([{ blame: 'path' }])
})
