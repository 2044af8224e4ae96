// Who is to blame: constructed cases of each kind, and those in which nobody can tell.
import { expect, it } from 'vitest'
import { judgeStall, type OwnAnswer, type SeenReply, type StallEvidence } from './blame.ts'

const none = Number.NaN
const answer = (more: Partial<OwnAnswer> = {}): OwnAnswer => ({
  at: 9500,
  firstByteMs: 3,
  durationMs: 20,
  upstreamMs: none,
  bufferMs: none,
  status: 200,
  ...more,
})
const reply = (more: Partial<SeenReply> = {}): SeenReply => ({
  at: 9560,
  ttfbMs: 40,
  ttlbMs: 60,
  bufferMs: none,
  status: 200,
  ...more,
})
const stall = (more: Partial<StallEvidence>): StallEvidence => ({
  from: 10_000,
  to: 12_000,
  replies: [],
  answers: [],
  bufferMs: none,
  edgeStoppedS: null,
  ...more,
})

it.each<[string, string, Partial<StallEvidence>, RegExp]>([
  [
    'origin',
    'the upstream took most of the edge’s first byte',
    {
      answers: [answer({ firstByteMs: 2500, upstreamMs: 2480, durationMs: 2600 })],
      replies: [reply({ at: 12_200, ttfbMs: 2540, ttlbMs: 2700 })],
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
    'slow beside a quick upstream',
    { answers: [answer({ firstByteMs: 1500, upstreamMs: 30, durationMs: 1600 })] },
    /upstream took 30 ms/,
  ],
  [
    'edge',
    'stopped: what it measured itself looks quick',
    {
      answers: [answer({ at: 11_900 })],
      replies: [reply({ at: 11_950, ttfbMs: 2400, ttlbMs: 2450 })],
      edgeStoppedS: 2,
    },
    /stood still for 2.0 s/,
  ],
  [
    'path',
    'the player waited, the edge did not',
    { answers: [answer()], replies: [reply({ at: 11_900, ttfbMs: 2400, ttlbMs: 2450 })] },
    /player's first byte took 2.4 s, the edge's own 3 ms/,
  ],
  [
    'path',
    'a thin line: the last byte took long',
    { answers: [answer({ durationMs: 2300 })], replies: [reply({ at: 11_900, ttfbMs: 50, ttlbMs: 2400 })] },
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
    { replies: [reply({ status: 0, at: 11_000 })], edgeStoppedS: 0 },
    /no answer/,
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
  ['unknown', 'nobody said anything', {}, /nobody told/],
  [
    'unknown',
    'the player waited for an answer that no edge told of',
    { replies: [reply({ at: 11_900, ttfbMs: 2400 })] },
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
