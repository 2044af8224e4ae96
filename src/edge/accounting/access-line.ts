// Owns one line of the access log: JSON with a closed set of keys, told in docs/operate/access-log.md. Pure.
// It refuses what names a person: no address, no query, no header but Range.
import { isoTime } from '#base'
import type { TitleClass } from '#wire'
import type { CacheResult } from '../cache/object-cache.ts'
import type { RequestKind } from './totals.ts'

/** Longer ones are attacks; the edge refuses them anyway. */
const PATH_CHARACTERS_MAX = 512
const RANGE_CHARACTERS_MAX = 64
/** All texts at their longest, in characters that JSON writes as six. */
export const LINE_BYTES_MAX = 8192

/** One answer of this edge. */
export interface Served {
  /** Fleet time at its end, ms since 1970. */
  readonly timeMs: number
  readonly method: string
  readonly target: string
  readonly status: number
  /** Of the body, handed to the kernel. */
  readonly bytes: number
  readonly durationMs: number
  readonly kind: RequestKind
  readonly cache: CacheResult | null
  readonly title: string | null
  readonly class: TitleClass
  /** CMCD sid, or `~` and a hash where it is an estimate; null: no viewer. */
  readonly session: string | null
  readonly range: string | null
  /** `http/1.1`, `https/1.1`. */
  readonly protocol: string
}

export function accessLine(served: Served): string {
  const { timeMs, method, target, status, bytes, durationMs, kind, cache, title, session, range } = served
  const mark = target.indexOf('?')
  const path = target.slice(0, Math.min(mark < 0 ? target.length : mark, PATH_CHARACTERS_MAX))
  return (
    `{"time":"${isoTime(timeMs)}","method":${JSON.stringify(method)},"path":${JSON.stringify(path)},"status":${status}` +
    `,"bytes":${bytes},"ms":${durationMs.toFixed(1)},"kind":"${kind}","class":"${served.class}"` +
    (cache === null ? '' : `,"cache":"${cache}"`) +
    (title === null ? '' : `,"title":"${title}"`) +
    (session === null ? '' : `,"session":${JSON.stringify(session)}`) +
    (range === null ? '' : `,"range":${JSON.stringify(range.slice(0, RANGE_CHARACTERS_MAX))}`) +
    `,"protocol":"${served.protocol}"}\n`
  )
}
