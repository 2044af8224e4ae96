// Owns the control room's pages in a real browser: each by role and label, by keyboard, under the content policy.
import { readFileSync } from 'node:fs'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, openBrowser } from './browser.ts'
import { startFleet, type TestFleet, until } from './fleet.ts'

const metricNotes = new URL('../../web/control-room/query/metric-notes.ts', import.meta.url)
const TABS_MAX = 120
/** Below the test's own limit, so that the step that hangs is named. */
const STEP_MS_MAX = 25_000
/** Above it a page feels restless: web.dev/articles/cls. */
const LAYOUT_SHIFT_MAX = 0.1

let fleet: TestFleet
let browser: Browser
let context: BrowserContext
/** Of all pages together: errors of the console, of scripts, and of the content policy. */
const complaints: string[] = []

interface Watched {
  violations?: string[]
  shift?: number
}

describe.skipIf(!hasChromium)('the pages', () => {
  beforeAll(async () => {
    ;[fleet, browser] = await Promise.all([startFleet(), openBrowser()])
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    context.setDefaultTimeout(STEP_MS_MAX)
    await context.addInitScript(watch)
    const page = await open(fleet.signInUrl())
    await page.waitForURL(`${fleet.controlUrl}/`)
    await page.close()
  }, 150_000)
  afterAll(async () => {
    await browser?.close()
    await fleet?.close()
  }, 30_000)

  it.each([
    { path: '/', heading: 'Fleet', shows: 'Try it' },
    { path: '/servers/eu-west', heading: 'eu-west', shows: 'Charts' },
    { path: '/servers/control', heading: 'control', shows: 'Charts' },
    { path: '/wall', heading: 'edges serve', shows: null },
    { path: '/wall?kiosk', heading: 'edges serve', shows: null },
    { path: '/links', heading: 'Links', shows: 'Shared graphs' },
    { path: '/people', heading: 'People', shows: 'Invitations' },
    { path: '/account', heading: 'My account', shows: 'Browsers' },
    { path: '/audit', heading: 'Audit', shows: 'Changes' },
    { path: '/compare', heading: 'Compare', shows: 'Graph' },
    { path: '/compare?metric=promql', heading: 'Compare', shows: null },
    { path: '/diff?a=eu-west&b=us-east', heading: 'What differs', shows: 'Differences' },
    { path: '/what-if', heading: 'If one is lost', shows: 'Losses' },
    { path: '/viewers', heading: 'Viewers', shows: 'Last hour' },
    { path: '/experience?by=player&range=6h', heading: 'Experience', shows: null },
    { path: '/sessions', heading: 'Sessions', shows: null },
    { path: '/titles', heading: 'Titles', shows: 'Add your own files' },
    { path: '/alerts', heading: 'Alerts', shows: null },
    { path: '/ledger', heading: 'Ledger', shows: 'Days' },
    { path: '/query', heading: 'Query', shows: 'Questions to begin with' },
    { path: '/query?tab=table&expr=vitrine_fleet_watching', heading: 'Query', shows: 'Answer' },
    { path: '/query?tab=explain&expr=vitrine_fleet_watching', heading: 'Query', shows: 'Explanation' },
  ])(
    '$path has its heading, named controls, table heads, and does not jump',
    async ({ path, heading, shows }) => {
      const page = await open(`${fleet.controlUrl}${path}`)
      await page.getByRole('heading', { level: 1, name: heading }).waitFor({ state: 'attached' })
      if (shows !== null) await page.getByRole('region', { name: shows }).waitFor()
      await page.waitForLoadState('networkidle', { timeout: 700 }).catch(() => undefined) // live pages never rest
      expect(await page.evaluate(faultsOfForm)).toEqual([])
      expect(await page.evaluate(() => (globalThis as Watched).shift ?? 0)).toBeLessThan(LAYOUT_SHIFT_MAX)
      await close(page)
    },
    90_000,
  )

  it('freezes and thaws an edge by keyboard alone, and says what came of it', async () => {
    const page = await open(fleet.controlUrl)
    await page.getByRole('button', { name: 'Freeze eu-west' }).waitFor()
    await tabTo(page, 'Freeze eu-west')
    await page.keyboard.press('Enter')
    await page.getByRole('status').filter({ hasText: 'eu-west unreachable' }).waitFor({ timeout: 15_000 })
    await page.getByRole('status').filter({ hasText: 'The freeze of eu-west was noticed after' }).waitFor()
    await page.getByRole('region', { name: 'Evidence on eu-west' }).waitFor()
    // The same button, which kept the focus.
    expect(await focusedName(page)).toMatch(/^Thaw\s+eu-west$/)
    await page.keyboard.press('Enter')
    await page.getByRole('status').filter({ hasText: 'servers healthy' }).waitFor({ timeout: 20_000 })
    await close(page)
  }, 45_000)

  it('asks the store by keyboard: completes, explains words, names what is wrong, and remembers', async () => {
    const page = await open(`${fleet.controlUrl}/query`)
    const field = page.getByRole('textbox', { name: 'PromQL expression' })
    await page.locator('.cm-content').waitFor() // the editor has taken the plain field's place
    await field.focus()
    await page.keyboard.type('rate(vitrine_fleet_watchi')
    await page
      .getByRole('option', { name: /vitrine_fleet_watching\b/ })
      .first()
      .waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.type('ng)')
    await page.getByText('expected a range vector').first().waitFor()
    await page.keyboard.press('Enter')
    const problem = page.getByRole('alert').filter({ hasText: 'This is not valid PromQL' })
    await problem.waitFor()
    expect(await problem.textContent()).toContain('At character 6')
    complaints.splice(0) // the browser reports the 400 that was asked for
    await field.press('Control+a')
    await page.keyboard.type('vitrine_fleet_watching')
    await page.getByRole('status').filter({ hasText: 'Viewers last fed by this edge' }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Table' }).click()
    await page.getByRole('cell', { name: 'eu-west' }).first().waitFor()
    await page.getByRole('columnheader', { name: 'instance' }).getByRole('button').press('Enter')
    expect(await page.getByRole('columnheader', { name: 'instance' }).getAttribute('aria-sort')).toBe(
      'ascending',
    )
    expect(new URL(page.url()).searchParams.get('expr')).toBe('vitrine_fleet_watching')
    await page.reload()
    await page.getByText('History').press('Enter')
    await page.getByRole('button', { name: 'Run again: rate(vitrine_fleet_watching)' }).waitFor()
    await page
      .getByRole('button', { name: 'Delete from history: rate(vitrine_fleet_watching)' })
      .press('Enter')
    expect(await page.getByRole('button', { name: /^Run again: / }).count()).toBe(1)
    await close(page)
  })

  it('compares two servers, and takes the graph along as a link, a picture, figures, and a frozen copy', async () => {
    const page = await open(`${fleet.controlUrl}/compare?range=1m`)
    await page
      .getByText(/No parting found|part at/)
      .first()
      .waitFor()
    await page
      .getByRole('img', { name: /^CPU over time\. Now: eu-west [\d.]+ cores, ap-southeast/ })
      .waitFor()
    const save = async (name: string): Promise<Buffer> => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name, exact: true }).click(),
      ])
      expect(download.suggestedFilename()).toMatch(/^vitrine-compare-cpu-\d{8}T\d{6}Z\.(png|csv)$/)
      return readFileSync(await download.path())
    }
    const [head, ...rows] = (await save('CSV')).toString('utf8').trimEnd().split('\r\n')
    expect(head).toBe(
      'time (UTC),unix time (s),CPU of eu-west (cores),CPU of ap-southeast (cores),Viewers of eu-west,Viewers of ap-southeast',
    )
    expect(rows).toHaveLength(61)
    expect(rows.at(-2)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z,\d+,[\d.e-]*,/)
    const png = await save('PNG')
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect(png.readUInt32BE(16)).toBe(1280)
    await page.getByRole('button', { name: 'Link', exact: true }).press('Enter')
    const link = new URL(await page.getByRole('textbox', { name: /^This window/ }).inputValue())
    expect(Number(link.searchParams.get('to')) - Number(link.searchParams.get('from'))).toBe(60_000)
    expect(link.searchParams.get('tz')).toBe('utc')
    await page.getByRole('button', { name: 'Share', exact: true }).press('Enter')
    await page.getByRole('textbox', { name: 'Title' }).fill('The night of the story')
    await page.keyboard.press('Enter')
    const shared = await page.getByRole('textbox', { name: /^The link to the frozen copy/ }).inputValue()
    await close(page)
    await opensWithoutSignIn(shared, 'The night of the story')
    const links = await open(`${fleet.controlUrl}/links`)
    await links.getByRole('button', { name: 'Revoke the link to The night of the story' }).press('Enter')
    await links.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click()
    await links.getByRole('row', { name: /The night of the story.*revoked/ }).waitFor()
    await close(links)
    await opensWithoutSignIn(shared, 'There is nothing behind this link')
  }, 45_000)

  it('finds a viewer, shows by keyboard what it went through and on which edge, and deletes it', async () => {
    const now = Date.now()
    const said: readonly (readonly [s: number, state: string, bufferMs: number])[] = [
      [-14, 's', 0],
      [-13, 'p', 4000],
      [-9, 'r', 0],
      [-7, 'p', 3000],
      [-1, 'q', 2000],
    ]
    const host = new URL(fleet.edgeUrl('us-east')).host
    const lines = said.map(
      ([s, state, bufferMs], at) =>
        `bl=(${bufferMs}),br=(900),cid="sample",e=ps,h="${host}",sid="e2e-viewer",sn=${at + 1},sta=${state},ts=${now + s * 1000},v=2`,
    )
    const body = `${lines.join('\n')}\n`
    const headers = { 'content-type': 'text/plain' }
    const taken = await fetch(`${fleet.edgeUrl('eu-west')}/cmcd`, { method: 'POST', headers, body })
    expect(taken.status).toBe(204)
    const path = '/api/v1/viewers/sessions?sid=e2e-viewer'
    await until(async () => (await fleet.get<{ sessions: unknown[] }>(path)).sessions.length === 1, 15_000)
    const page = await open(`${fleet.controlUrl}/sessions`)
    await page.getByRole('spinbutton', { name: 'Stalled for at least, s' }).fill('1.5')
    await page.keyboard.press('Enter')
    const row = page.getByRole('row', { name: /^e2e-viewer/ })
    await row.getByText('1 stall, 16.7%').waitFor()
    expect(new URL(page.url()).searchParams.get('rebufferSMin')).toBe('1.5')
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'CSV' }).press('Enter'),
    ])
    expect(readFileSync(await file.path(), 'utf8')).toContain('e2e-viewer')
    complaints.splice(0) // a link that becomes a download ends its own navigation
    await row.getByRole('link', { name: 'e2e-viewer' }).press('Enter')
    await page.getByRole('region', { name: 'Stalls' }).getByText('2.00 s').waitFor()
    await page.getByText('so says the host of the player’s request').waitFor()
    const moment = page.getByRole('slider', { name: 'Moment of the session' })
    await moment.press('Home')
    for (let press = 0; press < 9; press += 1) await moment.press('ArrowRight')
    expect(await moment.getAttribute('aria-valuetext')).toMatch(/: rebuffering; /)
    expect(await page.evaluate(faultsOfForm)).toEqual([])
    await page.getByRole('button', { name: 'Delete this session' }).press('Enter')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('heading', { level: 1, name: 'Sessions' }).waitFor()
    await page.getByRole('status').or(page.getByText('No session found')).first().waitFor()
    expect((await fleet.get<{ sessions: unknown[] }>(path)).sessions).toEqual([])
    await close(page)
  }, 45_000)

  it('drains an edge in two steps by keyboard, the second of which says what happens to viewers, and releases it', async () => {
    const page = await open(`${fleet.controlUrl}/servers/us-east`)
    const orders = page.getByRole('region', { name: 'Orders' })
    await orders.getByRole('button', { name: 'Drain', exact: true }).press('Enter')
    await orders.getByRole('textbox', { name: 'Reason' }).fill('disk change')
    await page.keyboard.press('Enter')
    await orders
      .getByRole('status')
      .filter({ hasText: 'us-east is draining until the last viewer has gone' })
      .waitFor()
    await orders.getByRole('button', { name: 'Drain us-east now' }).press('Enter')
    await orders.getByText('disk change').waitFor()
    await page
      .getByText(/takes no new viewers by order of/)
      .first()
      .waitFor()
    const [order] = await fleet
      .get<{ servers: { id: string; override: { reason: string } | null }[] }>('/api/v1/servers')
      .then(({ servers }) => servers.filter(({ id }) => id === 'us-east'))
    expect(order?.override).toMatchObject({ kind: 'drain', reason: 'disk change' })
    await page.getByRole('button', { name: 'Release us-east' }).press('Enter')
    await page.getByRole('alertdialog').getByText('viewers come back to it').waitFor()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Release' }).click()
    await orders.getByText('Nothing is ordered').waitFor()
    await page.getByRole('button', { name: 'Edit the tags of us-east' }).press('Enter')
    await page.getByRole('textbox', { name: 'Name' }).fill('Virginia 1')
    await page.getByRole('textbox', { name: 'Capacity of its line' }).fill('800 Mb/s')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Virginia 1' }).waitFor()
    await page.getByText('800 Mbit/s').waitFor()
    await close(page)
  }, 30_000)

  it('opens the wall on a screen by a link, and goes dark when it is revoked', async () => {
    const links = await open(`${fleet.controlUrl}/links`)
    await links.getByRole('textbox', { name: 'Which screen' }).fill('office')
    await links.keyboard.press('Enter')
    const link = await links.getByRole('textbox', { name: /^The link for office/ }).inputValue()
    const stranger = await browser.newContext()
    const screen = await stranger.newPage()
    await screen.goto(link)
    await screen.getByRole('heading', { level: 1, name: /edges serve/ }).waitFor()
    expect(await screen.getByRole('navigation').count()).toBe(0)
    await screen
      .getByRole('img', { name: /^inside speaks for it/ })
      .first()
      .waitFor()
    await screen.goto(`${fleet.controlUrl}/`)
    await screen.waitForURL(/sign-in/)
    await screen.goto(link)
    await screen.getByRole('rowheader', { name: /^eu-west/ }).waitFor()
    await links.getByRole('button', { name: 'Revoke the link for office' }).press('Enter')
    await links.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click()
    await screen.getByRole('heading', { level: 1, name: 'This screen is not let in' }).waitFor()
    await stranger.close()
    await close(links)
  }, 30_000)

  it('has a note on every metric that the fleet writes', async () => {
    const { data } = await fleet.get<{ data: string[] }>('/prometheus/api/v1/label/__name__/values')
    const notes = readFileSync(metricNotes, 'utf8')
    const own = data.filter(name => /^(vitrine|node|process)_/.test(name))
    const base = (name: string): string => name.replace(/_(bucket|sum|count)$/, '')
    expect(own.length).toBeGreaterThan(20)
    expect(own.filter(name => !notes.includes(`${name}:`) && !notes.includes(`${base(name)}:`))).toEqual([])
  })

  it('refuses a used link in words and puts the focus where one goes on', async () => {
    const stranger = await browser.newContext()
    const page = await stranger.newPage()
    await page.goto(fleet.signInUrl())
    await page.getByRole('alert').filter({ hasText: 'used already or has expired' }).waitFor()
    await until(
      async () => (await page.evaluate(() => document.activeElement?.getAttribute('name'))) === 'name',
      2_000,
    )
    expect(new URL(page.url()).hash).toBe('')
    await stranger.close()
  })
})

/** With nothing of the signed-in browser. */
async function opensWithoutSignIn(url: string, heading: string): Promise<void> {
  const stranger = await browser.newContext()
  const page = await stranger.newPage()
  await page.goto(url)
  await page.getByRole('heading', { name: heading }).waitFor()
  expect(await page.getByRole('button', { name: 'Share' }).count()).toBe(0)
  expect(await stranger.cookies()).toEqual([])
  await stranger.close()
}

async function open(url: string): Promise<Page> {
  const page = await context.newPage()
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(`${page.url()}: ${message.text()}`)
  })
  page.on('pageerror', error => complaints.push(`${page.url()}: ${error.message}`))
  await page.goto(url)
  return page
}

async function close(page: Page): Promise<void> {
  complaints.push(...(await page.evaluate(() => (globalThis as Watched).violations ?? [])))
  await page.close()
  expect(complaints.splice(0)).toEqual([])
}

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < TABS_MAX; presses += 1) {
    await page.keyboard.press('Tab')
    if ((await focusedName(page)) === name) return
  }
  throw new Error(`not reached with ${TABS_MAX} presses of Tab: ${name}`)
}

function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => (document.activeElement?.textContent ?? '').replace(/\s+/g, ' ').trim())
}

/** Runs in the page, before its scripts. */
function watch(): void {
  const watched = globalThis as Watched
  watched.violations = []
  watched.shift = 0
  document.addEventListener('securitypolicyviolation', event => {
    watched.violations?.push(`content policy: ${event.violatedDirective} ${event.blockedURI}`)
  })
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      const { value, hadRecentInput } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean }
      if (!hadRecentInput) watched.shift = (watched.shift ?? 0) + value
    }
  }).observe({ type: 'layout-shift', buffered: true })
}

/** Runs in the page: what a screen reader would stumble over. */
function faultsOfForm(): string[] {
  const roots: ParentNode[] = [document]
  for (const element of document.querySelectorAll('*'))
    if (element.shadowRoot !== null) roots.push(element.shadowRoot)
  const all = (selector: string): Element[] => roots.flatMap(root => [...root.querySelectorAll(selector)])
  const nameOf = (element: Element): string => {
    const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])] : []
    const parts = [element.getAttribute('aria-label'), element.getAttribute('title'), element.textContent]
    return [...parts, ...labels.map(label => label.textContent)].join('').trim()
  }
  const controls = all('button, a[href], input, select, textarea, summary, [role=textbox], [role=img]')
  return [
    ...(document.documentElement.lang === '' ? ['the page has no language'] : []),
    ...(document.title === '' ? ['the page has no title'] : []),
    ...(all('h1').length === 1 ? [] : [`${all('h1').length} first headings`]),
    ...(all('main').length === 1 ? [] : [`${all('main').length} main parts`]),
    ...controls
      .filter(control => nameOf(control) === '')
      .map(control => `no name: ${control.outerHTML.slice(0, 120)}`),
    ...all('img:not([alt]):not([aria-hidden=true])').map(image => `no alt: ${image.outerHTML.slice(0, 120)}`),
    ...all('th:not([scope])').map(head => `no scope: ${head.outerHTML.slice(0, 120)}`),
    ...all('[tabindex]').flatMap(part =>
      Number(part.getAttribute('tabindex')) > 0 ? ['a positive tabindex'] : [],
    ),
    ...(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : []),
  ]
}
