// Owns the expressions that were run in this browser: the last 50, newest first, each once; kept in localStorage.
// It refuses what another program may have written there.

/** More is a log, not a history. */
export const HISTORY_MAX = 50
const KEY = 'vitrine.query.history'
const EXPR_CHARACTERS_MAX = 16_384

export interface HistoryEntry {
  readonly expr: string
  /** Fleet time of its last run, in ms; null when it was not known. */
  readonly atMs: number | null
}

export type History = readonly HistoryEntry[]

/** The entry first, and not a second time further down. */
export function remembered(history: History, entry: HistoryEntry): History {
  return [entry, ...history.filter(({ expr }) => expr !== entry.expr)].slice(0, HISTORY_MAX)
}

export function forgotten(history: History, expr: string): History {
  return history.filter(entry => entry.expr !== expr)
}

export function parseHistory(text: string | null): History {
  if (text === null) return []
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value.filter(isEntry).slice(0, HISTORY_MAX) : []
  } catch {
    return []
  }
}

function isEntry(value: unknown): value is HistoryEntry {
  if (typeof value !== 'object' || value === null || !('expr' in value) || !('atMs' in value)) return false
  const { expr, atMs } = value
  const readable = typeof expr === 'string' && expr !== '' && expr.length <= EXPR_CHARACTERS_MAX
  return readable && (atMs === null || (typeof atMs === 'number' && Number.isFinite(atMs)))
}

export function loadHistory(): History {
  try {
    return parseHistory(localStorage.getItem(KEY))
  } catch {
    return [] // Storage may be closed to us; the history then lasts for this page.
  }
}

export function saveHistory(history: History): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(history))
  } catch {
    // As above, or it is full.
  }
}
