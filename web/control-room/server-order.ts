// Owns the order of servers on every page: edges first, then foreign servers, the origin, the control room, then hosts, each by id.
import type { ServerView } from '#wire'

const ROLES = ['edge', 'foreign', 'origin', 'control', 'host']

export function inOrder(servers: readonly ServerView[]): ServerView[] {
  return [...servers].sort(
    (a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || a.id.localeCompare(b.id),
  )
}
