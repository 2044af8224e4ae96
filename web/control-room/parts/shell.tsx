// Owns what stands around every page: name, navigation, fleet time and its zone, theme, user, and the warning
// that what is shown is old.
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useLocation, useSearchParams } from 'wouter'
import { z } from 'zod'
import type { ServerView } from '#wire'
import {
  type Me,
  useAlerts,
  useClient,
  useFleetNow,
  useMe,
  useServers,
  useTick,
} from '../api/use-control-room.tsx'
import { useIncidents } from '../api/use-incidents.ts'
import { canLookBack, readAt } from '../past/at.ts'
import { SafetyBanner } from '../people/recovery-panel.tsx'
import { type Theme, useSettings } from '../settings.tsx'
import { age, timeOfDay, zoneName } from '../time-format.ts'
import { Link } from './link.tsx'

interface PageEntry {
  readonly path: string
  readonly name: string
  readonly icon: string
  /** Pages that belong to it. */
  readonly also?: readonly string[]
}

const PAGES: readonly PageEntry[] = [
  { path: '/', name: 'Fleet', icon: 'M3 12h4l2.5-7 4 14 2.500-7H21' },
  {
    path: '/incidents',
    name: 'Incidents',
    icon: 'M12 3.500 21.500 20h-19zM12 9.500v5M12 17v.500',
  },
  { path: '/wall', name: 'Wall', icon: 'M3 5h18v12H3zM8 20.500h8M6.500 9h11M6.500 13h7' },
  {
    path: '/viewers',
    name: 'Viewers',
    icon: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20c0-4 2.800-6.500 6.500-6.500s6.500 2.500 6.500 6.500M16 4.500a3.500 3.500 0 0 1 0 6.300M17.500 13.800c2.500.7 4 3 4 6.200',
    also: ['/experience', '/sessions', '/affected'],
  },
  { path: '/compare', name: 'Compare', icon: 'M3 8c4 0 5 3 8 3s4-6 10-6M3 13c4 0 5 1 8 1s5 5 10 5' },
  { path: '/what-if', name: 'If lost', icon: 'M3 19h18M6 19V9M12 19v-5M18 19V5M9.500 5l5 5M14.500 5l-5 5' },
  {
    path: '/probes',
    name: 'Probes',
    icon: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 17l2.500 2.500L21 14.500',
  },
  { path: '/titles', name: 'Titles', icon: 'M4 5h16v14H4zM10 9.200v5.600l4.600-2.800z' },
  {
    path: '/alerts',
    name: 'Alerts',
    icon: 'M12 4a5 5 0 0 0-5 5v4l-2 3h14l-2-3V9a5 5 0 0 0-5-5zM10 19a2 2 0 0 0 4 0',
  },
  {
    path: '/runbooks',
    name: 'Runbooks',
    icon: 'M5 4h14v16H5zM9 4v16M12 9h4M12 13h4',
    also: ['/runs', '/drills'],
  },
  { path: '/ledger', name: 'Ledger', icon: 'M6 3h12v18H6zM9 8h6M9 12h6M9 16h3' },
  { path: '/query', name: 'Query', icon: 'M5 7l5 5-5 5M12.500 17H19' },
]
/** On a desk that is not wide they stand behind More as well: each name is whole. */
const RARE: ReadonlySet<string> = new Set(['/what-if', '/runbooks', '/ledger'])
/** Two missed rounds of the list of servers. */
const SILENT_MS = 3_500
/** What a thumb reaches on a phone; the others stand behind More. */
const ON_PHONE: ReadonlySet<string> = new Set(['/', '/incidents', '/wall', '/alerts'])

export function Shell({ children }: { readonly children: ReactNode }): ReactNode {
  const [path] = useLocation()
  const alerts = useAlerts()
  const firing = (alerts.data ?? []).filter(alert => alert.state === 'firing').length
  const open = (useIncidents().data ?? []).filter(({ resolvedAt }) => resolvedAt === null).length
  const more = useRef<HTMLDetailsElement>(null)
  useClosing(more)
  const counts: Readonly<Record<string, ReactNode>> = {
    '/alerts': <Counted count={firing} what="firing" />,
    '/incidents': <Counted count={open} what="open" />,
  }
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to the page
      </a>
      <header className="top">
        <Link href="/" className="brand" aria-label="Vitrine, to the fleet">
          <img src="/watch-assets/mark.svg" alt="" width="26" height="26" />
          Vitrine
        </Link>
        <nav aria-label="Pages">
          {PAGES.map(page => (
            <PageLink key={page.path} page={page} path={path} count={counts[page.path]} />
          ))}
          <details className="more" ref={more}>
            <summary className="nav-link">
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d="M5 12h.01M12 12h.01M19 12h.01" />
              </svg>
              More
            </summary>
            <div className="menu">
              {PAGES.filter(page => !ON_PHONE.has(page.path)).map(page => (
                <Link key={page.path} href={page.path} onClick={() => more.current?.removeAttribute('open')}>
                  {page.name}
                </Link>
              ))}
              <Link href="/clocks" onClick={() => more.current?.removeAttribute('open')}>
                Clocks
              </Link>
            </div>
          </details>
        </nav>
        <Summary />
        <FleetTime />
        <ThemeSwitch />
        <UserMenu />
      </header>
      <SilenceBanner />
      {/* At night the verdict stands first. */}
      {path.startsWith('/incidents/') ? null : <SafetyBanner />}
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </div>
  )
}

function isCurrent({ path: page, also = [] }: PageEntry, path: string): boolean {
  if (page === '/') return path === '/' || path.startsWith('/servers/')
  return [page, ...also].some(own => path === own || path.startsWith(`${own}/`))
}

function PageLink({
  page,
  path,
  count,
}: {
  readonly page: PageEntry
  readonly path: string
  readonly count: ReactNode
}): ReactNode {
  return (
    <Link
      href={page.path}
      aria-current={isCurrent(page, path) ? 'page' : undefined}
      className={`nav-link${ON_PHONE.has(page.path) ? '' : ' nav-wide'}${RARE.has(page.path) ? ' nav-rare' : ''}`}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={page.icon} />
      </svg>
      {page.name}
      {count}
    </Link>
  )
}

function Counted({ count, what }: { readonly count: number; readonly what: string }): ReactNode {
  if (count === 0) return null
  return (
    <span className="count">
      {count}
      <span className="visually-hidden"> {what}</span>
    </span>
  )
}

/** The one sentence that is read from across the room. */
function Summary(): ReactNode {
  const servers = useServers()
  const silent = useSilence() > 0
  const [path] = useLocation()
  const [search] = useSearchParams()
  // A page about the past has nothing live on it, also not in its head.
  if (canLookBack(path) && readAt(search) !== null) {
    return (
      <p className="summary" data-tone="moving">
        Looking back
      </p>
    )
  }
  const { text, tone } = summarise(servers.data ?? [])
  return (
    <p className="summary" data-tone={silent ? 'resting' : tone} role="status">
      {silent && text !== '' ? `Last known: ${text}` : text}
    </p>
  )
}

function summarise(servers: readonly ServerView[]): { text: string; tone: string } {
  const ill = servers.filter(server => server.state !== 'healthy')
  if (servers.length === 0) return { text: '', tone: 'resting' }
  const [first] = ill
  if (first === undefined) return { text: `All ${servers.length} servers healthy`, tone: 'healthy' }
  const worst = ill.some(server => server.state === 'unreachable') ? 'unreachable' : 'degraded'
  if (ill.length === 1) return { text: `${first.id} ${first.state}`, tone: worst }
  return { text: `${ill.length} of ${servers.length} servers not healthy`, tone: worst }
}

function FleetTime(): ReactNode {
  const now = useFleetNow()
  const { zone, setZone } = useSettings()
  const other = zone === 'utc' ? 'local' : 'utc'
  return (
    <button
      type="button"
      className="fleet-time"
      onClick={() => setZone(other)}
      title={`Fleet time. Click to show times in ${zoneName(other)}`}
      aria-label={`Fleet time ${now === null ? 'not known' : timeOfDay(now, zone)} ${zoneName(zone)}. Switch to ${zoneName(other)}`}
    >
      <b>{now === null ? '--:--:--' : timeOfDay(now, zone)}</b>
      <span>{zone === 'utc' ? 'UTC' : zone === 'local' ? 'local' : zone.split('/').at(-1)}</span>
    </button>
  )
}

const THEMES: Record<Theme, { next: Theme; label: string; icon: string }> = {
  system: { next: 'dark', label: 'Theme: as the system', icon: 'M4 5h16v11H4zM9 20h6M12 16v4' },
  dark: {
    next: 'light',
    label: 'Theme: dark',
    icon: 'M19 14.500A7.500 7.500 0 0 1 9.500 5a7.500 7.500 0 1 0 9.500 9.500z',
  },
  light: {
    next: 'system',
    label: 'Theme: light',
    icon: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600 7 7M17 17l1.400 1.400M5.600 18.400 7 17M17 7l1.400-1.400',
  },
}

function ThemeSwitch(): ReactNode {
  const { theme, setTheme } = useSettings()
  const { next, label, icon } = THEMES[theme]
  return (
    <button
      type="button"
      className="icon-button"
      title={label}
      aria-label={label}
      onClick={() => setTheme(next)}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={icon} />
      </svg>
    </button>
  )
}

function UserMenu(): ReactNode {
  const client = useClient()
  const { data: me } = useMe()
  const [problem, setProblem] = useState<string | null>(null)
  const menu = useRef<HTMLDetailsElement>(null)
  useClosing(menu)
  const signOut = (): void => {
    client
      .post('/api/v1/sign-out', {}, z.unknown())
      .then(() => location.assign('/sign-in'))
      .catch((thrown: unknown) =>
        setProblem(thrown instanceof Error ? thrown.message : 'Signing out failed.'),
      )
  }
  return (
    <details className="user" ref={menu}>
      <summary aria-label={me === undefined ? 'User' : `User: ${nameOf(me)}`}>
        <span className="avatar">{me === undefined ? '·' : nameOf(me).slice(0, 1).toUpperCase()}</span>
      </summary>
      <div className="menu">
        <p>
          <strong>{me === undefined ? 'not known yet' : nameOf(me)}</strong>
          <span>{me === undefined || me.signedInBy === 'link' ? '' : me.role}</span>
        </p>
        {me?.signedInBy === 'link' ? (
          <p className="menu-note">
            Signed in by a one-time link, which names nobody. Invite yourself by name
            {me.role === 'admin' ? ' under People' : ': ask an admin'}.
          </p>
        ) : null}
        <Link href="/clocks">Clocks</Link>
        {me === undefined ? null : <Link href="/account">My account</Link>}
        {me?.role === 'admin' ? (
          <>
            <Link href="/people">People</Link>
            <Link href="/audit">Audit</Link>
          </>
        ) : null}
        {me === undefined || me.role === 'viewer' ? null : (
          <>
            <Link href="/add-edge">Add an edge</Link>
            <Link href="/links">Links</Link>
          </>
        )}
        <button type="button" className="plain" onClick={signOut}>
          Sign out
        </button>
        {problem === null ? null : <p role="alert">{problem}</p>}
        <p className="version">Vitrine {me?.version ?? ''}</p>
      </div>
    </details>
  )
}

/** A one-time link has a role and no name. */
function nameOf({ name, role, signedInBy }: Me): string {
  const roles = { admin: 'Administrator', operator: 'Operator', viewer: 'Viewer' } as const
  return signedInBy === 'link' ? roles[role] : name
}

/** A menu closes on Escape and on a click elsewhere. */
function useClosing(menu: React.RefObject<HTMLDetailsElement | null>): void {
  useEffect(() => {
    const close = (event: Event): void => {
      const place = menu.current
      if (place === null || !place.open) return
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !place.contains(event.target as Node)) {
        place.open = false
        // The focus must not fall out of a menu that is gone.
        if (event instanceof KeyboardEvent) place.querySelector('summary')?.focus()
      }
    }
    document.addEventListener('keydown', close)
    document.addEventListener('pointerdown', close)
    return () => {
      document.removeEventListener('keydown', close)
      document.removeEventListener('pointerdown', close)
    }
  }, [menu])
}

/** How long the control room has been silent, in ms; 0 while it answers. */
export function useSilence(): number {
  useTick(1_000)
  const { lastAnswerMs, unreachable } = useClient()
  if (!unreachable || lastAnswerMs === null) return 0
  const silentMs = performance.now() - lastAnswerMs
  return silentMs < SILENT_MS ? 0 : silentMs
}

export function SilenceBanner(): ReactNode {
  useTick(1_000)
  const silentMs = useSilence()
  const { lastAnswerMs, unreachable } = useClient()
  if (silentMs === 0 && !(unreachable && lastAnswerMs === null)) return null
  return (
    <div className="banner" role="alert">
      <strong>The control room does not answer.</strong>{' '}
      {lastAnswerMs === null ? 'Nothing could be loaded yet.' : `What you see is ${age(silentMs)} old.`}{' '}
      Viewers are served by the edges meanwhile. Trying again.
    </div>
  )
}
