// Owns the origin's URLs: a path to what it asks for. It refuses nothing; what it does not know is `unknown`.

export type Route =
  | { readonly kind: 'health' }
  | { readonly kind: 'metrics' }
  | { readonly kind: 'master'; readonly title: string }
  | {
      readonly kind: 'playlist' | 'init'
      readonly title: string
      readonly revision: string
      readonly rendition: string
    }
  | {
      readonly kind: 'segment'
      readonly title: string
      readonly revision: string
      readonly rendition: string
      readonly segment: number
    }
  | { readonly kind: 'unknown' }

const idPattern = '[a-z0-9][a-z0-9-]{0,126}'
const master = new RegExp(`^/vod/(${idPattern})/master\\.m3u8$`)
const below = new RegExp(
  `^/vod/(${idPattern})/([0-9a-f]{1,64})/([a-z][0-9]{1,3})/(?:(index\\.m3u8)|(init\\.mp4)|(0|[1-9][0-9]{0,8})\\.m4s)$`,
)

/** `url` as node:http gives it: the query is ignored, escapes do not occur in our names. */
export function routeOf(url: string): Route {
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  if (path === '/healthz') return { kind: 'health' }
  if (path === '/metrics') return { kind: 'metrics' }
  const title = master.exec(path)?.[1]
  if (title !== undefined) return { kind: 'master', title }
  const match = below.exec(path)
  if (match === null) return { kind: 'unknown' }
  const place = { title: match[1] ?? '', revision: match[2] ?? '', rendition: match[3] ?? '' }
  if (match[4] !== undefined) return { kind: 'playlist', ...place }
  if (match[5] !== undefined) return { kind: 'init', ...place }
  return { kind: 'segment', ...place, segment: Number(match[6]) }
}
