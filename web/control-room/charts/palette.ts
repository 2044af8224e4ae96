// Owns which colour a server's line has: by its place in the order of servers, so that every page agrees.
const COLOURS = 6

/** A CSS variable's name; `ids` stand in the order of servers. */
export function seriesColour(id: string, ids: readonly string[]): string {
  const place = ids.indexOf(id)
  return `--series-${(Math.max(place, 0) % COLOURS) + 1}`
}

/** What a variable means in the theme that is shown. */
export function resolveColour(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim() || '#888888'
}
