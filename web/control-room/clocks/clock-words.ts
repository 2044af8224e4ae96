// Owns the words of clocks on pages: one sentence for the fleet, leap bits, daemons, steps. Pure.
import type { ClockRow, ClocksAnswer } from '#wire'
import type { Tone } from '../parts/tone.ts'

const TONES: Record<ClockRow['word'], Tone> = {
  ok: 'healthy',
  warn: 'degraded',
  sick: 'unreachable',
  unknown: 'resting',
}
const ORDER: readonly ClockRow['word'][] = ['sick', 'warn', 'unknown', 'ok']
const NAMED = 3

export function clockTone({ word }: Pick<ClockRow, 'word'>): Tone {
  return TONES[word]
}

/** What one word says beside a colour. */
export function clockState({ word }: Pick<ClockRow, 'word'>): string {
  return { ok: 'in time', warn: 'look at it', sick: 'sick', unknown: 'not measured' }[word]
}

/** Sick ones first; among equals the farthest off. */
export function worstClocksFirst(rows: readonly ClockRow[]): ClockRow[] {
  const off = ({ offsetS, word }: ClockRow): number => (word === 'ok' ? 0 : Math.abs(offsetS ?? 0))
  return [...rows].sort(
    (a, b) => ORDER.indexOf(a.word) - ORDER.indexOf(b.word) || off(b) - off(a) || a.id.localeCompare(b.id),
  )
}

/** One line, read before the chart. */
export function clocksSentence({ servers }: Pick<ClocksAnswer, 'servers'>): { text: string; tone: Tone } {
  const [sick, warn, unknown] = (['sick', 'warn', 'unknown'] as const).map(word =>
    servers.filter(row => row.word === word),
  )
  const parts = [
    sick === undefined || sick.length === 0
      ? null
      : `${named(sick)} ${sick.length === 1 ? 'is' : 'are'} sick`,
    warn === undefined || warn.length === 0
      ? null
      : `${named(warn)} ${warn.length === 1 ? 'wants' : 'want'} a look`,
    unknown === undefined || unknown.length === 0
      ? null
      : `${named(unknown)} ${unknown.length === 1 ? 'is' : 'are'} not measured`,
  ].filter(part => part !== null)
  const tone = (sick?.length ?? 0) > 0 ? 'unreachable' : (warn?.length ?? 0) > 0 ? 'degraded' : 'healthy'
  if (parts.length === 0)
    return {
      text: servers.length === 1 ? 'The one clock is in time.' : `All ${servers.length} clocks are in time.`,
      tone,
    }
  return {
    text: `${parts.join('; ')}.`,
    tone: tone === 'healthy' ? 'resting' : tone,
  }
}

function named(rows: readonly ClockRow[]): string {
  const ids = rows.map(({ name }) => name)
  if (ids.length <= NAMED)
    return ids.length < 2 ? (ids[0] ?? '') : `${ids.slice(0, -1).join(', ')} and ${ids.at(-1) ?? ''}`
  return `${ids.slice(0, NAMED - 1).join(', ')} and ${ids.length - NAMED + 1} more`
}

/** `−1.20 s`, `+0.3 ms`: finer than the wall’s, for a table. */
export function signedS(value: number | null): string {
  if (value === null) return '–'
  const size = Math.abs(value)
  if (size < 0.000_05) return '0 ms'
  const sign = value < 0 ? '−' : '+'
  return `${sign}${plainS(size)}`
}

export function plainS(value: number | null): string {
  if (value === null) return '–'
  if (value < 1) return `${(value * 1000).toFixed(value < 0.01 ? 1 : 0)} ms`
  if (value < 7200) return `${value.toFixed(value < 10 ? 2 : 0)} s`
  return value < 172_800 ? `${(value / 3600).toFixed(1)} h` : `${Math.round(value / 86_400)} d`
}

const DAEMONS: Readonly<Record<string, string>> = { ntp: 'ntpd', timesyncd: 'systemd-timesyncd' }

export function daemonText({ daemon, synchronised, unreadable }: ClockRow): string {
  if (daemon !== null)
    return `${DAEMONS[daemon] ?? daemon}${synchronised === false ? ', not synchronised' : ''}`
  if (synchronised === true) return 'kept by somebody'
  return synchronised === null && unreadable.length === 0 ? 'not known' : 'none answers'
}

const LEAPS = ['none', '+1 s pending', '−1 s pending', 'not synchronised'] as const

export function leapText(leap: number | null): string {
  return leap === null ? 'not known' : (LEAPS[leap] ?? 'not known')
}

export function smearText({ smear }: ClockRow): string {
  if (smear === null) return ''
  if (smear.yes > 0 && smear.no > 0) return `${smear.yes} smear leap seconds, ${smear.no} do not`
  return smear.yes > 0 ? 'all smear leap seconds' : 'none smears leap seconds'
}
