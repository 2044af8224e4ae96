// Owns the first screen of an incident as HTML, made for a phone at night and readable without a script: for people who
// are signed in, and for whoever has a link from a message. Everything that comes from outside is escaped.

import { count, spanWords, verdictWords } from '#receivers'
import {
  type Cause,
  type IncidentEvent,
  type MarkView,
  type ServerState,
  type ShowingServer,
  toldWords,
  type Verdict,
} from '#wire'
import { actions, handForm, noteForm } from './forms.ts'
import { fitting, sentence, text, time } from './html.ts'
import { sparkLine } from './spark-line.ts'

const SERVERS_SHOWN = 24
const REASONS_SHOWN = 6
const CHANGES_SHOWN = 8
const SHOWING_SHOWN = 12
const EVENTS_SHOWN = 40
/** The whole page stays below 50 KB, also when all of it is escaped. */
const TIMELINE_BYTES_MAX = 10 * 1024
const PART_BYTES_MAX = 4 * 1024
const CHIPS_BYTES_MAX = 6 * 1024

export interface ScreenServer {
  readonly id: string
  /** Null: not told to this reader. */
  readonly state: ServerState | null
}

export type Reader =
  | { readonly kind: 'link'; readonly recipient: string; readonly expiresAt: number }
  | {
      readonly kind: 'person'
      readonly name: string
      readonly mayAct: boolean
      /** Null: this browser has no session, only a token. */
      readonly csrf: string | null
      /** Whom it can be handed to. */
      readonly people: readonly string[]
    }

export interface Screen {
  readonly id: string
  readonly title: string
  readonly severity: string
  readonly openedAt: number
  readonly resolvedAt: number | null
  readonly servers: readonly ScreenServer[]
  readonly verdict: Verdict | null
  readonly cause: Cause | null
  readonly viewers: {
    readonly hurtNow: number | null
    readonly peak: number | null
    readonly moved: number | null
  }
  readonly trend: 'rising' | 'steady' | 'falling' | null
  readonly recent: readonly { readonly at: number; readonly value: number }[]
  readonly acknowledgedBy: string | null
  readonly acknowledgedAt: number | null
  readonly assignedTo: string | null
  readonly waitUntil: number | null
  /** Newest first. */
  readonly events: readonly IncidentEvent[]
  readonly changes: readonly MarkView[]
  readonly showing: readonly ShowingServer[]
  readonly now: number
  readonly zone: string
  /** Until then one may wait; null: this reader cannot. */
  readonly morning: number | null
  readonly reader: Reader
  /** What came of pressing a button; null: none was pressed. */
  readonly told: string | null
}

const tones = {
  sleep: 'healthy',
  decide: 'degraded',
  'get-up': 'unreachable',
  'cannot-tell': 'moving',
} as const

export function toneOf({ resolvedAt, verdict }: Pick<Screen, 'resolvedAt' | 'verdict'>): string {
  return resolvedAt === null ? tones[verdict?.class ?? 'cannot-tell'] : 'resting'
}

/** What stands inside of `#first-screen`, below the bar. */
export function renderScreen(screen: Screen): string {
  return `<main class="sheet" data-tone="${toneOf(screen)}"><div>
${lead(screen)}${told(screen)}${causeBox(screen)}${doneBox(screen)}${actions(screen)}
</div><div>
${evidence(screen)}${changed(screen)}${showing(screen)}
</div>
${timeline(screen)}</main>`
}

function lead(screen: Screen): string {
  const { zone, now, resolvedAt, openedAt, verdict, viewers, trend } = screen
  const { class: kind = 'cannot-tell', decideBy = null } = verdict ?? {}
  const word = resolvedAt === null ? verdictWords({ class: kind, decideBy }, zone) : 'it is over'
  const lasted = `${resolvedAt === null ? 'open for' : 'resolved after'} ${spanWords((resolvedAt ?? now) - openedAt)}`
  const figures = [
    figure('hurt now', viewers.hurtNow === null ? null : count(viewers.hurtNow)),
    figure('trend', trend),
    figure('at most', viewers.peak === null ? null : count(viewers.peak)),
    figure('moved', viewers.moved === null ? null : count(viewers.moved)),
  ]
  return `<section class="box opening" data-tone="${toneOf(screen)}" aria-label="Verdict"><p class="word">${text(sentence(word))}</p>
<h1>${text(screen.title)}</h1>
<p class="since">${text(screen.id)}, ${text(screen.severity)}; since ${time(openedAt, zone)}, ${lasted}</p>
${verdict === null || resolvedAt !== null ? '' : `<p>${text(verdict.reason)}</p>`}
<dl class="figures" aria-label="Viewers">${figures.join('')}</dl>${sparkLine(screen.recent, { zone, trend })}${judgedBy(screen)}</section>`
}

function figure(name: string, value: string | null): string {
  return `<div><dt>${name}</dt><dd>${value === null ? '<span aria-label="not known">–</span>' : value}</dd></div>`
}

/** Its inputs, one tap away. */
function judgedBy({ verdict }: Screen): string {
  const items = (verdict?.inputs ?? []).map(
    ({ name, text: value }) => `<div><dt>${text(name)}</dt><dd>${text(value)}</dd></div>`,
  )
  return `<details><summary>What this is judged by</summary><dl>${fitting(items, PART_BYTES_MAX).join('')}</dl></details>`
}

function told({ told: words }: Screen): string {
  return words === null ? '' : `<section class="box told" role="status"><p>${text(words)}</p></section>`
}

function causeBox({ cause, servers, reader }: Screen): string {
  const shown = servers.slice(0, SERVERS_SHOWN)
  const chips = shown.map(({ id, state }) => {
    const tone = state === null ? '' : ` data-tone="${toneOfState(state)}"`
    const name = `<i class="dot"${tone}></i>${text(id)}${state === null ? '' : `<span class="hid">, ${state}</span>`}`
    return `<li>${reader.kind === 'link' ? `<span>${name}</span>` : `<a href="/servers/${encodeURIComponent(id)}">${name}</a>`}</li>`
  })
  const more = servers.length - shown.length
  const sure = cause === null || cause.confidence === 0 ? '' : `${Math.round(cause.confidence * 100)} % sure`
  return `<section class="box" aria-label="Cause"><div class="with"><h2>Cause</h2><span class="dim">${sure}</span></div>
<p>${cause === null ? 'Not known.' : text(cause.text)}</p>${chips.length === 0 ? '' : `<ul class="tags" aria-label="Servers">${fitting(chips, CHIPS_BYTES_MAX).join('')}${more > 0 ? `<li class="dim">and ${more} more</li>` : ''}</ul>`}</section>`
}

function toneOfState(state: ServerState): string {
  if (state === 'draining') return 'moving'
  return state === 'drained' || state === 'maintenance' ? 'resting' : state
}

/** What Vitrine did and when, who was rung, who has it. */
function doneBox(screen: Screen): string {
  const { events, acknowledgedBy, acknowledgedAt, assignedTo, waitUntil, zone } = screen
  const who =
    acknowledgedBy === null || acknowledgedAt === null
      ? `<b>Nobody has it yet.</b>${assignedTo === null ? '' : ` It was handed to ${text(assignedTo)}.`}`
      : `<b>${text(assignedTo ?? acknowledgedBy)} has it</b>, since ${time(acknowledgedAt, zone)}.`
  const wait = waitUntil === null ? '' : ` Nobody is rung before ${time(waitUntil, zone)}.`
  const told = toldWords(events)
  const rung = told === null ? 'Nobody was told yet.' : `${time(told.at, zone)} ${text(told.text)}`
  const steered = events.find(({ kind }) => kind === 'steering')
  const moved =
    steered === undefined ? '' : `<li>${time(steered.at, zone)} Steering: ${text(steered.text)}</li>`
  return `<section class="box done" aria-label="What is being done"><ul class="list"><li>${who}${wait}</li><li>${rung}</li>${moved}</ul>${handForm(screen)}</section>`
}

function evidence({ cause }: Screen): string {
  const side = (title: string, list: readonly string[], none: string): string => {
    const items = list.slice(0, REASONS_SHOWN).map(reason => `<li>${text(reason)}</li>`)
    return `<h2>${title}</h2>${items.length === 0 ? `<p class="dim">${none}</p>` : `<ul class="list reasons">${fitting(items, PART_BYTES_MAX).join('')}</ul>`}`
  }
  return `<section class="box list" aria-label="Evidence">${side('For it', cause?.for ?? [], 'Nothing was found yet.')}${side('Against it', cause?.against ?? [], 'Nothing speaks against it.')}</section>`
}

function changed({ changes, openedAt, reader }: Screen): string {
  // A link says what happened to one incident, not what is installed where.
  if (reader.kind === 'link') return ''
  const items = changes
    .slice(0, CHANGES_SHOWN)
    .map(
      ({ at, server, kind, text: what }) =>
        `<li><span>${shortly(openedAt - at)} before</span><span><b>${text(server ?? 'the whole fleet')}</b> ${text(kind)}: ${text(what)}</span></li>`,
    )
  return `<section class="box" aria-label="What changed before"><h2>What changed in the 24 hours before</h2>${
    items.length === 0
      ? '<p class="dim">Nothing that anybody told of.</p>'
      : `<ol class="list when">${fitting(items, PART_BYTES_MAX).join('')}</ol>`
  }</section>`
}

function shortly(ms: number): string {
  return ms < 60_000 ? `${Math.round(Math.max(0, ms) / 1000)} s` : spanWords(ms)
}

function showing({ showing: others, reader, resolvedAt }: Screen): string {
  if (reader.kind === 'link' || resolvedAt !== null) return ''
  const items = others
    .slice(0, SHOWING_SHOWN)
    .map(
      ({ server, sign, viewers }) =>
        `<li><a href="/servers/${encodeURIComponent(server)}">${text(server)}</a><span>${text(sign)} <span class="dim">${count(viewers)} watch</span></span></li>`,
    )
  return `<section class="box" aria-label="Others that show the sign"><h2>Others that show the sign and still serve</h2>${
    items.length === 0
      ? '<p class="dim">None.</p>'
      : `<ul class="list when">${fitting(items, PART_BYTES_MAX).join('')}</ul>`
  }</section>`
}

function timeline(screen: Screen): string {
  const { events, zone, reader } = screen
  const items = events.slice(0, EVENTS_SHOWN).map(({ at, text: what, by }) => {
    const who = by === 'vitrine' || what.includes(by) ? '' : ` <span class="dim">${text(by)}</span>`
    return `<li>${time(at, zone)}<span>${text(what)}${who}</span></li>`
  })
  const shown = fitting(items, TIMELINE_BYTES_MAX)
  const list =
    shown.length === 0 ? '<p class="dim">Nothing yet.</p>' : `<ol class="list when">${shown.join('')}</ol>`
  const where = reader.kind === 'link' ? 'in the control room' : 'in the export'
  return `<section class="box wide" aria-label="Timeline"><h2>Timeline</h2>${noteForm(screen)}${list}${
    events.length > shown.length ? `<p class="dim">Earlier ones stand ${where}.</p>` : ''
  }</section>`
}
