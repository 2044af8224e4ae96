// Owns which silence covers an alert at a moment; matchers are RE2, so that none of them can hold the process up.
import type { Closable, Log } from '#base'
import { type Matcher, makeMatcher } from '#metrics'
import type { SilenceView } from '#wire'
import { controlFaults } from '../faults.ts'
import type { NewSilence, Silences } from '../state/silences.ts'
import { isZone, minuteOfDay, momentOfMinute, weekdayOf } from './zone-time.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const DAY_MINUTES = 1440

export interface Span {
  readonly from: number
  readonly to: number
}

interface Ready {
  readonly silence: SilenceView
  readonly matchers: readonly Matcher[]
}

export class SilenceBook implements Closable {
  readonly #silences: Silences
  readonly #log: Log
  #ready: readonly Ready[] = []

  constructor(silences: Silences, log: Log) {
    this.#silences = silences
    this.#log = log
  }

  /** Reads what stands in state.db: at the start, and when a command or the API changed it. */
  async refresh(): Promise<void> {
    const all = await this.#silences.list()
    this.#ready = all.flatMap(silence => {
      try {
        return [{ silence, matchers: matchersOf(silence.matchers) }]
      } catch (error) {
        this.#log.warn('silence-not-understood', { silence: silence.id, error })
        return []
      }
    })
  }

  /** The id of one that covers it; null: none does. */
  covering(labels: Readonly<Record<string, string>>, at: number): string | null {
    const found = this.#ready.find(({ silence, matchers }) => isOn(silence, at) && covers(matchers, labels))
    return found?.silence.id ?? null
  }

  /** Those that are on at some time of the span and cover these labels, with when. */
  planned(
    labels: Readonly<Record<string, string>>,
    from: number,
    to: number,
  ): readonly { readonly silence: SilenceView; readonly span: Span }[] {
    return this.#ready
      .filter(({ matchers }) => covers(matchers, labels))
      .flatMap(({ silence }) => spansOf(silence, from, to).map(span => ({ silence, span })))
  }

  async close(): Promise<void> {
    this.#ready = []
  }
}

/** Fault: it could never be on, matches everything, or has a pattern or a zone that nobody knows. */
export function checkSilence(silence: NewSilence, now: number): void {
  const refuse = (message: string): never => {
    throw controlFaults.fault('control-request-invalid', message)
  }
  if (silence.endsAt <= Math.max(silence.startsAt, now)) refuse('endsAt lies before startsAt, or in the past')
  const { recurs } = silence
  if (recurs !== null) {
    if (!isZone(recurs.zone))
      refuse(`${JSON.stringify(recurs.zone.slice(0, 64))} is no time zone that is known`)
    if (recurs.weekdays.length === 0) refuse('recurs.weekdays names no day')
    if (recurs.fromMinute < 0 || recurs.fromMinute >= DAY_MINUTES)
      refuse('recurs.fromMinute is no minute of a day')
    if (recurs.minutes < 1 || recurs.minutes > DAY_MINUTES) refuse('recurs.minutes is not 1 to 1440')
  }
  try {
    const matchers = matchersOf(silence.matchers)
    // As Alertmanager: at least one must not match the empty string, or it silences everything.
    if (matchers.every(({ test }) => test('')))
      refuse('every matcher matches an empty label: it would silence everything')
  } catch (error) {
    refuse(error instanceof Error ? error.message : 'a matcher is not valid')
  }
}

/** A test of labels by these matchers. Fault: one of them cannot be understood. */
export function coverTest(
  matchers: SilenceView['matchers'],
): (labels: Readonly<Record<string, string>>) => boolean {
  try {
    const ready = matchersOf(matchers)
    return labels => covers(ready, labels)
  } catch (error) {
    const message = error instanceof Error ? error.message : 'a matcher is not valid'
    throw controlFaults.fault('control-request-invalid', message)
  }
}

function matchersOf(matchers: SilenceView['matchers']): Matcher[] {
  return matchers.map(({ name, value, isRegex, isEqual }) =>
    makeMatcher(name, isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=', value),
  )
}

function covers(matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean {
  return matchers.every(({ name, test }) => test(labels[name] ?? ''))
}

export function isOn(silence: SilenceView, at: number): boolean {
  const { startsAt, endsAt, endedAt, recurs } = silence
  if (at < startsAt || at >= endsAt || (endedAt !== null && at >= endedAt)) return false
  if (recurs === null) return true
  const passed = (minuteOfDay(at, recurs.zone) - recurs.fromMinute + DAY_MINUTES) % DAY_MINUTES
  // One that began before midnight belongs to the day before.
  return passed < recurs.minutes && recurs.weekdays.includes(weekdayOf(at - passed * MINUTE_MS, recurs.zone))
}

/** When it is on between two moments; at most one a day. */
export function spansOf(silence: SilenceView, from: number, to: number): Span[] {
  const { startsAt, endsAt, endedAt, recurs } = silence
  const ends = Math.min(endsAt, endedAt ?? endsAt)
  const cut = (span: Span): Span[] => {
    const own = { from: Math.max(span.from, startsAt, from), to: Math.min(span.to, ends, to) }
    return own.from < own.to ? [own] : []
  }
  if (recurs === null) return cut({ from: startsAt, to: ends })
  const spans: Span[] = []
  let at = momentOfMinute(from - DAY_MS, recurs.fromMinute, recurs.zone)
  while (at < to && spans.length < 32) {
    if (recurs.weekdays.includes(weekdayOf(at, recurs.zone))) {
      spans.push(...cut({ from: at, to: at + recurs.minutes * MINUTE_MS }))
    }
    at = momentOfMinute(at + MINUTE_MS, recurs.fromMinute, recurs.zone)
  }
  return spans
}
