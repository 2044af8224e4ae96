// Owns the page behind a link in a message: one incident, made for a phone at night, readable without a script and
// without a sign-in. Everything that comes from outside is escaped; looking at it changes nothing.

import { createHash } from 'node:crypto'
import { clockWords, count, spanWords, stamp, verdictWords } from '#receivers'
import type { Cause, IncidentEvent, Verdict } from '#wire'

const EVENTS_SHOWN = 40
const TEXT_SHOWN = 240
const SERVERS_SHOWN = 24
/** The whole page stays below 50 KB: what stands above the timeline takes at most 30, also when all of it is escaped. */
const TIMELINE_BYTES_MAX = 16 * 1024
const REASONS_SHOWN = 6

export interface LinkPageFacts {
  readonly id: string
  readonly title: string
  readonly severity: string
  readonly openedAt: number
  readonly resolvedAt: number | null
  readonly servers: readonly string[]
  readonly verdict: Verdict | null
  readonly cause: Cause | null
  readonly viewers: {
    readonly hurtNow: number | null
    readonly peak: number | null
    readonly moved: number | null
  }
  readonly acknowledgedBy: string | null
  readonly acknowledgedAt: number | null
  /** Newest first. */
  readonly events: readonly IncidentEvent[]
  readonly recipient: string
  readonly expiresAt: number
  readonly now: number
  readonly zone: string
  /** What came of pressing the button; null: it was not pressed. */
  readonly told: string | null
}

const STYLE = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#12161c;--dim:#566070;--line:#dde2e8;--tone:#566070;--soft:#eceff3;--on:#fff}
[data-class=get-up]{--tone:#b3261e;--soft:#fdecea}[data-class=decide]{--tone:#8a5300;--soft:#fff3e0}
[data-class=sleep],[data-class=resolved]{--tone:#1b6e3c;--soft:#e7f5ec}
@media(prefers-color-scheme:dark){:root{--bg:#0e1116;--card:#161b22;--ink:#e8ecf1;--dim:#9aa5b4;--line:#2a313b;--tone:#9aa5b4;--soft:#1d232c;--on:#0e1116}
[data-class=get-up]{--tone:#ff8a80;--soft:#3a1715}[data-class=decide]{--tone:#ffb74d;--soft:#33240d}
[data-class=sleep],[data-class=resolved]{--tone:#7fd39b;--soft:#12301d}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.45 system-ui,sans-serif}
main{max-width:44rem;margin:0 auto;padding:0 16px 112px}
.verdict{margin:0 -16px;padding:20px 16px 18px;background:var(--soft);border-bottom:3px solid var(--tone)}
.verdict strong{display:block;color:var(--tone);font-size:30px;line-height:1.1;letter-spacing:-.01em}
.verdict p{margin:8px 0 0}h1{font-size:20px;line-height:1.25;margin:20px 0 4px;overflow-wrap:anywhere}
h2{font-size:14px;color:var(--dim);margin:28px 0 8px;font-weight:650}p{margin:0 0 8px;overflow-wrap:anywhere}
.dim{color:var(--dim)}dl{display:grid;grid-template-columns:repeat(3,1fr);gap:8px;margin:16px 0 0}
dl div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px}
dt{color:var(--dim);font-size:13px}dd{margin:2px 0 0;font-size:22px;font-weight:650;font-variant-numeric:tabular-nums}
ul{list-style:none;margin:0;padding:0}.chips{display:flex;flex-wrap:wrap;gap:6px}
.chips li{border:1px solid var(--line);background:var(--card);border-radius:999px;padding:3px 11px;font-size:14px}
.why li{padding:6px 0 6px 14px;border-left:3px solid var(--line);margin-bottom:6px;overflow-wrap:anywhere}
ol{list-style:none;margin:0;padding:0;border-left:2px solid var(--line)}ol li{padding:0 0 12px 14px;overflow-wrap:anywhere}
ol time{display:block;color:var(--dim);font-size:13px;font-variant-numeric:tabular-nums}
.told{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--tone);border-radius:8px;padding:12px 14px;margin:16px 0 0}
.act{position:fixed;left:0;right:0;bottom:0;background:var(--card);border-top:1px solid var(--line);padding:12px 16px calc(12px + env(safe-area-inset-bottom))}
.act form,.act p{max-width:44rem;margin:0 auto}button{width:100%;min-height:52px;border:0;border-radius:10px;background:var(--ink);color:var(--bg);font:650 18px system-ui,sans-serif}
button:focus-visible{outline:3px solid var(--tone);outline-offset:2px}.act small{display:block;text-align:center;color:var(--dim);margin-top:6px}
`

/** Own style by its hash, a form to ourselves, and nothing else. */
export const linkPagePolicy: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function renderLinkPage(facts: LinkPageFacts): string {
  const { zone, now, resolvedAt, verdict, cause, servers } = facts
  const look = resolvedAt === null ? (verdict?.class ?? 'cannot-tell') : 'resolved'
  const words =
    resolvedAt === null
      ? verdictWords({ class: verdict?.class ?? 'cannot-tell', decideBy: verdict?.decideBy ?? null }, zone)
      : `resolved at ${clockWords(resolvedAt, zone)}`
  const shown = servers.slice(0, SERVERS_SHOWN)
  const body = `
<main>
<div class="verdict"><strong>${escape(sentence(words))}</strong>${verdict === null ? '' : `<p>${text(verdict.reason)}</p>`}</div>
${facts.told === null ? '' : `<p class="told" role="status">${text(facts.told)}</p>`}
<h1>${text(facts.title)}</h1>
<p class="dim">Incident ${text(facts.id)}, since ${time(facts.openedAt, zone)}, ${spanWords((resolvedAt ?? now) - facts.openedAt)}</p>
<dl aria-label="Viewers">${figure('Hurt now', facts.viewers.hurtNow)}${figure('Peak', facts.viewers.peak)}${figure('Moved', facts.viewers.moved)}</dl>
<h2>Likely cause</h2>
<p>${cause === null ? 'Not known.' : `${text(cause.text)} <span class="dim">(${Math.round(cause.confidence * 100)} % sure)</span>`}</p>
${list('why', (cause?.for ?? []).slice(0, REASONS_SHOWN))}${cause !== null && cause.against.length > 0 ? `<p class="dim">Against it:</p>${list('why', cause.against.slice(0, REASONS_SHOWN))}` : ''}
${shown.length === 0 ? '' : `<h2>Servers</h2>${list('chips', shown)}${servers.length > shown.length ? `<p class="dim">and ${servers.length - shown.length} more</p>` : ''}`}
<h2>Timeline</h2>
${timeline(facts)}
</main>
${action(facts)}`
  return page(facts.title, look, body)
}

/** For a link that opens nothing; says no more than that. */
export function renderDeadLink(): string {
  return page(
    'This link opens nothing',
    'none',
    `<main><div class="verdict"><strong>This link opens nothing</strong><p>It is older than 12 hours, was revoked, or is not whole. Sign in to the control room to see the incident.</p></div></main>`,
  )
}

function page(title: string, look: string, body: string): string {
  return `<!doctype html>
<html lang="en" data-class="${escape(look)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover"><meta name="robots" content="noindex"><title>${text(title)}</title><style>${STYLE}</style></head>
<body>${body}
</body></html>
`
}

function timeline({ events, zone }: LinkPageFacts): string {
  if (events.length === 0) return '<p class="dim">Nothing yet.</p>'
  const items: string[] = []
  let bytes = 0
  for (const event of events.slice(0, EVENTS_SHOWN)) {
    const by =
      event.by === 'vitrine' || event.text.includes(event.by)
        ? ''
        : ` <span class="dim">${text(event.by)}</span>`
    const item = `<li>${time(event.at, zone)}${text(event.text)}${by}</li>`
    bytes += Buffer.byteLength(item)
    if (bytes > TIMELINE_BYTES_MAX) break
    items.push(item)
  }
  const more = events.length > items.length
  return `<ol>${items.join('')}</ol>${more ? '<p class="dim">Earlier ones stand in the control room.</p>' : ''}`
}

function action({
  acknowledgedBy,
  acknowledgedAt,
  resolvedAt,
  recipient,
  expiresAt,
  zone,
}: LinkPageFacts): string {
  if (resolvedAt !== null) return '<div class="act"><p>It is over: there is nothing to do.</p></div>'
  if (acknowledgedBy !== null) {
    const since = acknowledgedAt === null ? '' : ` since ${clockWords(acknowledgedAt, zone)}`
    return `<div class="act"><p><strong>${text(acknowledgedBy)}</strong> has it${escape(since)}.</p></div>`
  }
  return `<div class="act"><form method="post"><button type="submit">I have it</button><small>As ${text(recipient)}. This link works until ${escape(clockWords(expiresAt, zone))}.</small></form></div>`
}

function figure(name: string, value: number | null): string {
  return `<div><dt>${name}</dt><dd>${value === null ? '<span aria-label="not known">–</span>' : count(value)}</dd></div>`
}

function list(look: string, items: readonly string[]): string {
  if (items.length === 0) return ''
  return `<ul class="${look}">${items.map(item => `<li>${text(item)}</li>`).join('')}</ul>`
}

function time(at: number, zone: string): string {
  return `<time datetime="${stamp(at)}">${escape(clockWords(at, zone))}</time>`
}

/** Cut, then escaped. */
function text(value: string): string {
  return escape(value.length > TEXT_SHOWN ? `${value.slice(0, TEXT_SHOWN - 1)}…` : value)
}

function escape(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
