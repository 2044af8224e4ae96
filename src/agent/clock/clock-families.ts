// Owns the names of what time daemons and time servers say. Pure: readings in, metrics out.
import type { MetricFamily, Timex } from '#base'
import type { ChronyTracking } from './chrony.ts'
import { gauge, gauges } from './gauge.ts'
import { type DaemonReading, type SourceReading, smears } from './time-source.ts'

const STA_INS = 0x10
const STA_DEL = 0x20
const STA_UNSYNC = 0x40

/** 1 a second will be inserted, -1 one will be deleted, 0 none: by the kernel's bits, which UNSYNC does not hide. */
export function leapPending({ status }: Pick<Timex, 'status'>): -1 | 0 | 1 {
  if ((status & STA_INS) !== 0) return 1
  return (status & STA_DEL) !== 0 ? -1 : 0
}

export function kernelFamilies(timex: Timex | null): MetricFamily[] {
  return gauge(
    'vitrine_clock_leap_pending',
    'The kernel will insert (1) or delete (-1) a second at the end of the UTC day. No leap second is planned: look where the flag comes from.',
    timex === null ? null : leapPending(timex),
  )
}

/** How far off the clock may be: by its daemon, else by the kernel where somebody keeps it. */
export function boundFamilies(daemon: DaemonReading | null, timex: Timex | null): MetricFamily[] {
  return gauge(
    'vitrine_clock_error_bound_seconds',
    'Most that this clock may be off by what its daemon or the kernel knows. Above 0.1: look at its time sources.',
    errorBoundS(daemon, timex),
  )
}

function errorBoundS(daemon: DaemonReading | null, timex: Timex | null): number | null {
  if (daemon?.offsetS != null && daemon.leap !== 3) {
    return Math.abs(daemon.offsetS) + daemon.rootDispersionS + daemon.rootDelayS / 2
  }
  return timex === null || (timex.status & STA_UNSYNC) !== 0 ? null : timex.maxErrorUs / 1e6
}

export function daemonFamilies(daemon: DaemonReading | ChronyTracking | null): MetricFamily[] {
  const known = ['chrony', 'ntp', 'timesyncd'] as const
  const running = gauges(
    'vitrine_clock_daemon',
    '1 for the time daemon that answers on this host. None: nobody keeps its clock, or the agent may not ask.',
    known.map(name => [{ daemon: name }, daemon?.daemon === name ? 1 : 0]),
  )
  if (daemon === null) return running
  return [
    ...running,
    ...gauge(
      'vitrine_clock_daemon_leap_indicator',
      '0 none, 1 a second is inserted, 2 one is deleted, 3 not synchronised, by the time daemon.',
      daemon.leap,
    ),
    ...gauge(
      'vitrine_clock_daemon_offset_seconds',
      'What the time daemon still has to correct; ahead is positive.',
      daemon.offsetS,
    ),
    ...('lastOffsetS' in daemon ? chronyFamilies(daemon) : []),
  ]
}

/** As chrony_exporter names them. */
function chronyFamilies(tracking: ChronyTracking): MetricFamily[] {
  const one = (name: string, help: string, value: number): MetricFamily[] =>
    gauge(`chrony_tracking_${name}`, help, value)
  return [
    ...one('stratum', 'Distance from a reference clock. 16: not synchronised.', tracking.stratum),
    ...one('system_time_seconds', 'Offset that chronyd still slews away.', tracking.offsetS),
    ...one('last_offset_seconds', 'Offset at the last update.', tracking.lastOffsetS),
    ...one('rms_offset_seconds', 'Long-term average of the offset.', tracking.rmsOffsetS),
    ...one('frequency_ppms', 'How fast this clock runs wrong, uncorrected.', tracking.frequencyPpm ?? 0),
    ...one('residual_frequency_ppms', 'What the last update said about the frequency.', tracking.residualPpm),
    ...one('skew_ppms', 'How well the frequency is known.', tracking.skewPpm),
    ...one('root_delay_seconds', 'Round trip to the reference clock.', tracking.rootDelayS),
    ...one('root_dispersion_seconds', 'What the way to the reference clock adds.', tracking.rootDispersionS),
    ...one('update_interval_seconds', 'Between the last two updates.', tracking.updateIntervalS),
  ]
}

/** `named`: by SNTP. `server` comes from a closed set: what is configured, at most eight. */
export function sourceFamilies(
  sources: readonly SourceReading[],
  daemonServers: readonly string[],
): MetricFamily[] {
  const each = (of: (source: SourceReading) => number | null): [{ server: string }, number][] =>
    sources.flatMap(source => {
      const value = of(source)
      return value === null ? [] : [[{ server: source.server }, value]]
    })
  return [
    ...gauges(
      'vitrine_clock_source_leap_indicator',
      'Leap bits of each time server: 1 or 2 say that a second will be inserted or deleted, which none should.',
      each(source => source.leap),
    ),
    ...gauges(
      'vitrine_clock_source_offset_seconds',
      'This clock minus each time server’s. Servers that differ from each other: one of them lies.',
      each(source => source.offsetS),
    ),
    ...gauges(
      'vitrine_clock_source_rtt_seconds',
      'Round trip to each time server.',
      each(({ rttS }) => rttS),
    ),
    ...gauges(
      'vitrine_clock_source_stratum',
      'Distance of each time server from a reference clock.',
      each(({ stratum }) => stratum),
    ),
    ...smearFamilies([...new Set([...sources.map(({ server }) => server), ...daemonServers])]),
  ]
}

function smearFamilies(servers: readonly string[]): MetricFamily[] {
  const smearing = servers.filter(smears).length
  return gauges(
    'vitrine_clock_sources',
    'Time servers by whether they smear leap seconds. Both kinds on one host: it is half a second off around one.',
    [
      [{ smear: 'yes' }, smearing],
      [{ smear: 'no' }, servers.length - smearing],
    ],
  )
}
