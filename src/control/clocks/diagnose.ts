// Owns saying in words whether clocks are sick as in the night of 30 June 2012, with the evidence for and against. Pure.
// It never says so without timers that fire early: a busy CPU alone is no reason to touch a clock.
import type { ClockDiagnosis } from '#wire'

/** Of one server, as far as it was measured; null: not measured, or its agent may not read it. */
export interface ClockFacts {
  readonly server: string
  /** Servers with the same one share a clock; empty: not known. */
  readonly hostId: string
  /** How early timers on the wall clock fire, and since when (fleet time in ms). */
  readonly earlyS: number | null
  readonly earlySince: number | null
  /** The kernel's timers against its wall clock. */
  readonly hrtimerErrorS: number | null
  readonly cores: number | null
  /** Cores in use by all of the host, and of these by the kernel. */
  readonly busyCores: number | null
  readonly systemCores: number | null
  readonly switchesPerS: number | null
  /** The median of the same server while it was well. */
  readonly switchesUsualPerS: number | null
  /** Those that use most of its CPU, in cores, by command name. */
  readonly processes: readonly { readonly name: string; readonly cpu: number }[]
  /** The last step of its wall clock, if it was made within the hour. */
  readonly stepS: number | null
}

/** The same as the alert RealtimeTimersEarly. */
const HRTIMER_ERROR_S = 0.5
/** What a leap second leaves behind; the probe sees it to some milliseconds. */
const LEAP_S = 1
const LEAP_NEAR_S = 0.05
/** A process that waits in vain takes at least so much of a core. */
const SPINNING_CORES = 0.2
const BUSY_SHARE = 0.7
/** A process that only computes hardly enters the kernel. */
const SYSTEM_SHARE = 0.25
/** 2012: 44,000 a second against 41. */
const SWITCHES_TIMES = 5
const SWITCHES_MIN = 5000
/** Agents look each second, and two of three looks decide. */
const TOGETHER_MS = 10_000
const MIDNIGHT_MS = 60_000
const DAY_MS = 86_400_000
const EVIDENCE_MAX = 12

export function isEarly({ earlyS, hrtimerErrorS }: ClockFacts): boolean {
  return (earlyS ?? 0) > 0 || Math.abs(hrtimerErrorS ?? 0) > HRTIMER_ERROR_S
}

/** One answer for all of them: what they have in common is evidence too. */
export function diagnoseClocks(facts: readonly ClockFacts[]): ClockDiagnosis {
  const early = facts.filter(isEarly)
  if (early.length > 0) return sick(early, facts)
  const busy = facts.filter(isBusy)
  const readable = facts.filter(canTell)
  if (busy.length > 0) return busyWithout(busy)
  if (readable.length === 0)
    return {
      kind: 'cannot-tell',
      text: 'Whether timers fire early is measured on no server.',
      advice: 'Nothing speaks for touching a clock.',
      confidence: 0,
      servers: [],
      for: [],
      against: [],
    }
  return {
    kind: 'none',
    text: 'No clock is sick as in 2012: no timer fires early, and no host spins.',
    advice: 'Nothing is to be done.',
    confidence: readable.length === facts.length ? 0.95 : 0.7,
    servers: [],
    for: [],
    against: [
      `timers on the wall clock fire in time on ${count(readable, 'server')}`,
      ...blind(facts.filter(one => !canTell(one))),
    ],
  }
}

function sick(early: readonly ClockFacts[], all: readonly ClockFacts[]): ClockDiagnosis {
  const marks = early.flatMap(one => [...timersOf(one), ...loadOf(one)])
  marks.push(...onsetOf(early))
  const well = all.filter(one => !isEarly(one) && canTell(one))
  const supported = marks.filter(({ speaks, weight }) => speaks === 'for' && weight > 0)
  const weight = supported.reduce((sum, one) => sum + one.weight, 0)
  const doubt = marks.reduce((sum, one) => sum + (one.speaks === 'against' ? one.weight : 0), 0)
  const spins = supported.some(({ about }) => about === 'spins')
  return {
    kind: '2012-class',
    text: `Timers of ${names(early)} fire before their time, as after the leap second of 2012${spins ? ', and unrelated programs spin' : ''}.`,
    advice:
      'Setting the clock ends it (runbook reset-clock); restarting programs does not. The runbook looks first whether time sources agree.',
    confidence: Math.min(0.98, Math.max(0.5, 0.7 + weight - doubt)),
    servers: early.map(({ server }) => server),
    for: marks
      .filter(({ speaks }) => speaks === 'for')
      .map(({ text }) => text)
      .slice(0, EVIDENCE_MAX),
    against: [
      ...marks.filter(({ speaks }) => speaks === 'against').map(({ text }) => text),
      ...(well.length > 0 ? [`timers of ${names(well)} fire in time`] : []),
    ].slice(0, EVIDENCE_MAX),
  }
}

function busyWithout(busy: readonly ClockFacts[]): ClockDiagnosis {
  const known = busy.filter(canTell)
  const unknown = busy.filter(one => !canTell(one))
  const loads = busy.flatMap(loadOf).filter(({ speaks }) => speaks === 'for')
  const shown = { servers: busy.map(({ server }) => server), for: loads.map(({ text }) => text) }
  if (known.length === 0)
    return {
      kind: 'cannot-tell',
      text: `The CPU of ${names(busy)} is busy, and whether timers fire early is not measured there.`,
      advice: 'Do not touch the clock on this evidence.',
      confidence: 0,
      ...shown,
      against: blind(unknown),
    }
  return {
    kind: 'busy-without-early-timers',
    text: `The CPU of ${names(busy)} is busy, but timers fire in time: this is not the fault of 2012.`,
    advice: 'Do not touch the clock: look at the processes.',
    confidence: 0.9,
    ...shown,
    against: [
      ...known.map(({ server }) => `${server}: timers on the wall clock fire in time`),
      ...blind(unknown),
    ],
  }
}

interface Mark {
  readonly speaks: 'for' | 'against'
  readonly about: 'timers' | 'spins' | 'onset'
  readonly text: string
  readonly weight: number
}

function timersOf({ server, earlyS, hrtimerErrorS, stepS }: ClockFacts): Mark[] {
  const marks: Mark[] = []
  if ((earlyS ?? 0) > 0) {
    const seconds = earlyS ?? 0
    const isSecond = Math.abs(seconds - LEAP_S) <= LEAP_NEAR_S
    const text = `${server}: timers on the wall clock fire ${words(seconds)} early${isSecond ? ', just the second that a leap second leaves' : ''}`
    marks.push({ speaks: 'for', about: 'timers', text, weight: isSecond ? 0.1 : 0 })
  } else if (earlyS === 0) {
    const text = `${server}: its probe does not see timers fire early`
    marks.push({ speaks: 'against', about: 'timers', text, weight: 0.1 })
  }
  if (hrtimerErrorS !== null) {
    const off = Math.abs(hrtimerErrorS) > HRTIMER_ERROR_S
    marks.push({
      speaks: off ? 'for' : 'against',
      about: 'timers',
      text: off
        ? `${server}: the kernel’s timers stand ${words(Math.abs(hrtimerErrorS))} from its clock (/proc/timer_list)`
        : `${server}: the kernel’s own timers agree with its clock (/proc/timer_list): something above the kernel may do this`,
      weight: 0.15,
    })
  }
  if (stepS !== null && stepS !== 0) {
    const text = `${server}: its clock was set by ${words(stepS)} within the hour`
    marks.push({ speaks: 'for', about: 'timers', text, weight: 0 })
  }
  return marks
}

function loadOf(facts: ClockFacts): Mark[] {
  const { server, cores, busyCores, systemCores, switchesPerS, switchesUsualPerS } = facts
  const marks: Mark[] = []
  const add = (speaks: Mark['speaks'], text: string, weight: number): void => {
    marks.push({ speaks, about: 'spins', text: `${server}: ${text}`, weight })
  }
  if (busyCores !== null && systemCores !== null) {
    const share = busyCores > 0 ? systemCores / busyCores : 0
    const high = systemCores >= SPINNING_CORES && share >= SYSTEM_SHARE
    const used = `${busyCores.toFixed(1)}${cores === null ? '' : ` of ${cores}`} cores in use, ${percent(share)} of it in the kernel`
    add(high ? 'for' : 'against', used, high ? 0.05 : 0.02)
  }
  if (switchesPerS !== null) {
    const usual = switchesUsualPerS ?? 0
    const high =
      switchesPerS >= SWITCHES_MIN && (switchesUsualPerS === null || switchesPerS >= SWITCHES_TIMES * usual)
    const than = switchesUsualPerS === null ? '' : `, usual are ${Math.round(usual)}`
    const text = `${Math.round(switchesPerS)} context switches a second${than}`
    add(high ? 'for' : 'against', text, high ? 0.05 : 0.02)
  }
  const spinning = spinners(facts)
  if (spinning.length >= 2)
    add('for', `${spinning.join(', ')} use CPU at once, and have nothing to do with each other`, 0.1)
  else if (spinning.length === 1 && facts.processes.length > 0)
    add('against', `${spinning[0] ?? ''} alone uses CPU`, 0.02)
  return marks
}

/** Commands of different names: threads and workers of one program are one. */
function spinners({ processes }: ClockFacts): string[] {
  const byName = new Map<string, number>()
  for (const { name, cpu } of processes) {
    const [family = name] = name.split(/[/:]/)
    byName.set(family, (byName.get(family) ?? 0) + cpu)
  }
  const busy = [...byName].filter(([, cpu]) => cpu >= SPINNING_CORES)
  return busy.toSorted(([, a], [, b]) => b - a).map(([name, cpu]) => `${name} (${cpu.toFixed(1)} cores)`)
}

/** The same moment on several hosts, and a UTC midnight: what a leap second has and no other fault. */
function onsetOf(early: readonly ClockFacts[]): Mark[] {
  const since = early.flatMap(({ earlySince }) => (earlySince === null ? [] : [earlySince]))
  const first = Math.min(...since)
  if (since.length === 0) return []
  const marks: Mark[] = []
  const add = (speaks: Mark['speaks'], text: string, weight: number): void => {
    marks.push({ speaks, about: 'onset', text, weight })
  }
  const hosts = new Set(early.map(({ hostId, server }) => (hostId === '' ? server : hostId)))
  const apart = Math.max(...since) - first
  if (hosts.size < 2) add('against', 'only one host has it', 0)
  else if (apart <= TOGETHER_MS)
    add('for', `it began on ${hosts.size} hosts within ${words(apart / 1000)}`, 0.1)
  else add('against', `it began ${words(apart / 1000)} apart on ${hosts.size} hosts`, 0.02)
  const after = ((first + MIDNIGHT_MS) % DAY_MS) - MIDNIGHT_MS
  if (after <= MIDNIGHT_MS)
    add('for', `it began at ${clockOf(first)} UTC, at midnight, when leap seconds happen`, 0.1)
  else add('against', `it began at ${clockOf(first)} UTC: no leap second happens then`, 0)
  return marks
}

function canTell({ earlyS, hrtimerErrorS }: ClockFacts): boolean {
  return earlyS !== null || hrtimerErrorS !== null
}

function isBusy({ cores, busyCores }: ClockFacts): boolean {
  return cores !== null && cores > 0 && busyCores !== null && busyCores / cores >= BUSY_SHARE
}

function blind(servers: readonly ClockFacts[]): string[] {
  return servers.length === 0 ? [] : [`not measured on ${names(servers)}`]
}

function names(servers: readonly ClockFacts[]): string {
  const ids = servers.map(({ server }) => server)
  return ids.length <= 3 ? ids.join(', ') : `${ids.slice(0, 2).join(', ')} and ${ids.length - 2} more`
}

function count(list: readonly unknown[], what: string): string {
  return `${list.length} ${what}${list.length === 1 ? '' : 's'}`
}

function words(seconds: number): string {
  const size = Math.abs(seconds)
  return size < 1 ? `${(seconds * 1000).toFixed(size < 0.01 ? 1 : 0)} ms` : `${seconds.toFixed(2)} s`
}

function clockOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19)
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
