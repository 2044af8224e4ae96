import { expect, it } from 'vitest'
import { watchPageWith } from './watch-page.ts'

it('puts edges into the head as data that cannot become markup, and at most twenty', () => {
  const edge = { id: 'a', region: '$&"<b>', url: 'https://a' }
  const page = watchPageWith('<head></head><body></body>', [edge])
  expect(page).toBe(
    '<head><meta name="vitrine-edges" content="[{&quot;id&quot;:&quot;a&quot;,&quot;region&quot;:&quot;$&amp;\\&quot;&lt;b>&quot;,&quot;url&quot;:&quot;https://a&quot;}]" /></head><body></body>',
  )
  const many = watchPageWith(
    '</head>',
    Array.from({ length: 50 }, () => edge),
  )
  expect(many.split('&quot;id&quot;').length - 1).toBe(20)
})
