// The keeper on a real file: floods, restarts in the middle, sums that never go back, days that go.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '#base'
import type { ViewerEvent, ViewerRecord } from '#wire'
import { affectedBy } from './affected.ts'
import { SessionKeeper } from './session-keeper.ts'
import { SessionSearch } from './session-search.ts'
import { SessionStore } from './session-store.ts'

const DAY_MS = 86_400_000
const START = Date.UTC(2027, 2, 4, 12)
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

interface Opened {
  readonly keeper: SessionKeeper
  readonly store: SessionStore
  readonly search: SessionSearch
  readonly folder: string
  /** Seconds since START. */
  now: number
  /** As `kill -9` leaves it: nothing is committed any more. */
  kill(): void
}

interface Part {
  readonly folder?: string
  readonly now?: number
  readonly sessionsMax?: number
  readonly bytesMax?: number
  readonly bytes?: number
}

function open(part: Part = {}): Opened {
  const folder = part.folder ?? mkdtempSync(join(tmpdir(), 'vitrine-sessions-'))
  if (part.folder === undefined) folders.push(folder)
  const store = new SessionStore(folder, { keptMs: 30 * DAY_MS, bytes: part.bytes ?? 1e9 })
  const opened = { folder, store, now: part.now ?? 0, kill: () => store.close() }
  const keeper = new SessionKeeper({
    store,
    words: { edgeOfHost: () => null, edgeOfName: name => name, storedRef: text => text },
    witness: { stoppedS: () => null, unreachableS: () => null },
    classOf: () => 'vod',
    regionOf: () => 'eu',
    keptMs: 30 * DAY_MS,
    log: silentLog,
    nowMs: () => START + opened.now * 1000,
    monotonicMs: () => performance.now(),
    ...(part.sessionsMax === undefined ? {} : { sessionsMax: part.sessionsMax }),
    ...(part.bytesMax === undefined ? {} : { bytesMax: part.bytesMax }),
  })
  return Object.assign(opened, { keeper, search: new SessionSearch(keeper, store) })
}

function event(
  sid: string,
  sn: number,
  s: number,
  sta: string,
  more: ViewerEvent['keys'] = {},
): ViewerRecord {
  const at = START + s * 1000
  const keys = { sta, cid: 'film', cmsdd: 'n="eu-west"', ...more }
  return { kind: 'event', at, sid, sn, e: 'ps', ts: at, batch: 0, keys }
}

/** As the metrics store is told: name and labels that differ, with the value. */
function sums({ keeper }: Opened): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { labels, samples } of keeper.counts.series(1)) {
    const { __name__: name = '', estimate = '', le = '', blame = '' } = labels
    const key = [name.replace('vitrine_viewers_', ''), estimate, le, blame].filter(Boolean).join(' ')
    found[key] = (found[key] ?? 0) + (samples.at(-1)?.value ?? 0)
  }
  return found
}

const watched = (sid: string): ViewerRecord[] => [
  event(sid, 1, 0, 's'),
  event(sid, 2, 2, 'p'),
  event(sid, 3, 12, 'r'),
  event(sid, 4, 16, 'p'),
  event(sid, 5, 26, 'q'),
]

describe('the keeper', () => {
  it('tells metrics what was committed, and goes on from there after a kill', async () => {
    const first = open()
    const records = ['a', 'b', 'c'].flatMap(watched).toSorted((a, b) => a.at - b.at)
    first.now = 13
    first.keeper.take('eu-west', records.slice(0, 6))
    first.keeper.account()
    await first.keeper.commit()
    const begun = first.keeper.counts.series(10_000).map(({ samples }) => samples[0])
    // A counter that began at 3 would have no increase: the first sessions of an edge would be in no sum of a day.
    expect(begun.every(sample => sample?.value === 0 && sample.timestampMs < 10_000)).toBe(true)
    expect(first.keeper.counts.series(11_000).every(({ samples }) => samples.length === 1)).toBe(true)
    const told = sums(first)
    // These are taken and accounted, but not committed.
    first.keeper.take('eu-west', records.slice(6, 11))
    first.keeper.account()
    expect(sums(first)).toEqual(told)
    first.kill()

    const second = open({ folder: first.folder, now: 40 })
    expect(sums(second)).toEqual(told)
    // The receipt's place was not stored for the last one: the edge sends it again.
    second.keeper.take('eu-west', records.slice(10))
    second.keeper.account()
    second.now = 60
    second.keeper.sweep()
    await second.keeper.commit()
    expect(sums(second)).toMatchObject({
      'sessions_total no': 3,
      'started_total no': 3,
      'watched_seconds_total no': 60,
      'rebuffering_seconds_total no': 12,
      'asked_seconds_total no': 72,
      'rebuffers_total no': 3,
      'stalls_total no unknown': 3,
      'start_seconds_bucket no 1.5': 0,
      'start_seconds_bucket no 2': 3,
      'start_seconds_bucket no +Inf': 3,
      'start_seconds_sum no': 6,
    })
    for (const [name, value] of Object.entries(told)) expect(sums(second)[name]).toBeGreaterThanOrEqual(value)
    expect(second.keeper.size()).toBe(0)
    await second.keeper.close()
    second.store.close()
  })

  it('charges a stall to the edge that let it begin, not to the one that ended it', async () => {
    const opened = open({ now: 40 })
    const us = { cmsdd: 'n="us-east"' }
    opened.keeper.take('us-east', [
      event('a', 1, 0, 's'),
      event('a', 2, 2, 'p'),
      event('a', 3, 12, 'r'),
      // Moved in the midst of it: it plays on from another edge.
      event('a', 4, 18, 'p', us),
      event('a', 5, 28, 'r', us),
      event('a', 6, 30, 'p', us),
    ])
    opened.keeper.account()
    await opened.keeper.commit()
    const by = (name: string): Record<string, number> =>
      Object.fromEntries(
        opened.keeper.counts
          .series(1)
          .filter(({ labels }) => labels['__name__'] === `vitrine_viewers_${name}`)
          .map(({ labels, samples }) => [labels['instance'] ?? '', samples.at(-1)?.value ?? 0]),
      )
    expect(by('rebuffering_seconds_total')).toEqual({ 'eu-west': 6, 'us-east': 2 })
    expect(by('rebuffers_total')).toEqual({ 'eu-west': 1, 'us-east': 1 })
    const [asked, watchedS] = [by('asked_seconds_total'), by('watched_seconds_total')]
    expect((asked['eu-west'] ?? 0) - (watchedS['eu-west'] ?? 0)).toBe(6)
    expect((asked['us-east'] ?? 0) - (watchedS['us-east'] ?? 0)).toBe(2)
    await opened.keeper.close()
    opened.store.close()
  })

  it('a record that comes after its session was stored opens it again; repeated ones change nothing', async () => {
    const opened = open({ now: 26 })
    const records = watched('a')
    opened.keeper.take('eu-west', records.toSpliced(3, 1))
    opened.now = 60
    opened.keeper.account()
    opened.keeper.sweep()
    await opened.keeper.commit()
    expect(opened.keeper.size()).toBe(0)
    opened.keeper.take('us-east', records)
    expect(opened.keeper.totals).toMatchObject({ taken: 5, duplicate: 4 })
    opened.now = 100
    opened.keeper.account()
    opened.keeper.sweep()
    await opened.keeper.commit()
    const filter = { fromMs: START, toMs: START + DAY_MS }
    const { found, next } = opened.search.page(filter, null, 10)
    expect(found.map(({ figures }) => figures)).toMatchObject([{ watchedS: 20, rebufferS: 4, state: 'quit' }])
    expect(next).toBeNull()
    // What was told before was more stalling than there was: counters do not go back.
    expect(sums(opened)['rebuffering_seconds_total no']).toBeGreaterThanOrEqual(4)
    opened.store.close()
  })

  it('a flood of ids pushes out ids of one record, never who has been watching', () => {
    const opened = open({ sessionsMax: 50, now: 26 })
    for (let at = 0; at < 20; at += 1) opened.keeper.take('eu-west', watched(`real ${at}`))
    for (let at = 0; at < 5000; at += 1) opened.keeper.take('eu-west', [event(`flood ${at}`, 0, 20, 's')])
    expect(opened.keeper.size()).toBe(50)
    expect([...opened.keeper.heads()].filter(({ sid }) => sid.startsWith('real'))).toHaveLength(20)
    expect(opened.keeper.evicted).toEqual({ stored: 0, dropped: 4970 })
    opened.store.close()
  })

  it('does not take what an edge says of the future or of long ago', () => {
    const opened = open()
    opened.keeper.take('eu-west', [event('old', 1, -40 * 86_400, 'p'), event('ahead', 1, 86_400, 'p')])
    expect(opened.keeper.totals).toMatchObject({ 'too-old': 1, ahead: 1 })
    expect(opened.keeper.get('ahead')?.lastAt).toBeLessThanOrEqual(START + 5000)
    opened.store.close()
  })

  it('pages over what goes on and what is stored, without gaps or repetitions, and deletes', async () => {
    const opened = open({ now: 26 })
    const late = (sid: string, by: number): ViewerRecord[] =>
      watched(sid).map(record => ({ ...record, at: record.at + by, ts: record.at + by }) as ViewerRecord)
    for (let at = 0; at < 30; at += 1) opened.keeper.take('eu-west', late(`s${at}`, at))
    opened.now = 60
    opened.keeper.account()
    opened.keeper.sweep()
    await opened.keeper.commit()
    for (let at = 30; at < 50; at += 1) opened.keeper.take('eu-west', late(`s${at}`, at))
    const filter = { fromMs: START, toMs: START + DAY_MS, edge: 'eu-west', rebufferSMin: 4 }
    const seen: string[] = []
    for (let before = null as { at: number; sid: string } | null; ; ) {
      const { found, next } = opened.search.page(filter, before, 7)
      seen.push(...found.map(({ session }) => session.sid))
      if (next === null) break
      before = next
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, at) => `s${49 - at}`))
    expect(opened.search.page({ ...filter, edge: 'us-east' }, null, 7).found).toEqual([])
    expect(await opened.keeper.remove('s3')).toBe(true)
    expect(await opened.keeper.remove('s40')).toBe(true)
    expect(await opened.keeper.remove('s40')).toBe(false)
    expect(opened.keeper.find('s3')).toBeNull()
    opened.store.close()
  })

  it('rests what is not touched, and gives the same as one that never rested', async () => {
    // More than are open at once, in an order that opens each again and again.
    const sids = Array.from({ length: 1200 }, (_, at) => `s${at}`)
    const opened = open({ now: 26 })
    for (let at = 0; at < 5; at += 1) {
      opened.keeper.take(
        'eu-west',
        sids.flatMap(sid => watched(sid)[at] ?? []),
      )
    }
    opened.keeper.account()
    const one = open({ now: 26 })
    one.keeper.take('eu-west', watched('s7'))
    one.keeper.account()
    expect(opened.keeper.find('s7')).toEqual(one.keeper.find('s7'))
    await opened.keeper.commit()
    expect(sums(opened)).toMatchObject({ 'sessions_total no': 1200, 'watched_seconds_total no': 24_000 })
    expect(opened.keeper.restingBytes() / sids.length).toBeLessThan(1024)
    opened.kill()
    const again = open({ folder: opened.folder, now: 26 })
    expect(again.keeper.size()).toBe(1200)
    expect(again.keeper.find('s7')?.points).toEqual(one.keeper.find('s7')?.points)
    again.store.close()
    one.store.close()
  })

  it('pushes sessions out where their memory is full, and stores those that were proven', () => {
    const opened = open({ now: 26, bytesMax: 1 })
    for (let at = 0; at < 6000; at += 1) opened.keeper.take('eu-west', watched(`s${at}`))
    opened.keeper.account()
    expect(opened.keeper.restingBytes()).toBeLessThanOrEqual(1024 ** 2)
    expect(opened.keeper.evicted.stored).toBeGreaterThan(0)
    expect(opened.keeper.size() + opened.keeper.evicted.stored).toBe(6000)
    expect(opened.keeper.find('s0')).not.toBeNull()
    opened.store.close()
  })

  it('what was deleted stays deleted after a kill, whatever comes of it still', async () => {
    const first = open({ now: 26 })
    first.keeper.take('eu-west', [...watched('gone'), ...watched('kept')])
    // Nothing is committed: it lies in the journal alone.
    expect(await first.keeper.remove('gone')).toBe(true)
    first.kill()
    const second = open({ folder: first.folder, now: 27 })
    expect(second.keeper.find('gone')).toBeNull()
    expect(second.keeper.find('kept')).not.toBeNull()
    second.keeper.take('us-east', [event('gone', 6, 26, 'p')])
    expect(second.keeper.get('gone')).toBeNull()
    expect(second.keeper.totals.removed).toBe(6)
    expect(await second.keeper.remove('gone')).toBe(false)
    // A record of that time would be too old by now.
    second.now = 31 * 86_400
    await second.keeper.prune()
    expect(second.store.removed()).toEqual([])
    second.store.close()
  })

  it('waits for the edge that served before it tells a session as nobody’s', async () => {
    const opened = open({ now: 1 })
    const instances = (): (string | undefined)[] => [
      ...new Set(opened.keeper.counts.series(1).map(({ labels }) => labels['instance'])),
    ]
    const nameless = (sid: string): ViewerRecord[] =>
      watched(sid).map(record =>
        record.kind === 'event' ? { ...record, keys: { ...record.keys, cmsdd: null } } : record,
      )
    opened.keeper.take('eu-west', nameless('a').slice(0, 2))
    opened.keeper.account()
    await opened.keeper.commit()
    expect(instances()).toEqual([])
    opened.now = 3
    opened.keeper.take('eu-west', [event('a', 9, 2, 'p')])
    opened.keeper.account()
    await opened.keeper.commit()
    expect(instances()).toEqual(['eu-west'])
    // Of whom no edge ever tells is nobody's after a short time.
    opened.keeper.take('eu-west', nameless('b').slice(0, 2))
    opened.now = 14
    opened.keeper.account()
    await opened.keeper.commit()
    expect(instances()).toEqual(['eu-west', 'none'])
    opened.store.close()
  })

  it('leaves out what nobody can mean, and counts why', () => {
    const opened = open({ now: 26 })
    const lie = (sn: number, ts: number, keys: ViewerEvent['keys'] = {}): ViewerRecord =>
      ({ ...event('liar', sn, 20, 'p', keys), ts }) as ViewerRecord
    opened.keeper.take('eu-west', [
      lie(1, Date.UTC(2100, 0, 1)),
      lie(2, -1),
      lie(3, 1e300),
      lie(4, 0, { bl: [-5] }),
      lie(5, 1, { ttlb: 1e300, br: [1e30], msd: -1 }),
      lie(6, 2, { nonsense: { deep: [1, 2] }, br: 'no' }),
    ])
    expect(opened.keeper.totals).toMatchObject({ 'bad-time': 3, absurd: 2, taken: 1 })
    // A clock that runs ahead with each record wins no more time than there was.
    for (let sn = 10; sn < 1000; sn += 1) opened.keeper.take('eu-west', [lie(sn, sn * 100_000)])
    const session = opened.keeper.find('liar')
    expect(session?.points.length).toBeLessThanOrEqual(97 * 6)
    const seen = opened.search.page({ fromMs: START, toMs: START + DAY_MS }, null, 5).found[0]?.figures
    expect(seen?.watchedS).toBeLessThanOrEqual(900)
    expect(seen?.peak).toBeNaN()
    opened.store.close()
  })

  it('drops whole days by age, and the oldest ones when all are too large; today stays', async () => {
    const opened = open({ now: 26, bytes: 1 })
    opened.keeper.take('eu-west', watched('a'))
    opened.now = 60
    opened.keeper.sweep()
    await opened.keeper.commit()
    expect(await opened.keeper.prune()).toBe(0)
    opened.now = 86_400
    expect(await opened.keeper.prune()).toBe(1)
    expect(opened.keeper.find('a')).toBeNull()
    opened.store.close()
  })
})

describe('affected', () => {
  it('are those who lost seconds or could not start, and how many more than peers', async () => {
    const opened = open({ now: 26 })
    for (let at = 0; at < 8; at += 1) opened.keeper.take('eu-west', watched(`hurt ${at}`))
    opened.keeper.take('eu-west', [
      event('gone', 1, 0, 's', { 'com.vitrine-viewer': 'ada' }),
      event('gone', 2, 9, 'q'),
    ])
    for (let at = 0; at < 20; at += 1) {
      const stalls = at < 2 ? ['p', 'r', 'p'] : ['p', 'p', 'p']
      const peer = stalls.map((sta, sn) => event(`peer ${at}`, sn, 2 + sn * 5, sta, { cmsdd: 'n="us-east"' }))
      opened.keeper.take('us-east', peer)
    }
    const query = { from: START, to: START + 30_000, edge: 'eu-west', lostSMin: 3, waitedSMin: 3 }
    const all = opened.search.all({ fromMs: query.from, toMs: query.to })
    const { measured, estimated, viewers } = await affectedBy(query, all, () => 'vod')
    expect(measured).toMatchObject({
      viewers: 9,
      affected: 9,
      couldNotStart: 1,
      lostS: 32,
      peers: 20,
      peersAffected: 2,
    })
    expect(measured.excess).toBeCloseTo(9 - 0.9)
    expect(estimated).toMatchObject({ viewers: 0, excess: null })
    expect(viewers.at(-1)).toMatchObject({ viewerRef: 'ada', couldNotStart: true, edge: 'eu-west' })
    opened.store.close()
  })
})
