import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '#base'
import { readTarget } from './route.ts'

const pieces = fc.constantFrom(
  '/',
  'vod',
  'sample',
  '..',
  '.',
  '%2e',
  '%2F',
  '%5c',
  '%00',
  '\\',
  'r1',
  'v0',
  '0.m4s',
  'index.m3u8',
  'master.m3u8',
  '?',
  'CMCD=sid',
  '#',
  ';',
  'é',
  ' ',
)

describe('request targets', () => {
  it('are a route with a plain key, or a typed fault', () => {
    const target = fc.oneof(
      fc.array(pieces, { maxLength: 14 }).map(parts => parts.join('')),
      fc.array(pieces, { maxLength: 8 }).map(parts => `/vod/sample/${parts.join('/')}`),
      fc.string().map(text => `/${text}`),
    )
    fc.assert(
      fc.property(target, text => {
        try {
          const { route } = readTarget(text)
          if (route.kind === 'media') expect(route.key).toMatch(/^\/vod(\/[A-Za-z0-9][A-Za-z0-9._-]*){2,4}$/)
          if (route.kind === 'asset') expect(route.path).not.toMatch(/\.\.|\/\/|%/)
        } catch (error) {
          if (!(error instanceof Fault)) throw error
          expect([400, 404, 414]).toContain(error.status)
        }
      }),
      { numRuns: 5000 },
    )
  })

  it('drop the query from the key, CMCD and all', () => {
    const { route, query } = readTarget('/vod/sample/r1/v0/3.m4s?CMCD=sid%3D%22x%22&y=1')
    expect(route).toEqual({
      kind: 'media',
      media: 'segment',
      title: 'sample',
      key: '/vod/sample/r1/v0/3.m4s',
    })
    expect(query).toBe('CMCD=sid%3D%22x%22&y=1')
  })
})
