// Owns which time servers this host is configured to use: nothing else is ever asked, unless the operator names it.
import { readFileSync } from 'node:fs'

const FILES: readonly string[] = [
  '/etc/chrony/chrony.conf',
  '/etc/chrony.conf',
  '/etc/ntpsec/ntp.conf',
  '/etc/ntp.conf',
]
const TIMESYNCD = '/etc/systemd/timesyncd.conf'
const SOURCES_MAX = 8
const CHARACTERS_MAX = 256 * 1024
const NAME = /^[a-zA-Z0-9.:[\]-]{1,262}$/
const LINE = /^[ \t]*(?:server|pool|peer)[ \t]+(\S+)(?:[ \t][^\n]*?\bport[ \t]+(\d{1,5})\b)?/gm

/** `server NAME [... port N]`, `pool NAME ...`, `peer NAME ...` of chrony and ntp. Pure. */
export function readSourceLines(text: string): string[] {
  return [...text.matchAll(LINE)].map(([, name = '', port]) => {
    if (port === undefined) return name
    return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`
  })
}

/** `NTP=` and, where that is empty, `FallbackNTP=` of timesyncd.conf(5), names apart by spaces. Pure. */
export function readTimesyncdLines(text: string): string[] {
  const list = (key: string): string[] =>
    [...text.matchAll(new RegExp(`^[ \\t]*${key}=(.*)$`, 'gm'))].flatMap(([, names = '']) =>
      names.split(/\s+/).filter(name => name !== ''),
    )
  const own = list('NTP')
  return own.length > 0 ? own : list('FallbackNTP')
}

/** Names of hosts, at most eight, each once; reference clocks of ntp (127.127.x.x) left out. */
export function configuredSources(read: (file: string) => string | null = readText): string[] {
  const names = FILES.flatMap(file => readSourceLines(read(file) ?? ''))
  names.push(...readTimesyncdLines(read(TIMESYNCD) ?? ''))
  const usable = names.filter(name => NAME.test(name) && !name.startsWith('127.127.'))
  return [...new Set(usable)].slice(0, SOURCES_MAX)
}

function readText(file: string): string | null {
  try {
    const text = readFileSync(file, 'utf8')
    return text.length > CHARACTERS_MAX ? null : text
  } catch {
    return null
  }
}
