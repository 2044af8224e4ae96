// The page of notifications, and the page behind a link in a message, in a real browser: on a desk, on a phone, without
// a script, empty and with receivers that fail.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { notifyConfig } from '#wire'
import { startTestControl, type TestControl, until } from '../control/fixture.ts'
import { RecordingReceiver } from '../notify/receivers.ts'
import { openRows, type RowWriter } from '../notify/write-rows.ts'
import { adminOf, type SignedIn } from './admin-of.ts'
import { hasChromium, openBrowser } from './browser.ts'

const webFolder = new URL('../../dist/web/', import.meta.url).pathname
const shots = process.env['VITRINE_SHOTS']

let browser: Browser
let receiver: RecordingReceiver
let control: TestControl
let empty: TestControl
let rows: RowWriter
const signedIn = new Map<TestControl, SignedIn>()

async function signIn(room: TestControl): Promise<void> {
  signedIn.set(room, await adminOf(browser, room))
}

interface Look {
  readonly phone?: boolean
  readonly theme?: 'dark' | 'light'
  readonly scripts?: boolean
}

async function open(room: TestControl, address: string, look: Look = {}): Promise<Page> {
  const storageState = signedIn.get(room)
  const page = await browser.newPage({
    viewport: look.phone === true ? { width: 390, height: 844 } : { width: 1440, height: 900 },
    colorScheme: look.theme ?? 'dark',
    javaScriptEnabled: look.scripts ?? true,
    ...(storageState === undefined ? {} : { storageState }),
  })
  page.setDefaultTimeout(25_000)
  await page.goto(address.startsWith('http') ? address : `${room.url}${address}`)
  return page
}

async function shot(page: Page, name: string): Promise<void> {
  if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}.png` })
}

/** Nothing is wider than the screen. */
async function fits(page: Page): Promise<void> {
  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  expect(wide).toBeLessThanOrEqual(screen ?? 0)
}

describe.skipIf(!hasChromium)('notifications', () => {
  beforeAll(async () => {
    receiver = await new RecordingReceiver().start()
    const { url } = receiver
    const notify = notifyConfig.parse({
      zone: 'Europe/Vienna',
      receivers: [
        { name: 'pager', person: 'ada', pagerduty: { routingKey: 'r0uting-key', url: `${url}/pagerduty` } },
        { name: 'ops-chat', slack: { url: `${url}/slack` } },
        { name: 'gone', webhook: { url: 'http://127.0.0.1:1/hook', secret: 'shared' } },
      ],
      onCall: [
        {
          name: 'first',
          from: '2026-01-05',
          people: [
            { name: 'ada', receivers: ['pager'] },
            { name: 'bo', receivers: ['ops-chat'] },
          ],
        },
      ],
      routes: [
        {
          matchers: ['severity="critical"'],
          receivers: ['on-call:first', 'ops-chat', 'gone'],
          escalation: [{ afterMinutes: 5, receivers: ['pager'] }],
          repeatMinutes: 30,
        },
        { receivers: ['ops-chat'] },
      ],
      heartbeat: { url: `${url}/alive`, everySeconds: 30 },
    })
    ;[browser, control, empty] = await Promise.all([
      openBrowser(),
      startTestControl({ webFolder, notify }),
      startTestControl({ webFolder }),
    ])
    rows = openRows(control.folder)
    await signIn(control)
    await signIn(empty)
    rows.incident('k7')
    rows.notice('k7', 'opened')
    await until(
      () => receiver.received.filter(({ path }) => path === '/slack').length === 1,
      'the chat is told',
    )
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    rows?.close()
    await control?.close()
    await empty?.close()
    await receiver?.close()
  })

  it('shows how each receiver stands, what is tried again, and what a test brought', async () => {
    const page = await open(control, '/notifications')
    await page.getByText('nobody listens there (connection refused)').first().waitFor()
    await page.getByRole('button', { name: 'Send a test to ops-chat' }).click()
    const log = page.getByRole('region', { name: 'Log' })
    await log.getByText('It answered: 202').first().waitFor()
    expect(await log.locator('li').first().textContent()).toContain('ops-chat test')
    expect(await page.getByRole('region', { name: 'Routes' }).textContent()).toContain(
      'after 5 min with nobody who has it: pager',
    )
    expect(await page.getByRole('region', { name: 'Heartbeat' }).textContent()).toContain('each 30 s')
    await page.getByText('There is no such user').waitFor()
    await fits(page)
    await shot(page, 'notifications-desk')
    await page.close()
    const phone = await open(control, '/notifications', { phone: true, theme: 'light' })
    await phone.getByText('nobody listens there').first().waitFor()
    await fits(phone)
    await shot(phone, 'notifications-phone')
    await phone.close()
  })

  it('says that nobody is told when nothing is configured', async () => {
    const page = await open(empty, '/notifications')
    await page.getByRole('heading', { name: 'Nobody is told' }).waitFor()
    await shot(page, 'notifications-empty')
    await page.close()
  })

  it('a link is read and answered on a phone without a script and without a sign-in', async () => {
    const body = JSON.parse(receiver.received.find(({ path }) => path === '/slack')?.body ?? '{}')
    const link = /http\S+\/i\/\S+/.exec(body.attachments[0].text)?.[0] ?? ''
    const page = await open(empty, link, { phone: true, scripts: false })
    expect(await page.getByText('Get up', { exact: true }).isVisible()).toBe(true)
    expect(await page.getByText('eu-west is frozen.').isVisible()).toBe(true)
    await shot(page, 'link-phone-dark')
    const button = page.getByRole('button', { name: 'I have it' })
    const box = await button.boundingBox()
    expect(box?.height).toBeGreaterThanOrEqual(44)
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(844)
    await button.click()
    await page.getByText('You have it.').waitFor()
    expect(rows.rows("SELECT acknowledged_by FROM incidents WHERE id = 'k7'")).toEqual([
      { acknowledged_by: 'ops-chat' },
    ])
    await shot(page, 'link-phone-taken')
    await page.close()
    const light = await open(empty, link, { phone: true, scripts: false, theme: 'light' })
    await shot(light, 'link-phone-light')
    await light.close()
    const dead = await open(empty, `${control.url}/i/nothing`, { phone: true })
    expect(await dead.textContent('body')).toContain('This link opens nothing')
    await dead.close()
  })
})
