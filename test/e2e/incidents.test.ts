// One frozen edge of a real fleet is one incident: named, taken by a person on a phone's page, and over after the thaw.
import { mkdirSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { IncidentAnswer, IncidentView, ServerView } from '#wire'
import { openBrowser } from './browser.ts'
import { startFleet, type TestFleet, until } from './fleet.ts'

let fleet: TestFleet
let browser: Browser
beforeAll(async () => {
  fleet = await startFleet()
  browser = await openBrowser()
}, 150_000)
afterAll(async () => {
  await browser.close()
  await fleet.close()
}, 30_000)

const list = async (): Promise<IncidentView[]> =>
  (await fleet.get<{ incidents: IncidentView[] }>('/api/v1/incidents')).incidents
const open = async (): Promise<IncidentView[]> =>
  (await list()).filter(({ resolvedAt }) => resolvedAt === null)

it('opens with the cause, is acknowledged on the page, and resolves after the thaw', async () => {
  await until(
    async () =>
      (await fleet.get<{ servers: ServerView[] }>('/api/v1/servers')).servers.every(
        ({ state }) => state === 'healthy',
      ),
    60_000,
    () => 'everybody is well',
  )
  await until(async () => (await open()).length === 0, 60_000)
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } })
  await page.goto(fleet.signInUrl())
  const pid = fleet.pid('eu-west')
  let incident: IncidentView | undefined
  const before = new Set((await list()).map(({ id }) => id))
  process.kill(pid, 'SIGSTOP')
  try {
    await until(async () => (await open()).some(({ cause }) => cause.kind === 'edge-frozen'), 30_000)
    incident = (await open()).find(({ cause }) => cause.kind === 'edge-frozen')
    // On a loaded machine others may be slow at the same time, and join it.
    expect(incident?.servers[0]).toBe('eu-west')
    await withoutScript(page, incident?.id)
    await page.goto(`${fleet.controlUrl}/incidents?tz=utc`)
    await page.getByRole('link', { name: /Edge eu-west does not answer/ }).click()
    await page.getByText('The server process of eu-west is frozen; its host is alive.').first().waitFor()
    await page.getByRole('button', { name: 'I have it' }).click()
    await page.getByText(/ has it, since/).waitFor()
    await page.getByPlaceholder(/A note/).fill('somebody stopped it')
    await page.getByRole('button', { name: 'Note', exact: true }).click()
    // In the timeline: the field holds the same words until they are stored.
    await page.getByRole('listitem').filter({ hasText: 'somebody stopped it' }).waitFor()
    // Nothing is wider than the phone.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
    await page.evaluate(() => scrollTo(0, 0))
    await shoot('phone', page)
    await until(
      async () => (await whole(incident?.id)).timeline.some(({ kind }) => kind === 'notified'),
      30_000,
    )
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await until(async () => (await open()).length === 0, 90_000)
  // One lost edge is one incident, whatever of it fires late. Others may suffer on a machine that is busy.
  const ofIt = (await list()).filter(({ id, servers }) => !before.has(id) && servers.includes('eu-west'))
  expect(ofIt.map(({ id }) => id)).toEqual([incident?.id])
  const { timeline } = await whole(incident?.id)
  const kinds = timeline.map(({ kind }) => kind)
  expect(kinds).toEqual(
    expect.arrayContaining([
      'opened',
      'cause-changed',
      'state',
      'steering',
      'acknowledged',
      'comment',
      'resolved',
    ]),
  )
  // Nobody watched: nobody was rung.
  expect(timeline.some(({ text }) => text.startsWith('rings'))).toBe(false)
  await page.getByText('It is over', { exact: true }).waitFor({ timeout: 60_000 })
  await page.setViewportSize({ width: 1440, height: 900 })
  await shoot('desk', page)
  await page.goto(`${fleet.controlUrl}/incidents?tz=utc`)
  await page.getByRole('region', { name: 'Resolved in the last week' }).waitFor()
  await shoot('list', page)
}, 240_000)

/** The first screen, where no script ever runs; then the scripts take a begun note along. */
async function withoutScript(signedIn: Awaited<ReturnType<Browser['newPage']>>, id = ''): Promise<void> {
  const storageState = await signedIn.context().storageState()
  const bare = await browser.newContext({
    storageState,
    javaScriptEnabled: false,
    viewport: { width: 390, height: 844 },
  })
  const page = await bare.newPage()
  await page.goto(`${fleet.controlUrl}/incidents/${id}`)
  await page.getByRole('heading', { name: /Edge eu-west does not answer/ }).waitFor()
  expect(await page.getByRole('button', { name: /^Wait until/ }).count()).toBe(1)
  await page.getByLabel('Note').fill('written without a script')
  await page.getByRole('button', { name: 'Note', exact: true }).click()
  await page.getByText('Your note stands on the timeline.').waitFor()
  await bare.close()
  let release = (): void => undefined
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  await signedIn.route('**/assets/*.js', async route => {
    await held
    await route.continue()
  })
  await signedIn.goto(`${fleet.controlUrl}/incidents/${id}`, { waitUntil: 'commit' })
  await signedIn.locator('#first-screen textarea').fill('begun before the scripts')
  release()
  await signedIn.locator('#first-screen').waitFor({ state: 'detached' })
  expect(await signedIn.getByPlaceholder(/A note/).inputValue()).toBe('begun before the scripts')
  await signedIn.unroute('**/assets/*.js')
}

function whole(id = ''): Promise<IncidentAnswer> {
  return fleet.get<IncidentAnswer>(`/api/v1/incidents/${id}`)
}

/** For people to look at, where somebody asks for it. */
async function shoot(name: string, page: Awaited<ReturnType<Browser['newPage']>>): Promise<void> {
  const folder = process.env['VITRINE_SHOTS']
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: `${folder}/incident-${name}.png`, fullPage: name === 'desk' })
}
