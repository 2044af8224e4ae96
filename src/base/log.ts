// Owns logging: events with facts, one JSON object a line. Secrets print as ***; pure rooms never log.
import { writeSync } from 'node:fs'
import { type DestinationStream, pino } from 'pino'

export type LogFacts = Readonly<Record<string, unknown>>

/** Logs events, not prose: `log.warn('upstream-timeout', { edge, url, waitedMs })`. */
export interface Log {
  debug(this: void, event: string, facts?: LogFacts): void
  info(this: void, event: string, facts?: LogFacts): void
  warn(this: void, event: string, facts?: LogFacts): void
  error(this: void, event: string, facts?: LogFacts): void
  /** A log whose every line also carries these facts. */
  with(this: void, facts: LogFacts): Log
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** A value that never shows itself in logs, errors or JSON. */
export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  /** The secret itself: the only way to get at it, easy to search for. */
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return '***'
  }
  toJSON(): string {
    return '***'
  }
}

type PinoLogger = ReturnType<typeof pino>

function wrap(logger: PinoLogger): Log {
  return {
    debug: (event, facts) => logger.debug(plain(facts), event),
    info: (event, facts) => logger.info(plain(facts), event),
    warn: (event, facts) => logger.warn(plain(facts), event),
    error: (event, facts) => logger.error(plain(facts), event),
    with: facts => wrap(logger.child(plain(facts))),
  }
}

function plain(facts: LogFacts | undefined): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(facts ?? {})) {
    shown[key] = value instanceof Error ? describe(value) : value
  }
  return shown
}

function describe(error: Error): Record<string, unknown> {
  const code: unknown = 'code' in error ? error.code : undefined
  return { message: error.message, ...(code === undefined ? {} : { code }), stack: error.stack }
}

/** A log to standard output, or to `destination`. */
export function createLog(level: LogLevel = 'info', destination: DestinationStream = standardOutput): Log {
  return wrap(pino({ level, base: null, messageKey: 'event' }, destination))
}

/**
 * Lines to wherever `write` puts them. What cannot be written (a full disk, a pipe that nobody reads) costs lines and
 * never the service; how many is told by the next line that can. Pino's own destination would end the process at the
 * first such line, and then wait for ever to write it.
 */
export function lossyLines(write: (bytes: Buffer) => number): DestinationStream {
  let lost = 0
  let torn = false
  const put = (text: string): boolean => {
    const bytes = Buffer.from(torn ? `\n${text}` : text)
    let written = 0
    try {
      while (written < bytes.length) written += write(bytes.subarray(written))
      torn = false
      return true
    } catch {
      torn ||= written > 0
      return false
    }
  }
  return {
    write: line => {
      if (lost > 0 && put(`{"level":40,"event":"log-lines-lost","lines":${lost}}\n`)) lost = 0
      if (!put(line)) lost += 1
    },
  }
}

const STANDARD_OUTPUT = 1
const standardOutput = lossyLines(bytes => writeSync(STANDARD_OUTPUT, bytes))

/** For tests and for commands that print for people. */
export const silentLog: Log = createLog('silent')

const THROTTLE_KEYS_MAX = 1000 // distinct repeating events that are remembered

/**
 * Lets one line a `periodMs` through for each key, with the number of those that were held back.
 * Time comes from the caller's monotonic clock.
 */
export function createThrottle(
  periodMs: number,
): (key: string, nowMs: number) => { pass: boolean; dropped: number } {
  const seen = new Map<string, { atMs: number; dropped: number }>()
  return (key, nowMs) => {
    const entry = seen.get(key)
    if (entry !== undefined && nowMs - entry.atMs < periodMs) {
      entry.dropped += 1
      return { pass: false, dropped: 0 }
    }
    if (seen.size >= THROTTLE_KEYS_MAX) seen.clear()
    seen.set(key, { atMs: nowMs, dropped: 0 })
    return { pass: true, dropped: entry?.dropped ?? 0 }
  }
}
