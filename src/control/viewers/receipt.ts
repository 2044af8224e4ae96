// Owns taking viewers' records from edges: each once, in the order of its spool, acknowledged only when its place is in
// state.db. It knows nothing of what records mean: they go to a sink inside the same transaction.
import { type Closable, type Counters, type Log, messageOf } from '#base'
import { type ViewerRecord, type ViewerRecords, type ViewerRecordsTaken, viewerRecord } from '#wire'
import type { StateDb } from '../state/database.ts'

/** Messages of all edges that came meanwhile share one transaction. */
const TURN_MS = 100
/** Of one edge that wait; a sender that respects its window never has more than 8. */
const WAITING_MAX = 32
/** Of one edge that are remembered: a new one comes with new files. */
const SPOOLS_MAX = 8

/** Who makes something of records. Called in order for each edge; what it throws lets the edge send them again. */
export interface ViewerRecordSink {
  take(this: void, edge: string, records: readonly ViewerRecord[]): void
}

export interface ViewerReceiptOptions {
  readonly state: StateDb
  /** Left out: records are counted, and nothing else becomes of them. */
  readonly sink?: ViewerRecordSink
  readonly counters: Counters
  readonly log: Log
}

interface Waiting {
  readonly edge: string
  readonly message: ViewerRecords
  readonly tell: (taken: ViewerRecordsTaken) => void
}

/** What a message comes to: the records behind `known`, or nothing that may be taken now. */
interface Opened {
  readonly next: number
  readonly records: readonly ViewerRecord[]
}

export function openViewerReceipt(options: ViewerReceiptOptions): ViewerReceipt {
  return new ViewerReceipt(options)
}

export class ViewerReceipt implements Closable {
  readonly #options: ViewerReceiptOptions
  readonly #timer: NodeJS.Timeout
  readonly #count: (kind: string, by: number) => void
  readonly #lost: (edge: string, dropped: ViewerRecords['dropped']) => void
  #sink: ViewerRecordSink
  #waiting: Waiting[] = []
  #turning: Promise<void> | null = null

  constructor(options: ViewerReceiptOptions) {
    this.#options = options
    this.#sink = options.sink ?? { take: () => undefined }
    const records = options.counters.counter(
      'vitrine_control_viewer_records_total',
      'Records of what viewers went through, by kind; `again`: sent twice after a reconnect and taken once; `unreadable`: an edge of another version.',
    )
    const lost = options.counters.counter(
      'vitrine_control_viewer_records_lost_total',
      'Records that edges refused or lost before they could be sent, by reason; what is shown of viewers is short of them.',
    )
    this.#count = (kind, by) => {
      if (by > 0) records.add(by, { kind })
    }
    const told = new Map<string, number>()
    this.#lost = (edge, dropped) => {
      for (const [reason, total] of Object.entries(dropped)) {
        const key = `${edge} ${reason}`
        const before = told.get(key) ?? 0
        // It counts from its start: less than before is a new start.
        lost.add(total >= before ? total - before : total, { reason })
        told.set(key, total)
      }
    }
    this.#timer = setInterval(() => void this.turn(), TURN_MS)
  }

  /** Who takes records from now on. */
  useSink(sink: ViewerRecordSink): void {
    this.#sink = sink
  }

  /** From an edge's channel; `tell` answers it, once the records are safe. */
  receive(edge: string, message: ViewerRecords, tell: (taken: ViewerRecordsTaken) => void): void {
    let ofEdge = 0
    for (const waiting of this.#waiting) if (waiting.edge === edge) ofEdge += 1
    // Not answered: it sends them again.
    if (ofEdge < WAITING_MAX) this.#waiting.push({ edge, message, tell })
  }

  /** Takes what waits; a test calls it instead of waiting. */
  async turn(): Promise<void> {
    await this.#turning
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    this.#turning = this.#takeAll(waiting)
      .catch((error: unknown) => {
        this.#options.log.error('viewer-records-not-taken', { problem: messageOf(error) })
      })
      .finally(() => {
        this.#turning = null
      })
    await this.#turning
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.turn()
  }

  async #takeAll(waiting: readonly Waiting[]): Promise<void> {
    const { state } = this.#options
    const places = new Map<string, { readonly edge: string; readonly spool: string; next: number }>()
    const counted: [kind: string, by: number][] = []
    await state.db.transaction().execute(async db => {
      for (const { edge, message } of waiting) {
        const { spool } = message
        const key = `${edge} ${spool}`
        const place = places.get(key)
        const row =
          place ??
          (await db
            .selectFrom('viewer_spools')
            .select('next')
            .where('edge', '=', edge)
            .where('spool', '=', spool)
            .executeTakeFirst())
        const known = row?.next ?? null
        const { next, records } = this.#open(message, known, (kind, by) => counted.push([kind, by]))
        places.set(key, { edge, spool, next })
        if (records.length > 0) this.#sink.take(edge, records)
        if (next !== known) await this.#keep(db, edge, spool, next)
      }
    })
    for (const [kind, by] of counted) this.#count(kind, by)
    for (const { edge, message } of waiting) this.#lost(edge, message.dropped)
    // The newest place of each spool says it for all of its messages.
    const answered = new Set<string>()
    for (const { edge, message, tell } of waiting) {
      const place = places.get(`${edge} ${message.spool}`)
      if (place === undefined || answered.has(`${edge} ${message.spool}`)) continue
      answered.add(`${edge} ${message.spool}`)
      tell({ type: 'viewer-records-taken', spool: message.spool, next: place.next })
    }
  }

  #open(
    { first, from = first, lines: text }: ViewerRecords,
    known: number | null,
    count: (kind: string, by: number) => void,
  ): Opened {
    // One before it was not taken: all again from there.
    if (known !== null && known < from) return { next: known, records: [] }
    const lines = text === '' ? [] : text.split('\n')
    const end = first + lines.length
    const skipped = Math.min(lines.length, Math.max(0, (known ?? first) - first))
    count('again', skipped)
    const records: ViewerRecord[] = []
    let unreadable = 0
    for (const line of lines.slice(skipped)) {
      const record = readLine(line)
      if (record === null) unreadable += 1
      else records.push(record)
    }
    count('unreadable', unreadable)
    const events = records.reduce((sum, { kind }) => sum + (kind === 'event' ? 1 : 0), 0)
    count('event', events)
    count('request', records.length - events)
    return { next: Math.max(known ?? 0, end), records }
  }

  async #keep(db: StateDb['db'], edge: string, spool: string, next: number): Promise<void> {
    const at = this.#options.state.nowMs()
    await db
      .insertInto('viewer_spools')
      .values({ edge, spool, next, at })
      .onConflict(conflict => conflict.columns(['edge', 'spool']).doUpdateSet({ next, at }))
      .execute()
    const kept = db
      .selectFrom('viewer_spools')
      .select('spool')
      .where('edge', '=', edge)
      .orderBy('at', 'desc')
      .limit(SPOOLS_MAX)
    await db.deleteFrom('viewer_spools').where('edge', '=', edge).where('spool', 'not in', kept).execute()
  }
}

function readLine(line: string): ViewerRecord | null {
  try {
    const read = viewerRecord.safeParse(JSON.parse(line))
    return read.success ? read.data : null
  } catch {
    return null
  }
}
