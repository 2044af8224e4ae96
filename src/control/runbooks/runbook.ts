// Owns what a runbook is once it is read: plain values, so that a run keeps its own copy and goes on with it whatever
// becomes of the file.
import { unreachable } from '#base'
import type { UserRole } from '#wire'

interface Timed {
  readonly timeoutMs: number
  /** PromQL: the step is done only where it holds when its turn comes; left out: always. */
  readonly when?: string
}

export type RunbookStep =
  /** `maxMs`: as in an order; left out: as usual. */
  | (Timed & { readonly kind: 'drain'; readonly maxMs?: number })
  | (Timed & {
      readonly kind: 'run'
      /** In the allow-list of the agent that carries it out. */
      readonly name: string
      readonly arguments: Readonly<Record<string, string>>
      /** Another server whose agent does it; null: the server's own. */
      readonly on: string | null
      /** It changes nothing: a server that it failed on is as it was. */
      readonly looksOnly?: boolean
    })
  | (Timed & {
      readonly kind: 'wait-until'
      readonly expr: string
      /** The run goes on where it does not hold in time, since a later step deals with that. */
      readonly goOn?: boolean
    })
  | (Timed & { readonly kind: 'verify'; readonly signals: readonly string[] | null; readonly holdMs: number })
  | (Timed & { readonly kind: 'undrain'; readonly stageMs: number })
  | (Timed & { readonly kind: 'notify'; readonly text: string })
  | (Timed & { readonly kind: 'approve'; readonly text: string } & Approval)

export interface Approval {
  readonly role: UserRole
  /** Not whoever started the run. */
  readonly secondPerson: boolean
}

export interface Runbook {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly file: string
  readonly match: { readonly alerts: readonly string[]; readonly causes: readonly string[] }
  /** What it is for; empty: any server. */
  readonly roles: readonly string[]
  /** Who may start it. */
  readonly role: UserRole
  /** Before anything is done; null: starting it is enough. */
  readonly approval: (Approval & { readonly timeoutMs: number }) | null
  readonly mayRunByItself: boolean
  readonly preconditions: readonly { readonly text: string; readonly expr: string }[]
  readonly strategy: {
    readonly canary: boolean
    /** Servers at once. */
    readonly batch: number
    /** Of one region at once. */
    readonly perRegion: number
  }
  readonly limits: {
    /** Edges that still take viewers while one is drained. */
    readonly edgesLeftMin: number
    /** Whether it drains where nobody knows what the rest carries. */
    readonly unknownCapacity: 'allow' | 'refuse'
  }
  readonly timeoutMs: number
  readonly steps: readonly RunbookStep[]
  readonly onFailure: readonly RunbookStep[]
}

/** One step in words. */
export function stepTitle(step: RunbookStep): string {
  const title = ownTitle(step)
  return step.when === undefined ? title : `${title}, only if ${step.when}`
}

function ownTitle(step: RunbookStep): string {
  switch (step.kind) {
    case 'drain':
      return 'drain: no new viewers, and those it has are moved'
    case 'run': {
      const words = Object.entries(step.arguments).map(([name, value]) => `${name}=${value}`)
      const on = step.on === null ? [] : [`on ${step.on}`]
      return (
        [`run ${step.name}`, ...words, ...on].join(' ') +
        (step.looksOnly === true ? ', which only looks' : '')
      )
    }
    case 'wait-until':
      return `wait until ${step.expr}${step.goOn === true ? ', and go on without it' : ''}`
    case 'verify':
      return step.signals === null
        ? 'verify: within its normal ranges'
        : `verify: ${step.signals.join(', ')} within the normal range`
    case 'undrain':
      return 'return to viewers in steps'
    case 'notify':
      return `notify: ${step.text}`
    case 'approve':
      return `wait for approval by ${step.role}${step.secondPerson ? ', not by who started it' : ''}: ${step.text}`
    default:
      return unreachable(step)
  }
}

const SERVER = /\$server\b/g
const REGION = /\$region\b/g

/** `$server` and `$region` of an argument or an expression, which quotes it. */
export function fillIn(text: string, server: { readonly id: string; readonly region: string }): string {
  const region = server.region.replace(/[\\"\n]/g, '')
  return text.replace(SERVER, server.id).replace(REGION, region)
}
