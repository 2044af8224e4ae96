// From records of players to a word on a server's record: counted by the session keeper, judged, told to metrics, and
// known again after a restart. On real files with a clock that is moved.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import type { WriteSeries } from '#metrics'
import type { ViewerEvent } from '#wire'
import { Fleet } from '../../fleet/fleet.ts'
import { type HealthInput, judge, type Verdict } from '../../health/judge.ts'
import { pastViewers } from '../../past/past-viewers.ts'
import { openDatabase } from '../../state/database.ts'
import { SessionKeeper } from '../session-keeper.ts'
import { SessionStore } from '../session-store.ts'
import { CompareKeeper } from './compare-keeper.ts'

const START = Date.UTC(2027, 2, 4, 12)
const EDGES = ['eu-west', 'us-east', 'ap-south'] as const
const VIEWERS = 60
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

interface Opened {
  readonly fleet: Fleet
  readonly compare: CompareKeeper
  readonly keeper: SessionKeeper
  readonly written: WriteSeries[]
  close(this: void): Promise<void>
}

async function open(folder: string, time: { s: number }): Promise<Opened> {
  const state = await openDatabase(folder, systemClock)
  const nowMs = (): number => START + time.s * 1000
  const fleet = new Fleet()
  const server = { role: 'edge', region: 'r', tokenSha256: '', tags: {}, url: '', stream: '', entryWeight: 0 }
  const stored = EDGES.map(id => ({ ...server, id, version: '', hostId: '', sharePercent: 100 }))
  fleet.load(stored as unknown as Parameters<Fleet['load']>[0], new Map(), new Map(), START)
  const written: WriteSeries[] = []
  const compare = new CompareKeeper({
    fleet,
    state,
    store: {
      write: (series: readonly WriteSeries[]) => {
        written.push(...series)
      },
    } as never,
    fleetTime: { nowMs, known: () => true, fromBootMs: ms => ms },
    clock: { ...systemClock, monotonicMs: () => time.s * 1000 },
    log: silentLog,
  })
  const store = new SessionStore(join(folder, 'sessions'))
  const keeper = new SessionKeeper({
    store,
    words: { edgeOfHost: () => null, edgeOfName: name => name, storedRef: text => text },
    witness: { stoppedS: () => null, unreachableS: () => null },
    classOf: () => 'vod',
    regionOf: () => 'r',
    counting: compare.counting,
    keptMs: 1e10,
    log: silentLog,
    nowMs,
    monotonicMs: () => time.s * 1000,
  })
  const close = async (): Promise<void> => {
    await compare.close()
    await keeper.close()
    store.close()
    await state.close()
  }
  return { fleet, compare, keeper, written, close }
}
/** All tell that they play each 15 s; those of `ill` stall in turn. */
async function play(opened: Opened, time: { s: number }, seconds: number, ill: string | null): Promise<void> {
  for (const until = time.s + seconds; time.s < until; ) {
    time.s += 5
    for (const edge of EDGES) opened.keeper.take(edge, recordsOf(edge, time.s, edge === ill))
    opened.keeper.account()
    await opened.compare.turn()
  }
}

function recordsOf(edge: string, s: number, isIll: boolean): ViewerEvent[] {
  const records: ViewerEvent[] = []
  for (let viewer = 0; viewer < VIEWERS; viewer += 1) {
    const turn = s / 5
    // One of twenty stalls once a minute anywhere; where it is ill, all do.
    const stalls = turn % 12 === viewer % 12 && (isIll || viewer % 20 === 0)
    if (!stalls && turn % 3 !== viewer % 3) continue
    const at = START + s * 1000
    const event = (sn: number, sta: string, ts: number): ViewerEvent => ({
      kind: 'event',
      at,
      sid: `${edge}-${viewer}`,
      sn: turn * 2 + sn,
      e: 'ps',
      ts,
      batch: 0,
      keys: { sta, cid: 'film', cmsdd: `n="${edge}"` },
    })
    if (stalls) records.push(event(0, 'r', at - 1500))
    records.push(event(1, 'p', at))
  }
  return records
}

function words({ fleet }: Opened): string[] {
  return EDGES.map(id => `${id}: ${fleet.get(id)?.viewersWord?.says}`)
}

describe('viewers as a witness', () => {
  it('speak against the edge on which more of them stall; it is known again after a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vitrine-compare-'))
    closing.push(() => rmSync(folder, { recursive: true, force: true }))
    const time = { s: 0 }
    const first = await open(folder, time)
    await play(first, time, 60, null)
    expect(words(first)).toEqual(EDGES.map(id => `${id}: too-few`))
    await play(first, time, 2700, null)
    expect(words(first)).toEqual(EDGES.map(id => `${id}: usual`))
    await first.close()

    const second = await open(folder, time)
    closing.push(() => second.close())
    await play(second, time, 60, null)
    expect(words(second)).toEqual(EDGES.map(id => `${id}: usual`))
    await play(second, time, 60, 'us-east')
    expect(words(second)).toEqual(['eu-west: usual', 'us-east: against', 'ap-south: usual'])
    const word = second.fleet.get('us-east')?.viewersWord
    expect(word?.text).toMatch(
      /^\d\d of 60 viewers stalled within 1 min; \d\.\d expected by its peers and its own past/,
    )

    // The series say the same of that moment.
    const last = START + time.s * 1000
    const samples = second.written
      .filter(({ samples: [sample] }) => sample?.timestampMs === last)
      .map(({ labels, samples: [sample] }) => ({ labels, value: sample?.value ?? 0 }))
    const [past] = pastViewers(samples, 'us-east', last)
    expect(past).toMatchObject({ witness: 'viewers', kind: 'viewers', ok: false })
    expect(past?.text).toMatch(/ of 60 viewers stalled within \d min; \d+\.\d expected/)
    expect(pastViewers(samples, 'eu-west', last)[0]?.text).toMatch(/^as usual: /)
    expect(pastViewers([], 'eu-west', last)).toEqual([])
  }, 60_000)
})

describe('their word among witnesses', () => {
  const inside = {
    heardAgeMs: 200,
    watched: { pid: 7, state: 'S', httpOk: true },
    httpMs: 2,
    quality: { looks: 10, failed: 0, medianMs: 2, peersMedianMs: 2 },
  }
  const viewers = { says: 'against' as const, text: '60 of 200 viewers stalled', ageMs: 1000 }
  const counters = { text: 'its counters stand still', ageMs: 0 }
  const judged = (more: Partial<HealthInput>): Verdict => judge({ outside: [], plays: [], inside, ...more })

  it('alone lowers the weight, with a second one the edge is degraded', () => {
    expect(judged({ viewers })).toMatchObject({
      state: 'healthy',
      doubts: 1,
      reason: 'weight lowered by viewers: 60 of 200 viewers stalled',
    })
    expect(judged({ viewers, counters })).toMatchObject({ state: 'degraded', doubts: 2 })
  })

  it('too few to tell speak neither for it nor against it, and an old word is none', () => {
    const few = judged({ viewers: { says: 'too-few', text: 'too few to tell (n=9)', ageMs: 0 } })
    expect(few.doubts).toBe(0)
    expect(few.words.at(-1)).toMatchObject({ kind: 'viewers', unsure: true, text: 'too few to tell (n=9)' })
    const old = judged({ viewers: { ...viewers, ageMs: 31_000 } })
    expect([old.doubts, old.words.some(({ kind }) => kind === 'viewers')]).toEqual([0, false])
  })
})
