// Owns the list of parts that the API answers from. It holds no behaviour.
import type { Counters, FleetTime, Log } from '#base'
import type { MetricsStore } from '#metrics'
import type { Authority } from '#trust'
import type { AccessDirectory } from './access.ts'
import type { AdmissionKeeper } from './admission/admission-keeper.ts'
import type { AlertKeeper } from './alerts/keeper-contract.ts'
import type { RuleFiles } from './alerts/rule-files.ts'
import type { MetadataBook } from './api/metadata-book.ts'
import type { AuthorityKeeper } from './authority-keeper.ts'
import type { DrillDesk } from './drills/drill-desk.ts'
import type { Fleet } from './fleet/fleet.ts'
import type { RefusalBook } from './fleet/refusal-book.ts'
import type { SimulatedServers } from './fleet/simulated-servers.ts'
import type { IncidentParts } from './incidents/open-incidents.ts'
import type { NoteStore } from './notes/note-store.ts'
import type { Notifications } from './notify/start-notify.ts'
import type { ControlOptions } from './options.ts'
import type { AuditKeeper } from './people/audit-keeper.ts'
import type { Offboarding } from './people/offboarding.ts'
import type { SignInPace } from './people/sign-in-pace.ts'
import type { PlanKeeper } from './probes/plan-keeper.ts'
import type { ProbeBudget } from './probes/probe-budget.ts'
import type { RuleDesk } from './rule-desk/open-rule-desk.ts'
import type { RunParts } from './runbooks/open-runs.ts'
import type { FullState } from './state/open-state.ts'
import type { RegionKeeper } from './steering/region-keeper.ts'
import type { SteeringKeeper } from './steering/steering-keeper.ts'
import type { TryIt } from './try/try-it.ts'
import type { Viewers } from './viewers/open-viewers.ts'
import type { ViewerReceipt } from './viewers/receipt.ts'
import type { WallKeeper } from './wall/wall-keeper.ts'
import type { WatcherKeeper } from './watcher/watcher-keeper.ts'
import type { DemandKeeper } from './what-if/demand-keeper.ts'

export interface ControlContext {
  readonly options: ControlOptions
  readonly state: FullState
  readonly store: MetricsStore
  readonly fleetTime: FleetTime
  readonly fleet: Fleet
  readonly simulated: SimulatedServers
  readonly refusals: RefusalBook
  readonly steering: SteeringKeeper
  readonly regions: RegionKeeper
  readonly probePlan: PlanKeeper
  readonly probeBudget: ProbeBudget
  readonly alerts: AlertKeeper
  readonly ruleFiles: RuleFiles
  readonly ruleDesk: RuleDesk
  readonly incidents: IncidentParts
  readonly access: AccessDirectory
  readonly tryIt: TryIt
  readonly wall: WallKeeper
  readonly demand: DemandKeeper
  readonly runs: RunParts
  readonly drills: DrillDesk
  /** Top processes and kernel messages. */
  readonly notes: NoteStore
  /** Sessions of those who watch. */
  readonly viewers: Viewers
  readonly notifications: Notifications
  readonly watcher: WatcherKeeper
  readonly admission: AdmissionKeeper
  /** Takes what edges say of viewers. */
  readonly viewerReceipt: ViewerReceipt
  /** Null: there is no authority. */
  readonly authorityKeeper: AuthorityKeeper | null
  readonly pace: SignInPace
  readonly auditKeeper: AuditKeeper
  readonly offboarding: Offboarding
  readonly counters: Counters
  /** What senders have told about their metrics. */
  readonly metadata: MetadataBook
  readonly log: Log
  /** Region of the control room itself. */
  readonly region: string
  /** Signs the certificates of the fleet; null over plain HTTP on loopback or behind a proxy. */
  readonly authority: Authority | null
  /** The address in join strings. Fault: it is not known. */
  joinUrl(this: void): string
  /** Where it is reached: the public URL, or the address it listens on. */
  selfUrl(this: void): string
  /** Fleet time at which this control room started. */
  readonly startedAt: number
  /** Reads tokens and servers again and tells the fleet; after each change through the API. */
  refreshAccess(this: void): Promise<void>
  /** The same, if another process has changed state.db since: a token that a command has just made is known at once. */
  followAccess(this: void): Promise<void>
}
