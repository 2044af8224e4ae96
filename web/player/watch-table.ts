// Owns the list of edges that a player can go to: asked from any edge that answers, kept while none does.
// It refuses answers of another shape, by hand: the page's size matters more than a validator's comfort.
import type { WatchTable } from '#wire'

/** Asked again this often. */
export const TABLE_REFRESH_MS = 30_000
/** An edge that is frozen accepts the connection and never answers. */
const TABLE_DEADLINE_MS = 3_000
const EDGES_MAX = 1_000
const TITLES_MAX = 20_000

export class EdgeTable {
  #table: WatchTable = { pathways: [], titles: [] }
  readonly #home: string

  /** `home` is the origin of the page: it is asked first, after it the edges that `known` or a later table tells of. */
  constructor(home: string, known: WatchTable['pathways'] = []) {
    this.#home = home
    this.#table = { pathways: known, titles: [] }
  }

  get table(): WatchTable {
    return this.#table
  }

  get ids(): string[] {
    return this.#table.pathways.map(pathway => pathway.id)
  }

  urlOf(id: string): string | null {
    return this.#table.pathways.find(pathway => pathway.id === id)?.url ?? null
  }

  /** The edge behind an address, by host and port. */
  edgeOf(address: string): string | null {
    const host = hostOf(address)
    if (host === null) return null
    return this.#table.pathways.find(pathway => hostOf(pathway.url) === host)?.id ?? null
  }

  /** Asks the page's own server, then each edge; the base that answered, or null. */
  async refresh(signal: AbortSignal): Promise<string | null> {
    const bases = [...new Set([this.#home, ...this.#table.pathways.map(pathway => pathway.url)])]
    for (const base of bases) {
      const table = await ask(base, signal)
      if (signal.aborted) return null
      if (table !== null) {
        this.#table = table
        return base
      }
    }
    return null
  }
}

async function ask(base: string, signal: AbortSignal): Promise<WatchTable | null> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TABLE_DEADLINE_MS)])
    const answer = await fetch(`${base}/watch-table`, {
      signal: limit,
      cache: 'no-store',
      credentials: 'omit',
    })
    return answer.ok ? readWatchTable(await answer.json()) : null
  } catch {
    return null // Not reached or not JSON: the next edge is asked.
  }
}

/** The edges that the page itself was told of; none where it was not. */
export function readKnownEdges(text: string | null): WatchTable['pathways'] {
  try {
    return readWatchTable({ pathways: JSON.parse(text ?? '[]'), titles: [] })?.pathways ?? []
  } catch {
    return []
  }
}

/** Reads the answer of `GET /watch-table`; null when it has another shape. */
export function readWatchTable(value: unknown): WatchTable | null {
  if (!isRecord(value) || !Array.isArray(value['pathways']) || !Array.isArray(value['titles'])) return null
  const pathways: WatchTable['pathways'] = []
  for (const entry of value['pathways'].slice(0, EDGES_MAX) as unknown[]) {
    if (!isRecord(entry)) return null
    const { id, region, url } = entry
    if (typeof id !== 'string' || typeof region !== 'string' || typeof url !== 'string') return null
    if (hostOf(url) === null) return null
    pathways.push({ id, region, url })
  }
  const titles: WatchTable['titles'] = []
  for (const entry of value['titles'].slice(0, TITLES_MAX) as unknown[]) {
    if (!isRecord(entry)) return null
    const { id, name, durationMs } = entry
    if (typeof id !== 'string' || typeof name !== 'string') return null
    titles.push({ id, name, durationMs: typeof durationMs === 'number' ? durationMs : null })
  }
  return { pathways, titles }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function hostOf(address: string): string | null {
  try {
    const url = new URL(address)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.host : null
  } catch {
    return null
  }
}
