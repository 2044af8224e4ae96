// Owns what is asked of a foreign server: its one stream, or a title of ours under its address. Pure.
import { foreignTitleUrl } from '#wire'

/** Stands for a title when there is none yet: any answer below 500 proves that the server lives. */
const NO_TITLE = 'vitrine'

/** Path and query of a look. */
export function foreignPath(stream: string): string {
  const { pathname, search } = new URL(foreignTitleUrl(stream, NO_TITLE) ?? stream)
  return `${pathname}${search}`
}

/** The playlist to play from, and what it is called; null: it plays titles, and there are none. */
export function foreignPlay(
  stream: string,
  titles: readonly string[],
  turn: number,
): { readonly url: string; readonly title: string } | null {
  if (!stream.includes('{title}')) return { url: stream, title: 'stream' }
  const title = titles[turn % Math.max(1, titles.length)]
  return title === undefined ? null : { url: foreignTitleUrl(stream, title) ?? stream, title }
}
