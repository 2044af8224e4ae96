// Owns the truth test: real players, stalls of known causes, and what the control room says of them afterwards. The
// truth is read from the frames (truth-page.ts); nothing of the product is asked for it.
import { loadavg } from 'node:os'
import type { Browser, CDPSession, Page } from 'playwright-core'
import type { ViewerSessionAnswer } from '#wire'
import { openBrowser } from '../../test/e2e/browser.ts'
import { until } from '../../test/e2e/fleet.ts'
import { againstGoal, type BenchResult } from '../result.ts'
import { EDGES, type EdgeId, startTruthFleet, TITLE, TITLE_S, type TruthFleet } from './truth-fleet.ts'
import { type Seen, TruthPages } from './truth-page.ts'
import {
  type Injected,
  type Kind,
  kinds,
  nameOf,
  type SessionTruth,
  type TruthSums,
  tellTruth,
} from './truth-table.ts'

export interface TruthSize {
  /** Of both players together. */
  readonly sessions: number
  /** In each session. */
  readonly ofEachKind: number
  /** No session begins later. */
  readonly beginsWithinS: number
  readonly seed: number
}

/** A fault begins with at most so much in the buffer, and lasts so long. */
const BUFFER_S_MAX = 1.2
const LASTS_MS = [2000, 3000] as const
/** Between two stalls: a player that has just recovered is no fair test. */
const REST_MS = 3500
const THROTTLE = 100
/** What goes through of an answer that is held up in its midst. */
const BEGINNING_BYTES = 16 * 1024
const SEEN_MS_MAX = 30_000
/** The control room judges ten seconds after the last word. */
const SETTLED_MS_MAX = 60_000

/** One player, one edge, and what is between them. */
interface Rig {
  readonly edge: EdgeId
  readonly parts: TruthFleet
  readonly browser: Browser
  readonly pages: TruthPages
  readonly random: () => number
  readonly course: Course
}

/** What both players share. */
interface Course {
  readonly size: TruthSize
  readonly startedMs: number
  readonly truths: SessionTruth[]
  /** Sessions that go on, as they were known last. */
  readonly open: Map<EdgeId, SessionTruth>
  begun: number
  faults: number
  /** A throttled page keeps a core busy: one at a time. */
  throttling: Promise<void>
}

/** Two players at once, each with an edge of its own. Ctrl-C ends it with the table of what there is. */
export async function benchTruth(size: TruthSize): Promise<BenchResult[]> {
  console.log(
    `truth: seed ${size.seed}, load ${loadavg()
      .map(one => one.toFixed(1))
      .join(' ')}`,
  )
  const stop = new AbortController()
  const onStop = (): void => stop.abort()
  process.once('SIGINT', onStop).once('SIGTERM', onStop)
  const stopped = new Promise<void>(resolve => {
    stop.signal.addEventListener('abort', () => resolve())
  })
  const parts = await startTruthFleet()
  const rigs: Rig[] = []
  const course: Course = {
    size,
    startedMs: performance.now(),
    truths: [],
    open: new Map(),
    begun: 0,
    faults: 0,
    throttling: Promise.resolve(),
  }
  try {
    for (const [at, edge] of EDGES.entries()) {
      const pages = await TruthPages.start(parts.playerWays[edge].url, TITLE)
      const random = seeded(size.seed * EDGES.length + at + 1)
      rigs.push({ edge, parts, browser: await openBrowser(), pages, random, course })
    }
    const runs = Promise.all(rigs.map(rig => runRig(rig, stop.signal)))
    runs.catch(() => {})
    await Promise.race([runs, stopped])
    if (stop.signal.aborted) console.log('  broken off: what is known so far')
    return results(tellTruth([...course.truths, ...course.open.values()]))
  } finally {
    console.log(
      `  took ${Math.round((performance.now() - course.startedMs) / 1000)} s, load ${loadavg()
        .map(one => one.toFixed(1))
        .join(' ')}`,
    )
    stop.abort()
    process.off('SIGINT', onStop).off('SIGTERM', onStop)
    for (const { browser, pages } of rigs) {
      await browser.close().catch(() => {})
      pages.close()
    }
    await parts.close()
  }
}

async function runRig(rig: Rig, signal: AbortSignal): Promise<void> {
  const { course, edge, random } = rig
  const { size } = course
  while (!signal.aborted && course.begun < size.sessions) {
    if (performance.now() - course.startedMs > size.beginsWithinS * 1000) return
    const n = course.begun
    course.begun += 1
    try {
      course.truths.push(await oneSession(rig, n, shuffled(size.ofEachKind, random)))
    } catch (error) {
      if (signal.aborted) return
      console.log(`  session ${n + 1} on ${edge} broke off: ${String(error)}`)
      const known = course.open.get(edge)
      if (known !== undefined) course.truths.push(known)
    }
    course.open.delete(edge)
  }
}

function results(sums: TruthSums): BenchResult[] {
  const right = kinds.map(kind =>
    againstGoal(`truth: blame right, ${kind}`, '%', { ours: sums.rightPercent[kind], goal: 90 }, 'higher'),
  )
  return [
    againstGoal(
      'truth: rebuffering ratio, farthest off',
      'points',
      { ours: sums.ratioOffPoints, goal: 1 },
      'lower',
    ),
    againstGoal('truth: start time, farthest off', 'ms', { ours: sums.startOffMs, goal: 100 }, 'lower'),
    ...right,
    againstGoal('truth: blame unknown', '%', { ours: sums.unknownPercent, goal: 5 }, 'lower'),
  ]
}

async function oneSession(rig: Rig, n: number, order: readonly Kind[]): Promise<SessionTruth> {
  const { browser, pages, random, edge, course } = rig
  const page = await browser.newPage()
  try {
    await page.goto(pages.url((n * (TITLE_S / 4)) % TITLE_S))
    const devtools = await page.context().newCDPSession(page)
    await untilSeen(page, 'it plays', seen => seen.startMs > 0)
    const sid = String(await page.evaluate('sid'))
    const injected: Injected[] = []
    for (const [at, kind] of order.entries()) {
      await rest(page)
      if (at > 0) await remember(rig, page, sid, injected)
      await untilSeen(page, 'the buffer is low', ({ bufferS, moves }) => moves && bufferS < BUFFER_S_MAX)
      const lastsMs = LASTS_MS[0] + random() * (LASTS_MS[1] - LASTS_MS[0])
      const isLate = random() < 0.5 && (kind === 'origin' || kind === 'path')
      const before = (await seenBy(page)).stalls.length
      const fault = await inject({ kind, isLate }, lastsMs, rig, devtools)
      injected.push(fault)
      await untilSeen(page, `it plays again (${kind})`, seen => seen.moves && seen.stalls.length >= before)
      tellProgress(course, `${edge}: ${nameOf(fault)} for ${(lastsMs / 1000).toFixed(1)} s`)
    }
    await rest(page)
    const seen = await seenBy(page)
    await page.evaluate('leave()')
    const told = await settled(rig.parts, sid, seen)
    return { edge, isWhole: true, injected, seen, told }
  } finally {
    await page.close().catch(() => {})
  }
}

/** For a table that is broken off. */
async function remember(
  { parts, edge, course }: Rig,
  page: Page,
  sid: string,
  known: Injected[],
): Promise<void> {
  const seen = await seenBy(page)
  const told = await toldOf(parts, sid)
  if (told !== null) course.open.set(edge, { edge, isWhole: false, injected: [...known], seen, told })
}

function tellProgress(course: Course, what: string): void {
  const { size, startedMs } = course
  course.faults += 1
  const all = size.sessions * size.ofEachKind * kinds.length
  const elapsedS = (performance.now() - startedMs) / 1000
  const leftMin = ((elapsedS / course.faults) * (all - course.faults)) / 60
  console.log(
    `  ${Math.round(elapsedS)} s: ${course.faults} of ${all}, about ${leftMin.toFixed(1)} min left; ${what}`,
  )
}

async function inject(
  { kind, isLate }: Pick<Injected, 'kind' | 'isLate'>,
  lastsMs: number,
  { parts: { fleet, originWay, playerWays }, edge, course }: Rig,
  devtools: CDPSession,
): Promise<Injected> {
  const lasts = (): Promise<void> => new Promise(resolve => setTimeout(resolve, lastsMs))
  let at = Date.now()
  if (kind === 'player') {
    const turn = course.throttling.then(async () => {
      at = Date.now()
      await devtools.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE })
      await lasts()
      await devtools.send('Emulation.setCPUThrottlingRate', { rate: 1 })
    })
    course.throttling = turn.catch(() => {})
    await turn
  } else if (kind === 'edge') {
    const pid = fleet.pid(edge)
    process.kill(-pid, 'SIGSTOP')
    await lasts().finally(() => process.kill(-pid, 'SIGCONT'))
  } else {
    const [way, who] = kind === 'origin' ? [originWay, edge] : [playerWays[edge], '']
    way.hold(who, isLate ? BEGINNING_BYTES : 0)
    await lasts()
    way.letGo(who)
  }
  return { kind, isLate, at, until: Date.now() }
}

function seenBy(page: Page): Promise<Seen> {
  return page.evaluate('truth()')
}

async function untilSeen(page: Page, what: string, holds: (seen: Seen) => boolean): Promise<void> {
  await until(
    async () => holds(await seenBy(page)),
    SEEN_MS_MAX,
    () => what,
  )
}

/** It has played for a while without a stop. */
async function rest(page: Page): Promise<void> {
  let quietFrom = performance.now()
  let stalls = (await seenBy(page)).stalls.length
  await until(
    async () => {
      const seen = await seenBy(page)
      if (!seen.moves || seen.stalls.length !== stalls) quietFrom = performance.now()
      stalls = seen.stalls.length
      return performance.now() - quietFrom >= REST_MS
    },
    SEEN_MS_MAX,
    () => 'it does not come to rest',
  )
}

/** What the control room says when all of it was judged. */
async function settled(parts: TruthFleet, sid: string, seen: Seen): Promise<ViewerSessionAnswer> {
  const last = (seen.stalls.at(-1)?.at ?? 0) + 15_000
  let told: ViewerSessionAnswer | null = null
  await until(
    async () => {
      told = await toldOf(parts, sid)
      return told?.session.state === 'quit' && Date.now() > last
    },
    SETTLED_MS_MAX,
    () => `${sid} is not over: ${JSON.stringify(told)}`,
  )
  if (told === null) throw new Error(`${sid} is not known`)
  return told
}

function toldOf({ fleet }: TruthFleet, sid: string): Promise<ViewerSessionAnswer | null> {
  return fleet.get<ViewerSessionAnswer>(`/api/v1/viewers/sessions/${sid}`).catch(() => null)
}

function shuffled(ofEach: number, random: () => number): Kind[] {
  const all = kinds.flatMap(kind => Array.from({ length: ofEach }, () => kind))
  return all
    .map(kind => ({ kind, by: random() }))
    .toSorted((a, b) => a.by - b.by)
    .map(({ kind }) => kind)
}

/** Numbers from 0 to 1 that are the same each time (xorshift32). */
function seeded(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
