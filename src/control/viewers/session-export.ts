// Owns sessions as files: CSV (RFC 4180) for spreadsheets and NDJSON for programs, written while they are read.
import type { AffectedViewer, SessionView } from '#wire'

const HEADS = [
  'sid',
  'viewer_ref',
  'viewer_ref_is',
  'title',
  'started',
  'last',
  'state',
  'attempt',
  'estimated',
  'start_time_s',
  'watched_s',
  'rebuffer_s',
  'rebuffers',
  'bitrate_bps',
  'bitrate_peak_bps',
  'switches',
  'errors',
  'viewer_region',
  'player',
  'edges',
  'unattributed_s',
  'stalls',
] as const

export async function* sessionsCsv(sessions: AsyncIterable<SessionView>): AsyncGenerator<string> {
  yield `${HEADS.join(',')}\r\n`
  for await (const session of sessions) {
    const edges = [...new Set(session.edges.map(({ id }) => id))].join(' ')
    const stalls = session.stalls.map(
      ({ at, seconds, blame }) => `${iso(at)} ${seconds.toFixed(1)}s ${blame}`,
    )
    yield line([
      session.sid,
      session.viewerRef,
      session.viewerRefIs,
      session.title,
      iso(session.startedAt),
      iso(session.lastAt),
      session.state,
      session.attempt,
      session.estimated ? 'yes' : 'no',
      figure(session.startTimeS),
      figure(session.watchedS),
      figure(session.rebufferS),
      session.rebuffers,
      figure(session.bitrateBps),
      figure(session.bitratePeakBps),
      session.switches,
      session.errors,
      session.viewerRegion,
      session.player,
      edges,
      figure(session.unattributedS),
      stalls.join('; '),
    ])
  }
}

export async function* sessionsNdjson(sessions: AsyncIterable<SessionView>): AsyncGenerator<string> {
  for await (const session of sessions) yield `${JSON.stringify(session)}\n`
}

const AFFECTED_HEADS = [
  'reference',
  'reference_is',
  'session',
  'title',
  'local_time',
  'minutes_wanted',
  'seconds_lost',
  'could_not_start',
  'edge',
  'estimated',
  'evidence',
] as const

/** Times in the zone that the reader lives in. */
export function* affectedCsv(viewers: readonly AffectedViewer[], zone: string): Generator<string> {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  yield `${AFFECTED_HEADS.join(',')}\r\n`
  for (const viewer of viewers) {
    yield line([
      viewer.viewerRef,
      viewer.viewerRefIs,
      viewer.sid,
      viewer.title,
      format.format(viewer.at),
      (viewer.wantedS / 60).toFixed(1),
      viewer.lostS.toFixed(1),
      viewer.couldNotStart ? 'yes' : 'no',
      viewer.edge,
      viewer.estimated ? 'yes' : 'no',
      viewer.evidence,
    ])
  }
}

function line(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cell).join(',')}\r\n`
}

/** What begins like a formula would be one in a spreadsheet: ids and references are written by strangers. */
function cell(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function figure(value: number | null): string | null {
  return value === null ? null : value.toFixed(3)
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
