// Owns what a rule is, as Prometheus defines it.
import type { Template } from './template/call-template.ts'

interface RuleBase {
  readonly expr: string
  readonly labels: Readonly<Record<string, string>>
  /** `vitrine.yaml:12`, for messages. */
  readonly at: string
  /** Of its group: with more results than this it fails; 0: no limit of its own. */
  readonly limit: number
  /** One of ours with this name stands back for it. */
  readonly replaces?: true
}

export interface AlertingRule extends RuleBase {
  readonly kind: 'alert'
  readonly name: string
  readonly forMs: number
  readonly keepFiringForMs: number
  readonly annotations: Readonly<Record<string, string>>
  /** Its labels and annotations, ready to be rendered. */
  readonly templates: {
    readonly labels: Readonly<Record<string, Template>>
    readonly annotations: Readonly<Record<string, Template>>
  }
}

export interface RecordingRule extends RuleBase {
  readonly kind: 'record'
  readonly name: string
}

export type Rule = AlertingRule | RecordingRule

/** Rules of a group are evaluated in order, every `intervalMs`. */
export interface RuleGroup {
  readonly name: string
  readonly file: string
  /** Place of its folder in the order in which they are read; left out: it came as text. */
  readonly folder?: number
  readonly intervalMs: number
  readonly rules: readonly Rule[]
}
