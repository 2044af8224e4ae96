// Owns telling the fault of 2012 from a busy machine and from a clock that is merely wrong. Pure.
// Load makes timers late and never early: without early timers it is not that fault, and nobody should touch the clock.
import type { CauseInput, Named } from './cause.ts'
import type { ServerFacts } from './facts.ts'

export const EARLY_TIMERS = 'RealtimeTimersEarly'
const LEAP_PENDING = 'UnexpectedLeapPending'
const OFF_S = 0.1
/** Cores of a server's group that a spinning program takes; a healthy edge needs a small part of one. */
const SPINS_CORES = 0.7
/** The same onset: alerts and figures lag by some seconds. */
const MIDNIGHT_MS = 10 * 60_000
const DAY_MS = 86_400_000

export function clock2012(input: CauseInput): Named | null {
  const early = serversOf(input, EARLY_TIMERS)
  if (early.length === 0) return null
  const stepped = [...new Set([...serversOf(input, 'ClockSteppedFar'), ...serversOf(input, 'ClockStepped')])]
  const spinning = early.filter(({ id }) => coresOf(input, id) >= SPINS_CORES)
  const others = input.servers.filter(server => !early.includes(server))
  const frozen = others.filter(({ reason }) => /process (frozen|hangs|runs but does not answer)/.test(reason))
  const names = early.map(({ id }) => id).join(', ')
  const also =
    frozen.length === 0
      ? ''
      : ` ${frozen.map(({ id }) => id).join(', ')} failed in the same moment: the process is frozen, its host alive.`
  const spins = spinning.length === 0 ? '' : ' and programs spin'
  const nearMidnight = sinceMidnight(input.openedAt) <= MIDNIGHT_MS
  return {
    kind: 'clock-2012',
    text: `As after the leap second of 2012: timers on the wall clock of ${names} fire early${spins}; setting the clock ends it, restarting programs does not.${also}`,
    // Nothing else makes a timer early.
    confidence: spinning.length > 0 ? 0.98 : 0.95,
    for: [
      ...early.map(
        ({ id }) => `${id}: timers on the wall clock fire before their time, those on MONOTONIC do not`,
      ),
      ...spinning.map(({ id }) => `${id}: its processes use ${coresOf(input, id).toFixed(1)} cores`),
      ...stepped.map(({ id }) => `${id}: its clock was set just before`),
      ...others.map(({ id, reason }) => `${id} since the same moment: ${reason}`),
      ...(nearMidnight ? ['it began at a UTC midnight, as a leap second does'] : []),
    ],
    against: [
      ...early
        .filter(server => !spinning.includes(server))
        .map(({ id }) => `${id}: its processes do not spin (yet): ${coresOf(input, id).toFixed(1)} cores`),
      ...(early.length < 2 ? ['only one server shows it'] : []),
      ...(nearMidnight
        ? []
        : ['it did not begin at a UTC midnight: no leap second, but a clock that was put back']),
    ],
  }
}

/** A flag harms nobody before midnight, and the clock is right until then: there is nothing to set. */
export function leapAnnounced(input: CauseInput): Named | null {
  const told = serversOf(input, LEAP_PENDING)
  if (told.length === 0) return null
  const stepped = [...serversOf(input, 'ClockSteppedFar'), ...serversOf(input, 'ClockStepped')]
  const off = told.filter(({ id }) => Math.abs(input.figures.get(id)?.clockOffsetS ?? 0) > OFF_S)
  const names = told.map(({ id }) => id).join(', ')
  const day = new Date(input.openedAt).toISOString().slice(0, 10)
  const isPlannedDay = /-(06-30|12-31)$/.test(day)
  const left = DAY_MS - (((input.openedAt % DAY_MS) + DAY_MS) % DAY_MS)
  return {
    kind: 'leap-announced',
    text: `A time source of ${names} announces a leap second that nobody plans: the flag is wrong. Clocks are right and need not be set; take that source away before midnight UTC.`,
    confidence: stepped.length > 0 ? 0.8 : 0.95,
    for: [
      ...told.map(({ id }) => `${id}: its kernel, its time daemon or a time server says so`),
      ...(isPlannedDay ? [] : [`${day}: leap seconds were only ever put at the end of June or December`]),
      'the bodies that plan leap seconds plan none',
      `it would take effect at midnight UTC, ${(left / 3_600_000).toFixed(1)} h later`,
    ],
    against: [
      ...(isPlannedDay ? [`${day} is a day on which there have been leap seconds`] : []),
      ...stepped.map(({ id }) => `${id}: its clock was set as well`),
      ...off.map(
        ({ id }) => `${id}: ${(input.figures.get(id)?.clockOffsetS ?? 0).toFixed(2)} s off fleet time`,
      ),
    ],
  }
}

/** Of a busy machine: what says that it is not the fault of 2012. */
export function notOf2012(input: CauseInput): string {
  return serversOf(input, EARLY_TIMERS).length > 0
    ? ''
    : 'timers do not fire early: it is not the fault of 2012, and setting the clock would not help'
}

function serversOf({ alerts, servers }: CauseInput, name: string): ServerFacts[] {
  const ids = new Set(alerts.flatMap(({ labels, server }) => (labels['alertname'] === name ? [server] : [])))
  return servers.filter(({ id }) => ids.has(id))
}

function coresOf({ figures }: CauseInput, id: string): number {
  return figures.get(id)?.ownCores ?? 0
}

function sinceMidnight(at: number): number {
  const inDay = ((at % DAY_MS) + DAY_MS) % DAY_MS
  return Math.min(inDay, DAY_MS - inDay)
}
