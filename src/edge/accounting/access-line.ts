// Owns one line of the access log: JSON with a closed set of keys, told in docs/operate/access-log.md.
// It refuses what names a person: no address, no query, no header but Range. It is written for each answer, so it is quick.
import { isoTime } from '#base'
import type { TitleClass } from '#wire'
import type { CacheResult } from '../cache/object-cache.ts'
import type { RequestKind } from './totals.ts'

/** Longer ones are attacks; the edge refuses them anyway. */
const PATH_CHARACTERS_MAX = 512
const RANGE_CHARACTERS_MAX = 64
/** All texts at their longest, in characters that JSON writes as six. */
export const LINE_BYTES_MAX = 8192
/** Objects that are asked for again and again: their part of the line is kept. */
const KEPT_MAX = 2048

/** One answer of this edge. */
export interface Served {
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
  readonly isSecure: boolean
  /** Of HTTP: 1.1. */
  readonly version: string
}

/** By path; kind and title follow from it. */
const kept = new Map<string, { readonly class: TitleClass; readonly text: string }>()

/** ASCII alone. `timeMs`: fleet time at the end of the answer, ms since 1970. */
export function accessLine(served: Served, timeMs: number): string {
  const { method, status, bytes, durationMs, cache, session, range, isSecure, version } = served
  const tenths = Math.round(durationMs * 10)
  return (
    `{"time":"${isoTime(timeMs)}","status":${status},"bytes":${bytes},"ms":${Math.trunc(tenths / 10)}.${tenths % 10}` +
    whatPart(served) +
    (method === 'GET' ? '"GET"' : quoted(method)) +
    (cache === null ? '' : `,"cache":"${cache}"`) +
    (session === null ? '' : `,"session":${quoted(session)}`) +
    (range === null ? '' : `,"range":${quoted(range.slice(0, RANGE_CHARACTERS_MAX))}`) +
    (isSecure ? ',"protocol":"https/' : ',"protocol":"http/') +
    `${version}"}\n`
  )
}

function whatPart({ target, kind, title, class: titleClass }: Served): string {
  const mark = target.indexOf('?')
  const path = target.slice(0, Math.min(mark < 0 ? target.length : mark, PATH_CHARACTERS_MAX))
  const known = kept.get(path)
  if (known !== undefined && known.class === titleClass) return known.text
  const text =
    `,"path":${quoted(path)},"kind":"${kind}","class":"${titleClass}"` +
    `${title === null ? '' : `,"title":"${title}"`},"method":`
  if (title !== null) {
    if (kept.size >= KEPT_MAX) kept.clear()
    kept.set(path, { class: titleClass, text })
  }
  return text
}

const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** What needs no escape is most of it, and found out in half the time that JSON takes. */
function quoted(text: string): string {
  if (plain.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
