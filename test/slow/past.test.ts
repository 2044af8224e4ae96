// A fleet that went through a freeze, looked back at in a real browser: wall, matrix and server page at that moment, the
// panel at the cursor, links that keep zone and moment, and charts after a change of the colour scheme.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerView } from '#wire'
import { hasChromium, openBrowser } from '../e2e/browser.ts'
import { startFleet, type TestFleet, until } from '../e2e/fleet.ts'

const STEP_MS_MAX = 25_000
/** Above it a page feels restless: web.dev/articles/cls. */
const LAYOUT_SHIFT_MAX = 0.1

let fleet: TestFleet
let browser: Browser
let context: BrowserContext
const complaints: string[] = []
const at = { before: 0, during: 0 }

interface Watched {
  shift?: number
}

async function servers(): Promise<{ now: number; servers: ServerView[] }> {
  return await fleet.get('/api/v1/servers')
}
async function isIn(id: string, state: string): Promise<boolean> {
  return (await servers()).servers.find(one => one.id === id)?.state === state
}
/** A moment of which everything is stored. */
async function moment(): Promise<number> {
  const fromMs = (await servers()).now
  await until(async () => (await servers()).now > fromMs + 2500, STEP_MS_MAX)
  return Math.round(fromMs + 1000)
}
async function open(path: string, viewport = { width: 1440, height: 900 }): Promise<Page> {
  const page = await context.newPage()
  await page.setViewportSize(viewport)
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(error.message))
  await page.goto(`${fleet.controlUrl}${path}`)
  return page
}

describe.skipIf(!hasChromium)('looking back', () => {
  beforeAll(async () => {
    ;[fleet, browser] = await Promise.all([startFleet(), openBrowser()])
    context = await browser.newContext()
    context.setDefaultTimeout(STEP_MS_MAX)
    await context.addInitScript(() => {
      const watched = globalThis as Watched
      watched.shift = 0
      new PerformanceObserver(list => {
        for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[]) {
          watched.shift = (watched.shift ?? 0) + entry.value
        }
      }).observe({ type: 'layout-shift', buffered: true })
    })
    const page = await context.newPage()
    await page.goto(fleet.signInUrl())
    await page.waitForURL(`${fleet.controlUrl}/**`)
    await page.getByRole('heading', { level: 1, name: 'Fleet' }).waitFor()
    await page.close()
    await until(async () => isIn('eu-west', 'healthy'), 60_000)
    at.before = await moment()
    await fleet.post('/api/v1/try', { action: 'freeze', server: 'eu-west' })
    await until(async () => isIn('eu-west', 'unreachable'), 60_000)
    at.during = await moment()
    await fleet.post('/api/v1/try', { action: 'thaw', server: 'eu-west' })
    await until(async () => isIn('eu-west', 'healthy'), 60_000)
  }, 300_000)
  afterAll(async () => {
    await browser?.close()
    await fleet?.close()
  }, 30_000)

  it('the wall shows the fleet as it was, in words, and steps from moment to moment', async () => {
    const page = await open(`/wall?at=${at.during}&tz=utc`)
    await page.getByRole('status').filter({ hasText: 'As it was at' }).waitFor()
    await page.getByRole('heading', { level: 1, name: 'eu-west was unreachable' }).waitFor()
    expect(await page.locator('tr[data-state="unreachable"]').count()).toBe(1)
    await page.getByLabel('Around that moment').getByText('EdgeUnreachable').waitFor()
    await page.getByRole('button', { name: 'One hour earlier' }).click()
    await page.getByRole('heading', { level: 1, name: 'No edge had joined by then' }).waitFor()
    expect(new URL(page.url()).searchParams.get('at')).toBe(String(at.during - 3_600_000))
    await page.goBack()
    await page.getByRole('heading', { level: 1, name: 'eu-west was unreachable' }).waitFor()
    const field = page.getByLabel('Date and time, UTC')
    await field.fill(new Date(at.before).toISOString().slice(0, 19))
    await field.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'All 3 edges served' }).waitFor()
    await page.getByRole('button', { name: 'Back to now' }).click()
    await page.getByRole('button', { name: 'Look back' }).waitFor()
    expect(new URL(page.url()).searchParams.has('at')).toBe(false)
    await page.close()
  }, 60_000)

  it('the matrix shows the frozen column, and its links keep moment and zone', async () => {
    const page = await open(`/probes?at=${at.during}&tz=utc`)
    await page.getByText('eu-west answers nobody').waitFor()
    await page.getByRole('link', { name: 'eu-west', exact: true }).first().click()
    await page.getByRole('heading', { level: 1, name: 'eu-west' }).waitFor()
    const { searchParams } = new URL(page.url())
    expect([searchParams.get('at'), searchParams.get('tz')]).toEqual([String(at.during), 'utc'])
    await page.close()
  }, 60_000)

  it('the server page ends at that moment, orders nothing, and has who ran then', async () => {
    const page = await open(`/servers/eu-west?at=${at.during}&tz=utc`)
    await page.locator('.state-badge', { hasText: 'unreachable' }).first().waitFor()
    await page.getByText('process frozen, host alive', { exact: true }).waitFor()
    await page.getByText('No order can be given in the past.').waitFor()
    expect(await page.getByRole('button', { name: /Drain|Pause|Retire|Note/ }).count()).toBe(0)
    const panel = page.getByLabel('At the cursor', { exact: true })
    await panel.getByRole('row').nth(1).waitFor()
    const then = new Date(Math.floor(at.during / 1000) * 1000).toISOString().slice(11, 19)
    await panel.getByText(then).first().waitFor()
    const kernel = panel.locator('.at-kernel')
    await kernel
      .getByText(/said nothing|Not permitted/)
      .or(kernel.locator('li').first())
      .first()
      .waitFor()
    await page.close()
  }, 60_000)

  it('the cursor goes by keyboard, mouse and finger, and nothing jumps', async () => {
    const page = await open('/servers/eu-west?tz=utc')
    const panel = page.getByLabel('At the cursor', { exact: true })
    await panel.getByRole('row').nth(1).waitFor()
    const slider = panel.getByRole('slider', { name: 'Moment of the cursor' })
    await until(async () => slider.isEnabled(), STEP_MS_MAX)
    // A live window moves on under the cursor.
    await page.getByRole('button', { name: 'Pause' }).click()
    const told = (): Promise<string | null> => slider.getAttribute('aria-valuetext')
    await slider.focus()
    await page.keyboard.press('Home')
    await panel.getByRole('heading', { name: 'At the cursor' }).waitFor()
    const first = await told()
    await page.keyboard.press('ArrowRight')
    await until(async () => (await told()) !== first, STEP_MS_MAX)
    const left = (): Promise<string> =>
      page.evaluate(() => document.querySelector<HTMLElement>('.u-cursor-x')?.style.transform ?? '')
    const byKey = await left()
    const plot = page.locator('.u-over').first()
    await plot.hover({ position: { x: 150, y: 40 } })
    await until(async () => (await left()) !== byKey, STEP_MS_MAX)
    await page.mouse.move(5, 5)
    // The pointer has left: the cursor is where the keyboard put it.
    await until(async () => (await left()) === byKey, STEP_MS_MAX)
    await plot.dispatchEvent('pointerdown', {
      pointerType: 'touch',
      clientX: ((await plot.boundingBox())?.x ?? 0) + 60,
      clientY: 300,
    })
    await until(async () => (await left()) !== byKey, STEP_MS_MAX)
    await slider.focus()
    await page.keyboard.press('Escape')
    await panel.getByRole('heading', { name: 'Now' }).waitFor()
    expect(await page.evaluate(() => (globalThis as Watched).shift ?? 0)).toBeLessThan(LAYOUT_SHIFT_MAX)
    await page.close()
  }, 60_000)

  it('grid lines have the colours of the scheme right after it changed', async () => {
    const page = await open('/servers/eu-west?tz=utc')
    await page.emulateMedia({ colorScheme: 'light' })
    await page.locator('.u-over').first().waitFor()
    const gridColours = (): Promise<{ drawn: number; asked: string }> =>
      page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>('.chart canvas')
        const asked = getComputedStyle(document.documentElement).getPropertyValue('--grid').trim()
        const wanted = [1, 3, 5].map(place => Number.parseInt(asked.slice(place, place + 2), 16))
        const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []
        let drawn = 0
        for (let place = 0; place < data.length; place += 4) {
          if (data[place + 3] === 255 && wanted.every((part, index) => data[place + index] === part))
            drawn += 1
        }
        return { drawn, asked }
      })
    await until(async () => (await gridColours()).drawn > 100, STEP_MS_MAX)
    let shown = 'light'
    for (const colorScheme of ['dark', 'light', 'dark'] as const) {
      const before = (await gridColours()).asked
      await page.emulateMedia({ colorScheme })
      await until(async () => (await gridColours()).asked !== before || colorScheme === shown, STEP_MS_MAX)
      // The next frame that is painted has them in its charts as well.
      await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))
      expect((await gridColours()).drawn).toBeGreaterThan(100)
      shown = colorScheme
    }
    await page.close()
  }, 60_000)

  it('every link of every page carries the zone', async () => {
    for (const path of [
      '/',
      '/wall',
      '/probes',
      '/alerts',
      '/servers/eu-west',
      '/compare',
      '/links',
      '/titles',
    ]) {
      const page = await open(`${path}?tz=local`)
      await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' })
      await page.waitForLoadState('networkidle').catch(() => undefined)
      const lost = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLAnchorElement>('a[href^="/"]')]
          .map(link => link.getAttribute('href') ?? '')
          .filter(href => !href.startsWith('/watch/') && !/[?&]tz=local(&|$)/.test(href)),
      )
      expect(lost, path).toEqual([])
      await page.close()
    }
  }, 120_000)

  it('fits a phone, and has no errors', async () => {
    for (const path of ['/wall', '/probes', '/servers/eu-west']) {
      const page = await open(`${path}?at=${at.during}&tz=utc`, { width: 390, height: 844 })
      await page.getByText('As it was at').waitFor()
      await page.getByRole('heading', { level: 1 }).first().waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
      await page.close()
    }
    expect(complaints).toEqual([])
  }, 60_000)
})
