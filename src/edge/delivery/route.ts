// Owns the meaning of a request target: which of the edge's URLs it is. It refuses, with a typed fault, whatever could
// mean two things: dot segments, doubled slashes, encoded characters that need no encoding.
import { randomBytes } from 'node:crypto'
import { edgeFaults } from '../faults.ts'

/** CMCD v2 in the query is the longest thing that a player sends. */
const TARGET_CHARACTERS_MAX = 8192
const PATH_CHARACTERS_MAX = 512

type MediaKind = 'master' | 'playlist' | 'init' | 'segment'

export type Route =
  /** `key` is the object's name in every cache: the normalised path, without the query. */
  | { readonly kind: 'media'; readonly media: MediaKind; readonly title: string; readonly key: string }
  | { readonly kind: 'play'; readonly title: string }
  | { readonly kind: 'watch'; readonly title: string }
  | { readonly kind: 'asset'; readonly path: string }
  | { readonly kind: 'watch-table' }
  | { readonly kind: 'steer' }
  | { readonly kind: 'cmcd' }
  | { readonly kind: 'healthz' }
  | { readonly kind: 'metrics' }
  | { readonly kind: 'watcher' }
  | { readonly kind: 'wall' }

export interface Target {
  readonly route: Route
  /** Without the question mark; empty when there is none. */
  readonly query: string
  /** `/s/{id}` in front of a media path: no part of any key; relative URLs inherit it. Empty: none. */
  readonly prefix: string
}

const titleShape = '[a-z0-9][a-z0-9-]{0,126}'
const nameShape = '[A-Za-z0-9][A-Za-z0-9._-]{0,127}'
const masterPath = new RegExp(`^/vod/(${titleShape})/master\\.m3u8$`)
const objectPath = new RegExp(`^/vod/(${titleShape})/(${nameShape})/(${nameShape})/(${nameShape})$`)
const playPath = new RegExp(`^/play/(${titleShape})\\.m3u8$`)
const watchPath = new RegExp(`^/watch/(${titleShape})$`)
/** The session of a player that does not tell one, before /vod/; a grant will stand beside it, as /g/{grant}. */
const sessionPrefix = /^\/s\/[A-Za-z0-9_-]{8,64}(?=\/vod\/)/
const SESSION_BYTES = 12
const assetPath = /^\/watch-assets\/[A-Za-z0-9._/-]+$/

const fixedRoutes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/player.js', { kind: 'asset', path: '/watch-assets/player.js' }],
  ['/player.d.ts', { kind: 'asset', path: '/watch-assets/player.d.ts' }],
  ['/watch-table', { kind: 'watch-table' }],
  ['/steer', { kind: 'steer' }],
  ['/cmcd', { kind: 'cmcd' }],
  ['/healthz', { kind: 'healthz' }],
  ['/metrics', { kind: 'metrics' }],
  ['/watcher', { kind: 'watcher' }],
  ['/wall', { kind: 'wall' }],
])

const mediaKinds: readonly (readonly [suffix: string, kind: MediaKind])[] = [
  ['.m4s', 'segment'],
  ['.m3u8', 'playlist'],
  ['.mp4', 'init'],
  ['.vtt', 'segment'],
]

/** Media that were asked for as their key, by it: of a title that is watched, the same ones again and again. */
const knownMedia = new Map<string, Route>()
const KNOWN_MAX = 4096

/** Reads a request target, or throws a fault for the client. */
export function readTarget(target: string): Target {
  if (target.length > TARGET_CHARACTERS_MAX) {
    throw edgeFaults.fault(
      'edge-url-too-long',
      `the URL has ${target.length} characters, expected at most ${TARGET_CHARACTERS_MAX}`,
    )
  }
  const mark = target.indexOf('?')
  const asked = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  const known = knownMedia.get(asked)
  if (known !== undefined) return { route: known, query, prefix: '' }
  const path = normalPath(asked)
  const prefix = path.startsWith('/s/') ? (sessionPrefix.exec(path)?.[0] ?? '') : ''
  const route = routeOf(prefix === '' ? path : path.slice(prefix.length))
  if (route.kind === 'media' && route.key === asked) remember(asked)
  return { route, query, prefix }
}

/** A copy of it: a part of a text keeps the whole alive, with its query. */
function remember(path: string): void {
  if (knownMedia.size >= KNOWN_MAX) knownMedia.clear()
  const own = Buffer.from(path, 'latin1').toString('latin1')
  knownMedia.set(own, mediaRoute(own))
}

/** A new session, for a player that told none at its entry. */
export function newSessionPrefix(): string {
  return `/s/${randomBytes(SESSION_BYTES).toString('base64url')}`
}

/** The session in a prefix; null: there is none. `~`, since no player may claim it as its own. */
export function sessionInPrefix(prefix: string): string | null {
  return prefix === '' ? null : `~${prefix.slice('/s/'.length)}`
}

function routeOf(path: string): Route {
  if (path.startsWith('/vod/')) return mediaRoute(path)
  const fixed = fixedRoutes.get(path)
  if (fixed !== undefined) return fixed
  const play = playPath.exec(path)?.[1]
  if (play !== undefined) return { kind: 'play', title: play }
  const watch = watchPath.exec(path)?.[1]
  if (watch !== undefined) return { kind: 'watch', title: watch }
  if (assetPath.test(path)) return { kind: 'asset', path }
  throw edgeFaults.fault('edge-not-found', `nothing is served at ${path}`)
}

function mediaRoute(path: string): Route {
  const object = objectPath.exec(path)
  if (object === null) {
    const title = masterPath.exec(path)?.[1]
    if (title !== undefined) return { kind: 'media', media: 'master', title, key: path }
    throw edgeFaults.fault('edge-not-found', `${path} is not the path of a playlist, init segment or segment`)
  }
  const media = mediaKinds.find(([suffix]) => path.endsWith(suffix))?.[1]
  const title = object[1]
  if (media === undefined || title === undefined) {
    throw edgeFaults.fault('edge-not-found', `${path} has no suffix of media: .m3u8, .mp4, .m4s, .vtt`)
  }
  return { kind: 'media', media, title, key: path }
}

/** RFC 3986 section 6.2.2: encoded unreserved characters are the same as bare ones; all else is refused. */
function normalPath(path: string): string {
  if (path.length > PATH_CHARACTERS_MAX) {
    throw edgeFaults.fault(
      'edge-url-too-long',
      `the path has ${path.length} characters, expected at most ${PATH_CHARACTERS_MAX}`,
    )
  }
  const plain = path.includes('%') ? decodeUnreserved(path) : path
  if (!/^\/[A-Za-z0-9._~/-]*$/.test(plain)) {
    throw edgeFaults.fault('edge-bad-url', 'the path has characters other than A-Z a-z 0-9 . _ ~ - and /')
  }
  if (/\/\.{1,2}(?:\/|$)|\/\//.test(plain)) {
    throw edgeFaults.fault('edge-bad-url', 'the path has an empty segment, "." or ".."')
  }
  return plain
}

function decodeUnreserved(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (whole, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : whole
  })
}

/** The type of an object by its suffix, for an origin that named none. */
export function typeOf(key: string): string {
  if (key.endsWith('.m3u8')) return 'application/vnd.apple.mpegurl'
  if (key.endsWith('.vtt')) return 'text/vtt; charset=utf-8'
  return 'video/mp4'
}
