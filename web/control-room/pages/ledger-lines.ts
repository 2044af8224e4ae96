// Owns the arithmetic of the ledger page: months, and rows of measures as lines of a table. Pure.
import type { LedgerRowView } from '#wire'

/** One server, day and class of title, with its measures beside each other. */
export interface DayLine {
  readonly day: string
  readonly server: string
  readonly role: 'edge' | 'origin'
  readonly class: string
  readonly bytes: number
  readonly requests: number
  readonly viewerSeconds: number
}

/** A month as 2026-11: what was asked for, or the one of `nowMs`. */
export function readMonth(asked: string | null, nowMs: number): string {
  if (asked !== null && /^\d{4}-(0[1-9]|1[0-2])$/.test(asked)) return asked
  return new Date(nowMs).toISOString().slice(0, 7)
}

export function nearMonth(month: string, step: 1 | -1): string {
  const { fromMs } = monthSpan(month)
  const from = new Date(fromMs)
  return new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + step)).toISOString().slice(0, 7)
}

export function monthSpan(month: string): { readonly fromMs: number; readonly toMs: number } {
  const [year = 0, index = 1] = month.split('-').map(Number)
  return { fromMs: Date.UTC(year, index - 1), toMs: Date.UTC(year, index) - 1 }
}

/** The newest day first. */
export function ledgerLines(rows: readonly LedgerRowView[]): DayLine[] {
  const lines = new Map<string, DayLine>()
  for (const { day, server, role, class: titleClass, measure, value } of rows) {
    const key = `${day} ${server} ${titleClass}`
    const none = { day, server, role, class: titleClass, bytes: 0, requests: 0, viewerSeconds: 0 }
    const name = measure === 'viewer-seconds' ? 'viewerSeconds' : measure
    lines.set(key, { ...(lines.get(key) ?? none), [name]: value })
  }
  return [...lines.values()].sort(
    (a, b) =>
      b.day.localeCompare(a.day) || a.server.localeCompare(b.server) || a.class.localeCompare(b.class),
  )
}

/** What viewers got: an origin sends to edges. */
export function ledgerSum(lines: readonly DayLine[]): Pick<DayLine, 'bytes' | 'requests' | 'viewerSeconds'> {
  const edges = lines.filter(line => line.role === 'edge')
  const sum = (of: (line: DayLine) => number): number => edges.reduce((all, line) => all + of(line), 0)
  return {
    bytes: sum(line => line.bytes),
    requests: sum(line => line.requests),
    viewerSeconds: sum(line => line.viewerSeconds),
  }
}

/** As `vitrine ledger --csv`. Names of servers and classes need no quotes. */
export function ledgerCsv(lines: readonly DayLine[]): string {
  const rows = lines.map(({ day, server, role, class: titleClass, bytes, requests, viewerSeconds }) =>
    [day, server, role, titleClass, bytes, requests, viewerSeconds.toFixed(3)].join(','),
  )
  return ['day,server,role,class,bytes,requests,viewer_seconds', ...rows, ''].join('\r\n')
}
