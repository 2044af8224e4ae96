// Owns one incident as a file: everything that is known of it, with its charts drawn in, that opens from a disk years
// later and asks nobody for anything. Everything that comes from outside is escaped.
import { createHash } from 'node:crypto'
import { count, spanWords, verdictWords } from '#receivers'
import type { IncidentAnswer, IncidentEvent } from '#wire'
import type { AffectedRow } from './affected-viewers.ts'
import { chartSvg } from './chart-svg.ts'
import type { IncidentFigures, Line } from './figures.ts'
import { dayTime, escape, sentence, text } from './html.ts'
import { toneOf } from './screen.ts'

/** Whole, unlike on a screen; what a person or an alert may write is bounded where it comes in. */
const WHOLE = 8192

const STYLE = `:root{color-scheme:light dark;--bg:#fff;--text:#131a21;--dim:#4a5763;--line:#dde3e9;--tone:#52616f;--tone-bg:#e9eef3;--a:#b42320;--b:#0f6fd1;--c:#b95200;--d:#097c72;--e:#8a3fc9;--f:#b93470;--g:#6d7300}
[data-tone=healthy]{--tone:#137547;--tone-bg:#e3f5ec}[data-tone=degraded]{--tone:#835a00;--tone-bg:#fdf1cf}[data-tone=unreachable]{--tone:#b42320;--tone-bg:#fde7e6}[data-tone=moving]{--tone:#5b3fc4;--tone-bg:#ece8fd}
@media screen and (prefers-color-scheme:dark){:root{--bg:#0d1116;--text:#edf1f5;--dim:#a3b0bd;--line:#26303b;--tone:#9fb0c0;--tone-bg:#1e2731;--a:#ff7a76;--b:#6cb2ff;--c:#ff9d5c;--d:#5ed3bd;--e:#d59bff;--f:#f08fb6;--g:#c9cf6a}
[data-tone=healthy]{--tone:#4cc38a;--tone-bg:#11291f}[data-tone=degraded]{--tone:#f2c14b;--tone-bg:#33290f}[data-tone=unreachable]{--tone:#ff7a76;--tone-bg:#3a1819}[data-tone=moving]{--tone:#b6a2ff;--tone-bg:#241f3d}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1000px;padding:24px 20px 64px;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
header{padding:20px;border:1px solid var(--tone);border-radius:8px;background:var(--tone-bg)}header strong{display:block;color:var(--tone);font-size:34px;line-height:1.1}
h1{margin:10px 0 4px;font-size:22px;line-height:1.25}h2{margin:36px 0 10px;font-size:17px}p{margin:6px 0}.dim,dt,figcaption{color:var(--dim)}
.pairs{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}dd{margin:0}ul{padding-left:20px}
table{border-collapse:collapse;width:100%}th,td{padding:6px 12px 6px 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}th{color:var(--dim);font-weight:500}td{max-width:640px}td:first-child{white-space:nowrap}
@media(max-width:640px){.rows thead{position:absolute;clip-path:inset(50%)}.rows tr,.rows td{display:block}.rows tr{padding:8px 0;border-bottom:1px solid var(--line)}.rows td{padding:0;border:0;overflow-wrap:anywhere}.rows td:first-child{color:var(--dim);white-space:normal}}
figure{margin:16px 0}figure>svg{display:block;width:100%;height:auto}text{fill:var(--dim);font:12px system-ui,sans-serif}.grid{stroke:var(--line)}.mark{stroke:var(--text);stroke-dasharray:3 3}.mark-name{fill:var(--text)}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.legend span{margin-left:14px;white-space:nowrap}.a{stroke:var(--a);stroke-width:3}.b{stroke:var(--b)}.c{stroke:var(--c)}.d{stroke:var(--d)}.e{stroke:var(--e)}.f{stroke:var(--f)}.g{stroke:var(--g)}.thin{stroke-dasharray:2 4}
footer{margin-top:40px;color:var(--dim)}`

/** In the file as well: it is opened where no header comes along. */
export const exportPolicy: string = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`

const LOOKS = ['b', 'c', 'd', 'e', 'f', 'g'] as const

export interface Exported {
  readonly answer: IncidentAnswer
  readonly figures: IncidentFigures
  /** Null: not known. */
  readonly affected: readonly AffectedRow[] | null
  readonly zone: string
}

export function renderExport({ answer, figures, affected, zone }: Exported): string {
  const { incident, changes, showing, now } = answer
  const parts = [
    head(answer, zone),
    facts(answer, zone),
    section('Why', why(answer)),
    section('What this was judged by', inputs(answer)),
    section('Viewers above CPU', charts(answer, figures, zone)),
    section('Affected viewers', viewers(affected)),
    section('Timeline', timeline(answer.timeline, zone)),
    section(
      'What changed in the 24 hours before, nearest first',
      changes.length === 0
        ? '<p class="dim">Nothing that anybody told of.</p>'
        : table(
            ['When', 'Where', 'What'],
            changes.map(({ at, server, kind, text: what }) => [
              `${dayTime(at, zone)}<br><span class="dim">${spanWords(incident.openedAt - at)} before</span>`,
              escape(server ?? 'the whole fleet'),
              `${escape(kind)}: ${text(what, WHOLE)}`,
            ]),
          ),
    ),
    section('Alerts', alerts(answer, zone)),
    ...(showing.length === 0
      ? []
      : [
          section(
            'Others that show the sign and still serve',
            table(
              ['Server', 'Sign', 'Viewers'],
              showing.map(({ server, sign, viewers }) => [escape(server), text(sign, WHOLE), count(viewers)]),
            ),
          ),
        ]),
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="Content-Security-Policy" content="${escape(exportPolicy)}"><meta name="referrer" content="no-referrer"><title>${text(incident.id)}: ${text(incident.title)}</title><style>${STYLE}</style></head>
<body>${parts.join('\n')}
<footer>Written by Vitrine at ${dayTime(now, zone)}. Times are in ${escape(zone)} and on fleet time.</footer></body></html>
`
}

function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>`
}

function head({ incident, now }: IncidentAnswer, zone: string): string {
  const { verdict, resolvedAt, openedAt, title, id, severity } = incident
  const word = resolvedAt === null ? verdictWords(verdict, zone) : 'it is over'
  const lasted = `${resolvedAt === null ? 'open for' : 'resolved after'} ${spanWords((resolvedAt ?? now) - openedAt)}`
  return `<header data-tone="${toneOf(incident)}"><strong>${escape(sentence(word))}</strong><h1>${text(title, WHOLE)}</h1><p>${text(id)}, ${text(severity)}; since ${dayTime(openedAt, zone)}, ${lasted}</p>${resolvedAt === null ? `<p>${text(verdict.reason, WHOLE)}</p>` : ''}</header>`
}

function facts({ incident, hurt }: IncidentAnswer, zone: string): string {
  const { viewers, servers, acknowledgedBy, acknowledgedAt, assignedTo, waitUntil, resolvedAt } = incident
  const known = (value: number | null): string => (value === null ? 'not known' : count(value))
  const trend = hurt.trend === null ? '' : `, ${hurt.trend}`
  const rows: [string, string][] = [
    ['Viewers hurt now', `${known(viewers.hurtNow)}${trend}`],
    ['Viewers hurt at most', known(viewers.peak)],
    ['Viewers moved', known(viewers.moved)],
    ['Viewers’ time lost', spanWords(viewers.lostViewerSeconds * 1000)],
    ['Servers', servers.length === 0 ? 'none of ours' : servers.map(escape).join(', ')],
    [
      'Who has it',
      acknowledgedBy === null || acknowledgedAt === null
        ? 'nobody'
        : `${escape(assignedTo ?? acknowledgedBy)}, since ${dayTime(acknowledgedAt, zone)}`,
    ],
    ...(waitUntil === null ? [] : [['Nobody is rung before', dayTime(waitUntil, zone)] as [string, string]]),
    ...(resolvedAt === null ? [] : [['Resolved', dayTime(resolvedAt, zone)] as [string, string]]),
  ]
  return section('Whom it hurts, and who has it', pairs(rows))
}

function why({ incident: { cause } }: IncidentAnswer): string {
  const list = (title: string, reasons: readonly string[]): string =>
    reasons.length === 0
      ? ''
      : `<p class="dim">${title}</p><ul>${reasons.map(reason => `<li>${text(reason, WHOLE)}</li>`).join('')}</ul>`
  const sure = cause.confidence === 0 ? '' : ` (${Math.round(cause.confidence * 100)} % sure)`
  return `<p>${text(cause.text, WHOLE)}${sure}</p>${list('For it:', cause.for)}${list('Against it:', cause.against)}`
}

function inputs({ incident: { verdict } }: IncidentAnswer): string {
  return pairs(verdict.inputs.map(({ name, text: value }) => [text(name), text(value, WHOLE)]))
}

/** What viewers felt above CPU, on one axis of time. */
function charts({ incident }: IncidentAnswer, figures: IncidentFigures, zone: string): string {
  const { from, to, stepMs, hurt, watching, estimated, rebuffering, cpu } = figures
  const ids = [...new Set([...watching, ...rebuffering, ...cpu].map(({ name }) => name))].toSorted()
  const drawn = (lines: readonly Line[], words: string, thin = ''): (Line & { look: string })[] =>
    lines.map(line => ({
      name: `${line.name} ${words}`.trim(),
      points: line.points,
      look: `${LOOKS[ids.indexOf(line.name) % LOOKS.length] ?? 'b'}${thin}`,
    }))
  const marks = [
    { at: incident.openedAt, name: 'opened' },
    ...(incident.acknowledgedAt === null ? [] : [{ at: incident.acknowledgedAt, name: 'taken' }]),
    ...(incident.resolvedAt === null ? [] : [{ at: incident.resolvedAt, name: 'resolved' }]),
  ]
  const shared = { from, to, stepMs, zone, marks, height: 220 }
  const felt = hurt.map(({ points }) => ({ name: 'hurt', points, look: 'a' }))
  return [
    ...(rebuffering.length === 0
      ? []
      : [
          chartSvg({
            ...shared,
            title: 'Rebuffering of those who watch',
            unit: '% of the time',
            lines: drawn(rebuffering, ''),
          }),
        ]),
    chartSvg({
      ...shared,
      title: 'Viewers',
      unit: 'viewers',
      lines: [...felt, ...drawn(watching, 'watching'), ...drawn(estimated, 'of them estimated', ' thin')],
    }),
    chartSvg({ ...shared, title: 'CPU of the servers', unit: 'cores', lines: drawn(cpu, '') }),
  ].join('')
}

/** Who lost three seconds or more, or could not start. */
function viewers(rows: readonly AffectedRow[] | null): string {
  if (rows === null) return '<p class="dim">Not known: the records of viewers could not be read.</p>'
  if (rows.every(({ measured, estimated }) => measured.viewers + estimated.viewers === 0))
    return '<p class="dim">Nothing was told of viewers in this time.</p>'
  const lines = rows.flatMap(({ edge, measured, estimated, truncated }) =>
    (
      [
        ['measured', measured],
        ['estimated', estimated],
      ] as const
    )
      .filter(([, counts]) => counts.viewers > 0)
      .map(([how, counts]) => [
        edge === null ? 'the whole fleet' : escape(edge),
        how,
        `${truncated ? 'at least ' : ''}${count(counts.affected)} of ${count(counts.viewers)}`,
        count(counts.couldNotStart),
        spanWords(counts.lostS * 1000),
        counts.excess === null ? 'too few peers to say' : count(counts.excess),
      ]),
  )
  const heads = ['Edge', 'How known', 'Affected', 'Could not start', 'Time lost', 'More than among peers']
  return `${table(heads, lines)}<p class="dim">Affected is who lost three seconds or more to stalls, or could not start. Measured: the player told. Estimated: by what the edges answered.</p>`
}

function timeline(events: readonly IncidentEvent[], zone: string): string {
  return table(
    ['When', 'What', 'Who'],
    events.map(({ at, kind, by, text: what }) => [
      dayTime(at, zone),
      `<span class="dim">${escape(kind.replaceAll('-', ' '))}</span> ${text(what, WHOLE)}`,
      text(by),
    ]),
  )
}

function alerts({ alerts: joined }: IncidentAnswer, zone: string): string {
  return table(
    ['Joined', 'Ended', 'Alert'],
    joined.map(({ joinedAt, resolvedAt, labels, annotations }) => [
      dayTime(joinedAt, zone),
      resolvedAt === null ? 'fires' : dayTime(resolvedAt, zone),
      `${text(annotations['summary'] ?? labels['alertname'] ?? '', WHOLE)}<br><span class="dim">${Object.entries(
        labels,
      )
        .map(([name, value]) => `${text(name)}=${text(value)}`)
        .join(' ')}</span>`,
    ]),
  )
}

function pairs(rows: readonly (readonly [string, string])[]): string {
  return `<dl class="pairs">${rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('')}</dl>`
}

/** Cells are HTML already. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return `<table class="rows"><thead><tr>${heads.map(name => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>${rows
    .map(row => `<tr>${row.map(cell => `<td>${cell}</td>`).join('')}</tr>`)
    .join('')}</tbody></table>`
}
