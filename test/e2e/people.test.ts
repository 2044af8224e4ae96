// Owns people in a real browser: an invitation, the first password, the account, and an offboarding that ends the other
// browser at once.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, openBrowser } from './browser.ts'
import { startFleet, type TestFleet } from './fleet.ts'

const STEP_MS_MAX = 25_000
const PASSWORD = 'a password of ada'

let fleet: TestFleet
let browser: Browser

async function room(width = 1440, height = 900): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width, height } })
  context.setDefaultTimeout(STEP_MS_MAX)
  return context
}

async function invite(page: Page, name: string, role: string): Promise<string> {
  const form = page.getByRole('region', { name: 'Invitations' })
  await form.getByLabel('Name').fill(name)
  await form.getByLabel('Role').selectOption(role)
  await form.getByRole('button', { name: 'Invite', exact: true }).click()
  return form.getByLabel(new RegExp(`invitation for ${name}`)).inputValue()
}

async function accept(context: BrowserContext, link: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(link)
  await page.getByLabel(/^Password/).fill(PASSWORD)
  await page.getByLabel('Once more').fill(PASSWORD)
  await page.getByRole('button', { name: 'Set it and sign in' }).click()
  await page.waitForURL(`${fleet.controlUrl}/**`)
  await page.getByRole('heading', { level: 1, name: 'Fleet' }).waitFor()
  return page
}

describe.skipIf(!hasChromium)('people', () => {
  beforeAll(async () => {
    ;[fleet, browser] = await Promise.all([startFleet(), openBrowser()])
  }, 150_000)
  afterAll(async () => {
    await browser?.close()
    await fleet?.close()
  }, 30_000)

  it('come by invitation, and are signed out of a page that is open the moment they are offboarded', async () => {
    const [first, second, phone] = [await room(), await room(), await room(390, 844)]
    const admin = await first.newPage()
    await admin.goto(fleet.signInUrl())
    await admin.getByText('No admin has a name yet').waitFor()
    await admin.goto(`${fleet.controlUrl}/people`)
    const grace = await accept(second, await invite(admin, 'grace', 'admin'))
    const link = await invite(admin, 'ada', 'admin')
    const ada = await accept(phone, link)
    // Two admins have names: nobody is warned any more.
    await grace.goto(`${fleet.controlUrl}/people`)
    await grace.getByRole('region', { name: 'Users' }).getByText('ada').waitFor()
    expect(await grace.getByText('no way back without them').count()).toBe(0)

    await ada.goto(`${fleet.controlUrl}/account`)
    await ada.getByText('this one').waitFor()
    const sideways = (): Promise<boolean> =>
      ada.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
    expect(await sideways()).toBe(false)
    const used = await phone.newPage()
    await used.goto(link)
    await used.getByRole('alert').filter({ hasText: 'used' }).waitFor()
    await used.close()

    await grace.getByRole('button', { name: 'Offboard ada' }).click()
    const panel = grace.getByRole('region', { name: 'Offboard ada' })
    await panel.getByText(/Chrome/).waitFor()
    await panel.getByRole('button', { name: 'Offboard ada' }).click()
    const ended = ada.waitForURL(/\/sign-in/)
    await panel.getByRole('alertdialog').getByRole('button', { name: 'Offboard' }).click()
    await panel.getByText('Counted again: no access of theirs is left.').waitFor()
    // The page that is open asks by itself, is refused, and goes to the sign-in.
    await ended
    await ada.getByLabel('Name').fill('ada')
    await ada.getByLabel('Password').fill(PASSWORD)
    await ada.getByRole('button', { name: 'Sign in' }).click()
    await ada.getByText('Name and password do not belong together').waitFor()

    await panel.getByRole('link', { name: /of the audit/ }).click()
    await grace.getByRole('cell', { name: /user-offboard/ }).waitFor()
    await grace.getByText('by grace').first().waitFor()
  }, 180_000)
})
