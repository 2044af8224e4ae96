// Owns playing the picture of a film whose sound this browser lacks: it takes the sound out of the multivariant
// playlist before hls.js reads it. It leaves every playlist alone in which one variant plays as it is.
import HlsJs, {
  type HlsConfig,
  type LoaderCallbacks,
  type LoaderConfiguration,
  type LoaderContext,
} from 'hls.js'

export type CanPlay = (kind: 'video' | 'audio', codec: string) => boolean

export interface PictureAlone {
  readonly manifest: string
  /** The codecs that were taken out. */
  readonly lost: readonly string[]
}

const VIDEO = /^(avc|hvc|hev|av01|vp0|dvh)/
const VARIANT = '#EXT-X-STREAM-INF:'

/** Null: nothing has to be done, or nothing can. */
export function pictureAlone(manifest: string, canPlay: CanPlay): PictureAlone | null {
  const lines = manifest.split(/\r?\n/)
  const variants = lines.filter(line => line.startsWith(VARIANT)).map(line => splitCodecs(line, canPlay))
  if (variants.length === 0 || variants.some(({ lost }) => lost.length === 0)) return null
  if (!variants.some(({ picture }) => picture.length > 0)) return null
  const lost = [...new Set(variants.flatMap(variant => variant.lost))]
  const silent = lines
    .filter(line => !/^#EXT-X-MEDIA:.*TYPE=AUDIO/.test(line))
    .map(line => (line.startsWith(VARIANT) ? withoutSound(line, splitCodecs(line, canPlay).picture) : line))
  return { manifest: silent.join('\n'), lost }
}

/** `lost` is also filled by a picture that does not play: then nothing of this variant does. */
function splitCodecs(line: string, canPlay: CanPlay): { picture: string[]; lost: string[] } {
  const codecs = (/[:,]CODECS="([^"]*)"/.exec(line)?.[1] ?? '').split(',').map(codec => codec.trim())
  const plays = (codec: string): boolean => canPlay(VIDEO.test(codec) ? 'video' : 'audio', codec)
  const lost = codecs.filter(codec => codec !== '' && !plays(codec))
  const picture = codecs.filter(codec => VIDEO.test(codec) && plays(codec))
  return { picture, lost }
}

function withoutSound(line: string, picture: readonly string[]): string {
  if (picture.length === 0) return line
  return line.replace(/([:,])CODECS="[^"]*"/, `$1CODECS="${picture.join(',')}"`).replace(/,AUDIO="[^"]*"/, '')
}

/** What this browser's Media Source Extensions take. */
export function browserPlays(kind: 'video' | 'audio', codec: string): boolean {
  return typeof MediaSource !== 'undefined' && MediaSource.isTypeSupported(`${kind}/mp4;codecs="${codec}"`)
}

type PlaylistLoader = NonNullable<HlsConfig['pLoader']>

/** The class to give to hls.js as `pLoader`; `silent` is called with what was taken out. */
export function pictureAloneLoader(silent: (codecs: readonly string[]) => void): PlaylistLoader {
  const Base = HlsJs.DefaultConfig.loader as unknown as new (
    config: HlsConfig,
  ) => {
    load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void
  }
  class PictureAloneLoader extends Base {
    override load(
      context: LoaderContext,
      config: LoaderConfiguration,
      callbacks: LoaderCallbacks<LoaderContext>,
    ): void {
      const isManifest = 'type' in context && Object.is(context.type, 'manifest')
      if (!isManifest) {
        super.load(context, config, callbacks)
        return
      }
      super.load(context, config, {
        ...callbacks,
        onSuccess: (response, stats, same, details) => {
          const text = typeof response.data === 'string' ? response.data : ''
          const alone = pictureAlone(text, browserPlays)
          if (alone !== null) silent(alone.lost)
          const changed = alone === null ? response : { ...response, data: alone.manifest }
          callbacks.onSuccess(changed, stats, same, details)
        },
      })
    }
  }
  return PictureAloneLoader as unknown as PlaylistLoader
}
