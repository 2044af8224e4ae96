import { expect, it } from 'vitest'
import { pageTitle } from './page-title.ts'

it.each([
  ['/', 'Fleet · Vitrine'],
  ['/what-if', 'If one is lost · Vitrine'],
  ['/servers/eu-west', 'eu-west · Vitrine'],
  ['/servers/%E0%A4%A', '%E0%A4%A · Vitrine'],
  ['/no-such-page', 'no-such-page · Vitrine'],
  ['/constructor', 'constructor · Vitrine'],
])('the tab of %s says %s', (path, title) => {
  expect(pageTitle(path)).toBe(title)
})
