// Owns what of a host is remembered to see it change: versions, packages, kernel, boot, files, time source, process.
// Pure: text in, values out. It refuses nothing: what cannot be read is not a fact.
import { FACTS_MAX, type Fact, type FactKind, factKinds, type SeenChange } from '#wire'

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

/** A kernel parameter as one line: numbers a space apart, of choices the one in brackets. */
export function parameterOf(text: string | null): string | null {
  if (text === null) return null
  const chosen = /\[([^\]]+)\]/.exec(text)?.[1]
  return chosen ?? text.trim().replace(/\s+/g, ' ').slice(0, VALUE_MAX)
}

/** Processor, how many of them, and memory in whole MiB: kernels reserve some kilobytes more or less. */
export function hardwareOf(cpuinfo: string, meminfo: string): readonly (readonly [string, string])[] {
  const model = /^(?:model name|Model)\s*: (.+)$/m.exec(cpuinfo)?.[1]
  const cpus = cpuinfo.match(/^processor\s*:/gm)?.length ?? 0
  const kibibytes = /^MemTotal:\s+(\d+) kB$/m.exec(meminfo)?.[1]
  return [
    ...(model === undefined ? [] : [['processor', model.trim()] as const]),
    ...(cpus === 0 ? [] : [['processors', String(cpus)] as const]),
    ...(kibibytes === undefined ? [] : [['memory', `${Math.round(Number(kibibytes) / 1024)} MiB`] as const]),
  ]
}

/** As it is told whole: in one order, without events. */
export function factsToTell(facts: Facts): Fact[] {
  const told: Fact[] = []
  for (const [key, value] of facts) {
    const space = key.indexOf(' ')
    const [kind, subject] = [key.slice(0, space), key.slice(space + 1, space + 1 + VALUE_MAX)]
    if (isFactKind(kind)) told.push([kind, subject, value.slice(0, VALUE_MAX)])
  }
  return told.slice(0, FACTS_MAX)
}

function isFactKind(kind: string): kind is FactKind {
  return (factKinds as readonly string[]).includes(kind)
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
