// Owns CMCD event reports (CTA-5004-B, event mode): one record a line. It takes what it can read, counts what it
// cannot by reason, and never tells a player to go away: a 410 would silence it for good.
import { type CmcdEvent, cmcdEvents } from '#wire'
import { CMCD_CHARACTERS_MAX, sidIn } from './identity.ts'
import { type CmcdRecord, readRecord } from './read-record.ts'

/** A player's batch is a few KB; see `edge-body-too-large`. */
export const EVENTS_BYTES_MAX: number = 256 * 1024
const LINES_MAX = 1000
const KEYS_MAX = 64
const KEY_CHARACTERS_MAX = 64
const STRING_CHARACTERS_MAX = 1024
const ITEMS_MAX = 16
/** 2100: no clock of a player is there. 1970 is: televisions without a battery begin there, and only differences count. */
const TS_END = 4_102_444_800_000

/** Why a record was not taken. */
export type EventRefusal =
  | 'malformed'
  | 'record-too-long'
  | 'batch-too-long'
  | 'no-session'
  | 'no-event'
  | 'unknown-event'
  | 'bad-time'
  | 'rate-session'
  | 'rate-address'

/** What was left out of a record that was taken. */
export type Mending = 'negative' | 'too-many-keys' | 'value-too-long' | 'value-unknown'

export interface EventsContext {
  /** Fleet time in ms. */
  readonly at: number
  readonly batch: number
  /** Null: it may come; else why not. */
  readonly admits: (sid: string) => EventRefusal | null
  readonly refused: (reason: EventRefusal) => void
  readonly mended: (what: Mending) => void
}

export interface Events {
  /** One JSON object (a `viewerEvent`) each. */
  readonly lines: readonly string[]
  /** Sessions of which at least one record says that they play. */
  readonly playing: readonly string[]
}

/** States in which the viewer asked to play: s starting, p playing, k seeking, r rebuffering, w waiting. */
const playingStates: ReadonlySet<unknown> = new Set(['s', 'p', 'k', 'r', 'w'])
const endingEvents: ReadonlySet<unknown> = new Set(['e', 'q', 'f'])
const known: ReadonlySet<unknown> = new Set(cmcdEvents)
/** Durations, sizes and rates: below zero they are lies or faults. */
const neverNegative: ReadonlySet<string> = new Set(
  'ab bl br bsa bsd bsda d dfa dl lab lb ltc msd mtp pb pt rc rtp tab tb tbl tpb ttfb ttfbb ttlb'.split(' '),
)

/** Reads a body of event records. Pure but for what the context is told. */
export function readEvents(body: string, context: EventsContext): Events {
  const playing = new Set<string>()
  const lines: string[] = []
  let count = 0
  for (const raw of body.split('\n', LINES_MAX + 1)) {
    const text = raw.trim()
    if (text === '') continue
    count += 1
    const event = count > LINES_MAX ? 'batch-too-long' : eventOf(text, context)
    if (typeof event === 'string') {
      context.refused(event)
      continue
    }
    lines.push(event.line)
    if (event.plays) playing.add(event.sid)
  }
  return { lines, playing: [...playing] }
}

interface Event {
  readonly sid: string
  readonly plays: boolean
  readonly line: string
}

function eventOf(text: string, context: EventsContext): Event | EventRefusal {
  if (text.length > CMCD_CHARACTERS_MAX) return 'record-too-long'
  const record = readRecord(text)
  if (record === null) return 'malformed'
  const sid = sidIn(record)
  if (sid === null) return 'no-session'
  const { e, ts } = record
  if (typeof e !== 'string') return 'no-event'
  if (!known.has(e)) return 'unknown-event'
  if (typeof ts !== 'number' || !(ts >= 0 && ts < TS_END)) return 'bad-time'
  const refusal = context.admits(sid)
  if (refusal !== null) return refusal
  return { sid, plays: saysPlaying(record), line: lineOf(record, sid, e as CmcdEvent, ts, context) }
}

function lineOf(record: CmcdRecord, sid: string, e: CmcdEvent, ts: number, context: EventsContext): string {
  const { sn } = record
  const number = typeof sn === 'number' && Number.isSafeInteger(sn) && sn >= 0 ? sn : null
  const keys: Record<string, unknown> = {}
  let left = KEYS_MAX
  for (const key in record) {
    if (key === 'sid' || key === 'sn' || key === 'e' || key === 'ts') continue
    const value = keptValue(key, record[key], context)
    if (value === undefined) continue
    if (left === 0 || key.length > KEY_CHARACTERS_MAX) {
      context.mended('too-many-keys')
      continue
    }
    left -= 1
    keys[key] = value
  }
  return `{"kind":"event","at":${context.at},"sid":${JSON.stringify(sid)},"sn":${number},"e":"${e}","ts":${ts},"batch":${context.batch},"keys":${JSON.stringify(keys)}}`
}

/** Undefined: the key is left out, and that is counted. */
function keptValue(key: string, value: unknown, context: EventsContext): unknown {
  if (typeof value === 'string') {
    // A query may carry what lets its holder in; where the object came from stands before it.
    const text = key === 'url' ? (value.split('?', 1)[0] ?? '') : value
    if (text.length <= STRING_CHARACTERS_MAX) return text
    context.mended('value-too-long')
    return undefined
  }
  const kept = plain(value)
  if (kept === undefined) context.mended('value-unknown')
  else if (neverNegative.has(key) && isNegative(kept)) {
    context.mended('negative')
    return undefined
  }
  return kept
}

/** Numbers, strings, booleans, lists of them, and `{ value, params }` for what carries parameters. */
function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value === 'string') return value.length <= STRING_CHARACTERS_MAX ? value : undefined
  if (typeof value === 'symbol') return value.description
  if (typeof value !== 'object' || value === null || depth > 2) return undefined
  if (Array.isArray(value)) {
    return value.length > ITEMS_MAX ? undefined : value.map(item => plain(item, depth + 1) ?? null)
  }
  if (!('value' in value)) return undefined
  const inner = plain(value.value, depth + 1)
  const { params } = value as { params?: unknown }
  if (typeof params !== 'object' || params === null) return inner
  const entries = Object.entries(params).slice(0, ITEMS_MAX)
  return {
    value: inner ?? null,
    params: Object.fromEntries(entries.map(([name, each]) => [name, plain(each, 3) ?? null])),
  }
}

function isNegative(value: unknown): boolean {
  if (typeof value === 'number') return value < 0
  if (Array.isArray(value)) return value.some(isNegative)
  return typeof value === 'object' && value !== null && 'value' in value && isNegative(value.value)
}

function saysPlaying(record: Readonly<Record<string, unknown>>): boolean {
  const { e, sta } = record
  // `sta` may be left out while it has not changed; the time interval event then stands for playing on.
  if (sta === undefined || sta === null) return e === 't'
  return playingStates.has(sta) && !endingEvents.has(e)
}
