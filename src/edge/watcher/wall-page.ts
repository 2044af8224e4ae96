// Owns the last wall as a page that needs no script: what the control room said of the fleet, and in the largest type
// how old that is. Everything that comes from outside is escaped; it changes nothing.
import { createHash } from 'node:crypto'
import { spanWords, stamp } from '#receivers'
import type { WallPicture } from '#wire'

const SERVERS_SHOWN = 60
const REFRESH_S = 5
/** A picture comes each few seconds: one that is older says that something is wrong. */
const FRESH_MS = 30_000

export interface WallFacts {
  readonly edge: string
  /** Null: none has come yet. */
  readonly picture: WallPicture | null
  /** Fleet time. */
  readonly now: number
  /** 0: the control room is heard. */
  readonly lostMs: number
  /** Whether it was heard since this edge has started. */
  readonly heard: boolean
  readonly zone: string
}

const STYLE = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#12161c;--dim:#566070;--line:#dde2e8;--bad:#b3261e;--warn:#8a5300;--good:#1b6e3c;--soft:#e7f5ec;--tone:var(--good)}
[data-age=old]{--soft:#fdecea;--tone:var(--bad)}
@media(prefers-color-scheme:dark){:root{--bg:#0e1116;--card:#161b22;--ink:#e8ecf1;--dim:#9aa5b4;--line:#2a313b;--bad:#ff8a80;--warn:#ffb74d;--good:#7fd39b;--soft:#12301d}[data-age=old]{--soft:#3a1715}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.4 system-ui,sans-serif}
header{background:var(--soft);border-bottom:3px solid var(--tone);padding:20px 16px}
header strong{display:block;color:var(--tone);font-size:clamp(34px,6vw,76px);line-height:1.05;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
header p{margin:8px 0 0;font-size:clamp(16px,1.6vw,22px);overflow-wrap:anywhere}
main{padding:4px 16px 32px;max-width:120rem;margin:0 auto}h2{font-size:14px;color:var(--dim);margin:24px 0 8px;font-weight:650}
ul{list-style:none;margin:0;padding:0;display:grid;gap:8px;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr))}
li{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--mark,var(--line));border-radius:8px;padding:10px 12px;overflow-wrap:anywhere}
li b{font-size:18px}li p{margin:2px 0 0;color:var(--dim);font-size:15px}li .state{color:var(--mark);font-weight:650;float:right;margin-left:8px}
[data-s=good]{--mark:var(--good)}[data-s=warn]{--mark:var(--warn)}[data-s=bad]{--mark:var(--bad)}[data-age=old] [data-s=good]{--mark:var(--dim)}
.dim{color:var(--dim)}form{max-width:26rem;margin:10vh auto 0;padding:0 16px}h1{font-size:24px;margin:0 0 8px}
label{display:block;margin:16px 0 4px;font-weight:650}input{width:100%;min-height:48px;border:1px solid var(--line);border-radius:8px;padding:0 12px;font:16px ui-monospace,monospace;background:var(--card);color:var(--ink)}
button{width:100%;min-height:48px;margin-top:12px;border:0;border-radius:8px;background:var(--ink);color:var(--bg);font:650 17px system-ui,sans-serif}
input:focus-visible,button:focus-visible{outline:3px solid var(--tone);outline-offset:2px}[role=alert]{color:var(--bad);font-weight:650}
`

/** Own style by its hash, a form to ourselves, and nothing else. */
export const wallPolicy: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function renderWall(facts: WallFacts): string {
  const { picture, now, lostMs, edge } = facts
  const ageMs = picture === null ? null : Math.max(0, now - picture.at)
  const isOld = ageMs === null || ageMs > FRESH_MS || lostMs > 0
  const head = ageMs === null ? 'No picture has come yet' : `This picture is ${ageWords(ageMs)} old`
  const body = `<header><strong>${head}</strong><p>${heard(facts)}</p></header>
<main>${picture === null ? '' : pictureOf(picture, facts)}
<p class="dim">Shown by edge ${escape(edge)}, which keeps the last picture of the control room. It renews itself each ${REFRESH_S} s.</p></main>`
  const refresh = `<meta http-equiv="refresh" content="${REFRESH_S}">`
  return page(head, body, isOld ? 'old' : 'fresh', refresh)
}

/** `problem` null: nothing was tried yet. */
export function renderWallSignIn(edge: string, problem: string | null): string {
  const body = `<form method="post" action="/wall"><h1>The last wall</h1>
<p class="dim">Edge ${escape(edge)} shows it to people of this fleet, also while the control room is away. Passwords are known to the control room alone: here a token opens it.</p>
${problem === null ? '' : `<p role="alert">${escape(problem)}</p>`}
<label for="token">Token</label><input id="token" name="token" type="password" autocomplete="current-password" required maxlength="256">
<button type="submit">Show the wall</button></form>`
  return page('The last wall', body, 'fresh', '')
}

function heard(facts: WallFacts): string {
  const { lostMs, now, picture, zone } = facts
  const name = picture === null ? 'The control room' : `The control room (${escape(picture.controlUrl)})`
  if (lostMs <= 0) return `${name} is heard.`
  // An edge that has started since knows only when the picture was made.
  const since = facts.heard || picture === null ? now - lostMs : picture.at
  return `${name} is not reached since <time datetime="${stamp(since)}">${escape(secondWords(since, zone))}</time>. Viewers are served; nobody watches the servers.`
}

function pictureOf(picture: WallPicture, { zone }: WallFacts): string {
  const { incidents, servers, counts, watching, watchingEstimated, at, more } = picture
  const states = Object.entries(counts).map(([state, count]) => `${count} ${escape(state)}`)
  const viewers =
    watching === null ? 'Viewers are not known.' : `${watchingWords(watching, watchingEstimated)}.`
  const shown = servers.slice(0, SERVERS_SHOWN)
  const rest = servers.length - shown.length + more
  return `<h2>As it was at ${escape(secondWords(at, zone))}</h2><p>${viewers} ${states.join(', ')}.</p>
<h2>Incidents</h2>${
    incidents.length === 0
      ? '<p>None was open.</p>'
      : `<ul>${incidents
          .map(
            one =>
              `<li data-s="${one.severity === 'critical' ? 'bad' : 'warn'}"><span class="state">${escape(one.verdict)}</span><b>${escape(one.title)}</b><p>${escape(one.id)}, since ${escape(secondWords(one.openedAt, zone))}${one.acknowledgedBy === null ? ', nobody has it' : `, ${escape(one.acknowledgedBy)} has it`}</p></li>`,
          )
          .join('')}</ul>`
  }
<h2>Servers</h2><ul>${shown
    .map(
      ({ name, region, state, reason, watching: viewersHere, watchingEstimated: estimated }) =>
        `<li data-s="${toneOf(state)}"><span class="state">${escape(state)}</span><b>${escape(name)}</b><p>${escape(region)}${viewersHere === null ? '' : `, ${watchingWords(viewersHere, estimated)}`}${state === 'healthy' ? '' : `<br>${escape(reason)}`}</p></li>`,
    )
    .join('')}</ul>${rest > 0 ? `<p class="dim">and ${rest} more that were no worse</p>` : ''}`
}

/** `1,200 watching, 12% of them estimated`: their players tell nothing. `estimated` left out: not told. */
function watchingWords(watching: number, estimated: number | undefined): string {
  const all = `${watching.toLocaleString('en-GB')} watching`
  if (watching === 0 || estimated === undefined) return all
  if (estimated === 0) return `${all}, none estimated`
  return `${all}, ${Math.max(1, Math.round((estimated / watching) * 100))}% of them estimated`
}

function toneOf(state: string): 'good' | 'warn' | 'bad' {
  if (state === 'healthy') return 'good'
  return state === 'unreachable' ? 'bad' : 'warn'
}

function page(title: string, body: string, age: string, head: string): string {
  return `<!doctype html>
<html lang="en" data-age="${age}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">${head}<title>${escape(title)}</title><style>${STYLE}</style></head>
<body>${body}
</body></html>
`
}

/** 2 min 10 s: read from across the room. */
function ageWords(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : spanWords(ms)
}

function secondWords(at: number, zone: string): string {
  const form = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const
  return new Intl.DateTimeFormat('en-GB', { ...form, timeZone: zone, timeZoneName: 'short' }).format(at)
}

function escape(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
