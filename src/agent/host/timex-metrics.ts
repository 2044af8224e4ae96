// Owns what the kernel says of its own clock, under node_exporter's names. It refuses to guess where the kernel does
// not tell: then there are no such metrics.
import { type MetricFamily, readTimex, type Timex } from '#base'

const TIME_ERROR = 5 // the return code of adjtimex(2) for a clock that nobody keeps
const STA_NANO = 0x2000
const SCALED_PPM = 65_536e6 // a frequency of 1 ppm is 65536

/** Empty where it cannot be read. */
export function timexFamilies(timex: Timex | null = readTimex()): MetricFamily[] {
  if (timex === null) return []
  const { state, status, offset, frequency, maxErrorUs, estimatedErrorUs, taiOffsetS } = timex
  const unit = (status & STA_NANO) === 0 ? 1e6 : 1e9
  return [
    gauge(
      'node_timex_offset_seconds',
      'What the time daemon still has to correct on this host. Far from 0: its clock is off.',
      offset / unit,
    ),
    gauge(
      'node_timex_maxerror_seconds',
      'Most that the clock may be off, by the kernel. It grows while nobody keeps it; 16 is its end.',
      maxErrorUs / 1e6,
    ),
    gauge(
      'node_timex_estimated_error_seconds',
      'How far off the clock is held to be.',
      estimatedErrorUs / 1e6,
    ),
    gauge(
      'node_timex_sync_status',
      '0: nobody keeps this clock. chronyd without rtcsync shows 0 too: look at the maximum error.',
      state === TIME_ERROR ? 0 : 1,
    ),
    gauge(
      'node_timex_status',
      'Status bits: 16 a leap second will be inserted, 32 one will be deleted, 64 not synchronised.',
      status,
    ),
    gauge(
      'node_timex_tai_offset_seconds',
      'TAI minus UTC as the kernel knows it; 0 when nobody told.',
      taiOffsetS,
    ),
    gauge(
      'node_timex_frequency_adjustment_ratio',
      'Rate of the corrected clock by its own: 1 is uncorrected.',
      1 + frequency / SCALED_PPM,
    ),
  ]
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, type: 'gauge', help, points: [{ name, labels: {}, value }] }
}
