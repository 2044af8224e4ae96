// Owns the part of the fleet bench with real players: an edge that freezes, one that serves badly, entry hosts.
import type { Browser } from 'playwright-core'
import { Injection } from '../../src/cli/supervisor/injection.ts'
import { embedCode } from '../../web/control-room/embed/embed-code.ts'
import { againstGoal, type BenchResult } from '../result.ts'
import { JoinedFleet } from './joined-fleet.ts'
import { hlsPage, newWatcher, servePages, type Watcher, whyNoPlayers, withBrowser } from './watchers.ts'

const PORT_BASE = 26_200
const ROUNDS = 3
const FULL_BUFFER_S = 16
const WAIT_MS_MAX = 90_000
const OURS_GOAL_S = 5
const HLS_GOAL_S = 15
const FRAME_GOAL_S = 8
const TTL_S = 5
/** After the freeze the viewer must not notice for as long as its buffer would have lasted. */
const WATCH_MS = 25_000

export async function benchPlayers(): Promise<BenchResult[]> {
  const reason = whyNoPlayers()
  if (reason !== null) {
    console.log(`players: skipped; ${reason}`)
    return []
  }
  const fleet = await JoinedFleet.onLoopback(PORT_BASE)
  try {
    return await withBrowser(browser => measure(fleet, browser))
  } finally {
    await fleet.close()
  }
}

async function measure(fleet: JoinedFleet, browser: Browser): Promise<BenchResult[]> {
  const source = `${fleet.controlUrl}/play/sample.m3u8`
  const pages = await servePages(new Map([['/hls.html', hlsPage(source)]]))
  try {
    const results: BenchResult[] = []
    results.push(
      ...(await frozen(fleet, browser, 'our player', `${fleet.controlUrl}/watch/sample`, OURS_GOAL_S)),
    )
    results.push(...(await frozen(fleet, browser, 'unmodified hls.js', `${pages.url}/hls.html`, HLS_GOAL_S)))
    results.push(...(await sick(fleet, browser, 'our player', `${fleet.controlUrl}/watch/sample`)))
    results.push(...(await sick(fleet, browser, 'unmodified hls.js', `${pages.url}/hls.html`)))
    results.push(...(await entry(fleet, browser)))
    return results
  } finally {
    await pages.close()
  }
}

interface Freeze {
  readonly movedS: number
  readonly stalledMs: number
  readonly fatal: number
}

/** Each time the edge that feeds it; the next one within a minute of the return of the one before. */
async function frozen(
  fleet: JoinedFleet,
  browser: Browser,
  who: string,
  url: string,
  goal: number,
): Promise<BenchResult[]> {
  const watcher = await newWatcher(browser)
  await settled(fleet)
  await watcher.open(url)
  const rounds: Freeze[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    await fullBuffer(watcher)
    const { id, origin } = feeding(fleet, watcher)
    const before = await watcher.seen()
    const startedMs = performance.now()
    process.kill(fleet.pid(id), 'SIGSTOP')
    await fleet.until(
      () => Promise.resolve(watcher.firstElsewhere(origin, startedMs) !== null),
      WAIT_MS_MAX,
      `${who}: a segment from elsewhere`,
    )
    const movedS = ((watcher.firstElsewhere(origin, startedMs)?.atMs ?? Number.NaN) - startedMs) / 1000
    await passed(WATCH_MS - (performance.now() - startedMs))
    const after = await watcher.seen()
    process.kill(fleet.pid(id), 'SIGCONT')
    await settled(fleet)
    const stalledMs = after.stalledMs - before.stalledMs
    rounds.push({ movedS, stalledMs, fatal: after.fatal + Number(await hasGivenUp(watcher)) })
    console.log(
      `${who}, ${id} frozen: first segment from elsewhere after ${movedS.toFixed(1)} s, buffer ${before.bufferS.toFixed(0)} s, picture stood ${stalledMs} ms, fatal errors ${after.fatal}`,
    )
  }
  await watcher.page.context().close()
  const worst = (pick: (round: Freeze) => number): number => Math.max(...rounds.map(pick))
  return [
    againstGoal(
      `${who}: first segment from another edge`,
      's',
      { ours: worst(one => one.movedS), goal },
      'lower',
    ),
    none(
      `${who}: rebuffering with a full buffer`,
      'ms',
      worst(one => one.stalledMs),
    ),
    none(
      `${who}: fatal errors`,
      'errors',
      worst(one => one.fatal),
    ),
  ]
}

/** As the fault of "slow" in `vitrine start`: stopped most of the time, and it answers in between. */
async function sick(fleet: JoinedFleet, browser: Browser, who: string, url: string): Promise<BenchResult[]> {
  const watcher = await newWatcher(browser)
  await settled(fleet)
  await watcher.open(url)
  await fullBuffer(watcher)
  const { id, origin } = feeding(fleet, watcher)
  const segmentS = await segmentSeconds(watcher)
  const injection = new Injection(fleet.pid(id))
  const startedMs = performance.now()
  injection.slow()
  try {
    await fleet.until(async () => (await fleet.server(id)).state === 'degraded', WAIT_MS_MAX, 'degraded')
    const knownMs = performance.now()
    const isElsewhere = (): Promise<boolean> =>
      Promise.resolve(watcher.firstElsewhere(origin, startedMs) !== null)
    await fleet.until(isElsewhere, WAIT_MS_MAX, `${who}: a segment from elsewhere`)
    const atMs = watcher.firstElsewhere(origin, startedMs)?.atMs ?? Number.NaN
    const afterS = Math.max(0, (atMs - knownMs) / 1000)
    const { stalledMs } = await watcher.seen()
    console.log(
      `${who}, ${id} slow: degraded after ${((knownMs - startedMs) / 1000).toFixed(1)} s, next segment elsewhere ${((atMs - knownMs) / 1000).toFixed(1)} s after that, picture stood ${stalledMs} ms`,
    )
    const goal = TTL_S + segmentS
    const name = `${who}: next segment elsewhere once an edge is known to be sick`
    // What had moved before that counts as at once.
    return [againstGoal(name, 's', { ours: Math.max(0.001, afterS), goal }, 'lower')]
  } finally {
    injection.end()
    await watcher.page.context().close()
  }
}

/** The embed code of the titles page, with two hosts of which the first is frozen. */
async function entry(fleet: JoinedFleet, browser: Browser): Promise<BenchResult[]> {
  await settled(fleet)
  const hosts = ['e0', 'e1'].map(id => fleet.edgeUrl(id))
  const code = embedCode({ kind: 'hls.js', title: 'sample', hosts }).replace(
    '<video ',
    '<video muted autoplay ',
  )
  const pages = await servePages(new Map([['/embed.html', `<!doctype html>${code}`]]))
  const frames: number[] = []
  try {
    process.kill(fleet.pid('e0'), 'SIGSTOP')
    for (const isControlThere of [true, false]) {
      if (!isControlThere) await fleet.stopControl()
      for (let round = 0; round < ROUNDS; round += 1) {
        const watcher = await newWatcher(browser)
        const tookMs = await watcher.open(`${pages.url}/embed.html`)
        await watcher.page.context().close()
        frames.push(tookMs / 1000)
        const control = isControlThere ? 'with' : 'without'
        console.log(
          `new viewer, first of two entry hosts frozen, ${control} control room: first frame after ${(tookMs / 1000).toFixed(1)} s`,
        )
      }
    }
  } finally {
    process.kill(fleet.pid('e0'), 'SIGCONT')
    await pages.close()
  }
  const [withControl, without] = [frames.slice(0, ROUNDS), frames.slice(ROUNDS)]
  const name = 'new viewer, one of two entry hosts frozen: first frame'
  return [
    againstGoal(name, 's', { ours: Math.max(...withControl), goal: FRAME_GOAL_S }, 'lower'),
    againstGoal(
      `${name}, control room killed`,
      's',
      { ours: Math.max(...without), goal: FRAME_GOAL_S },
      'lower',
    ),
  ]
}

/** A goal of none: the ratio is 1 when it holds. */
function none(name: string, unit: string, ours: number): BenchResult {
  return { name, unit, ours, peer: null, peerName: null, ratio: ours === 0 ? 1 : 0, goal: 0 }
}

async function settled(fleet: JoinedFleet): Promise<void> {
  const all = async (): Promise<boolean> => (await fleet.servers()).every(({ state }) => state === 'healthy')
  await fleet.until(all, WAIT_MS_MAX, 'all are healthy')
}

async function fullBuffer(watcher: Watcher): Promise<void> {
  const startedMs = performance.now()
  while ((await watcher.seen()).bufferS < FULL_BUFFER_S) {
    if (performance.now() - startedMs > WAIT_MS_MAX) throw new Error('the buffer does not fill')
    await passed(100)
  }
}

function feeding(fleet: JoinedFleet, watcher: Watcher): { id: string; origin: string } {
  const origin = watcher.feeding()
  const edge = fleet.options.edges.find(({ id }) => fleet.edgeUrl(id) === origin)
  if (edge === undefined || origin === null) throw new Error(`no edge feeds it, but ${origin ?? 'nobody'}`)
  return { id: edge.id, origin }
}

async function hasGivenUp({ page }: Watcher): Promise<boolean> {
  return (await page.getByRole('button', { name: 'Try again' }).count()) > 0
}

/** From the media playlist that belongs to the newest segment. */
async function segmentSeconds(watcher: Watcher): Promise<number> {
  const { url } = watcher.segments.at(-1) ?? { url: '' }
  const text = await (await fetch(new URL('index.m3u8', url))).text()
  return Number(/#EXT-X-TARGETDURATION:(\d+)/.exec(text)?.[1] ?? Number.NaN)
}

async function passed(ms: number): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, Math.max(0, ms)))
}
