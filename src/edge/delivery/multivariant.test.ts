import { createRequire } from 'node:module'
import * as fc from 'fast-check'
import HlsParser from 'hls-parser'
import { describe, expect, it } from 'vitest'
import { readMultivariant, type Variant, writeMultivariant } from '#media'
import type { Standing } from '../steering/order.ts'
import { pathwaysFor, writeForViewers } from './multivariant.ts'

/** m3u8-parser has no types; these are the parts that are looked at. */
interface M3u8Parser {
  push(text: string): void
  end(): void
  readonly manifest: { readonly playlists?: readonly unknown[]; readonly contentSteering?: unknown }
}
const { Parser } = createRequire(import.meta.url)('m3u8-parser') as { Parser: new () => M3u8Parser }

function edge(id: string, weight = 1): Standing {
  return { id, region: id, url: `https://${id}.example:8443`, weight }
}

const fleet = [edge('eu-west'), edge('us-east'), edge('ap-southeast'), edge('sa-east')]

const variants = fc
  .uniqueArray(fc.integer({ min: 100_000, max: 9_000_000 }), { minLength: 1, maxLength: 6 })
  .map(bandwidths =>
    bandwidths.map(
      (bandwidth, at): Variant => ({
        uri: `r1/v${at}/index.m3u8`,
        bandwidth,
        averageBandwidth: Math.floor(bandwidth * 0.8),
        codecs: 'avc1.64001f,mp4a.40.2',
        resolution: { width: 640 + at * 2, height: 360 + at * 2 },
        frameRate: 25,
        videoRange: null,
        audioGroup: 'sound',
        pathwayId: null,
        stableVariantId: null,
      }),
    ),
  )

function originText(ladder: readonly Variant[]): string {
  return writeMultivariant({
    version: 7,
    independentSegments: true,
    steering: null,
    renditions: [
      {
        type: 'AUDIO',
        groupId: 'sound',
        name: 'English',
        language: 'en',
        default: true,
        autoselect: true,
        channels: '2',
        uri: 'r1/a0/index.m3u8',
        pathwayId: null,
        stableRenditionId: null,
      },
    ],
    variants: ladder,
  })
}

describe('the multivariant playlist for viewers', () => {
  it('is read by hls-parser and m3u8-parser, with the same ladder on every pathway', () => {
    fc.assert(
      fc.property(variants, fc.integer({ min: 1, max: 4 }), (ladder, edges) => {
        const pathways = pathwaysFor(fleet.slice(0, edges), edge('eu-west'))
        const text = writeForViewers(
          readMultivariant(originText(ladder)),
          '/vod/sample/master.m3u8',
          pathways,
          'https://us-east.example:8443/steer?s=abc',
        )
        const master = HlsParser.parse(text)
        if (!('variants' in master)) throw new Error('not a multivariant playlist')
        expect(master.variants.length).toBe(ladder.length * pathways.length)
        const parser = new Parser()
        parser.push(text)
        parser.end()
        const { playlists, contentSteering } = parser.manifest
        expect(contentSteering).toEqual({
          serverUri: 'https://us-east.example:8443/steer?s=abc',
          pathwayId: 'eu-west',
        })
        expect(playlists?.length).toBe(ladder.length * pathways.length)
        const read = readMultivariant(text)
        const ladders = pathways.map(({ id }) =>
          read.variants
            .filter(variant => variant.pathwayId === id)
            .map(({ stableVariantId, bandwidth, resolution }) => ({
              stableVariantId,
              bandwidth,
              resolution,
            })),
        )
        for (const one of ladders) expect(one).toEqual(ladders[0])
        expect(new Set(ladders[0]?.map(({ stableVariantId }) => stableVariantId)).size).toBe(ladder.length)
        for (const variant of read.variants) {
          expect(variant.uri.startsWith(`https://${variant.pathwayId}.example:8443/vod/sample/r1/`)).toBe(
            true,
          )
          const sound = read.renditions.find(({ groupId }) => groupId === variant.audioGroup)
          expect(sound?.pathwayId).toBe(variant.pathwayId)
          expect(sound?.uri).toBe(`https://${variant.pathwayId}.example:8443/vod/sample/r1/a0/index.m3u8`)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('lists the edge that was asked, then the next two of the table, without those that have no weight', () => {
    const ids = (edges: readonly Standing[], self: string): string[] =>
      pathwaysFor(edges, edge(self)).map(({ id }) => id)
    expect(ids(fleet, 'eu-west')).toEqual(['eu-west', 'us-east', 'ap-southeast'])
    expect(ids(fleet, 'ap-southeast')).toEqual(['ap-southeast', 'sa-east', 'eu-west'])
    expect(ids([edge('eu-west'), edge('us-east', 0), edge('sa-east')], 'eu-west')).toEqual([
      'eu-west',
      'sa-east',
    ])
    expect(ids([edge('eu-west', 0), edge('us-east')], 'eu-west')).toEqual(['eu-west', 'us-east'])
    expect(ids([], 'eu-west')).toEqual(['eu-west'])
  })

  it('leaves out a host that the origin named', () => {
    const [one] = readMultivariant(originText([])).variants
    expect(one).toBeUndefined()
    const text =
      '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nhttp://10.0.0.1:8090/vod/sample/r1/v0/index.m3u8\n'
    const written = writeForViewers(
      readMultivariant(text),
      '/vod/sample/master.m3u8',
      [edge('eu-west')],
      'https://x.example/steer',
    )
    expect(written).toContain('https://eu-west.example:8443/vod/sample/r1/v0/index.m3u8')
    expect(written).not.toContain('10.0.0.1')
  })
})
