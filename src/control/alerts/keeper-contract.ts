// Owns the contract of the evaluation of rules: what it is given, what it is asked, and how a rule's last evaluation went.
import type { Closable, Counters, FleetTime, Log } from '#base'
import type { MetricsStore } from '#metrics'
import type { Alerts, StoredAlert } from '../state/alerts.ts'
import type { Gap } from './replay-gap.ts'
import type { Rule, RuleGroup } from './rule.ts'

export interface AlertKeeperOptions {
  readonly groups: readonly RuleGroup[]
  /** What templates can use besides labels and value. */
  readonly externalLabels: Readonly<Record<string, string>>
  /** Known once something listens. */
  readonly externalUrl: () => string
  readonly store: MetricsStore
  readonly alerts: Alerts
  /** Nobody evaluated then; null or left out: there was no such time. */
  readonly gap?: Gap | null
  readonly fleetTime: FleetTime
  readonly counters: Counters
  readonly log: Log
}

export interface AlertKeeper extends Closable {
  /** From now on these rules. Alerts of rules that are still there go on, those of others are resolved. */
  replace(this: void, groups: readonly RuleGroup[]): void
  /** Evaluates all groups now, because something changed that rules look at. */
  kick(this: void): void
  /** Looks at the time in which nobody did, with what was delivered since; ends holding what was restored. Once a gap.
   * `onHeld`: all that was held has been looked at, and what began and ended meanwhile comes after it. */
  recover(this: void, gap: Gap, onHeld?: () => void): Promise<void>
  /** From now on time in which this process stood still is noticed, and what is active then is held. One observer. */
  onAway(this: void, observer: (gap: Gap) => void): void
  /** Pending and firing. */
  active(this: void): StoredAlert[]
  /** Told of what changed, once it is stored. One observer. */
  follow(this: void, observer: (changed: readonly StoredAlert[]) => void): void
  /** All rules in the order of their files, with how their last evaluation went. */
  groups(this: void): RuleGroupStatus[]
  close(): Promise<void>
}

export interface RuleStatus {
  readonly rule: Rule
  /** Null: not evaluated yet. */
  readonly last: Evaluation | null
  /** Pending and firing alerts of this rule. */
  readonly alerts: readonly StoredAlert[]
}

export interface RuleGroupStatus {
  readonly group: RuleGroup
  readonly rules: readonly RuleStatus[]
}

export interface Evaluation {
  /** Fleet time. */
  readonly at: number
  readonly tookMs: number
  /** Null: it went well. */
  readonly problem: string | null
  /** False: not one series was there to be looked at, so that the rule says nothing about the servers. */
  readonly hadData: boolean
  readonly series: number
}
