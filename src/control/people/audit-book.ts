// Owns reading the audit: by who, what, subject and time, newest first, a page at a time. Every question goes along an
// index, so that a page costs the same in the first year and in the fifth.
import { AUDIT_PAGE_MAX, type AuditEntry, type AuditQuery } from '#wire'
import type { StateDb } from '../state/database.ts'
import type { Tables } from '../state/tables.ts'

const PAGE_DEFAULT = 100
/** Of one file; whoever needs more asks for a shorter time. */
export const CSV_ROWS_MAX = 50_000

export interface AuditPage {
  readonly entries: AuditEntry[]
  readonly next: string | null
}

export interface AuditBook {
  page(this: void, query: AuditQuery): Promise<AuditPage>
  /** Lines of RFC 4180, at most CSV_ROWS_MAX of them. */
  csv(this: void, query: AuditQuery): AsyncGenerator<string>
}

export function createAuditBook(state: StateDb): AuditBook {
  return { page: query => page(state, query), csv: query => csv(state, query) }
}

type Row = Tables['audit'] & { id: number }

async function page(state: StateDb, query: AuditQuery): Promise<AuditPage> {
  const limit = Math.min(query.limit ?? PAGE_DEFAULT, AUDIT_PAGE_MAX)
  const { who } = query
  // What a person did is under the name, and what their tokens did under their person: each along an index of its own.
  const rows =
    who === undefined
      ? await ask(state, query, limit + 1)
      : merged([
          await ask(state, query, limit + 1, { column: 'by', who }),
          await ask(state, query, limit + 1, { column: 'person', who }),
        ])
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const next = rows.length <= limit || last === undefined ? null : `${last.at}-${last.id}`
  return { entries: shown.map(entryOf), next }
}

function merged(parts: readonly (readonly Row[])[]): Row[] {
  const byId = new Map(parts.flat().map(row => [row.id, row]))
  return [...byId.values()].toSorted((a, b) => b.at - a.at || b.id - a.id)
}

async function ask(
  { db }: StateDb,
  { action, subject, from, until, before }: AuditQuery,
  limit: number,
  named: { readonly column: 'by' | 'person'; readonly who: string } | null = null,
): Promise<Row[]> {
  let rows = db.selectFrom('audit').selectAll().orderBy('at', 'desc').orderBy('id', 'desc').limit(limit)
  if (named !== null) rows = rows.where(named.column, '=', named.who)
  if (action !== undefined) rows = rows.where('action', '=', action)
  if (subject !== undefined) rows = rows.where('subject', '=', subject)
  if (from !== undefined) rows = rows.where('at', '>=', from)
  if (until !== undefined) rows = rows.where('at', '<', until)
  if (before !== undefined) {
    const cut = before.lastIndexOf('-')
    const [at, id] = [Number(before.slice(0, cut)), Number(before.slice(cut + 1))]
    // The first part alone bounds the scan of the index.
    rows = rows.where('at', '<=', at).where(where => where.or([where('at', '<', at), where('id', '<', id)]))
  }
  return (await rows.execute()) as Row[]
}

function entryOf({ id, at, by, actor, person, via, address, action, subject, facts }: Row): AuditEntry {
  return { id, at, by, actor, person, via, address, action, subject, facts: factsOf(facts) }
}

function factsOf(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

const HEADS = ['time', 'by', 'actor', 'person', 'via', 'address', 'action', 'subject', 'facts'] as const

async function* csv(state: StateDb, query: AuditQuery): AsyncGenerator<string> {
  yield `${HEADS.join(',')}\r\n`
  let before = query.before
  let rows = 0
  while (rows < CSV_ROWS_MAX) {
    const part = await page(state, {
      ...query,
      limit: AUDIT_PAGE_MAX,
      ...(before === undefined ? {} : { before }),
    })
    rows += part.entries.length
    yield part.entries.map(line).join('')
    if (part.next === null) return
    before = part.next
  }
}

function line({ at, by, actor, person, via, address, action, subject, facts }: AuditEntry): string {
  const cells = [new Date(at).toISOString(), by, actor, person ?? '', via, address, action, subject]
  return `${[...cells, JSON.stringify(facts)].map(cell).join(',')}\r\n`
}

/** What begins like a formula would be one in a spreadsheet: names and reasons are written by strangers too. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
