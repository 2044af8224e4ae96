// Owns the truth test: real players, stalls of known causes, and what the control room says of them afterwards. The
// truth is read from the frames (truth-page.ts); nothing of the product is asked for it.
import type { Browser, CDPSession, Page } from 'playwright-core'
import type { ViewerSessionAnswer } from '#wire'
import { openBrowser } from '../../test/e2e/browser.ts'
import { until } from '../../test/e2e/fleet.ts'
import { againstGoal, type BenchResult } from '../result.ts'
import { EDGE, startTruthFleet, TITLE_S, type TruthFleet } from './truth-fleet.ts'
import { type Seen, TruthPages } from './truth-page.ts'
import {
  type Injected,
  type Kind,
  kinds,
  type SessionTruth,
  type TruthSums,
  tellTruth,
} from './truth-table.ts'

export interface TruthSize {
  readonly sessions: number
  /** In each session. */
  readonly ofEachKind: number
}

/** A fault begins with at most so much in the buffer, and lasts so long. */
const BUFFER_S_MAX = 1.2
const LASTS_MS = [2000, 3000] as const
/** Between two stalls: a player that has just recovered is no fair test. */
const REST_MS = 3500
const THROTTLE = 100
const SEEN_MS_MAX = 30_000
/** The control room judges ten seconds after the last word. */
const SETTLED_MS_MAX = 60_000
const SEED = 6

export async function benchTruth({ sessions, ofEachKind }: TruthSize): Promise<BenchResult[]> {
  const parts = await startTruthFleet()
  const pages = await TruthPages.start(parts.playerWay.url, 'truth')
  const browser = await openBrowser()
  const random = seeded(SEED)
  const truths: SessionTruth[] = []
  try {
    for (let n = 0; n < sessions; n += 1) {
      const startS = (n * (TITLE_S / 4)) % TITLE_S
      truths.push(await oneSession(parts, browser, pages.url(startS), shuffled(ofEachKind, random), random))
    }
    const sums = tellTruth(truths)
    return results(sums)
  } finally {
    await browser.close()
    pages.close()
    await parts.close()
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

async function oneSession(
  parts: TruthFleet,
  browser: Browser,
  url: string,
  order: readonly Kind[],
  random: () => number,
): Promise<SessionTruth> {
  const page = await browser.newPage()
  try {
    await page.goto(url)
    const devtools = await page.context().newCDPSession(page)
    await untilSeen(page, 'it plays', seen => seen.startMs > 0)
    const injected: Injected[] = []
    for (const kind of order) {
      await rest(page)
      await untilSeen(page, 'the buffer is low', ({ bufferS, moves }) => moves && bufferS < BUFFER_S_MAX)
      const lastsMs = LASTS_MS[0] + random() * (LASTS_MS[1] - LASTS_MS[0])
      const before = (await seenBy(page)).stalls.length
      const at = Date.now()
      await inject(kind, lastsMs, parts, devtools)
      injected.push({ kind, at, until: Date.now() })
      await untilSeen(page, `it plays again (${kind})`, seen => seen.moves && seen.stalls.length >= before)
    }
    await rest(page)
    const seen = await seenBy(page)
    const sid = await page.evaluate('sid')
    await page.evaluate('leave()')
    const told = await settled(parts, String(sid), seen)
    return { injected, seen, told }
  } finally {
    await page.close()
  }
}

async function inject(
  kind: Kind,
  lastsMs: number,
  { fleet, originWay, playerWay }: TruthFleet,
  devtools: CDPSession,
): Promise<void> {
  const lasts = (): Promise<void> => new Promise(resolve => setTimeout(resolve, lastsMs))
  if (kind === 'player') {
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE })
    await lasts()
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: 1 })
  } else if (kind === 'edge') {
    process.kill(-fleet.pid(EDGE), 'SIGSTOP')
    await lasts().finally(() => process.kill(-fleet.pid(EDGE), 'SIGCONT'))
  } else {
    const way = kind === 'origin' ? originWay : playerWay
    way.hold()
    await lasts()
    way.letGo()
  }
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
async function settled({ fleet }: TruthFleet, sid: string, seen: Seen): Promise<ViewerSessionAnswer> {
  const last = (seen.stalls.at(-1)?.at ?? 0) + 15_000
  let told: ViewerSessionAnswer | null = null
  await until(
    async () => {
      told = await fleet.get<ViewerSessionAnswer>(`/api/v1/viewers/sessions/${sid}`).catch(() => null)
      return told?.session.state === 'quit' && Date.now() > last
    },
    SETTLED_MS_MAX,
    () => `${sid} is not over: ${JSON.stringify(told)}`,
  )
  if (told === null) throw new Error(`${sid} is not known`)
  return told
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
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
