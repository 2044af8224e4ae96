// Owns what incidents are judged by: servers, alerts and figures as they are now. It holds no behaviour but reading
// the labels of an alert.
import type { Evidence, MarkView, ServerRole, ServerState } from '#wire'
import type { StoredAlert } from '../state/alerts.ts'

export interface ServerFacts {
  readonly id: string
  readonly role: ServerRole
  readonly region: string
  readonly hostId: string
  readonly version: string
  readonly state: ServerState
  readonly reason: string
  readonly evidence: readonly Evidence[]
  readonly viewers: number
}

/** Of one server, from the store; what is left out was not measured. */
export interface ServerFigures {
  /** Cores that its process group uses, and that others on its host use. */
  readonly ownCores?: number
  readonly otherCores?: number
  readonly cores?: number
  /** Share of the time in which it was ready to run while others had the CPU. */
  readonly cpuWait?: number
  /** Share of the time that the hypervisor gave to others. */
  readonly steal?: number
  /** Of the fullest disk, 0 to 1. */
  readonly diskFree?: number
  readonly clockOffsetS?: number
}

export interface CapacityFacts {
  /** What edges that take viewers carry together, as far as it is known. */
  readonly restBps: number
  readonly restEdges: number
  /** Edges that take viewers, whose capacity nobody knows. */
  readonly unknown: readonly string[]
  /** Edges that take none. */
  readonly out: readonly string[]
  /** What all edges sent at most in the last minutes; null: not measured. */
  readonly nowBps: number | null
  /** The coming hours as the same ones of recent weeks were; null: none is stored. */
  readonly hours: readonly { readonly at: number; readonly peakBps: number | null }[]
}

export interface Planned {
  readonly from: number
  readonly to: number
  readonly servers: readonly string[]
  /** What these carry, as far as it is known. */
  readonly capacityBps: number
  readonly text: string
}

/** Where the keeper looks. */
export interface IncidentSources {
  /** Firing now, from our rules and from outside. */
  firing(this: void): readonly StoredAlert[]
  servers(this: void): readonly ServerFacts[]
  figures(this: void, servers: readonly string[]): Promise<ReadonlyMap<string, ServerFigures>>
  capacity(this: void): Promise<CapacityFacts | null>
  /** Sessions that left these servers since; null: not known. */
  moved(this: void, servers: readonly string[], since: number): Promise<number | null>
  /** What changed in the 24 hours before. */
  marks(this: void, before: number): Promise<readonly MarkView[]>
  planned(this: void, from: number, to: number): readonly Planned[]
  /** The drill that has this alert to answer for; null: none has. */
  drillOf?(this: void, server: string | null): { readonly id: string; readonly rings: boolean } | null
  /** Why nobody is told of this alert; null: it counts. */
  silencedBy(this: void, labels: Readonly<Record<string, string>>, at: number): string | null
}

export type Labels = Readonly<Record<string, string>>

/** The server that an alert is about, also in the words of a Prometheus elsewhere: `eu-west:9100`. */
export function serverOf(labels: Labels, known: (id: string) => boolean): string | null {
  for (const name of ['instance', 'server', 'host', 'hostname', 'node']) {
    const value = labels[name]
    if (value === undefined) continue
    const bare = value.replace(/^https?:\/\//, '').replace(/[:/].*$/, '')
    for (const id of [value, bare, bare.split('.')[0] ?? '']) if (known(id)) return id
  }
  return null
}

export function severityOf({ severity = 'warning' }: Labels): 'critical' | 'warning' | 'info' {
  if (/^(critical|page|emergency|disaster|high)$/i.test(severity)) return 'critical'
  return /^(info|information|none|low)$/i.test(severity) ? 'info' : 'warning'
}

/** What kind of trouble an alert tells of; alerts of one family that come together have one likely cause. */
export type Family = 'gone' | 'ill' | 'disk' | 'certificate' | 'clock' | 'load' | `rule ${string}`

const families: Readonly<Record<string, Family>> = {
  EdgeUnreachable: 'gone',
  OriginUnreachable: 'gone',
  OriginDegraded: 'ill',
  AgentSilent: 'gone',
  SteeringExhausted: 'gone',
  EdgeDegraded: 'ill',
  PlayingFails: 'ill',
  EdgeErrorRatio: 'ill',
  HitRatioLow: 'ill',
  DiskFilling: 'disk',
  MetricsRefused: 'disk',
  CertificateEnds: 'certificate',
  CertificateEndsNow: 'certificate',
  ClockOffset: 'clock',
  ClockFarOff: 'clock',
  RealtimeTimersEarly: 'clock',
  ClockStepped: 'clock',
  ClockSteppedFar: 'clock',
  UnexpectedLeapPending: 'clock',
  HighCpu: 'load',
  EventLoopDelay: 'load',
  HostMemoryLow: 'load',
}

export function familyOf({ alertname = '' }: Labels): Family {
  return families[alertname] ?? `rule ${alertname}`
}
