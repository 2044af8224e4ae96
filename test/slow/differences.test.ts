// The pages "What differs" and "If one is lost" in a real browser on a real control room: told, untold, empty and broken,
// on a desk and on a phone, in both themes.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#base'
import { startTestControl, type TestControl } from '../control/fixture.ts'
import { adminOf, type SignedIn } from '../e2e/admin-of.ts'
import { hasChromium, openBrowser } from '../e2e/browser.ts'

const webFolder = new URL('../../dist/web/', import.meta.url).pathname
const STEP_MS_MAX = 25_000

let browser: Browser
let control: TestControl
let empty: TestControl

/** Signing in is limited to ten a minute: once a room. */
const signedIn = new Map<TestControl, SignedIn>()

async function signIn(room: TestControl): Promise<void> {
  signedIn.set(room, await adminOf(browser, room))
}

async function open(
  room: TestControl,
  path: string,
  phone = false,
  theme: 'dark' | 'light' = 'dark',
): Promise<Page> {
  const viewport = phone ? { width: 390, height: 844 } : { width: 1440, height: 900 }
  const storageState = signedIn.get(room)
  const page = await browser.newPage({
    viewport,
    colorScheme: theme,
    ...(storageState === undefined ? {} : { storageState }),
  })
  page.setDefaultTimeout(STEP_MS_MAX)
  await page.goto(`${room.url}${path}`)
  return page
}

async function tell(server: string, facts: readonly unknown[]): Promise<void> {
  const answer = await fetch(`${control.url}/api/v1/facts`, {
    method: 'POST',
    headers: { authorization: `Bearer vit_${server}`, 'content-type': 'application/json' },
    body: JSON.stringify({ at: systemClock.wallMs(), facts }),
  })
  expect(answer.status).toBe(200)
}

const packages = Array.from({ length: 40 }, (_, at) => ['package', `lib-${at}`, '1.0'])

describe.skipIf(!hasChromium)('two pages of a fleet', () => {
  beforeAll(async () => {
    ;[browser, control, empty] = await Promise.all([
      openBrowser(),
      startTestControl({ webFolder }),
      startTestControl({ webFolder, enrol: [] }),
    ])
    await signIn(control)
    await signIn(empty)
    await tell('eu-west', [['kernel', 'linux', '6.1.0-25'], ['version', 'node', 'v22'], ...packages])
    await tell('us-east', [
      ['kernel', 'linux', '6.1.0-21'],
      ['version', 'node', 'v22'],
      ['package', 'lib-1', '2.0'],
    ])
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await control?.close()
    await empty?.close()
  })

  it.each([
    ['a desk, dark', false, 'dark'],
    ['a desk, light', false, 'light'],
    ['a phone, dark', true, 'dark'],
    ['a phone, light', true, 'light'],
  ] as const)(
    'stand on %s without being wider than it',
    async (_name, phone, theme) => {
      for (const [path, region] of [
        ['/diff?a=eu-west&b=us-east', 'Differences'],
        ['/what-if', 'Losses'],
      ] as const) {
        const page = await open(control, path, phone, theme)
        await page.getByRole('region', { name: region }).waitFor()
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(
          0,
        )
        await page.close()
      }
    },
    90_000,
  )

  it('what differs: counted in one sentence, packages filtered and unfolded, sides swapped in the address', async () => {
    const page = await open(control, '/diff?a=eu-west&b=us-east')
    const differences = page.getByRole('region', { name: 'Differences' })
    await page.getByRole('status').filter({ hasText: '42 things differ' }).waitFor()
    await differences.getByRole('row', { name: 'linux kernel 6.1.0-25 6.1.0-21 not known' }).waitFor()
    await differences.getByText('Only on eu-west (39)').waitFor()
    await differences.getByRole('button', { name: 'Show all 39' }).click()
    await differences.getByRole('row', { name: 'lib-39' }).waitFor()
    await differences.getByRole('searchbox', { name: 'Filter packages' }).fill('lib-1')
    await differences.getByRole('row', { name: 'lib-39' }).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Swap' }).click()
    await page.waitForURL(/a=us-east&b=eu-west/)
    await differences.getByRole('row', { name: 'linux kernel 6.1.0-21 6.1.0-25' }).waitFor()
    await page.getByRole('combobox', { name: 'B' }).selectOption('ap-southeast')
    await page.getByRole('note').filter({ hasText: 'The agent beside ap-southeast has not told' }).waitFor()
    await page.close()
  }, 60_000)

  it('if one is lost: a capacity that nobody knows leads to the place where it is said', async () => {
    const page = await open(control, '/what-if')
    await page.getByRole('region', { name: 'Losses' }).getByRole('link', { name: 'eu-west' }).waitFor()
    await page.getByRole('note').filter({ hasText: 'capacity is known' }).waitFor()
    await page.getByRole('link', { name: 'Set it for us-east' }).click()
    await page.getByRole('textbox', { name: 'Capacity of its line' }).fill('800 Mb/s')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.goto(`${control.url}/what-if`)
    await page.getByRole('note').filter({ hasText: 'such edges count as carrying nothing' }).waitFor()
    await page.getByRole('link', { name: 'Set it for us-east' }).waitFor({ state: 'detached' })
    await page.close()
  }, 60_000)

  it('say what is missing in a fleet without edges, and why they show nothing when nothing answers', async () => {
    const nobody = await open(empty, '/what-if')
    await nobody.getByRole('heading', { name: 'There is no edge yet that could be lost' }).waitFor()
    await nobody.goto(`${empty.url}/diff`)
    await nobody.getByRole('heading', { name: 'There are no two servers to compare yet' }).waitFor()
    await nobody.close()
    const broken = await open(control, '/')
    await broken.route(/api\/v1\/(what-if|servers\/.*\/diff\/)/, route => route.abort())
    for (const [path, words] of [
      ['/what-if', 'What the rest carries could not be shown'],
      ['/diff', 'What differs could not be shown'],
    ] as const) {
      await broken.goto(`${control.url}${path}`)
      await broken.getByRole('alert').filter({ hasText: words }).waitFor()
    }
    await broken.close()
  }, 90_000)
})
