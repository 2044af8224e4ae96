// Owns how the player page is told of entry hosts before it has asked for anything: as data in its head, so that a server
// that falls silent between the page and the table does not take the page along. Pure.
import type { WatchTable } from './api.ts'

export const WATCH_EDGES_NAME = 'vitrine-edges'
/** Who goes through so many has met more than a sick edge. */
const WATCH_EDGES_MAX = 20

/** `html` with the edges, best first; unchanged where it has no head. */
export function watchPageWith(html: string, edges: WatchTable['pathways']): string {
  const told = edges.slice(0, WATCH_EDGES_MAX).map(({ id, region, url }) => ({ id, region, url }))
  const content = JSON.stringify(told)
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
  // A function, because `$` in the replacement would have a meaning.
  return html.replace('</head>', () => `<meta name="${WATCH_EDGES_NAME}" content="${content}" /></head>`)
}
