// Owns CMCD event reports (CTA-5004-B, event mode): one record a line. It takes what it can read, counts what it
// cannot, and never tells a player to go away: a 410 would silence it for good.
import { readCmcd, sidIn } from './identity.ts'

/** A player's batch is a few KB; see `edge-body-too-large`. */
export const EVENTS_BYTES_MAX: number = 256 * 1024
const LINES_MAX = 1000

/** States in which the viewer asked to play: s starting, p playing, k seeking, r rebuffering, w waiting. */
const playingStates: ReadonlySet<unknown> = new Set(['s', 'p', 'k', 'r', 'w'])
const endingEvents: ReadonlySet<unknown> = new Set(['e', 'q', 'f'])

export interface Events {
  /** Sessions of which at least one record says that they play. */
  readonly playing: readonly string[]
  readonly records: number
  readonly malformed: number
}

/** Reads a body of event records. Pure. */
export function readEvents(body: string): Events {
  const playing = new Set<string>()
  let records = 0
  let malformed = 0
  for (const line of body.split(/\r?\n/, LINES_MAX + 1)) {
    if (line.trim() === '') continue
    const record = records + malformed < LINES_MAX ? readCmcd(line.trim()) : null
    const sid = record === null ? null : sidIn(record)
    if (record === null || sid === null) {
      malformed += 1
      continue
    }
    records += 1
    if (saysPlaying(record)) playing.add(sid)
  }
  return { playing: [...playing], records, malformed }
}

function saysPlaying(record: Readonly<Record<string, unknown>>): boolean {
  const { e, sta } = record
  // `sta` may be left out while it has not changed; the time interval event then stands for playing on.
  if (sta === undefined || sta === null) return e === 't'
  return playingStates.has(sta) && !endingEvents.has(e)
}
