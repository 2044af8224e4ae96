// Owns the page of an incident for people who are signed in: the first screen as HTML, and below it what the scripts
// need to take over, so that it can be read before any of them is here.
import type { IncidentAnswer, UserRole } from '#wire'
import { mayAct } from '#wire'
import type { ControlContext } from '../context.ts'
import { text } from './html.ts'
import { type Reader, renderScreen, type Screen } from './screen.ts'
import { STYLE } from './style.ts'
import { actorNames } from './whole-incident.ts'

export interface SignedIn {
  readonly name: string
  readonly role: UserRole
  /** Null: it came with a token. */
  readonly csrf: string | null
}

export async function screenOf(
  context: ControlContext,
  { incident, timeline, changes, hurt, showing, now, morning }: IncidentAnswer,
  { name, role, csrf }: SignedIn,
  told: string | null,
): Promise<Screen> {
  const acting = mayAct(role, 'operator')
  const people = acting ? await actorNames(context) : []
  const reader: Reader = { kind: 'person', name, mayAct: acting, csrf, people }
  const { servers, ...rest } = incident
  return {
    ...rest,
    servers: servers.map(id => ({ id, state: context.fleet.get(id)?.standing.state ?? null })),
    ...hurt,
    events: timeline.toReversed(),
    changes,
    showing,
    now,
    morning,
    zone: context.incidents.policy.zone,
    reader,
    told,
  }
}

const LINKS = [
  ['/', 'Fleet'],
  ['/incidents', 'Incidents'],
  ['/wall', 'Wall'],
  ['/alerts', 'Alerts'],
] as const

/** `shell`: the pages' own HTML, whose scripts and sheets come after what is read first; '' where there are none. */
export function renderSessionPage(screen: Screen, shell: string): string {
  const { sheets, scripts } = partsOf(shell)
  const links = LINKS.map(([href, name]) => `<a href="${href}">${name}</a>`).join('')
  const mark = scripts === '' ? '' : '<img src="/watch-assets/mark.svg" alt="" width="26" height="26">'
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="dark light"><meta name="referrer" content="same-origin"><title>${text(screen.id)} · Vitrine</title>${mark === '' ? '' : '<link rel="icon" href="/watch-assets/mark.svg" type="image/svg+xml">'}<style>${STYLE}</style></head>
<body><div id="first-screen"><header class="bar"><a class="name" href="/">${mark}Vitrine</a><nav aria-label="Pages">${links}</nav></header>
${renderScreen(screen)}</div>
${sheets}<div id="root"></div>${scripts}</body></html>
`
}

/** Tags of the built page; ours, and short. */
function partsOf(shell: string): { sheets: string; scripts: string } {
  const tags =
    shell.match(/<link\b[^>]*rel="(?:stylesheet|modulepreload)"[^>]*>|<script\b[^>]*><\/script>/g) ?? []
  return {
    sheets: tags.filter(tag => tag.includes('"stylesheet"')).join(''),
    scripts: tags.filter(tag => !tag.includes('"stylesheet"')).join(''),
  }
}
