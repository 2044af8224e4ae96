// Who is to blame: constructed cases of each kind, and those in which nobody can tell.
import { expect, it } from 'vitest'
import { judgeStall, type OwnAnswer, type SeenReply, type StallEvidence } from './blame.ts'

const none = Number.NaN
const answer = (more: Partial<OwnAnswer> = {}): OwnAnswer => ({
  at: 9500,
  firstByteMs: 3,
  durationMs: 20,
  upstreamMs: none,
  status: 200,
  ...more,
})
const reply = (more: Partial<SeenReply> = {}): SeenReply => ({
  askedAt: 9500,
  ttfbMs: 40,
  ttlbMs: 60,
  status: 200,
  ...more,
})
const stall = (more: Partial<StallEvidence>): StallEvidence => ({
  from: 10_000,
  to: 12_000,
  replies: [],
  answers: [],
  delays: [],
  bufferMs: none,
  edgeStoppedS: null,
  edgeUnreachable: false,
  ...more,
})

it.each<[string, string, Partial<StallEvidence>, RegExp]>([
  [
    'origin',
    'the upstream took most of the edge’s first byte',
    {
      answers: [answer({ firstByteMs: 2500, upstreamMs: 2480, durationMs: 2600 })],
      replies: [reply({ askedAt: 9500, ttfbMs: 2540, ttlbMs: 2700 })],
    },
    /first byte took 2.5 s, of which the upstream took 2.5 s/,
  ],
  [
    'origin',
    'the upstream failed',
    { answers: [answer({ status: 502, firstByteMs: 80, upstreamMs: 75 })] },
    /answered 502 after 75 ms of waiting/,
  ],
  [
    'edge',
    'slow though nobody was asked',
    { answers: [answer({ firstByteMs: 1500, durationMs: 1600 })] },
    /no upstream was asked/,
  ],
  [
    'edge',
    'none slow, but one after the other',
    {
      to: 10_650,
      answers: [
        answer({ at: 9990, firstByteMs: 310, durationMs: 330 }),
        answer({ at: 10_320, firstByteMs: 300, durationMs: 320 }),
      ],
      replies: [reply({ askedAt: 9990, ttfbMs: 315, ttlbMs: 335 })],
      bufferMs: 0,
    },
    /one answer after the other, took 600 ms of it/,
  ],
  [
    'origin',
    'none slow, but one after the other, as the upstream was',
    {
      to: 10_650,
      answers: [
        answer({ at: 9990, firstByteMs: 310, upstreamMs: 300, durationMs: 330 }),
        answer({ at: 10_320, firstByteMs: 300, upstreamMs: 290, durationMs: 320 }),
      ],
    },
    /took 600 ms of it; the upstream took 580 ms/,
  ],
  [
    'player',
    'a little of a long stall, one after the other',
    {
      to: 12_000,
      answers: [
        answer({ at: 9990, firstByteMs: 310, durationMs: 330 }),
        answer({ at: 10_320, firstByteMs: 300, durationMs: 320 }),
      ],
      replies: [reply({ askedAt: 9990, ttfbMs: 315, ttlbMs: 335 })],
    },
    /answers came within/,
  ],
  [
    'edge',
    'slow beside a quick upstream',
    { answers: [answer({ firstByteMs: 1500, upstreamMs: 30, durationMs: 1600 })] },
    /upstream took 30 ms/,
  ],
  [
    'edge',
    'stopped: what it measured itself looks quick',
    {
      answers: [answer({ at: 11_900 })],
      replies: [reply({ askedAt: 9500, ttfbMs: 2400, ttlbMs: 2450 })],
      edgeStoppedS: 2,
    },
    /stood still for 2.0 s/,
  ],
  [
    'path',
    'the player waited, the edge did not',
    { answers: [answer()], replies: [reply({ askedAt: 9500, ttfbMs: 2400, ttlbMs: 2450 })] },
    /player's first byte took 2.4 s, the edge's own 3 ms/,
  ],
  [
    'path',
    'a thin line: the last byte took long',
    {
      answers: [answer({ durationMs: 2300 })],
      replies: [reply({ askedAt: 9500, ttfbMs: 50, ttlbMs: 2400 })],
    },
    /last only after 2.4 s/,
  ],
  [
    'path',
    'only the edge tells of the thin line',
    { answers: [answer({ durationMs: 2300 })] },
    /the way took 2.3 s/,
  ],
  [
    'path',
    'no answer from an edge that is up',
    { replies: [reply({ status: 0, askedAt: 10_940 })], edgeStoppedS: 0 },
    /no answer/,
  ],
  [
    'edge',
    'no answer from an edge that nobody reached: it froze with its agent, or its host is gone',
    { replies: [reply({ status: 0, askedAt: 10_940, ttfbMs: none, ttlbMs: 3000 })], edgeUnreachable: true },
    /nobody else reached the edge/,
  ],
  [
    'origin',
    'an edge that nobody reached at that moment, but that said for what it waited',
    {
      answers: [answer({ firstByteMs: none, durationMs: 3000, upstreamMs: 2980, status: 499 })],
      replies: [reply({ status: 0, ttfbMs: none, ttlbMs: 3000 })],
      edgeUnreachable: true,
    },
    /of which the upstream took 3.0 s/,
  ],
  [
    'player',
    'media lay in its buffer',
    { answers: [answer()], replies: [reply()], bufferMs: 6000 },
    /6.0 s of media lay in the buffer; .*40 ms|6.0 s of media lay in the buffer/,
  ],
  [
    'player',
    'everything came at once',
    { answers: [answer()], replies: [reply()] },
    /within 60 ms; the edge gave its own within 20 ms/,
  ],
  [
    'edge',
    'stood still by its own account, also while it waited for the origin',
    {
      answers: [answer({ firstByteMs: 2200, upstreamMs: 2190, durationMs: 2210 })],
      delays: [{ from: 9500, to: 11_700, ms: 2000, by: 'edge' }],
    },
    /first byte took 2.2 s; its process stood still for up to 2.0 s/,
  ],
  [
    'edge',
    'stood still before it read the request, which it then answered at once',
    {
      answers: [answer({ at: 11_800 })],
      replies: [reply({ ttfbMs: 2310, ttlbMs: 2330 })],
      delays: [{ from: 9800, to: 11_820, ms: 2000, by: 'edge' }],
    },
    /stood still for 2.0 s/,
  ],
  [
    'path',
    'the edge answered at once, long before the answer came',
    {
      answers: [answer({ at: 9510 }), answer({ at: 8800, firstByteMs: 300 })],
      replies: [reply({ ttfbMs: 2400, ttlbMs: 2450 })],
    },
    /the edge's own 3 ms/,
  ],
  [
    'path',
    'more was lost on the way than at a slow origin',
    {
      answers: [answer({ firstByteMs: 500, upstreamMs: 490, durationMs: 520 })],
      replies: [reply({ ttfbMs: 2600, ttlbMs: 2650 })],
    },
    /first byte took 2.6 s, the edge's own 500 ms/,
  ],
  [
    'player',
    'a busy page, to which every answer had come in time',
    {
      answers: [answer()],
      replies: [reply()],
      bufferMs: 0,
      delays: [{ from: 10_000, to: 11_200, ms: 1200, by: 'page' }],
    },
    /asked or took notice 1.2 s late/,
  ],
  [
    'player',
    'a page that asked late: the edge and the way were quick, the stall short',
    {
      to: 10_980,
      answers: [answer({ at: 10_435, firstByteMs: 4, durationMs: 9 })],
      replies: [reply({ askedAt: 10_430, ttfbMs: 10, ttlbMs: 15 })],
      bufferMs: 0,
      delays: [{ from: 10_445, to: 11_155, ms: 710, by: 'page' }],
    },
    /asked or took notice 710 ms late/,
  ],
  [
    'path',
    'the same by a player that knows the page’s clock alone: it is told of no busy page',
    {
      to: 10_980,
      answers: [answer({ at: 10_435, firstByteMs: 4, durationMs: 9 })],
      replies: [reply({ askedAt: 10_000, ttfbMs: 440, ttlbMs: 725 })],
      bufferMs: 0,
    },
    /the edge's own 4 ms/,
  ],
  [
    'path',
    'a page that was a little busy, while the answer took longer',
    {
      answers: [answer()],
      replies: [reply({ ttfbMs: 2400, ttlbMs: 2450 })],
      delays: [{ from: 10_000, to: 10_500, ms: 500, by: 'page' }],
    },
    /first byte took 2.4 s/,
  ],
  [
    'origin',
    'slow after its first byte: the edge sent on what it had, and waited for the rest',
    {
      answers: [answer({ firstByteMs: 24, upstreamMs: 22, durationMs: 2540 })],
      replies: [reply({ ttfbMs: 40, ttlbMs: 2560 })],
      delays: [{ from: 9500, to: 12_040, ms: 2490, by: 'upstream' }],
    },
    /waited 2.5 s for the rest of the upstream's answer/,
  ],
  [
    'path',
    'slow after the first byte, with an edge that had given everything to its kernel',
    {
      answers: [answer({ firstByteMs: 24, upstreamMs: 22, durationMs: 31 })],
      replies: [reply({ ttfbMs: 40, ttlbMs: 2560 })],
      edgeStoppedS: 0,
    },
    /first byte after 40 ms, but the last only after 2.6 s/,
  ],
  [
    'path',
    'an edge on a busy machine stood still for a moment, the way for longer',
    {
      answers: [answer({ at: 11_750, firstByteMs: 60, upstreamMs: 50, durationMs: 80 })],
      replies: [reply({ ttfbMs: 2350, ttlbMs: 2400 })],
      delays: [{ from: 11_300, to: 11_830, ms: 450, by: 'edge' }],
    },
    /player's first byte took 2.4 s/,
  ],
  [
    'origin',
    'an edge on a busy machine stood still for a moment, the origin for longer',
    {
      answers: [answer({ firstByteMs: 2400, upstreamMs: 2390, durationMs: 2450 })],
      replies: [reply({ ttfbMs: 2420, ttlbMs: 2470 })],
      delays: [{ from: 9300, to: 9700, ms: 420, by: 'edge' }],
    },
    /the upstream took 2.4 s/,
  ],
  [
    'path',
    'the answer that was slow before, at the origin, ended long before this stall',
    {
      answers: [answer({ at: 4400, firstByteMs: 2800, upstreamMs: 2790, durationMs: 2810 }), answer()],
      replies: [reply({ askedAt: 4390, ttfbMs: 2830, ttlbMs: 2850 }), reply({ ttfbMs: 2300, ttlbMs: 2350 })],
    },
    /player's first byte took 2.3 s/,
  ],
  [
    'origin',
    'the player gave up while the edge still waited',
    {
      answers: [answer({ firstByteMs: none, durationMs: 3000, upstreamMs: 2980, status: 499 })],
      replies: [reply({ status: 0, ttfbMs: none, ttlbMs: 3000 })],
    },
    /of which the upstream took 3.0 s/,
  ],
  [
    'player',
    'a page that was busy for two seconds, beside an answer that was a little slow',
    {
      answers: [answer({ firstByteMs: 450, upstreamMs: 440, durationMs: 460 })],
      replies: [reply({ ttfbMs: 470, ttlbMs: 500 })],
      delays: [{ from: 10_000, to: 12_000, ms: 2000, by: 'page' }],
    },
    /asked or took notice 2.0 s late/,
  ],
  [
    'player',
    'what was a little slow does not explain a stall of two seconds',
    {
      answers: [answer({ firstByteMs: 450, upstreamMs: 440, durationMs: 460 })],
      replies: [reply({ ttfbMs: 470, ttlbMs: 500 })],
    },
    /within 500 ms/,
  ],
  ['unknown', 'nobody said anything', {}, /nobody told/],
  [
    'unknown',
    'the player waited for an answer that no edge told of',
    { replies: [reply({ askedAt: 9500, ttfbMs: 2400 })] },
    /no edge told/,
  ],
  [
    'unknown',
    'answers of another time',
    { answers: [answer({ at: 1000, firstByteMs: 900 })] },
    /nobody told/,
  ],
])('%s: %s', (blame, _name, evidence, said) => {
  const judged = judgeStall(stall(evidence))
  expect(judged).toMatchObject({ blame })
  expect(judged.evidence).toMatch(said)
  expect(judged.evidence).not.toMatch(/NaN|Infinity/)
})
