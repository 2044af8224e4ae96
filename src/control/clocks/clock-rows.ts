// Owns what one server's row of the clocks page says, in figures and in words. Pure.
import { clockWords } from '#base'
import type { ClockRow, ServerView } from '#wire'
import { type ClockReadings, first, type Readings } from './read-clocks.ts'

/** As the alert ClockOffset. */
const OFFSET_S_MAX = 0.05
/** As the alert TimeSourcesDisagree. */
const DISAGREE_S = 0.1
/** As node-mixin: the end of what the kernel believes of a clock that nobody keeps. */
const UNKEPT_ERROR_S = 16
const STEP_S_MIN = 0.1
/** Of normally spread values one in a billion lies further out. */
const SPREADS = 6
const MAD_SCALE = 1.4826
const OUTLIER_S_MIN = 0.01
const OUTLIER_OF = 3

const OFFSET = 'vitrine_clock_fleet_offset_seconds'
/** By the control room, from the `Date` header of an answer: to the second. */
const SEEN = 'vitrine_probe_clock_offset_seconds'
const SEEN_S_MIN = 2
const PARTS: Readonly<Record<string, string>> = {
  kernel: 'what the kernel says of its clock',
  timers: 'whether timers fire early',
  'timer-list': '/proc/timer_list (needs root)',
  daemon: 'the time daemon',
}

export function clockRows(servers: readonly ServerView[], readings: ClockReadings): ClockRow[] {
  const measured = servers.filter(
    ({ id, role }) => readings.servers.has(id) || (role !== 'control' && role !== 'foreign'),
  )
  const far = outliers(measured.map(({ id }) => [id, offsetOf(readings.servers.get(id)).offsetS]))
  return measured.map(server => rowOf(server, readings, far.has(server.id)))
}

function rowOf({ id, role, region, tags }: ServerView, readings: ClockReadings, outlier: boolean): ClockRow {
  const own = readings.servers.get(id)
  const of = (name: string): number | null => first(own, name)
  const stepAt = readings.stepAt.get(id) ?? null
  const shown = {
    ...offsetOf(own),
    outlier,
    errorBoundS: of('vitrine_clock_error_bound_seconds'),
    daemon: own?.get('vitrine_clock_daemon')?.find(({ value }) => value === 1)?.labels['daemon'] ?? null,
    synchronised: synchronised(own),
    leapPending: of('vitrine_clock_leap_pending'),
    sources: sourcesOf(own),
    smear: smearOf(own),
    earlyS: of('vitrine_clock_realtime_timer_early_seconds'),
    earlySince: readings.earlySince.get(id) ?? null,
    hrtimerErrorS: of('vitrine_clock_hrtimer_offset_error_seconds'),
    stepS: of('vitrine_clock_step_seconds'),
    stepAt,
    steps: sum(own, 'vitrine_clock_steps_total'),
    unreadable: (own?.get('vitrine_clock_readable') ?? [])
      .filter(({ value }) => value === 0)
      .map(({ labels }) => PARTS[labels['part'] ?? ''] ?? labels['part'] ?? ''),
  }
  return { id, name: tags.name ?? id, role, region, ...shown, ...wordsOf(shown) }
}

/** Its agent's word; without it what was seen from outside, where that is more than its grain. */
function offsetOf(own: Readings | undefined): Pick<ClockRow, 'offsetS' | 'fromOutside'> {
  const [told, seen] = [first(own, OFFSET), first(own, SEEN)]
  const isSeen = told === null && seen !== null && Math.abs(seen) >= SEEN_S_MIN
  return { offsetS: isSeen ? seen : told, fromOutside: isSeen }
}

type Shown = Omit<ClockRow, 'id' | 'name' | 'role' | 'region' | 'word' | 'text'>

function wordsOf(row: Shown): Pick<ClockRow, 'word' | 'text'> {
  const sick = [
    (row.earlyS ?? 0) > 0 ? `timers fire ${seconds(row.earlyS ?? 0)} before their time` : null,
    Math.abs(row.hrtimerErrorS ?? 0) > 0.5
      ? `the kernel’s timers stand ${seconds(Math.abs(row.hrtimerErrorS ?? 0))} from its clock`
      : null,
    row.leapPending === null || row.leapPending === 0
      ? null
      : `its kernel will ${row.leapPending > 0 ? 'insert' : 'delete'} a second at midnight UTC, and none is planned`,
    ...row.sources
      .filter(({ leap }) => leap === 1 || leap === 2)
      .map(({ server }) => `${server} says that a leap second comes, and none is planned`),
  ].filter(text => text !== null)
  const offsets = row.sources.flatMap(({ offsetS }) => (offsetS === null ? [] : [offsetS]))
  const apart = Math.max(...offsets) - Math.min(...offsets)
  const warn = [
    row.offsetS !== null && Math.abs(row.offsetS) > OFFSET_S_MAX
      ? row.fromOutside
        ? `${clockWords(row.offsetS)} by the date of its answers, while its agent is not heard: over TLS a clock so far off refuses everybody`
        : `${seconds(Math.abs(row.offsetS))} ${row.offsetS > 0 ? 'ahead of' : 'behind'} fleet time`
      : row.outlier
        ? 'far from the others'
        : null,
    row.stepAt !== null && Math.abs(row.stepS ?? 0) > STEP_S_MIN
      ? `was set by ${signed(row.stepS ?? 0)} within the hour`
      : null,
    row.synchronised === false && row.daemon !== null ? `${row.daemon} runs and does not keep it` : null,
    offsets.length > 1 && apart > DISAGREE_S ? `its time servers differ by ${seconds(apart)}` : null,
    row.smear !== null && row.smear.yes > 0 && row.smear.no > 0
      ? 'some of its time servers smear leap seconds and some do not'
      : null,
  ].filter(text => text !== null)
  if (sick.length > 0) return { word: 'sick', text: [...sick, ...warn].join('; ') }
  if (warn.length > 0) return { word: 'warn', text: warn.join('; ') }
  if (row.offsetS === null && row.earlyS === null) return { word: 'unknown', text: 'nothing is measured' }
  // A state of the machine and no failure of it.
  const kept = row.synchronised === false ? '; no time daemon is running' : ''
  return { word: 'ok', text: `in time with the fleet${kept}` }
}

/** chronyd without rtcsync leaves the kernel's bit unset while it is in sync: the bound is asked as well. */
function synchronised(own: Readings | undefined): boolean | null {
  const status = first(own, 'node_timex_sync_status')
  if (status === null) return null
  return status === 1 || (first(own, 'node_timex_maxerror_seconds') ?? 0) < UNKEPT_ERROR_S
}

function sourcesOf(own: Readings | undefined): ClockRow['sources'] {
  const by = (name: string): Map<string, number> =>
    new Map((own?.get(name) ?? []).map(({ labels, value }) => [labels['server'] ?? '', value]))
  const [leap, offset, rtt, stratum] = [
    by('vitrine_clock_source_leap_indicator'),
    by('vitrine_clock_source_offset_seconds'),
    by('vitrine_clock_source_rtt_seconds'),
    by('vitrine_clock_source_stratum'),
  ]
  return [...new Set([...leap.keys(), ...offset.keys()])].toSorted().map(server => ({
    server,
    leap: leap.get(server) ?? null,
    offsetS: offset.get(server) ?? null,
    rttS: rtt.get(server) ?? null,
    stratum: stratum.get(server) ?? null,
  }))
}

function smearOf(own: Readings | undefined): ClockRow['smear'] {
  const readings = own?.get('vitrine_clock_sources')
  if (readings === undefined) return null
  const of = (smear: string): number => readings.find(({ labels }) => labels['smear'] === smear)?.value ?? 0
  const [yes, no] = [of('yes'), of('no')]
  return yes + no === 0 ? null : { yes, no }
}

function sum(own: Readings | undefined, name: string): number | null {
  const readings = own?.get(name)
  return readings === undefined ? null : readings.reduce((all, { value }) => all + value, 0)
}

/** Those that stand apart from the middle of at least three. */
export function outliers(offsets: readonly (readonly [id: string, offsetS: number | null])[]): Set<string> {
  const known = offsets.flatMap(([id, offset]) => (offset === null ? [] : [[id, offset] as const]))
  if (known.length < OUTLIER_OF) return new Set()
  const middle = median(known.map(([, offset]) => offset))
  const spread = median(known.map(([, offset]) => Math.abs(offset - middle)))
  const far = Math.max(OUTLIER_S_MIN, SPREADS * MAD_SCALE * spread)
  return new Set(known.filter(([, offset]) => Math.abs(offset - middle) > far).map(([id]) => id))
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function seconds(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`
  if (value < 120) return `${value.toFixed(2)} s`
  if (value < 7200) return `${Math.round(value / 60)} min`
  return value < 172_800 ? `${(value / 3600).toFixed(1)} h` : `${Math.round(value / 86_400)} days`
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${seconds(Math.abs(value))}`
}
