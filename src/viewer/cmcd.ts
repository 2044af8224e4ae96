// Owns what a simulated viewer tells of itself as CMCD: version 1 in queries (CTA-5004), version 2 in event records
// (CTA-5004-B, event mode). Pure. Strings hold no quotation marks: they come from our own ids.

/** CTA-5004-B: starting, playing, rebuffering, quit, fatal. */
export type PlayerState = 's' | 'p' | 'r' | 'q' | 'f'
/** Play state, error, time interval, response received. */
export type EventKind = 'ps' | 'e' | 't' | 'rr'

export interface RequestFacts {
  readonly sid: string
  readonly title: string
  readonly type: 'm' | 'i' | 'v' | 'a'
  readonly bufferS: number
  readonly bandwidthBps: number | null
  readonly throughputBps: number | null
}

/** Keys in alphabetical order, numbers in kbit/s and ms, rounded to 100. */
export function requestQuery(facts: RequestFacts): string {
  const { sid, title, type, bandwidthBps, throughputBps } = facts
  const parts = [
    ...(type === 'v' || type === 'a' ? [`bl=${hundreds(facts.bufferS * 1000)}`] : []),
    ...(bandwidthBps === null ? [] : [`br=${Math.round(bandwidthBps / 1000)}`]),
    `cid="${title}"`,
    ...(throughputBps === null ? [] : [`mtp=${hundreds(throughputBps / 1000)}`]),
    `ot=${type}`,
    'sf=h',
    `sid="${sid}"`,
    'st=v',
  ]
  return `CMCD=${encodeURIComponent(parts.join(','))}`
}

export interface EventFacts {
  readonly kind: EventKind
  readonly state: PlayerState
  readonly sid: string
  /** Counts the records of a session from 1: a record that comes twice is one. */
  readonly number: number
  readonly atMs: number
  readonly title: string
  readonly bufferS: number
  readonly bandwidthBps: number | null
  readonly throughputBps: number | null
  /** Since the last record that told of it: how long the buffer was empty. */
  readonly starvedMs?: number
  /** Once a session: from the wish to play to the first media. */
  readonly startDelayMs?: number
  readonly errorCode?: string
  readonly response?: {
    readonly url: string
    readonly status: number
    /** CMSD-Static as it came; null: none. */
    readonly cmsd: string | null
    /** Null: none came. */
    readonly firstByteMs: number | null
    readonly wholeMs: number
  }
}

/** One line of an event report. */
export function eventRecord(facts: EventFacts): string {
  const { kind, state, response, starvedMs, startDelayMs, errorCode } = facts
  const parts = [
    `bl=(${hundreds(facts.bufferS * 1000)})`,
    ...(facts.bandwidthBps === null ? [] : [`br=(${Math.round(facts.bandwidthBps / 1000)})`]),
    ...(starvedMs === undefined ? [] : ['bs', `bsd=(${Math.round(starvedMs)})`]),
    `cid="${facts.title}"`,
    ...(response?.cmsd == null ? [] : [`cmsds="${Buffer.from(response.cmsd).toString('base64')}"`]),
    `e=${kind}`,
    ...(errorCode === undefined ? [] : [`ec=("${errorCode}")`]),
    ...(response === undefined ? [] : [`h="${escaped(hostOf(response.url))}"`]),
    ...(startDelayMs === undefined ? [] : [`msd=${Math.round(startDelayMs)}`]),
    ...(facts.throughputBps === null ? [] : [`mtp=(${hundreds(facts.throughputBps / 1000)})`]),
    ...(response === undefined ? [] : [`rc=${response.status}`]),
    'sf=h',
    `sid="${facts.sid}"`,
    `sn=${facts.number}`,
    'st=v',
    `sta=${state}`,
    `ts=${Math.round(facts.atMs)}`,
    ...(response === undefined
      ? []
      : [
          ...(response.firstByteMs === null ? [] : [`ttfb=${Math.round(response.firstByteMs)}`]),
          `ttlb=${Math.round(response.wholeMs)}`,
          `url="${escaped(response.url)}"`,
        ]),
    'v=2',
  ]
  return parts.join(',')
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : ''
}

function hundreds(value: number): number {
  return Math.round(value / 100) * 100
}

/** RFC 8941 section 3.3.3: printable ASCII, a backslash before what would end the string. */
function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, match => `\\${match}`)
}
