import { expect, test } from 'vitest'
import { pictureAlone } from './picture-alone.ts'

const media = (codec: string): string =>
  `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${codec}",NAME="sound",URI="a1/index.m3u8"`
const variant = (codecs: string, group: string): string[] => [
  `#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="${codecs}",RESOLUTION=640x360,AUDIO="${group}",PATHWAY-ID="eu-west"`,
  'v1/index.m3u8',
]
const playlist = (...lines: string[]): string => ['#EXTM3U', ...lines].join('\n')
const chromium = (_: string, codec: string): boolean => /^(avc1|mp4a\.40|opus)/.test(codec)

test('takes out sound that the browser lacks, and says which', () => {
  const alone = pictureAlone(playlist(media('ac-3'), ...variant('avc1.64001e,ac-3', 'ac-3')), chromium)
  expect(alone?.lost).toEqual(['ac-3'])
  expect(alone?.manifest).toBe(
    playlist(
      '#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.64001e",RESOLUTION=640x360,PATHWAY-ID="eu-west"',
      'v1/index.m3u8',
    ),
  )
})

test('leaves a playlist alone in which one variant plays as it is', () => {
  const both = [...variant('avc1.64001e,ac-3', 'ac-3'), ...variant('avc1.64001e,mp4a.40.2', 'aac')]
  expect(pictureAlone(playlist(media('ac-3'), media('aac'), ...both), chromium)).toBeNull()
})

test('does nothing where the picture does not play either, or there is none', () => {
  expect(pictureAlone(playlist(...variant('hvc1.1.6.L93.B0,ac-3', 'ac-3')), chromium)).toBeNull()
  expect(pictureAlone(playlist(...variant('ac-3', 'ac-3')), chromium)).toBeNull()
  expect(pictureAlone('not a playlist', chromium)).toBeNull()
})
