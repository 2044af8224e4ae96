// Owns what a control room is started with. It holds no behaviour.
import type { Clock, ListenOptions, Log } from '#base'
import type { DrillAct, NotifyConfig, ServerRole, TryRequest } from '#wire'
import type { WakePolicy } from './incidents/wake.ts'
import type { NotifySource } from './notify/notify-keeper.ts'
import type { Mentions } from './people/offboarding.ts'
import type { ViewersOptions } from './viewers/open-viewers.ts'

/** The supervisor of a local fleet, as the control room sees it. */
export interface SupervisorPort {
  /** Process-group leaders by server id. */
  pids(this: void): Readonly<Record<string, number>>
  /** Resolves when it is done; rejects with the reason in words. */
  act(this: void, action: TryRequest['action'], server: string | null, count: number | null): Promise<void>
  /** One action of a drill; the same. */
  drill(this: void, act: DrillAct): Promise<void>
}

/** A server that is known from the start; its token is known by hash only. */
export interface Enrolment {
  readonly id: string
  readonly role: ServerRole
  readonly region: string
  readonly tokenSha256: string
}

export interface ControlOptions {
  readonly listen: ListenOptions
  /** Where people reach it, when that is not the address it listens on. */
  readonly publicUrl: string | null
  /** True: servers reach it over TLS with a certificate of its own private authority. */
  readonly privateTls: boolean
  /** Holds state.db, metrics/ and authority/. */
  readonly stateFolder: string
  /** The built pages: index.html, watch.html, assets. Null: none are served. */
  readonly webFolder: string | null
  readonly enrol: readonly Enrolment[]
  /** Null: not a local fleet; nothing can be tried. */
  readonly supervisor: SupervisorPort | null
  /** Folders with Prometheus rule files (*.yaml, *.yml), read in order of name. */
  readonly rulesFolders: readonly string[]
  /** The one of them that comes with Vitrine: nobody writes there. Left out: none does. */
  readonly shippedRules?: string | null
  /** Folders with runbooks (*.yaml); left out: there are none. */
  readonly runbooksFolders?: readonly string[]
  /** Runbooks that may begin without a person. */
  readonly runbooksByThemselves?: readonly string[]
  /** `$externalLabels` of their templates. */
  readonly externalLabels?: Readonly<Record<string, string>>
  /** Samples older than this are dropped. */
  readonly retentionDays: number
  /** The oldest samples are dropped when they take more; null: no limit. */
  readonly retentionBytes: number | null
  /** Lines `cidr region`, read again when it changes; null or left out: viewers' regions are not known. */
  readonly regionsFile?: string | null
  /** What looks at the stream of one server may fetch in a month. */
  readonly probeBytesMonth: number
  /** Where own files go on this machine, for people; null or left out: not known here. */
  readonly mediaFolder?: string | null
  /** Who is woken, and when; what is left out is as shipped. */
  readonly wake?: Partial<WakePolicy>
  /** Servers that do not exist may be enrolled, for benchmarks and drills; left out: no. */
  readonly allowSimulated?: boolean
  /** Entries of the audit that are older go; left out: 400. */
  readonly auditDays?: number
  /** Where the configuration names a person; left out: it is not asked. */
  readonly mentions?: Mentions
  /** Who is told of incidents; null or left out: nobody. */
  readonly notify?: NotifyConfig | null
  /** Where that comes from, followed while it runs; null or left out: it does not change. */
  readonly notifySource?: NotifySource | null
  /** How long sessions of viewers are kept, and how; what is left out is as shipped. */
  readonly viewers?: ViewersOptions
  readonly clock: Clock
  readonly log: Log
}
