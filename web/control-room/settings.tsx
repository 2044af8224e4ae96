// Owns what a person chose for this browser: the zone of times and the theme; kept in localStorage. A link that names
// a zone (`?tz=utc`) is shown in it, and changes nothing that was chosen.
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { readZone, type Zone } from './time-format.ts'

export type Theme = 'system' | 'dark' | 'light'

interface Settings {
  readonly zone: Zone
  readonly theme: Theme
  /** What `system` means now. */
  readonly shown: 'dark' | 'light'
  readonly setZone: (zone: Zone) => void
  readonly setTheme: (theme: Theme) => void
}

const Context = createContext<Settings | null>(null)
const ZONE_KEY = 'vitrine.zone'
const THEME_KEY = 'vitrine.theme'

export function SettingsProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [zone, showZone] = useState<Zone>(firstZone)
  const [theme, showTheme] = useState<Theme>(() => applied(readTheme(recall(THEME_KEY))))
  const system = useSystemTheme()
  const shown = theme === 'system' ? system : theme
  const value = useMemo(() => {
    const setZone = (chosen: Zone): void => {
      showZone(chosen)
      remember(ZONE_KEY, chosen)
      writeZone(chosen)
    }
    const setTheme = (chosen: Theme): void => {
      showTheme(applied(chosen))
      remember(THEME_KEY, chosen)
    }
    return { zone, theme, shown, setZone, setTheme }
  }, [zone, theme, shown])
  return <Context value={value}>{children}</Context>
}

export function useSettings(): Settings {
  const settings = useContext(Context)
  if (settings === null) throw new TypeError('settings are used outside of their provider')
  return settings
}

/** Before anything is drawn in it: charts read the colours while they are laid out. */
function applied(theme: Theme): Theme {
  const root = document.documentElement
  if (theme === 'system') delete root.dataset['theme']
  else root.dataset['theme'] = theme
  return theme
}

function useSystemTheme(): 'dark' | 'light' {
  const [light, setLight] = useState(() => matchMedia('(prefers-color-scheme: light)').matches)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: light)')
    const changed = (): void => setLight(query.matches)
    query.addEventListener('change', changed)
    return () => query.removeEventListener('change', changed)
  }, [])
  return light ? 'light' : 'dark'
}

function firstZone(): Zone {
  const named = readZone(new URLSearchParams(location.search).get('tz'))
  return named ?? (recall(ZONE_KEY) === 'local' ? 'local' : 'utc')
}

/** The address says the zone that the page is in, so that it can be passed on as it stands. */
function writeZone(zone: Zone): void {
  const url = new URL(location.href)
  if (url.searchParams.get('tz') === zone) return
  url.searchParams.set('tz', zone)
  history.replaceState(history.state, '', url.href.replaceAll('%2F', '/').replaceAll('%2C', ','))
}

function readTheme(text: string | null): Theme {
  return text === 'dark' || text === 'light' ? text : 'system'
}

function recall(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null // Storage may be closed to us; the choice then lasts for this page.
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // As above.
  }
}
