// Sessions that are deleted while they are watched and told of, by a control room that is killed right after its answer:
// they never come back, whatever players and the spools of edges still tell.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ViewerSessionsAnswer } from '#wire'
import { startFleet, type TestFleet, until } from '../e2e/fleet.ts'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const VIEWERS = 8
const KILLS = 3
const LONG_MS = 120_000

let fleet: TestFleet
let token = ''
let viewers: ChildProcess | null = null
beforeAll(async () => {
  fleet = await startFleet()
  token = (await fleet.vitrine('token', 'create', '--role', 'admin')).trimEnd().split('\n').at(-1) ?? ''
  const words = ['simulate', 'viewers', '--data', fleet.data, '--count', String(VIEWERS), '--buffer', '8s']
  viewers = spawn(process.execPath, [main, ...words], { stdio: 'ignore' })
}, 600_000)
afterAll(async () => {
  if (viewers !== null && viewers.exitCode === null) {
    const ended = once(viewers, 'exit')
    viewers.kill('SIGKILL')
    await ended
  }
  await fleet.close()
}, 60_000)

/** When each session was told of last; null: the control room does not answer. */
async function told(): Promise<Map<string, number> | null> {
  const to = Date.now() + 600_000
  const path = `/api/v1/viewers/sessions?from=${to - 7_200_000}&to=${to}&limit=100`
  const answer = await fleet.get<ViewerSessionsAnswer>(path).catch(() => null)
  return answer === null ? null : new Map(answer.sessions.map(({ sid, lastAt }) => [sid, lastAt]))
}

async function remove(sid: string): Promise<number> {
  const url = `${fleet.controlUrl}/api/v1/viewers/sessions/${encodeURIComponent(sid)}`
  const answer = await fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })
  await answer.body?.cancel()
  return answer.status
}

async function refused(): Promise<number> {
  const text = await fleet.get<unknown>(
    `/prometheus/api/v1/query?query=${encodeURIComponent('sum(vitrine_viewers_records_total{result="removed"})')}`,
  )
  const { data } = text as { data: { result: { value: [number, string] }[] } }
  return Number(data.result[0]?.value[1] ?? 0)
}

it(`are gone for good over ${KILLS} kills of the control room`, async () => {
  let known = new Map<string, number>()
  await until(
    async () => {
      known = (await told()) ?? known
      return known.size >= VIEWERS
    },
    LONG_MS,
    () => JSON.stringify([...known]),
  )
  const gone = new Set<string>()
  for (let kill = 0; kill < KILLS; kill += 1) {
    const [sid] = [...known.keys()].filter(one => !gone.has(one))
    if (sid === undefined) throw new Error('no session is left')
    expect(await remove(sid)).toBe(200)
    const pid = fleet.pid('control')
    process.kill(pid, 'SIGKILL')
    gone.add(sid)
    // Once others are told of again, what edges had spooled has come too.
    const before = new Map(known)
    await until(
      async () => {
        if (fleet.pid('control') === pid) return false
        known = (await told()) ?? known
        const others = [...known].filter(([one]) => !gone.has(one))
        return others.length > 0 && others.every(([one, lastAt]) => lastAt > (before.get(one) ?? 0))
      },
      LONG_MS,
      () => JSON.stringify([[...before], [...known], [...gone]]),
    )
    for (const one of gone) {
      expect([...known.keys()]).not.toContain(one)
      expect(await remove(one), 'nothing of it is left').toBe(404)
    }
  }
  // Its players went on telling, and that was refused: the test could have failed.
  await until(async () => (await refused()) > 0, LONG_MS)
}, 900_000)
