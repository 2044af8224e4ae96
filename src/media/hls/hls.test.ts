import * as fc from 'fast-check'
import { types as hlsTypes, parse as parseHls } from 'hls-parser'
// @ts-expect-error m3u8-parser ships no types.
import { Parser } from 'm3u8-parser'
import { describe, expect, it } from 'vitest'
import { Fault } from '#base'
import {
  type MediaPlaylist,
  type MultivariantPlaylist,
  readMedia,
  readMultivariant,
  targetDurationS,
  writeMedia,
  writeMultivariant,
} from '#media'

const example: MultivariantPlaylist = {
  version: 7,
  independentSegments: true,
  steering: { serverUri: 'http://127.0.0.1:8082/steer?title=sample', pathwayId: 'eu-west' },
  renditions: ['eu-west', 'us-east'].map(pathwayId => ({
    type: 'AUDIO',
    // Names within a group differ (section 4.4.6.1.1), so each pathway has a group of its own.
    groupId: `audio-${pathwayId}`,
    name: 'English, stereo',
    language: 'en',
    default: true,
    autoselect: true,
    channels: '2',
    uri: `http://${pathwayId}.example/a1/index.m3u8`,
    pathwayId,
    stableRenditionId: 'a1',
  })),
  variants: ['eu-west', 'us-east'].map(pathwayId => ({
    uri: `http://${pathwayId}.example/v1/index.m3u8`,
    bandwidth: 261996,
    averageBandwidth: 251367,
    codecs: 'avc1.64001f,mp4a.40.2',
    resolution: { width: 1280, height: 720 },
    frameRate: 25,
    videoRange: 'SDR',
    audioGroup: `audio-${pathwayId}`,
    pathwayId,
    stableVariantId: 'v1',
  })),
}

const media: MediaPlaylist = {
  version: 7,
  targetDurationS: 4,
  mediaSequence: 0,
  playlistType: 'VOD',
  independentSegments: true,
  mapUri: 'init.mp4',
  segments: [
    { uri: '0.m4s', durationS: 4.004 },
    { uri: '1.m4s', durationS: 3.989333333 },
  ],
  ended: true,
}

describe('multivariant playlists', () => {
  it('reads back what it writes', () => {
    expect(readMultivariant(writeMultivariant(example))).toEqual(example)
  })

  it('is read alike by hls-parser', () => {
    const parsed = parseHls(writeMultivariant(example)) as hlsTypes.MasterPlaylist
    expect(parsed.independentSegments).toBe(true)
    expect(
      parsed.variants.map(({ uri, bandwidth, codecs, frameRate }) => [uri, bandwidth, codecs, frameRate]),
    ).toEqual(
      example.variants.map(({ uri, bandwidth, codecs, frameRate }) => [uri, bandwidth, codecs, frameRate]),
    )
    expect(parsed.variants[0]?.audio[0]?.name).toBe('English, stereo')
  })

  it('is read alike by m3u8-parser, steering included', () => {
    const parser = new Parser()
    parser.push(writeMultivariant(example))
    parser.end()
    const { contentSteering, playlists, mediaGroups } = parser.manifest
    expect(contentSteering).toEqual({ serverUri: example.steering?.serverUri, pathwayId: 'eu-west' })
    expect(
      playlists.map((one: { attributes: Record<string, string> }) => one.attributes['PATHWAY-ID']),
    ).toEqual(['eu-west', 'us-east'])
    expect(Object.keys(mediaGroups.AUDIO)).toEqual(['audio-eu-west', 'audio-us-east'])
  })

  it('survives any names that a playlist can carry', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter(text => !/["\p{Cc}\u2028\u2029]/u.test(text))
    fc.assert(
      fc.property(name, fc.nat(), (text, bandwidth) => {
        const [rendition] = example.renditions
        const [variant] = example.variants
        if (rendition === undefined || variant === undefined) throw new Error('the example is empty')
        const playlist: MultivariantPlaylist = {
          ...example,
          renditions: [{ ...rendition, name: text }],
          variants: [{ ...variant, bandwidth: bandwidth + 1, averageBandwidth: null }],
        }
        expect(readMultivariant(writeMultivariant(playlist))).toEqual(playlist)
      }),
    )
  })

  it.for(['a "quoted" name', 'two\nlines', 'a\u0000zero'])('refuses to write the name %j', name => {
    const renditions = example.renditions.map(rendition => ({ ...rendition, name }))
    expect(() => writeMultivariant({ ...example, renditions })).toThrow(Fault)
  })

  it.for(['', '#comment', 'a\nb', ' padded'])('refuses to write the URI %j', uri => {
    const variants = example.variants.map(variant => ({ ...variant, uri }))
    expect(() => writeMultivariant({ ...example, variants })).toThrow('URI of a segment or variant')
  })

  it('refuses a pathway outside of the alphabet', () => {
    const variants = example.variants.map(variant => ({ ...variant, pathwayId: 'eu west' }))
    expect(() => writeMultivariant({ ...example, variants })).toThrow('PATHWAY-ID')
  })

  it.for([
    ['', 'the playlist is empty'],
    ['#EXTM3U8\n', 'line 1: expected #EXTM3U'],
    ['#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n', 'line 2 EXT-X-STREAM-INF: no URI follows it'],
    ['#EXTM3U\n#EXT-X-STREAM-INF:CODECS="x"\nv\n', 'BANDWIDTH is missing'],
    ['#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=x\nv\n', 'BANDWIDTH is x, expected a decimal integer'],
    ['#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,BANDWIDTH=2\nv\n', 'BANDWIDTH stands twice'],
    ['#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="x\nv\n', 'expected NAME=VALUE, found CODECS="x'],
    ['#EXTM3U\nv\n', 'line 2: a URI without EXT-X-STREAM-INF'],
    ['#EXTM3U\n#EXT-X-TARGETDURATION:4\n', 'expected a multivariant playlist'],
  ] as const)('refuses to read %j', ([text, problem]) => {
    expect(() => readMultivariant(text)).toThrow(problem)
  })

  it('throws nothing but faults, whatever it is given', () => {
    const text = writeMultivariant(example)
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string(), (at, cut, put) => {
        try {
          readMultivariant(text.slice(0, at) + put + text.slice(at + cut))
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('media playlists', () => {
  it('reads back what it writes', () => {
    expect(readMedia(writeMedia(media))).toEqual(media)
  })

  it('is read alike by hls-parser', () => {
    const parsed = parseHls(writeMedia(media)) as hlsTypes.MediaPlaylist
    expect(parsed.targetDuration).toBe(4)
    expect(parsed.endlist).toBe(true)
    expect(parsed.segments.map(({ uri, duration }) => ({ uri, durationS: duration }))).toEqual(media.segments)
    expect(parsed.segments[0]?.map?.uri).toBe('init.mp4')
  })

  it('rounds the target duration as players do', () => {
    expect(targetDurationS([{ uri: 'a', durationS: 4.49 }])).toBe(4)
    expect(targetDurationS([{ uri: 'a', durationS: 4.5 }])).toBe(5)
    expect(targetDurationS([{ uri: 'a', durationS: 0.04 }])).toBe(1)
  })

  it('refuses a segment that is longer than the target', () => {
    expect(() => writeMedia({ ...media, targetDurationS: 3 })).toThrow('lasts 4.004 s, expected 0 to 3')
  })

  it('reads byte ranges, also those that begin where the one before ended, and what marks a segment', () => {
    const head =
      '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI="m",BYTERANGE="9@1"\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n'
    const first = '#EXTINF:4,\n#EXT-X-BYTERANGE:10@5\na\n'
    const second =
      '#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2012-06-30T23:59:60Z\n#EXTINF:4,\n#EXT-X-BYTERANGE:7\na\n'
    expect(readMedia(`${head}${first}${second}#EXT-X-GAP\n#EXTINF:4,\nb\n`)).toMatchObject({
      mapByteRange: { offset: 1, bytes: 9 },
      encrypted: true,
      segments: [
        { byteRange: { offset: 5, bytes: 10 } },
        { byteRange: { offset: 15, bytes: 7 }, discontinuity: true, programDateTime: '2012-06-30T23:59:60Z' },
        { uri: 'b', gap: true },
      ],
    })
  })

  it('refuses a byte range that has no place', () => {
    const text = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXT-X-BYTERANGE:1\na\n'
    expect(() => readMedia(text)).toThrow('line 5: a byte range without an offset')
    expect(() => readMedia(text.replace(':1\na', ':x\na'))).toThrow('expected LENGTH or LENGTH@OFFSET')
  })
})
