// What an edge answered 204 for reaches the control room once, over kills of the edge and an absent control room.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ViewerEvent, viewerEvent } from '#wire'
import { get, makeFolder, SmallControl, until } from './small-fleet.ts'

const folder = makeFolder()
let control: SmallControl
beforeAll(async () => {
  control = await SmallControl.start()
})
afterAll(async () => {
  await control.close()
  folder.remove()
})

interface EdgeProcess {
  readonly url: string
  kill(): Promise<void>
}

async function start(): Promise<EdgeProcess> {
  const script = new URL('run-edge.ts', import.meta.url).pathname
  const parameters = [folder.path, 'http://127.0.0.1:9', 'eu-west', control.url]
  const child: ChildProcess = spawn('npx', ['tsx', '-C', 'source', script, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const url = await new Promise<string>((resolve, reject) => {
    lines.once('line', resolve)
    child.once('exit', code => reject(new Error(`the edge ended with ${code}`)))
  })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  return {
    url,
    kill: async () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      await ended
    },
  }
}

/** Each record that came, by its number; what comes again has the same place in the spool. */
function heard(): Map<number, ViewerEvent> {
  const events = new Map<number, ViewerEvent>()
  for (const { first, lines } of control.of('viewer-records')) {
    for (const [n, line] of lines.split('\n').entries())
      events.set(first + n, viewerEvent.parse(JSON.parse(line)))
  }
  return events
}

async function report(url: string, from: number, count: number): Promise<void> {
  const body = Array.from(
    { length: count },
    (_, n) => `e=t,sid="s",sn=${from + n},ts=${1_800_000_000_000 + n},v=2`,
  )
  const answer = await get(url, '/cmcd', { 'content-type': 'text/plain' }, 'POST', body.join('\n'))
  expect(answer.status).toBe(204)
}

describe('records of viewers', () => {
  it('outlive kill -9 of the edge and are acknowledged once', async () => {
    const edge = await start()
    await report(edge.url, 0, 30)
    await report(edge.url, 30, 30)
    await edge.kill()
    const again = await start()
    await report(again.url, 60, 10)
    await until('all records are heard', () => heard().size === 70)
    const numbers = [...heard()].sort(([a], [b]) => a - b).map(([, { sn }]) => sn)
    expect(numbers).toEqual(Array.from({ length: 70 }, (_, n) => n))
    const spool = control.of('viewer-records')[0]?.spool ?? ''
    control.say({ type: 'viewer-records-taken', spool, next: 70 })
    const before = control.of('viewer-records').length
    await report(again.url, 70, 1)
    await until('the next is sent alone', () => control.of('viewer-records').length > before)
    expect(control.of('viewer-records').at(-1)).toMatchObject({ first: 70, from: 70 })
    await again.kill()
  }, 30_000)
})
