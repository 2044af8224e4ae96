// Sessions from records: constructed ones with known figures, then the same in any order, repeated, and with losses.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ViewerEvent, ViewerRecord, ViewerRequest } from '#wire'
import { type AssembleWords, newSession, takeEvent, takeRequest } from './assemble.ts'
import { runsOf } from './edge-runs.ts'
import { figuresOf, unattributedS } from './figures.ts'
import type { Session } from './session.ts'

const words: AssembleWords = {
  edgeOfHost: host => (host === 'eu.example' ? 'eu-west' : null),
  edgeOfName: name => name,
  storedRef: reference => `hashed ${reference}`,
}
const AT = 1_800_000_000_000

let sn = 0
/** `s`: seconds on the player's own clock, which is a year behind. */
function event(s: number, sta: string, more: Partial<ViewerEvent> = {}, delayMs = 20): ViewerEvent {
  sn += 1
  return {
    kind: 'event',
    at: AT + s * 1000 + delayMs,
    sid: 'one',
    sn,
    e: 'ps',
    ts: AT + s * 1000 - 31_536_000_000,
    batch: 0,
    ...more,
    keys: { sta, ...more.keys },
  }
}

function request(s: number, more: Partial<ViewerRequest> = {}): ViewerRequest {
  return {
    kind: 'request',
    at: AT + s * 1000,
    sid: 'one',
    estimated: false,
    title: 'film',
    object: 'segment',
    mediaS: 4,
    bitrateBps: 2e6,
    segment: 0,
    media: 'video',
    status: 200,
    bytes: 1e6,
    whole: true,
    firstByteMs: 5,
    durationMs: 100,
    cache: 'memory',
    upstreamMs: null,
    bufferMs: null,
    starting: false,
    starved: false,
    viewerRegion: 'eu',
    network: null,
    player: 'hls.js',
    ...more,
  }
}

function assembled(records: readonly ViewerRecord[], edge = 'eu-west'): Session {
  const session = newSession('one', records[0]?.at ?? AT)
  for (const record of records) {
    if (record.kind === 'event') takeEvent(session, record, words)
    else takeRequest(session, edge, record)
  }
  return session
}

const film = (): ViewerRecord[] => [
  event(0, 's', { keys: { cid: 'film', br: [1000] } }),
  request(0.1),
  event(1, 'p', { keys: { br: [1000] } }),
  event(11, 'r', { keys: { bl: [0] } }),
  event(13, 'p', { keys: { br: [3000] } }),
  event(20, 'k'),
  event(21, 'r'),
  event(24, 'p'),
  event(34, 'a'),
  event(60, 'p', { e: 't', keys: { br: [3000] } }),
  event(64, 'r'),
  event(65, 'p'),
  event(70, 'e'),
]

describe('a session', () => {
  it('has start time, watch time and stalls as CTA-2066 names them; a stall within a seek is the seek’s', () => {
    const figures = figuresOf(assembled(film()))
    expect(figures).toMatchObject({
      attempt: 'started',
      state: 'ended',
      rebuffers: 2,
      switches: 1,
      peak: 3e6,
    })
    expect(figures.startS).toBeCloseTo(1)
    expect(figures.watchedS).toBeCloseTo(10 + 7 + 10 + 4 + 5)
    expect(figures.rebufferS).toBeCloseTo(3)
    expect(figures.ratedBits / figures.ratedS).toBeCloseTo((10 * 1e6 + 26 * 3e6) / 36)
    expect(figures.stalls.map(stall => Math.round(stall.at - AT - 20))).toEqual([11_000, 64_000])
  })

  it('takes `msd` of the player before what it saw itself', () => {
    const [first, ...rest] = film()
    const told = { ...(first as ViewerEvent), keys: { sta: 's', msd: 640 } }
    expect(figuresOf(assembled([told, ...rest])).startS).toBe(0.64)
  })

  it.each([
    ['exit', ['s', 'q']],
    ['failure', ['s', 'f']],
    ['starting', ['d']],
    ['starting', ['s']],
    ['started', ['s', 'p', 'f']],
    ['exit', ['d', 's', 'r', 'q']],
    ['starting', ['s', 'a', 'q']],
  ] as const)('is %s after %j', (attempt, states) => {
    const session = assembled(states.map((state, at) => event(at, state)))
    expect(figuresOf(session).attempt).toBe(attempt)
    if (attempt !== 'started') expect(figuresOf(session).rebufferS).toBe(0)
  })

  it('is of the edge that the player names, by CMSD or by host, or that says so itself', () => {
    const reply = (s: number, keys: ViewerEvent['keys']): ViewerEvent => event(s, '', { e: 'rr', keys })
    const session = assembled([
      event(0, 's'),
      reply(1, { cmsdd: '"CDN";n="us-east",du' }),
      reply(2, { url: 'https://eu.example/vod/1.m4s' }),
      request(3),
    ])
    expect(runsOf(session)).toMatchObject([
      { edge: 'us-east', by: 'cmsd' },
      { edge: 'eu-west', by: 'access-log' },
    ])
    const nobody = assembled([event(0, 's'), event(1, 'p'), event(11, 'q')])
    expect(unattributedS(nobody, figuresOf(nobody))).toBeCloseTo(10)
    expect(unattributedS(session, figuresOf(session))).toBeLessThan(1.1)
  })

  it('was fed when it was, also where the player could tell only later', () => {
    const named = (s: number, edge: string): ViewerEvent =>
      event(s, '', { e: 'rr', at: AT + 60_020, keys: { cmsdd: `n="${edge}"` } })
    // All of a minute in one message, and then one that comes at once: now the player's clock is known.
    const late = [named(0, 'us-east'), named(10, 'us-east'), named(40, 'eu-west'), named(50, 'eu-west')]
    const session = assembled([...late, event(61, 'p')])
    expect(runsOf(session).map(({ edge, from, to }) => [edge, (from - AT) / 1000, (to - AT) / 1000])).toEqual(
      [
        ['us-east', 0.02, 10.02],
        ['eu-west', 40.02, 50.02],
      ],
    )
  })

  it('counts nobody for time in which nothing was heard', () => {
    expect(figuresOf(assembled([event(0, 's'), event(1, 'p'), event(4000, 'q')])).watchedS).toBe(90)
  })

  it('bears times from 1970 and 2100, negative and absurd numbers, and words that are none', () => {
    const session = assembled([
      ...film(),
      event(71, 'p', { ts: 0, keys: { br: [-5], msd: -1, bl: 'x' } }),
      event(72, 'q', { ts: 4e12, keys: { br: [1e30] } }),
      event(73, 'nonsense', { keys: { cmsdd: { n: 1 }, h: 7, ec: [{}] } }),
      event(74, 'p', { sn: 1e15 }),
    ])
    const figures = figuresOf(session)
    expect(figures.watchedS).toBeLessThan(60)
    expect(figures.peak).toBe(3e6)
    expect(Object.values(figures).every(value => typeof value !== 'number' || !(value < 0))).toBe(true)
  })

  it('keeps a reference only as the configuration says', () => {
    const session = assembled([event(0, 's', { keys: { 'com.vitrine-viewer': 'ada' } })])
    expect(session.viewerRef).toBe('hashed ada')
    expect(JSON.stringify(session)).not.toContain('"ada"')
  })
})

describe('the same records', () => {
  const seed = Number(process.env['SEED'] ?? 20_260_214)
  const comparable = (session: Session): unknown => {
    const { stalls, ...figures } = figuresOf(session)
    return { ...figures, stalls: stalls.length, title: session.title, runs: runsOf(session) }
  }

  it('give the same session in any order, and twice', () => {
    const records = film()
    const expected = comparable(assembled(records))
    const shuffled = fc.shuffledSubarray([...records, ...records], { minLength: 2 * records.length })
    fc.assert(
      fc.property(shuffled, order => {
        expect(comparable(assembled(order))).toEqual(expected)
      }),
      { seed, numRuns: 300 },
    )
  })

  it('with losses never give more time than there was, and never less than none', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(film()), fc.array(fc.double()), (order, noise) => {
        const noisy = noise.map((value, at) => event(at, 'p', { ts: value, at: AT + at * 1000 }))
        const { watchedS, rebufferS, startS } = figuresOf(assembled([...order, ...noisy]))
        expect(watchedS + rebufferS).toBeLessThanOrEqual(200 + 90 * noise.length)
        expect(Math.min(watchedS, rebufferS)).toBeGreaterThanOrEqual(0)
        expect(startS >= 0 || Number.isNaN(startS)).toBe(true)
      }),
      { seed, numRuns: 200 },
    )
  })
})

describe('without events', () => {
  const segments = (at: readonly number[], more: Partial<ViewerRequest> = {}): ViewerRequest[] =>
    at.map((s, segment) => request(s, { segment, ...more }))

  it('playback is estimated: media against time', () => {
    const figures = figuresOf(assembled(segments([0, 1, 4, 8, 12])))
    expect(figures).toMatchObject({ estimated: true, rebuffers: 0, attempt: 'started' })
    expect(figures.startS).toBeCloseTo(0.1)
    expect(figures.watchedS).toBeCloseTo(12)
  })

  it('a segment that was asked for in time and came late was a stall', () => {
    const late = request(3, { segment: 1, durationMs: 3000 })
    const figures = figuresOf(assembled([request(0), late, request(6, { segment: 2 })]))
    expect(figures.rebuffers).toBe(1)
    expect(figures.rebufferS).toBeCloseTo(1.9)
  })

  it('one that nobody asked for was a pause, and one elsewhere in the film a seek', () => {
    const figures = figuresOf(
      assembled([
        request(0),
        request(60, { segment: 1 }),
        request(61, { segment: 40 }),
        request(62, { segment: 41 }),
      ]),
    )
    expect(figures).toMatchObject({ rebuffers: 0, rebufferS: 0 })
  })

  it('sound beside the pictures is not counted twice', () => {
    const sound = segments([0, 1, 4], { media: 'audio' })
    expect(figuresOf(assembled([...segments([0, 1, 4]), ...sound])).watchedS).toBeCloseTo(4)
  })

  it('the first event makes it measured', () => {
    expect(figuresOf(assembled([...segments([0, 1]), event(1, 'p')])).estimated).toBe(false)
  })
})
