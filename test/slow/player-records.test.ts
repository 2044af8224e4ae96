// What a real browser tells of what its viewer goes through, and that an edge which stops does not take it along.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ViewerEvent, viewerEvent } from '#wire'
import { hasChromium, openBrowser } from '../e2e/browser.ts'
import { edges, startFleet, type TestFleet, until } from '../e2e/fleet.ts'

let fleet: TestFleet
let browser: Browser
beforeAll(async () => {
  fleet = await startFleet()
  browser = await openBrowser()
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await fleet?.close()
})

/** From the files themselves: an edge keeps the newest segment also when the control room has it. */
function eventsAt(edge: string): ViewerEvent[] {
  const folder = join(fleet.data, 'edges', edge, 'viewers')
  const text = readdirSync(folder)
    .filter(name => name.endsWith('.spool'))
    .map(name => readFileSync(join(folder, name), 'utf8'))
    .join('')
  return [...text.matchAll(/\{"kind":"event".*\}/g)].map(([line]) => viewerEvent.parse(JSON.parse(line)))
}

function session(sid: string): ViewerEvent[] {
  const all = edges.flatMap(edge => eventsAt(edge)).filter(event => event.sid === sid)
  const bySn = new Map(all.map(event => [event.sn, event]))
  return [...bySn.values()].sort((a, b) => (a.sn ?? 0) - (b.sn ?? 0))
}

/** Patience with a browser on a machine that does other things too. */
const holds = (what: string, condition: () => boolean): Promise<number> =>
  until(condition, 60_000, () => what)

const states = (events: readonly ViewerEvent[]): unknown[] =>
  events.filter(({ e }) => e === 'ps').map(({ keys }) => keys['sta'])

describe.skipIf(!hasChromium)('a browser', () => {
  it('tells its start, a seek without a stall, what it fetched, and that it went', async () => {
    const page = await browser.newPage()
    await page.goto(`${fleet.edgeUrl('eu-west')}/watch/sample?via=eu-west`)
    const sid = await page.getByLabel('Session id').inputValue()
    await holds('the start is told', () => states(session(sid)).includes('p'))
    await page.evaluate(() => {
      const video = document.querySelector('video')
      if (video !== null) video.currentTime += 10
    })
    await holds('the seek is told', () => states(session(sid)).join('').endsWith('kp'))
    await page.evaluate(() => document.querySelector('video')?.pause())
    await holds('the pause is told', () => states(session(sid)).at(-1) === 'a')
    await page.close({ runBeforeUnload: true })
    await holds('the end is told', () => states(session(sid)).at(-1) === 'q')
    const events = session(sid)
    expect(states(events).join('')).toMatch(/^s(p|kp)+akq$|^s(kp|p)+aq$/)
    const starts = events.filter(({ keys }) => 'msd' in keys)
    expect(starts).toHaveLength(1)
    expect(starts[0]?.keys['msd']).toBeGreaterThan(0)
    const response = events.find(({ e, keys }) => e === 'rr' && 'cmsds' in keys)
    // A slow machine may have moved it; then both ways of telling the edge say so.
    const said = Buffer.from(String(response?.keys['cmsds']), 'base64').toString()
    const edge = /n="([^"]+)"/.exec(said)?.[1] ?? ''
    const { host } = new URL(fleet.edgeUrl(edge))
    expect(response?.keys).toMatchObject({ rc: 200, cid: 'sample', h: host })
    expect(response?.keys['ttfb']).toBeGreaterThanOrEqual(0)
    // Not one is missing between the first and the last.
    expect(events.map(({ sn }) => sn)).toEqual(events.map((_, n) => n + 1))
  }, 90_000)

  it('tells the edges that live of the one that stopped under it', async () => {
    const page = await browser.newPage()
    await page.goto(`${fleet.edgeUrl('us-east')}/watch/sample?via=us-east`)
    const sid = await page.getByLabel('Session id').inputValue()
    await holds('the start is told', () => states(session(sid)).includes('p'))
    process.kill(-fleet.pid('us-east'), 'SIGSTOP')
    try {
      await page.evaluate(() => {
        const video = document.querySelector('video')
        // Beyond what is buffered: it has to wait for an edge.
        if (video !== null) video.currentTime += 60
      })
      const elsewhere = (): ViewerEvent[] =>
        ['eu-west', 'ap-southeast'].flatMap(edge => eventsAt(edge)).filter(event => event.sid === sid)
      const { host } = new URL(fleet.edgeUrl('us-east'))
      const isFailure = ({ e, keys }: ViewerEvent): boolean =>
        e === 'rr' && keys['rc'] === 0 && keys['h'] === host
      await holds('the failure is told elsewhere', () => elsewhere().some(isFailure))
      await holds('it plays on', () => states(elsewhere()).at(-1) === 'p')
    } finally {
      process.kill(-fleet.pid('us-east'), 'SIGCONT')
    }
    await holds('all records are somewhere', () => {
      const events = session(sid)
      return events.length > 5 && events.every(({ sn }, n) => sn === n + 1)
    })
    await page.close()
  }, 90_000)
})
