// Owns the bench of writes at their real pace while pages of graphs are refreshed: how late the latest write is answered.
// It refuses to stop for an answer: queries are asked when their time has come, as browsers do.
import { setTimeout as pause } from 'node:timers/promises'
import type { Bodies } from './bodies.ts'
import { ask } from './client.ts'
import { type Target, writeTo } from './targets.ts'

const PAGES = 5
const GRAPHS_A_PAGE = 12
const REFRESH_S = 5

export interface Live {
  readonly writeMsMax: number
  readonly queryMsMedian: number
  readonly queryMsMax: number
}

/** `bodies` has one request a connection and second, and `paths` the graphs of which each page takes its share. */
export async function live(
  target: Target,
  bodies: Bodies,
  seconds: number,
  paths: readonly string[],
): Promise<Live> {
  const writesMs: number[] = []
  const queriesMs: number[] = []
  const running: Promise<void>[] = []
  const lines: Promise<void>[] = []
  // A failure is thrown at the end, when the caller can stop its servers: until then it must not be an unhandled one.
  const keep = (promise: Promise<void>): Promise<void> => {
    promise.catch(() => undefined)
    return promise
  }
  const startedMs = performance.now()
  for (let second = 0; second < seconds; second += 1) {
    await pause(Math.max(0, startedMs + second * 1000 - performance.now()))
    if (second % REFRESH_S === 0) {
      for (let graph = 0; graph < PAGES * GRAPHS_A_PAGE; graph += 1) {
        const path = paths[graph % paths.length] ?? ''
        running.push(keep(timed(queriesMs, async () => void (await ask(target, path + target.extra)))))
      }
    }
    const dueMs = performance.now()
    for (const [at, shard] of bodies.shards.entries()) {
      const each = shard.length / seconds
      // One after the other, as a sender does: what waits behind a slow one is late too.
      for (const body of shard.slice(second * each, (second + 1) * each)) {
        const before = lines[at] ?? Promise.resolve()
        lines[at] = keep(
          before.then(async () => {
            await writeTo(target, body)
            writesMs.push(performance.now() - dueMs)
          }),
        )
      }
    }
  }
  await Promise.all(lines)
  await Promise.all(running)
  queriesMs.sort((a, b) => a - b)
  return {
    writeMsMax: Math.max(...writesMs),
    queryMsMedian: queriesMs[queriesMs.length >> 1] ?? 0,
    queryMsMax: queriesMs.at(-1) ?? 0,
  }
}

async function timed(into: number[], run: () => Promise<void>): Promise<void> {
  const startedMs = performance.now()
  await run()
  into.push(performance.now() - startedMs)
}
