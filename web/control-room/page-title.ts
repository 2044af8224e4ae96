// Owns what the browser's tab says: the page first, so that ten tabs of one control room can be told apart.
import { useEffect } from 'react'

const NAMES: Readonly<Record<string, string>> = {
  '': 'Fleet',
  wall: 'Wall',
  compare: 'Compare',
  'add-edge': 'Add an edge',
  diff: 'What differs',
  'what-if': 'If one is lost',
  viewers: 'Viewers',
  experience: 'Experience',
  sessions: 'Sessions of viewers',
  affected: 'Affected viewers',
  links: 'Links',
  titles: 'Titles',
  probes: 'Probes',
  steering: 'Steering',
  ledger: 'Ledger',
  alerts: 'Alerts',
  rules: 'Rules',
  runbooks: 'Runbooks',
  drills: 'Drills',
  runs: 'Runs',
  query: 'Query',
  people: 'People',
  account: 'My account',
  audit: 'Audit',
  notifications: 'Notifications',
  incidents: 'Incidents',
  clocks: 'Clocks',
  silences: 'Silences',
  'sign-in': 'Sign in',
  shared: 'Shared graph',
}

/** `eu-west · Vitrine`; a page without a name here goes by its address. */
export function pageTitle(path: string): string {
  const [first = '', second] = path.split('/').filter(part => part !== '')
  const name = second === undefined ? (Object.hasOwn(NAMES, first) ? NAMES[first] : first) : decoded(second)
  return `${name} · Vitrine`
}

/** What cannot be decoded stays as it is. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function usePageTitle(path: string): void {
  useEffect(() => {
    document.title = pageTitle(path)
  }, [path])
}
