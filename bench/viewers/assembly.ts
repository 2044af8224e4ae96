// Owns measuring assembly: records of 100,000 sessions at once, into sessions, sums and the file, on one core.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '#base'
import { SessionKeeper, SessionStore } from '#control'
import type { ViewerRecord } from '#wire'
import { againstGoal, type BenchResult } from '../result.ts'

const SESSIONS = 100_000
const RATE = 20_000
const BATCH = 1000
const EDGES = 10
const COMMIT_S = 5
const MEMORY_GOAL_MB = 1024
const START = Date.UTC(2027, 0, 1)

export interface AssemblySize {
  /** Seconds of records before anything is measured: sessions have a past. */
  readonly warmS: number
  readonly measuredS: number
}

export async function benchAssembly({ warmS, measuredS }: AssemblySize): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-sessions-'))
  const store = new SessionStore(folder)
  let nowMs = START
  const keeper = new SessionKeeper({
    store,
    words: { edgeOfHost: () => null, edgeOfName: name => name, storedRef: text => text },
    witness: { stoppedS: () => 0, unreachableS: () => 0 },
    classOf: () => 'vod',
    regionOf: edge => edge ?? 'none',
    keptMs: 30 * 86_400_000,
    log: silentLog,
    nowMs: () => nowMs,
    monotonicMs: () => performance.now(),
  })
  try {
    let [spentMs, records, peakMb, longestMs] = [0, 0, 0, 0]
    for (let second = 0; second < warmS + measuredS; second += 1) {
      nowMs = START + second * 1000
      const batches = makeBatches(second)
      const beganMs = performance.now()
      const before = process.cpuUsage()
      for (const [edge, batch] of batches) keeper.take(edge, batch)
      keeper.account()
      if (second % COMMIT_S === 0) {
        keeper.sweep()
        await keeper.commit()
      }
      const tookMs = performance.now() - beganMs
      peakMb = Math.max(peakMb, process.memoryUsage().rss / 1024 ** 2)
      if (second < warmS) continue
      // CPU time of all threads of the process: others on this machine do not count, the collector of garbage does.
      const { user, system } = process.cpuUsage(before)
      spentMs += (user + system) / 1000
      longestMs = Math.max(longestMs, tookMs)
      records += batches.reduce((sum, [, batch]) => sum + batch.length, 0)
    }
    const rate = records / (spentMs / 1000)
    console.log(
      `  assembly: ${keeper.size()} sessions, ${Math.round(rate)} records a CPU second (journal, sessions, sums, commits), longest second of ${RATE} records ${(longestMs / 1000).toFixed(2)} s with its commit, RSS ${Math.round(peakMb)} MB, ${(store.bytes() / 1024 ** 2).toFixed(0)} MB on disk`,
    )
    return [
      againstGoal('assembly', 'records/s', { ours: Math.round(rate), goal: RATE }, 'higher'),
      againstGoal('assembly memory', 'MB', { ours: Math.round(peakMb), goal: MEMORY_GOAL_MB }, 'lower'),
      againstGoal('sessions at once', 'sessions', { ours: keeper.size(), goal: SESSIONS }, 'higher'),
    ]
  } finally {
    await keeper.close()
    store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A second of the fleet: each session tells something each five seconds; three in ten are only known by requests. */
function makeBatches(second: number): [string, ViewerRecord[]][] {
  const batches: [string, ViewerRecord[]][] = []
  const first = (second * RATE) % SESSIONS
  for (let start = 0; start < RATE; start += BATCH) {
    const edge = `edge-${(start / BATCH) % EDGES}`
    const batch = Array.from({ length: BATCH }, (_, at) => recordOf(first + start + at, second, edge))
    batches.push([edge, batch])
  }
  return batches
}

function recordOf(number: number, second: number, edge: string): ViewerRecord {
  const turn = Math.floor((second * RATE) / SESSIONS)
  const at = START + second * 1000 + (number % 1000)
  const sid = `session-${number}-0123456789abcdef`
  const isQuiet = number % 10 < 3
  if (isQuiet || turn % 2 === 1) return requestOf(sid, at, turn)
  const isReply = turn % 4 === 2
  const sta = turn === 0 ? 's' : (number + turn) % 40 === 0 ? 'r' : 'p'
  const base = { kind: 'event' as const, at, sid, sn: turn, ts: at - 40 - (number % 5000), batch: 0 }
  if (isReply) {
    const keys = {
      sta,
      ttfb: 40,
      ttlb: 120,
      rc: 200,
      cmsdd: `"CDN";n="${edge}"`,
      url: `https://${edge}.example/x.m4s`,
    }
    return { ...base, e: 'rr', keys }
  }
  return {
    ...base,
    e: sta === 'p' ? 't' : 'ps',
    keys: { sta, bl: [12_000], br: [3000], cid: 'film', mtp: [9000] },
  }
}

function requestOf(sid: string, at: number, turn: number): ViewerRecord {
  return {
    kind: 'request',
    at,
    sid,
    estimated: false,
    title: 'film',
    object: 'segment',
    mediaS: 6,
    bitrateBps: 3e6,
    segment: turn,
    media: 'video',
    status: 200,
    bytes: 2e6,
    whole: true,
    firstByteMs: 4,
    durationMs: 150,
    cache: 'memory',
    upstreamMs: null,
    bufferMs: 9000,
    starting: false,
    starved: false,
    viewerRegion: 'eu',
    network: null,
    player: 'hls.js',
  }
}
