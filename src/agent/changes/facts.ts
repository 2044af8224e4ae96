// Owns what of a host is remembered to see it change: versions, packages, kernel, boot, files, time source, process.
// Pure: text in, values out. It refuses nothing: what cannot be read is not a fact.
import type { SeenChange } from '#wire'

type Kind = SeenChange['kind']

/** By `kind subject`; the value is what is compared and shown. */
export type Facts = ReadonlyMap<string, string>

/** Debian's lists have some 3,000 packages; others more. */
export const PACKAGES_MAX = 20_000
const VALUE_MAX = 256

export function factKey(kind: Kind, subject: string): string {
  return `${kind} ${subject}`
}

/** Installed packages of dpkg's status file, by name with architecture where there are two. */
export function readDpkgStatus(text: string): ReadonlyMap<string, string> {
  const packages = new Map<string, string>()
  for (const paragraph of text.split('\n\n')) {
    if (packages.size >= PACKAGES_MAX) break
    if (!/^Status: \S+ \S+ installed$/m.test(paragraph)) continue
    const name = /^Package: (\S+)$/m.exec(paragraph)?.[1]
    const version = /^Version: (\S+)$/m.exec(paragraph)?.[1]
    if (name === undefined || version === undefined) continue
    const architecture = /^Architecture: (\S+)$/m.exec(paragraph)?.[1]
    packages.set(packages.has(name) ? `${name}:${architecture ?? ''}` : name, version)
  }
  return packages
}

/** PRETTY_NAME of /etc/os-release; null without one. */
export function readOsName(text: string): string | null {
  const match = /^PRETTY_NAME=(?:"([^"\n]*)"|(.*))$/m.exec(text)
  return match?.[1] ?? match?.[2] ?? null
}

/** Daemons that keep time, by the name of their process. */
const timeDaemons = ['chronyd', 'ntpd', 'ntpsec', 'systemd-timesyn', 'ptp4l', 'openntpd'] as const

/** Which of them run: `chronyd`, or `none`. /proc/PID/comm has 15 characters. */
export function timeSourceOf(processNames: Iterable<string>): string {
  const names = new Set(processNames)
  const running = timeDaemons.filter(daemon => names.has(daemon))
  return running.length === 0 ? 'none' : running.join(', ')
}

/**
 * What differs. A process or a boot is news in itself: its old value says nothing to people.
 * `atMs` is fleet time.
 */
export function compareFacts(before: Facts, after: Facts, atMs: number): SeenChange[] {
  const changes: SeenChange[] = []
  for (const [key, to] of after) {
    const from = before.get(key)
    if (from === to) continue
    // A kind that was never seen begins to be watched: that is no change of the host.
    if (from === undefined && !hasKind(before, key)) continue
    changes.push(changeOf(key, from ?? null, to, atMs))
  }
  for (const [key, from] of before) {
    if (!after.has(key) && hasKind(after, key)) changes.push(changeOf(key, from, null, atMs))
  }
  return changes
}

function hasKind(facts: Facts, key: string): boolean {
  const kind = `${key.split(' ', 1)[0] ?? ''} `
  for (const other of facts.keys()) if (other.startsWith(kind)) return true
  return false
}

function changeOf(key: string, from: string | null, to: string | null, at: number): SeenChange {
  const space = key.indexOf(' ')
  const kind = key.slice(0, space) as Kind
  const subject = key.slice(space + 1).slice(0, VALUE_MAX)
  const isEvent = kind === 'boot' || kind === 'process'
  const shown = (value: string | null): string | null =>
    isEvent || value === null ? null : value.slice(0, VALUE_MAX)
  return {
    kind,
    subject: kind === 'boot' ? '' : subject,
    from: shown(from),
    to: shown(to),
    at: Math.round(at),
  }
}
