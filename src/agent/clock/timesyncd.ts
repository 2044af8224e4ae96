// Owns reading `timedatectl show-timesync --all`: what systemd-timesyncd knows of its one server.
import { type DaemonReading, leapIndicator } from './time-source.ts'

const MICROSECONDS: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1e3,
  s: 1e6,
  min: 60e6,
  h: 3600e6,
}

export interface Timesyncd extends DaemonReading {
  readonly server: string
}

/** Null: it has heard no server yet, or does not run. */
export function readTimesyncd(text: string): Timesyncd | null {
  const server = /^ServerName=(\S{1,255})$/m.exec(text)?.[1]
  const message = /^NTPMessage=\{ (.{1,2000}) \}$/m.exec(text)?.[1]
  if (server === undefined || message === undefined) return null
  const fields = new Map(
    message.split(', ').map(part => {
      const at = part.indexOf('=')
      return [part.slice(0, at), part.slice(at + 1)] as const
    }),
  )
  const [leap, stratum] = [Number(fields.get('Leap')), Number(fields.get('Stratum'))]
  if (!Number.isInteger(leap) || !Number.isInteger(stratum)) return null
  return {
    daemon: 'timesyncd',
    server,
    stratum,
    leap: leapIndicator(leap),
    // Its timestamps are printed in whole seconds, which say no offset.
    offsetS: null,
    rootDelayS: readSpan(fields.get('RootDelay')),
    rootDispersionS: readSpan(fields.get('RootDispersion')),
    frequencyPpm: null,
  }
}

/** `1.5ms`, `2s 30ms`: systemd.time(7). 0 where it is left out or not understood. */
function readSpan(text = ''): number {
  let us = 0
  for (const [, amount, unit] of text.matchAll(/(\d{1,12}(?:\.\d{1,6})?)(us|ms|s|min|h)\b/g)) {
    us += Number(amount) * (MICROSECONDS[unit ?? ''] ?? 0)
  }
  return us / 1e6
}
