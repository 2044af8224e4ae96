// Owns the way of a new edge through the pages: a real fleet, the line that the page prints run as a process of its
// own, every check to its end in Chromium, its share raised, and the same from the shell.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerView } from '#wire'
import { hasChromium, openBrowser } from './browser.ts'
import { freePort, startFleet, type TestFleet, until } from './fleet.ts'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const STEP_MS_MAX = 30_000
const RUN_MS_MAX = 90_000

let fleet: TestFleet
let browser: Browser
let page: Page
let edge: ChildProcess | null = null
const data = mkdtempSync(join(tmpdir(), 'vitrine-new-edge-'))

describe.skipIf(!hasChromium)('the add-an-edge page', () => {
  beforeAll(async () => {
    ;[fleet, browser] = await Promise.all([startFleet(), openBrowser()])
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    context.setDefaultTimeout(STEP_MS_MAX)
    page = await context.newPage()
    await page.goto(fleet.signInUrl())
    await page.waitForURL(`${fleet.controlUrl}/`)
  }, 150_000)
  afterAll(async () => {
    edge?.kill('SIGTERM')
    await browser?.close()
    await fleet?.close()
    rmSync(data, { recursive: true, force: true })
  }, 30_000)

  it('makes a line from a form, and an edge from the line, with all checks passed', async () => {
    await page.getByRole('link', { name: 'Add an edge' }).first().click()
    await page.getByRole('heading', { level: 1, name: 'Add an edge' }).waitFor()
    await page.getByLabel('Capacity of its line').fill('800 MB/s')
    await page.getByRole('alert').filter({ hasText: 'Expected a rate in bits' }).waitFor()
    await page.getByLabel('Region').fill('sa-east')
    await page.getByLabel('Name', { exact: false }).first().fill('Sao Paulo 1')
    await page.getByLabel('Capacity of its line').fill('800 Mb/s')
    await page.getByLabel('Address for viewers').fill(`http://127.0.0.1:${await freePort()}`)
    await page.getByRole('button', { name: 'Make the line' }).click()
    const line = await page.getByLabel('Paste this line').inputValue()
    expect(line).toMatch(/^npx vitrine edge --join vitrine-join\S+ --port \d+$/)
    expect(new URL(page.url()).searchParams.get('invite')).toMatch(/^[0-9a-f]+$/)
    edge = spawn(process.execPath, [main, ...line.split(' ').slice(2), '--data', data], { stdio: 'ignore' })
    await page.waitForURL(/server=sa-east/, { timeout: RUN_MS_MAX })
    await page.getByRole('heading', { name: 'Add an edge: Sao Paulo 1' }).waitFor()
    await page
      .getByRole('status')
      .filter({ hasText: 'All 9 checks passed.' })
      .waitFor({ timeout: RUN_MS_MAX })
    const states = await page
      .getByRole('list', { name: 'Admission checks' })
      .getByRole('listitem')
      .allInnerTexts()
    expect(states).toHaveLength(9)
    expect(states.filter(text => !text.includes('passed'))).toEqual([])
  }, 240_000)

  it('raises its share from next to none, and shows the checks on its page', async () => {
    const share = page.getByRole('region', { name: 'Share of new sessions' })
    await share.getByText('0.01 %').waitFor()
    await share.getByRole('button', { name: '10 %', exact: true }).click()
    await until(async () => (await newEdge()).sharePercent === 10, STEP_MS_MAX)
    await share.getByRole('button', { name: '10 %', exact: true, pressed: true }).waitFor()
    await page.goto(`${fleet.controlUrl}/servers/sa-east`)
    const panel = page.getByRole('region', { name: 'Admission checks' })
    await panel.getByText('All 9 checks passed.').waitFor()
    await panel.getByRole('link', { name: 'Checks and share of new sessions' }).click()
    await page.getByRole('button', { name: 'Check sa-east again' }).click()
    await page
      .getByRole('status')
      .filter({ hasText: /of 9 checks have ended/ })
      .waitFor()
    await page
      .getByRole('status')
      .filter({ hasText: 'All 9 checks passed.' })
      .waitFor({ timeout: RUN_MS_MAX })
  }, 240_000)

  it('checks it from the shell too', async () => {
    const text = await fleet.vitrine('server', 'check', 'sa-east')
    expect(
      text
        .trim()
        .split('\n')
        .map(one => one.split(' ')[0]),
    ).toEqual(Array.from({ length: 9 }, () => 'passed'))
    const run = JSON.parse(await fleet.vitrine('server', 'check', 'sa-east', '--last', '--json')) as {
      by: string
    }
    expect(run.by).toBe('command line')
  }, 120_000)

  it('revokes a line that nobody has used', async () => {
    await page.goto(`${fleet.controlUrl}/add-edge`)
    await page.getByLabel('Region').fill('af-south')
    await page.getByRole('button', { name: 'Make the line' }).click()
    await page.getByRole('button', { name: 'Revoke the line' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('This line was revoked').waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'Make another' }).click()
    await page.getByRole('button', { name: 'Make the line' }).waitFor()
  }, 120_000)
})

async function newEdge(): Promise<ServerView> {
  return await fleet.get<ServerView>('/api/v1/servers/sa-east')
}
