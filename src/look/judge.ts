// Owns the judgement over headers and figures of a look: what is a fault, what is worth a look. Pure.
import type { MediaPlaylist } from '#media'
import type { Answer } from './http-get.ts'
import type { Problem } from './report.ts'

/** Certificates are renewed at two thirds of 90 days; two weeks before the end nobody has. */
const CERTIFICATE_DAYS_WARN = 14
const CLOCK_SKEW_S_WARN = 2
/** Two out of three viewers wait longer than 2 s without leaving; after 10 s few are left. */
const START_MS_WARN = 3000
const START_MS_FAULT = 10_000
/** A player needs some room to switch up and to recover. */
const SPEED_RATIO_WARN = 2
const DAY_MS = 86_400_000

export function judgeCertificate(answer: Answer, nowMs: number): Problem[] {
  const { certificate } = answer
  if (certificate === null) return []
  const daysLeft = daysUntil(certificate.validTo, nowMs)
  if (certificate.problem !== null) {
    const text = `players refuse the certificate of ${hostOf(answer.url)}: ${certificate.problem}`
    return [{ severity: 'fault', code: 'certificate', text }]
  }
  if (daysLeft >= CERTIFICATE_DAYS_WARN) return []
  const text = `the certificate of ${hostOf(answer.url)} ends in ${Math.floor(daysLeft)} days; renew it`
  return [{ severity: daysLeft < 1 ? 'fault' : 'warning', code: 'certificate', text }]
}

export function daysUntil(validTo: string, nowMs: number): number {
  return (Date.parse(validTo) - nowMs) / DAY_MS
}

/** A page elsewhere can read the answer when the field is `*` or its own origin. */
export function judgeCors(answer: Answer, origin: string, what: string): Problem[] {
  const allowed = answer.headers['access-control-allow-origin']
  if (allowed === '*' || allowed === origin) return []
  const came = allowed === undefined ? 'is missing' : `is ${allowed}`
  const text = `Access-Control-Allow-Origin of the ${what} ${came}: players in pages of other sites cannot read it`
  return [{ severity: 'warning', code: 'cors', text }]
}

/** How long caches may keep an answer, seconds; null: not said. */
export function maxAgeS(cacheControl: string | undefined): number | null {
  const match = /(?:^|[\s,])(?:s-maxage|max-age)\s*=\s*"?(\d{1,10})/i.exec(cacheControl ?? '')
  return match === null ? null : Number(match[1])
}

export function judgePlaylistCaching(answer: Answer, playlist: MediaPlaylist): Problem[] {
  if (playlist.ended) return []
  const ageS = maxAgeS(answer.headers['cache-control'])
  if (ageS === null || ageS <= playlist.targetDurationS) return []
  const text = `the live playlist may be cached for ${ageS} s, longer than its target duration of ${playlist.targetDurationS} s: players read old ones`
  return [{ severity: 'fault', code: 'cache', text }]
}

export function judgeSegmentCaching(answer: Answer): Problem[] {
  const cacheControl = answer.headers['cache-control'] ?? ''
  if (!/no-store|private|no-cache/i.test(cacheControl)) return []
  const text = `segments may not be cached (Cache-Control: ${cacheControl}): every viewer costs the origin`
  return [{ severity: 'warning', code: 'cache', text }]
}

export interface Skew {
  readonly skewS: number
  readonly uncertainS: number
}

/**
 * The server's clock against ours. Date has whole seconds (RFC 9110 section 6.6.1), so it stands for the middle of
 * its second; the answer was made somewhere within the exchange. A cached answer carries an old Date.
 */
export function clockSkew(answer: Answer, receivedWallMs: number): Skew | null {
  const { date, age } = answer.headers
  const dateMs = Date.parse(date ?? '')
  if (Number.isNaN(dateMs) || Number(age ?? 0) > 0) return null
  const madeMs = receivedWallMs - answer.totalMs + answer.firstByteMs / 2
  return { skewS: (dateMs + 500 - madeMs) / 1000, uncertainS: 0.5 + answer.firstByteMs / 2000 }
}

export function judgeClock({ skewS, uncertainS }: Skew): Problem[] {
  if (Math.abs(skewS) - uncertainS < CLOCK_SKEW_S_WARN) return []
  const way = skewS > 0 ? 'ahead of' : 'behind'
  const text = `the server's clock is ${Math.abs(skewS).toFixed(1)} s ${way} this machine's (by its Date, +-${uncertainS.toFixed(1)} s); one of the two is wrong`
  return [{ severity: 'warning', code: 'clock', text }]
}

export function judgeStart(startMs: number): Problem[] {
  if (startMs <= START_MS_WARN) return []
  const severity = startMs > START_MS_FAULT ? 'fault' : 'warning'
  const text = `a picture could be shown after ${(startMs / 1000).toFixed(1)} s, expected at most ${START_MS_WARN / 1000} s`
  return [{ severity, code: 'start', text }]
}

export function judgeSpeed(ratio: number): Problem[] {
  if (ratio >= SPEED_RATIO_WARN) return []
  const severity = ratio < 1 ? 'fault' : 'warning'
  const text = `segments come ${ratio.toFixed(2)} times as fast as they play, expected ${SPEED_RATIO_WARN} or more`
  return [{ severity, code: 'slow', text }]
}

export function judgeDurations(playlist: MediaPlaylist, what: string): Problem[] {
  const longest = Math.max(0, ...playlist.segments.map(({ durationS }) => Math.round(durationS)))
  if (longest <= playlist.targetDurationS) return []
  const text = `a segment of the ${what} playlist lasts ${longest} s, more than EXT-X-TARGETDURATION ${playlist.targetDurationS}`
  return [{ severity: 'warning', code: 'duration', text }]
}

/** RFC 8216bis section 4: players accept these, or a path that ends in .m3u8 or .m3u. */
export function judgeContentType(answer: Answer): Problem[] {
  const type = (answer.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const known = ['application/vnd.apple.mpegurl', 'audio/mpegurl', 'application/x-mpegurl', 'audio/x-mpegurl']
  if (known.includes(type) || /\.m3u8?$/i.test(new URL(answer.url).pathname)) return []
  const text = `Content-Type of the playlist is ${type === '' ? 'missing' : type}, expected application/vnd.apple.mpegurl`
  return [{ severity: 'warning', code: 'content-type', text }]
}

export function hostOf(url: string): string {
  return new URL(url).host
}
