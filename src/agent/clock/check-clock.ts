// Owns looking at a host's clock before and after a runbook sets it: whether at least two independent time servers agree,
// and whether the clock is well. It refuses to call one reference an agreement, and never sets anything.
import { lookup } from 'node:dns/promises'
import { type Clock, readTimex } from '#base'
import { leapPending } from './clock-families.ts'
import { earlyMs, probeEarly } from './early-timers.ts'
import { ask, hostPort } from './sntp.ts'

/** As the alert TimeSourcesDisagree. */
const DISAGREE_S = 0.1
const OFFSET_S_MAX = 0.05
const SOURCES_MIN = 2
/** Around a runbook four packets, two seconds apart; the one with the least delay counts. */
const PACKETS = 4
const PACKET_PAUSE_MS = 2000
const PROBES = 3
const PROBE_MS = 50

export interface CheckedSource {
  readonly server: string
  /** `address:port`; two names of one server are one witness. Null: it has no address. */
  readonly address: string | null
  /** This clock minus the server's; null: it does not answer. */
  readonly offsetS: number | null
  readonly rttS: number | null
  readonly leap: number | null
  readonly stratum: number | null
  /** Kiss-o'-death: it wants to be left alone. */
  readonly kiss: string | null
}

export interface CheckedClock {
  /** `cannot-tell`: fewer than two independent time servers answer. */
  readonly word: 'ok' | 'refused' | 'cannot-tell'
  readonly text: string
  readonly offsetS: number | null
  readonly sources: readonly CheckedSource[]
  /** With `verify`: probes of three that fired early, and the kernel's leap bits; null: not measured. */
  readonly early: number | null
  readonly leapPending: number | null
}

export interface CheckOptions {
  readonly servers: readonly string[]
  /** After the clock was set: it must be right as well. */
  readonly verify: boolean
  readonly clock: Clock
  readonly packets?: number
}

export async function checkClock({
  servers,
  verify,
  clock,
  packets = PACKETS,
}: CheckOptions): Promise<CheckedClock> {
  const sources = await Promise.all(servers.map(server => look(server, clock, packets)))
  const timex = verify ? readTimex() : null
  const early = verify ? await probes() : null
  return judgeClock(
    sources,
    verify ? { early, leapPending: timex === null ? null : leapPending(timex) } : null,
  )
}

interface Own {
  readonly early: number | null
  readonly leapPending: number | null
}

/** Pure. `own` null: the clock itself is not judged. */
export function judgeClock(sources: readonly CheckedSource[], own: Own | null): CheckedClock {
  const byAddress = new Map<string, CheckedSource>()
  for (const one of sources)
    if (one.address !== null && one.offsetS !== null && one.kiss === null) byAddress.set(one.address, one)
  const told = [...byAddress.values()]
  const offsetS = told.length === 0 ? null : middle(told.map(one => one.offsetS ?? 0))
  const shown = { offsetS, sources, early: own?.early ?? null, leapPending: own?.leapPending ?? null }
  const problems = [...referenceProblems(told), ...(own === null ? [] : ownProblems(own, offsetS, told))]
  if (problems.length > 0) return { word: 'refused', text: problems.join('; '), ...shown }
  if (told.length < SOURCES_MIN) {
    const silent = sources
      .filter(one => one.offsetS === null || one.kiss !== null)
      .map(({ server }) => server)
    const who = silent.length === 0 ? '' : `; no answer from ${silent.join(', ')}`
    const text = `${told.length} independent time servers answer, at least ${SOURCES_MIN} are needed${who}`
    return { word: 'cannot-tell', text, ...shown }
  }
  const off = `this clock is ${ms(offsetS ?? 0)} off`
  return { word: 'ok', text: `${told.length} independent time servers agree; ${off}`, ...shown }
}

function referenceProblems(told: readonly CheckedSource[]): string[] {
  const problems = told
    .filter(({ leap, stratum }) => leap === 3 || stratum === 0 || (stratum ?? 1) >= 16)
    .map(({ server }) => `${server} says that it is not synchronised`)
  for (const [place, a] of told.entries()) {
    for (const b of told.slice(place + 1)) {
      const apart = Math.abs((a.offsetS ?? 0) - (b.offsetS ?? 0))
      // What the way to them hides is no disagreement.
      if (apart <= Math.max(DISAGREE_S, ((a.rttS ?? 0) + (b.rttS ?? 0)) / 2)) continue
      problems.push(`${a.server} and ${b.server} differ by ${ms(apart)}`)
    }
  }
  return problems
}

function ownProblems(
  { early, leapPending: leap }: Own,
  offsetS: number | null,
  told: readonly CheckedSource[],
): string[] {
  const problems: string[] = []
  if (early !== null && early > 0) problems.push(`${early} of ${PROBES} timers on the wall clock fired early`)
  if (offsetS !== null && Math.abs(offsetS) >= OFFSET_S_MAX) problems.push(`this clock is ${ms(offsetS)} off`)
  if (leap !== null && leap !== 0) problems.push('the kernel expects a leap second')
  for (const { server, leap: flag } of told)
    if (flag === 1 || flag === 2) problems.push(`${server} says that a leap second comes`)
  return problems
}

async function look(server: string, clock: Clock, packets: number): Promise<CheckedSource> {
  const { host, port } = hostPort(server)
  const none = { server, offsetS: null, rttS: null, leap: null, stratum: null, kiss: null }
  const address = await lookup(host).catch(() => null)
  if (address === null) return { ...none, address: null }
  let best: CheckedSource = { ...none, address: `${address.address}:${port}` }
  for (let packet = 0; packet < packets; packet += 1) {
    if (packet > 0) await new Promise(resolve => setTimeout(resolve, PACKET_PAUSE_MS))
    const asked = await ask(address.address, port, clock)
    if (asked === null) continue
    const { leap, stratum, kiss } = asked.answer
    // It asks to be left alone.
    if (kiss !== null) return { ...best, offsetS: null, kiss }
    const { offsetS, rttS } = asked
    const isBest = best.rttS === null || rttS < best.rttS
    best = { ...best, ...(isBest ? { offsetS, rttS } : {}), leap, stratum }
  }
  return best
}

/** Null: it cannot be done here. */
async function probes(): Promise<number | null> {
  let early = 0
  for (let turn = 0; turn < PROBES; turn += 1) {
    const probe = await probeEarly(PROBE_MS)
    const seen = probe === null ? null : earlyMs(probe)
    if (seen === null) return null
    if (seen > 0) early += 1
  }
  return early
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2
}

function ms(seconds: number): string {
  const size = Math.abs(seconds)
  return size < 1 ? `${(seconds * 1000).toFixed(1)} ms` : `${seconds.toFixed(2)} s`
}
