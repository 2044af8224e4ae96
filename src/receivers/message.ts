// Owns what a message says: the facts at the moment of a notice, and the words made of them. Short, because it is read
// on a phone at night.
import { isoTime } from '#base'
import type { NoticeReason, VerdictClass } from '#wire'

const SERVERS_SHOWN = 8
const LINE_MAX = 400

export interface MessageAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: number
  /** Null: it fires. */
  readonly endsAt: number | null
}

/** What a delivery keeps as its payload. */
export interface NoticeMessage {
  readonly incident: string | null
  readonly reason: NoticeReason
  readonly rings: boolean
  readonly at: number
  readonly title: string
  readonly severity: 'critical' | 'warning' | 'info'
  readonly class: VerdictClass | null
  readonly decideBy: number | null
  /** Why, in one sentence. */
  readonly why: string
  readonly cause: string
  readonly since: number | null
  readonly resolvedAt: number | null
  readonly hurtNow: number | null
  readonly peak: number | null
  readonly moved: number | null
  readonly servers: readonly string[]
  /** What the incident keeper says about this notice. */
  readonly text: string
  readonly by: string | null
  readonly alerts: readonly MessageAlert[]
  readonly alertsMore: number
}

/** Of no line a second one, and of no alert's text a header. */
export function oneLine(text: string): string {
  const flat = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return flat.length > LINE_MAX ? `${flat.slice(0, LINE_MAX - 1)}…` : flat
}

export function verdictWords(
  { class: kind, decideBy }: Pick<NoticeMessage, 'class' | 'decideBy'>,
  zone: string,
): string {
  switch (kind) {
    case 'sleep':
      return 'you can sleep'
    case 'decide':
      return decideBy === null ? 'decide soon' : `decide by ${clockWords(decideBy, zone)}`
    case 'get-up':
      return 'get up'
    case 'cannot-tell':
      return 'cannot tell'
    case null:
      return ''
    default:
      return kind satisfies never
  }
}

/** `[get up] Edge eu-west does not answer`. */
export function titleWords(message: NoticeMessage, zone: string): string {
  return `[${tagOf(message, zone)}] ${message.title}`
}

function tagOf(message: NoticeMessage, zone: string): string {
  switch (message.reason) {
    case 'test':
      return 'test'
    case 'resolved':
      return 'resolved'
    case 'acknowledged':
      return message.by === null ? 'somebody has it' : `${message.by} has it`
    case 'escalated':
      return `nobody has it, ${verdictWords(message, zone)}`
    case 'reminder':
      return `still ${verdictWords(message, zone)}`
    case 'opened':
    case 'worse':
    case 'edge-lost':
      return verdictWords(message, zone) || message.severity
    default:
      return message.reason satisfies never
  }
}

/** Line by line; the link stands last. */
export function textLines(message: NoticeMessage, zone: string): readonly string[] {
  const { since, resolvedAt, at, servers } = message
  const shown = servers.slice(0, SERVERS_SHOWN).join(', ')
  const more = servers.length - SERVERS_SHOWN
  return [
    ...(message.reason === 'resolved' || message.why === '' ? [] : [message.why]),
    ...(message.cause === '' ? [] : [`Cause: ${message.cause}`]),
    ...(message.text === '' || message.text === message.title ? [] : [message.text]),
    ...(since === null ? [] : [`Since ${clockWords(since, zone)}, ${spanWords((resolvedAt ?? at) - since)}`]),
    ...viewerLine(message),
    ...(servers.length === 0 ? [] : [`Servers: ${shown}${more > 0 ? ` and ${more} more` : ''}`]),
  ]
}

function viewerLine({ incident, hurtNow, peak, moved }: NoticeMessage): readonly string[] {
  if (incident === null) return []
  const now = hurtNow === null ? 'not known' : `${count(hurtNow)} hurt now`
  const rest = [
    ...(peak === null ? [] : [`peak ${count(peak)}`]),
    ...(moved === null ? [] : [`${count(moved)} moved`]),
  ]
  return [`Viewers: ${[now, ...rest].join(', ')}`]
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-GB')
}

export function spanWords(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  if (minutes < 1) return 'under a minute'
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}

/** For formats that want RFC 3339. */
export function stamp(at: number): string {
  return isoTime(at)
}

/** 02:40 CET: for people who read it on a phone. */
export function clockWords(at: number, zone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).format(at)
}

/** `[get up] Title` above lines of text. */
export interface Words {
  readonly title: string
  readonly text: string
}
