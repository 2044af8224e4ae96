// Owns what a measurement means for a new edge: passed or failed, in words with its figures, and what to do. Pure.
import { isLoopback } from '#base'
import type { CheckState, SelfStep } from '#wire'
import type { Door, DoorAddress } from './door.ts'

export interface Verdict {
  readonly state: CheckState
  readonly text: string
  readonly advice: string | null
}

/** Players and logs do not mind less; samples are stamped in fleet time whatever it is. */
export const CLOCK_OFFSET_MS_MAX = 50
/** Below it misses wait for the disk: ten seconds of video at 16 Mbit/s. */
export const DISK_BYTES_S_MIN = 20e6
/** A first viewer of a cold title must be fed faster than it plays, beside others. */
export const ORIGIN_SPEED_RATIO_MIN = 2
export const ORIGIN_FIRST_BYTE_MS_MAX = 1000
export const CERTIFICATE_DAYS_MIN = 7
const CERTIFICATE_DAYS_SOON = 21

export const pass = (text: string, advice: string | null = null): Verdict => ({
  state: 'passed',
  text,
  advice,
})
export const fail = (text: string, advice: string): Verdict => ({ state: 'failed', text, advice })

/** Of what the edge measured itself; null: it has not ended. */
export function selfVerdict(step: SelfStep, bitrateBps: number, warmed: string): Verdict | null {
  if (step.state === 'skipped')
    return { state: 'skipped', text: `Not measured: ${step.problem ?? ''}.`, advice: null }
  if (step.state !== 'passed' && step.state !== 'failed') return null
  switch (step.step) {
    case 'clock':
      return clockVerdict(step.offsetMs ?? 0)
    case 'disk':
      return diskVerdict(step)
    case 'origin':
      return originVerdict(step, bitrateBps)
    case 'warm':
      return warmVerdict(step, warmed)
    default:
      return step.step satisfies never
  }
}

/** Of a step that goes on. */
export function progressText(step: SelfStep): string {
  if (step.step !== 'warm' || step.bytes === undefined) return ''
  return `${size(step.bytes)} in ${step.objects ?? 0} objects, ${step.titles ?? 0} of ${step.titlesOf ?? 0} titles.`
}

function clockVerdict(offsetMs: number): Verdict {
  const size = Math.abs(offsetMs)
  const amount = size < 1000 ? `${size.toFixed(size < 10 ? 1 : 0)} ms` : `${(size / 1000).toFixed(1)} s`
  const text = `${amount} ${offsetMs < 0 ? 'behind' : 'ahead of'} fleet time.`
  if (size <= CLOCK_OFFSET_MS_MAX) return pass(text)
  return fail(
    text,
    `Expected at most ${CLOCK_OFFSET_MS_MAX} ms: run a time service there (chronyd or systemd-timesyncd).`,
  )
}

function diskVerdict({ state, problem, bytes = 0, ms = 0 }: SelfStep): Verdict {
  if (state === 'failed') {
    return fail(
      `Its cache folder takes no bytes: ${problem ?? ''}.`,
      'Free space on that disk, or name another folder with --data.',
    )
  }
  const speed = perSecond(bytes, ms)
  const text = `${rate(speed)} written and synced (${size(bytes)} in ${(ms / 1000).toFixed(1)} s).`
  if (speed >= DISK_BYTES_S_MIN) return pass(text)
  return fail(text, `Expected ${rate(DISK_BYTES_S_MIN)}: put its data folder on a faster disk.`)
}

function originVerdict(step: SelfStep, bitrateBps: number): Verdict {
  const { state, problem, bytes = 0, ms = 0, firstByteMs = 0 } = step
  if (state === 'failed') {
    return fail(
      `No segment came: ${problem ?? ''}.`,
      'Open the origin’s port to this edge (vitrine doctor --firewall origin), and see whether the origin is healthy.',
    )
  }
  const speed = perSecond(bytes, ms)
  const needed = (bitrateBps * ORIGIN_SPEED_RATIO_MIN) / 8
  const text = `${rate(speed)}, first byte after ${millis(firstByteMs)} (${size(bytes)} of real segments).`
  if (speed < needed) {
    return fail(
      text,
      `The best quality needs ${rate(needed)} for one viewer: look for a slow line or a busy origin.`,
    )
  }
  if (firstByteMs > ORIGIN_FIRST_BYTE_MS_MAX) {
    return fail(
      text,
      `Expected a first byte within ${ORIGIN_FIRST_BYTE_MS_MAX} ms: the origin is far away or busy.`,
    )
  }
  return pass(text)
}

function warmVerdict(
  { state, problem, bytes = 0, objects = 0, titles = 0, titlesOf = 0 }: SelfStep,
  warmed: string,
): Verdict {
  const text = `${size(bytes)} in ${objects} objects, ${titles} of ${titlesOf} titles${warmed === '' ? '' : `: ${warmed}`}.`
  if (state === 'failed')
    return fail(`${text} Then: ${problem ?? ''}.`, 'See whether the origin is healthy, and check again.')
  return pass(text)
}

/** What the name resolves to, against who answers there. `channel`: where its own connections come from. */
export function dnsVerdict(door: Door, server: string, channel: string | null): Verdict {
  const { host } = door
  if (door.unresolved !== null) {
    const address = channel === null || isLoopback(channel) ? 'its public address' : channel
    return fail(
      `${host} does not resolve: ${door.unresolved}.`,
      `Make an A or AAAA record for ${host} that holds ${address}.`,
    )
  }
  const wrong = door.addresses.find(one => !one.isOutOfReach && one.edge !== server)
  if (wrong !== undefined) return wrongAddress(wrong, door, server)
  const tried = door.addresses.filter(one => !one.isOutOfReach)
  if (tried.length === 0) {
    return fail(
      `${list(door.addresses)} cannot be reached from the control room’s host, which has no IPv6.`,
      `Give ${host} an IPv4 address too, or give IPv6 to the control room’s host.`,
    )
  }
  const untried = door.addresses.filter(one => one.isOutOfReach)
  const beside =
    untried.length === 0 ? '' : ` ${list(untried)} could not be tried: the control room’s host has no IPv6.`
  if (door.isLiteral) {
    const kind = isLoopback(host) ? 'a loopback address, for this machine alone' : 'a literal address'
    return pass(`${host} is ${kind}: there is no name to resolve. ${server} answers there.`)
  }
  const from = bare(channel)
  const other =
    from === null || door.addresses.some(({ address }) => address === from)
      ? ''
      : ` Its own connections come from ${from}.`
  return pass(`${host} is ${list(tried)}, where ${server} answers.${other}${beside}`)
}

function wrongAddress(
  { address, edge, problem }: DoorAddress,
  { host, isLiteral }: Door,
  server: string,
): Verdict {
  const name = isLiteral ? host : `${host} is ${address}, which`
  if (problem !== null) {
    return fail(
      `${name} does not answer as ${server}: ${problem}.`,
      `Let ${server} listen there and open its port, or take the address out of DNS.`,
    )
  }
  const who = edge ?? 'somebody who is no edge of Vitrine'
  return fail(
    `${name} answers as ${who}, not as ${server}.`,
    `Set the record of ${host} to the address of ${server}, or correct its --public-url.`,
  )
}

export function certificateVerdict(door: Door): Verdict {
  const { host } = door
  if (!door.isTls) {
    if (isLoopback(host)) return pass('Plain HTTP on loopback: no certificate is needed.')
    return fail(
      'Plain HTTP off loopback: browsers will not play from it on a page with TLS.',
      'Give it --tls-cert and --tls-key, or a proxy that ends TLS.',
    )
  }
  const shown = door.addresses.flatMap(({ certificate }) => certificate ?? [])
  const worst =
    shown.find(({ problem }) => problem !== null) ??
    shown.toSorted((a, b) => (a.daysLeft ?? 0) - (b.daysLeft ?? 0))[0]
  if (worst === undefined)
    return fail(
      `No certificate was shown for ${host}.`,
      'Give it --tls-cert and --tls-key, and open its port.',
    )
  const days = Math.floor(worst.daysLeft ?? 0)
  const facts = `from ${worst.issuer}, ${days} ${days === 1 ? 'day' : 'days'} left, a chain of ${worst.chain}`
  if (worst.problem !== null) {
    return fail(
      `Viewers refuse it: ${worst.problem} (${facts}).`,
      `Give --tls-cert a full chain that a public authority made for ${host}.`,
    )
  }
  if (days < CERTIFICATE_DAYS_MIN)
    return fail(
      `Valid for ${host}, but ends soon: ${facts}.`,
      'Renew it; the files are read again by themselves.',
    )
  return pass(`Valid for ${host}: ${facts}.`, days < CERTIFICATE_DAYS_SOON ? 'Renew it soon.' : null)
}

const list = (addresses: readonly DoorAddress[]): string => addresses.map(({ address }) => address).join(', ')

/** `::ffff:192.0.2.1` is an IPv4 peer of a socket that takes both. */
export function bare(address: string | null): string | null {
  return address === null ? null : address.replace(/^::ffff:(?=\d+\.)/, '')
}

function perSecond(bytes: number, ms: number): number {
  return ms <= 0 ? 0 : (bytes * 1000) / ms
}

export function millis(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
}

function rate(bytesPerSecond: number): string {
  return bytesPerSecond < 1e6
    ? `${Math.round(bytesPerSecond / 1e3)} kB/s`
    : `${(bytesPerSecond / 1e6).toFixed(bytesPerSecond < 1e8 ? 1 : 0)} MB/s`
}
