import { describe, expect, it } from 'vitest'
import {
  type HealthInput,
  type InsideView,
  judge,
  type OutsideView,
  type QualityView,
  type RawState,
} from './judge.ts'
import { type Standing, settle } from './settle.ts'

const good: QualityView = { looks: 10, failed: 0, medianMs: 3, peersMedianMs: 3 }
const bad: QualityView = { looks: 10, failed: 4, medianMs: 3, peersMedianMs: 3 }
const slow: QualityView = { looks: 10, failed: 0, medianMs: 400, peersMedianMs: 3 }

function answers(witness: string, quality: QualityView = good): OutsideView {
  return {
    witness,
    lookAgeMs: 500,
    silentMs: 500,
    failed: false,
    connectMs: 0.1,
    error: null,
    trusted: true,
    quality,
  }
}
function silentFor(witness: string, silentMs: number, quality: QualityView = good): OutsideView {
  return {
    witness,
    lookAgeMs: 100,
    silentMs,
    failed: true,
    connectMs: 0.1,
    error: 'timeout',
    trusted: true,
    quality,
  }
}
/** Not even TCP. */
function dead(witness: string, silentMs: number): OutsideView {
  return { ...silentFor(witness, silentMs), connectMs: null }
}
const runs: InsideView = {
  heardAgeMs: 200,
  watched: { pid: 7, state: 'S', httpOk: true },
  httpMs: 2,
  quality: good,
}
const frozen: InsideView = { ...runs, watched: { pid: 7, state: 'T', httpOk: false }, httpMs: null }
const gone: InsideView = { ...runs, watched: { pid: null, state: null, httpOk: false }, httpMs: null }
const hostSilent: InsideView = { ...runs, heardAgeMs: 9000 }
const never: InsideView = {
  heardAgeMs: null,
  watched: null,
  httpMs: null,
  quality: { ...good, looks: 0, medianMs: null },
}

const table: [string, HealthInput, string, RegExp][] = [
  [
    'all answer',
    { outside: [answers('control'), answers('us')], inside: runs, plays: [] },
    'healthy',
    /answers control, us/,
  ],
  [
    'frozen, seen by two',
    { outside: [silentFor('control', 3000), silentFor('us', 3100)], inside: frozen, plays: [] },
    'unreachable',
    /^process frozen, host alive: no HTTP answer to control, us for 3.0 s/,
  ],
  [
    'gone, seen by two',
    { outside: [silentFor('control', 4000), silentFor('us', 3100)], inside: gone, plays: [] },
    'unreachable',
    /^process gone, host alive/,
  ],
  [
    'agent and probes both silent',
    { outside: [dead('control', 4000), dead('us', 3100)], inside: hostSilent, plays: [] },
    'unreachable',
    /^host silent/,
  ],
  [
    'runs but does not answer',
    { outside: [silentFor('control', 4000), silentFor('us', 3100)], inside: runs, plays: [] },
    'unreachable',
    /^process runs but does not answer/,
  ],
  [
    'silent for less than 3 s',
    { outside: [silentFor('control', 2990), silentFor('us', 2990)], inside: runs, plays: [] },
    'healthy',
    /./,
  ],
  [
    'silent to one of two only',
    { outside: [silentFor('control', 8000, bad), answers('us')], inside: runs, plays: [] },
    'healthy',
    /^weight lowered by control: path sick: control does not reach it, us does$/,
  ],
  [
    'silent to two of four: a sick path, not a sick server',
    {
      outside: [silentFor('control', 8000, bad), silentFor('us', 8000, bad), answers('ap'), answers('sa')],
      inside: runs,
      plays: [],
    },
    'degraded',
    /^serves badly: path sick: control, us do not reach it, ap, sa do$/,
  ],
  [
    'one observer alone, agent says frozen',
    { outside: [silentFor('control', 3000)], inside: frozen, plays: [] },
    'unreachable',
    /^process frozen/,
  ],
  [
    'one observer alone, agent silent too',
    { outside: [dead('control', 3000)], inside: hostSilent, plays: [] },
    'unreachable',
    /^host silent/,
  ],
  [
    'one observer alone, agent says that it answers',
    { outside: [silentFor('control', 9000)], inside: runs, plays: [] },
    'healthy',
    /./,
  ],
  [
    'an observer that reaches nobody is the suspect',
    { outside: [{ ...silentFor('control', 9000, bad), trusted: false }], inside: hostSilent, plays: [] },
    'healthy',
    /no observer can judge/,
  ],
  [
    'an observer that reaches nobody, and the agent says frozen',
    { outside: [{ ...silentFor('control', 9000), trusted: false }], inside: frozen, plays: [] },
    'unreachable',
    /^process frozen/,
  ],
  [
    'old looks of a silent peer do not count',
    {
      outside: [silentFor('control', 9000), { ...silentFor('us', 9000), lookAgeMs: 5000 }],
      inside: runs,
      plays: [],
    },
    'healthy',
    /./,
  ],
  [
    'slow to two outside',
    { outside: [answers('control', slow), answers('us', slow)], inside: runs, plays: [] },
    'degraded',
    /^serves badly: answers take 400 ms, its peers 3.0 ms$/,
  ],
  [
    'slow outside and inside',
    { outside: [answers('control', slow), answers('us')], inside: { ...runs, quality: slow }, plays: [] },
    'degraded',
    /^serves badly: answers take 400 ms, its peers 3.0 ms$/,
  ],
  [
    'failing to one and slow to another: the failures are told',
    { outside: [answers('control', slow), answers('us', bad)], inside: runs, plays: [] },
    'degraded',
    /^serves badly: 4 of 10 probes failed$/,
  ],
  [
    'slow to one',
    { outside: [answers('control', slow), answers('us')], inside: runs, plays: [] },
    'healthy',
    /^weight lowered by control: answers take 400 ms/,
  ],
  [
    'slower than peers, but not noticeably',
    {
      outside: [answers('control', { ...slow, medianMs: 90 }), answers('us', { ...slow, medianMs: 90 })],
      inside: runs,
      plays: [],
    },
    'healthy',
    /./,
  ],
  [
    'slow like its peers: the observer or the network, not this server',
    {
      outside: [
        answers('control', { ...slow, peersMedianMs: 100 }),
        answers('us', { ...slow, peersMedianMs: 100 }),
      ],
      inside: runs,
      plays: [],
    },
    'healthy',
    /./,
  ],
  [
    'four looks are no history',
    {
      outside: [answers('control', { ...bad, looks: 4 }), answers('us', { ...bad, looks: 4 })],
      inside: runs,
      plays: [],
    },
    'healthy',
    /./,
  ],
  [
    'agent silent, probes answered',
    { outside: [answers('control')], inside: hostSilent, plays: [] },
    'healthy',
    /agent is silent/,
  ],
  [
    'agent silent, and the process accepts connections: not the host',
    { outside: [silentFor('control', 4000), silentFor('us', 3100)], inside: hostSilent, plays: [] },
    'unreachable',
    /^process frozen or overloaded \(it accepts connections\), its agent is silent/,
  ],
  [
    'agent silent, no TCP, but the host answers ping',
    {
      outside: [{ ...dead('control', 4000), icmp: { result: 'answered', ms: 3 } }, dead('us', 3100)],
      inside: hostSilent,
      plays: [],
    },
    'unreachable',
    /^process gone, its agent is silent, the host answers ping/,
  ],
  [
    'one of three observers reaches nobody: it is the sick one',
    {
      outside: [{ ...dead('control', 9000), trusted: false }, answers('us'), answers('ap')],
      inside: runs,
      plays: [],
    },
    'healthy',
    /^answers us, ap; observer sick: control reaches nobody$/,
  ],
  [
    'counters that stand still under traffic: one witness',
    {
      outside: [answers('control'), answers('us')],
      inside: runs,
      plays: [],
      counters: { text: 'its counters stand still', ageMs: 0 },
    },
    'healthy',
    /^weight lowered by counters: its counters stand still$/,
  ],
  [
    'no agent ever, probes answered',
    { outside: [answers('control')], inside: never, plays: [] },
    'healthy',
    /./,
  ],
  ['nobody looked yet', { outside: [], inside: never, plays: [] }, 'healthy', /no observer/],
]

describe('judge', () => {
  it.each(table)('%s', (_name, input, state, reason) => {
    const verdict = judge(input)
    expect(verdict.state).toBe(state)
    expect(verdict.reason).toMatch(reason)
  })

  it('says what each witness saw, TCP and HTTP apart', () => {
    const { words } = judge({ outside: [silentFor('control', 3200)], inside: frozen, plays: [] })
    expect(words).toMatchObject([
      { witness: 'control', ok: false, text: 'no HTTP answer for 3.2 s (TCP connect in 0.1 ms)' },
      { witness: 'agent', ok: false, text: 'process frozen, host alive (state T)' },
    ])
  })

  it('counts one witness as one doubt, so that only the weight falls', () => {
    expect(
      judge({ outside: [answers('control', slow), answers('us')], inside: runs, plays: [] }).doubts,
    ).toBe(1)
    expect(judge({ outside: [answers('control'), answers('us')], inside: runs, plays: [] }).doubts).toBe(0)
  })
})

describe('playing', () => {
  const play = (witness: string, failures: number, changes = {}) => ({
    witness,
    ageMs: 1000,
    failures,
    text: failures === 0 ? 'plays sample' : 'cannot play sample: segment 0.m4s: status 503, expected 200',
    othersPlay: true,
    ...changes,
  })
  const state = (...plays: ReturnType<typeof play>[]) =>
    judge({ outside: [answers('control'), answers('us')], plays, inside: runs })

  it('that fails for two observers moves viewers, though it answers', () => {
    const verdict = state(play('control', 2), play('us', 3))
    expect(verdict).toMatchObject({ state: 'degraded', doubts: 2 })
    expect(verdict.reason).toMatch(/^serves badly: cannot play sample: segment 0.m4s: status 503/)
  })

  it('that fails for one lowers the weight', () => {
    expect(state(play('control', 2), play('us', 0))).toMatchObject({ state: 'healthy', doubts: 1 })
  })

  it('that failed once, or long ago, is no doubt', () => {
    expect(state(play('control', 1), play('us', 1)).doubts).toBe(0)
    expect(state(play('control', 5, { ageMs: 61_000 }), play('us', 0)).doubts).toBe(0)
  })

  it('that fails everywhere is the fault of the origin or of the observer: nobody is moved', () => {
    const verdict = state(play('control', 9, { othersPlay: false }), play('us', 9, { othersPlay: false }))
    expect(verdict).toMatchObject({ state: 'healthy', doubts: 0 })
    expect(verdict.words.find(({ kind }) => kind === 'playing')?.text).toMatch(/plays from nobody/)
  })

  it('and looking by the same observer are one witness', () => {
    const input = {
      outside: [answers('control', slow), answers('us')],
      plays: [play('control', 4)],
      inside: runs,
    }
    expect(judge(input)).toMatchObject({ state: 'healthy', doubts: 1 })
  })
})

describe('settle', () => {
  const start: Standing = { state: 'healthy', betterSinceMs: null, qualityFromMs: 0 }
  const after = (standing: Standing, state: RawState, nowMs: number, wavers = false, doubts = 0): Standing =>
    settle(standing, { state, doubts, wavers, isSeen: true }, nowMs)

  it('believes bad news at once and good news after 5 s', () => {
    let standing = after(start, 'unreachable', 1000)
    expect(standing.state).toBe('unreachable')
    standing = after(standing, 'healthy', 2000)
    standing = after(standing, 'healthy', 6999)
    expect(standing.state).toBe('unreachable')
    expect(after(standing, 'healthy', 7000)).toMatchObject({ state: 'healthy', qualityFromMs: 2000 })
  })

  it('starts again when the bad news comes back', () => {
    let standing = after(start, 'unreachable', 0)
    standing = after(standing, 'healthy', 1000)
    standing = after(standing, 'unreachable', 3000)
    standing = after(standing, 'healthy', 4000)
    expect(after(standing, 'healthy', 8000).state).toBe('unreachable')
    expect(after(standing, 'healthy', 9000).state).toBe('healthy')
  })

  it('leaves degraded after 10 s, and goes from degraded to unreachable at once', () => {
    let standing = after(start, 'degraded', 0)
    standing = after(standing, 'healthy', 1000)
    expect(after(standing, 'healthy', 10_999).state).toBe('degraded')
    expect(after(standing, 'healthy', 11_000).state).toBe('healthy')
    expect(after(standing, 'unreachable', 1001).state).toBe('unreachable')
  })

  it('does not leave maintenance by judgement', () => {
    const set: Standing = { ...start, state: 'maintenance' }
    expect(after(set, 'unreachable', 0)).toEqual(set)
  })

  it('waits while it falls silent, for four seconds at most, and calls an outage at once', () => {
    const falls = after(start, 'degraded', 0, true)
    expect(falls.state).toBe('healthy')
    expect(after(falls, 'unreachable', 1000).state).toBe('unreachable')
    expect(after(falls, 'degraded', 3999, true).state).toBe('healthy')
    expect(after(falls, 'degraded', 1000, false).state).toBe('degraded')
    // Short pauses do not start the wait again.
    const paused = after(after(falls, 'healthy', 2000), 'degraded', 2900, true)
    expect(after(paused, 'degraded', 4000, true).state).toBe('degraded')
  })

  it('does not come back while it falls silent again', () => {
    const ill = after(after(start, 'degraded', 0), 'healthy', 1000)
    const falls = after(ill, 'healthy', 11_000, true)
    expect(falls).toMatchObject({ state: 'degraded', betterSinceMs: null })
    expect(after(after(falls, 'healthy', 12_000), 'healthy', 22_000).state).toBe('healthy')
  })

  it('takes it for no good news that nobody can judge any more', () => {
    const ill = after(start, 'unreachable', 0)
    const unseen = { state: 'healthy', doubts: 0, wavers: false, isSeen: false } as const
    expect(settle(after(ill, 'healthy', 1000), unseen, 9000)).toMatchObject({
      state: 'unreachable',
      betterSinceMs: null,
    })
    expect(settle(start, unseen, 9000).state).toBe('healthy')
  })

  it('comes back from an outage as degraded while anybody doubts it', () => {
    const back = after(after(start, 'unreachable', 0), 'healthy', 1000, false, 1)
    const watched = after(back, 'healthy', 6000, false, 1)
    expect(watched.state).toBe('degraded')
    expect(after(after(watched, 'healthy', 7000), 'healthy', 17_000).state).toBe('healthy')
  })
})
