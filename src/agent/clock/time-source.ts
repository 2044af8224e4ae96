// Owns what a time daemon or a packet says of a source of time, in one form whoever said it.

/** 0 none, 1 a second is inserted at the end of the day, 2 one is deleted, 3 the source is not synchronised (RFC 5905). */
export type LeapIndicator = 0 | 1 | 2 | 3

export interface SourceReading {
  /** Host name or address as it is configured. */
  readonly server: string
  readonly stratum: number
  readonly leap: LeapIndicator
  /** This host's clock minus the source's, in seconds; null: not told. */
  readonly offsetS: number | null
  readonly rttS: number | null
  readonly rootDelayS: number
  readonly rootDispersionS: number
}

/** What the daemon that keeps this clock says. */
export interface DaemonReading {
  readonly daemon: 'chrony' | 'ntp' | 'timesyncd'
  readonly stratum: number
  readonly leap: LeapIndicator
  /** What is still to be corrected: this clock minus true time, in seconds; null: it does not say. */
  readonly offsetS: number | null
  readonly rootDelayS: number
  readonly rootDispersionS: number
  readonly frequencyPpm: number | null
}

export function leapIndicator(value: number): LeapIndicator {
  return value === 1 || value === 2 || value === 3 ? value : 0
}

/**
 * Services that smear a leap second over a day instead of inserting it, by their own documents; a host that mixes them
 * with others is up to half a second off around one (developers.google.com/time/smear, EC2 user guide "Keeping time").
 */
const smearing: readonly RegExp[] = [
  /^time\d*\.google\.com$/,
  /^169\.254\.169\.123$/,
  /^fd00:ec2::123$/,
  /^(time\.)?aws\.com$/,
  /^\d+\.amazon\.pool\.ntp\.org$/,
  /^time\d*\.facebook\.com$/,
]

export function smears(server: string): boolean {
  return smearing.some(pattern => pattern.test(server.toLowerCase()))
}
