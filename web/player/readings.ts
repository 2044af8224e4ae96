// Owns what is read off the video element, hls.js and response headers for people; it changes nothing.
import type HlsJs from 'hls.js'

export interface Rendition {
  /** -1 is automatic. */
  readonly index: number
  readonly label: string
  readonly bitrateBps: number
}

/** The entry of a title; `via` asks for one edge by name. */
export function playUrl(base: string, title: string, via: string | null): string {
  const query = via === null ? '' : `?via=${encodeURIComponent(via)}`
  return `${base}/play/${encodeURIComponent(title)}.m3u8${query}`
}

/** Seconds of picture ahead of the playhead. */
export function bufferedAhead(video: HTMLVideoElement): number {
  const { buffered, currentTime } = video
  for (let index = 0; index < buffered.length; index += 1) {
    if (buffered.start(index) <= currentTime + 0.1 && buffered.end(index) >= currentTime) {
      return buffered.end(index) - currentTime
    }
  }
  return 0
}

export function labelOf(level: { height: number; bitrate: number; name: string } | undefined): string | null {
  if (level === undefined) return null
  return level.height > 0 ? `${level.height}p` : `${Math.round(level.bitrate / 1000)} kbit/s`
}

export function renditionsOf(hls: HlsJs): Rendition[] {
  return hls.levels.map((level, index) => ({
    index,
    label: labelOf(level) ?? String(index),
    bitrateBps: level.bitrate,
  }))
}

/** CTA-5006: `CMSD-Static: n="eu-west"`. */
export function cmsdName(networkDetails: unknown): string | null {
  if (!(networkDetails instanceof XMLHttpRequest)) return null
  return readCmsdName(networkDetails.getResponseHeader('CMSD-Static'))
}

export function readCmsdName(header: string | null): string | null {
  return header?.match(/(?:^|,)\s*n="([^"]{1,128})"/)?.[1] ?? null
}
