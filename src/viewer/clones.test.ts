import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addClones, readClones } from './clones.ts'
import type { Ladder } from './ladder.ts'

const ladder: Ladder = {
  pathways: ['a'],
  rungs: new Map([
    [
      'a',
      [
        {
          uri: 'http://a.example:8081/v/low.m3u8?x=1',
          bandwidth: 1,
          audioUri: 'http://a.example:8081/a/en.m3u8',
          variantId: 'low',
          renditionId: 'en',
        },
      ],
    ],
  ]),
  steeringUri: null,
}

const clone = (id: string, replacement: unknown, baseId = 'a'): unknown => ({
  'BASE-ID': baseId,
  ID: id,
  'URI-REPLACEMENT': replacement,
})

describe('pathway clones', () => {
  it('put another host name into every URI, keep the port, and add parameters in order', () => {
    const clones = readClones([clone('b', { HOST: 'b.example', PARAMS: { z: '1', k: '2' } })])
    const [rung] = addClones(ladder, clones).rungs.get('b') ?? []
    expect(rung?.uri).toBe('http://b.example:8081/v/low.m3u8?x=1&k=2&z=1')
    expect(rung?.audioUri).toBe('http://b.example:8081/a/en.m3u8?k=2&z=1')
  })

  it('ignore a HOST with a port in silence, as a browser does', () => {
    const clones = readClones([clone('b', { HOST: 'b.example:9000' })])
    expect(addClones(ladder, clones).rungs.get('b')?.[0]?.uri).toContain('://a.example:8081/')
  })

  it('take whole URIs by stable id, whatever HOST says', () => {
    const replacement = {
      HOST: 'never.example',
      'PER-VARIANT-URIS': { low: 'https://c.example/low.m3u8' },
      'PER-RENDITION-URIS': { en: 'https://c.example/en.m3u8' },
    }
    const [rung] = addClones(ladder, readClones([clone('c', replacement)])).rungs.get('c') ?? []
    expect(rung).toMatchObject({ uri: 'https://c.example/low.m3u8', audioUri: 'https://c.example/en.m3u8' })
  })

  it('may be based on an earlier clone, and never replace a pathway that is known', () => {
    const list = [
      clone('b', { HOST: 'b.example' }),
      clone('c', { HOST: 'c.example' }, 'b'),
      clone('a', { HOST: 'x' }),
    ]
    const made = addClones(ladder, readClones(list))
    expect(made.pathways).toEqual(['a', 'b', 'c'])
    expect(made.rungs.get('a')).toBe(ladder.rungs.get('a'))
    expect(made.rungs.get('c')?.[0]?.uri).toContain('c.example')
  })

  it('refuse an unknown base and a URI of another kind', () => {
    const list = [
      clone('b', { HOST: 'b' }, 'nobody'),
      clone('c', { 'PER-VARIANT-URIS': { low: 'file:///etc/passwd' } }),
    ]
    expect(addClones(ladder, readClones(list))).toBe(ladder)
  })

  it('never throw, whatever a steering answer holds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, replacement) => {
        for (const answer of [value, [value], [clone('b', replacement)]]) {
          const made = addClones(ladder, readClones(answer))
          expect(made.pathways.length).toBe(made.rungs.size)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
