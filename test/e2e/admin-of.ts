// Owns signing in to a control room of a test as an admin, in a browser, once: it is limited to ten a minute.
import type { Browser, BrowserContext } from 'playwright-core'
import { openState } from '#control'
import type { TestControl } from '../control/fixture.ts'

export type SignedIn = Awaited<ReturnType<BrowserContext['storageState']>>

export async function adminOf(browser: Browser, room: TestControl): Promise<SignedIn> {
  const state = await openState(room.folder)
  const code = await state.createLink('admin')
  await state.close()
  const page = await browser.newPage()
  await page.goto(`${room.url}/sign-in#link=${code}`)
  await page.waitForURL(`${room.url}/`)
  const signedIn = await page.context().storageState()
  await page.close()
  return signedIn
}
