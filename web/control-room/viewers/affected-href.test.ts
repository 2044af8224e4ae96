import { expect, it } from 'vitest'
import { affectedHref } from './affected-href.ts'

it('asks for the same time and the same edge', () => {
  expect(affectedHref({ kind: 'live', range: '6h' }, {})).toBe('/affected?range=6h')
  expect(affectedHref({ kind: 'live', seconds: 3600 }, { edge: 'eu-west' })).toBe(
    '/affected?range=1h&edge=eu-west',
  )
  const fixed = new URL(
    affectedHref({ kind: 'fixed', fromS: 1000, toS: 2000 }, { region: 'eu west' }),
    'http://a',
  )
  expect(fixed.searchParams.get('region')).toBe('eu west')
  expect([...fixed.searchParams.keys()]).toContain('from')
})
