// Owns the page behind a link in a message: the incident's first screen without a sign-in and without a script. Looking
// at it changes nothing.
import { text } from '../incident-page/html.ts'
import { renderScreen, type Screen, toneOf } from '../incident-page/screen.ts'
import { STYLE, STYLE_HASH } from '../incident-page/style.ts'

/** Own style by its hash, a form to ourselves, and nothing else. */
export const linkPagePolicy: string = [
  "default-src 'none'",
  `style-src ${STYLE_HASH}`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function renderLinkPage(screen: Screen): string {
  return page(screen.title, toneOf(screen), renderScreen(screen))
}

/** For a link that opens nothing; says no more than that. */
export function renderDeadLink(): string {
  return page(
    'This link opens nothing',
    'resting',
    '<main class="sheet"><section class="box opening" data-tone="resting"><h1>This link opens nothing</h1><p>It is older than 12 hours, was revoked, or is not whole. Sign in to the control room to see the incident.</p></section></main>',
  )
}

function page(title: string, tone: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover"><meta name="color-scheme" content="dark light"><meta name="robots" content="noindex"><title>${text(title)}</title><style>${STYLE}</style></head>
<body><div id="first-screen" data-tone="${tone}">${body}</div></body>
</html>
`
}
