// Owns the one message that edges send and the control room closes: the control room was lost. Both know it by one key.
import type { NoticeMessage } from './message.ts'

const PREFIX = 'control-lost-'

/** Of one outage, whoever tells of it: what receivers fold repeated messages by. */
export function controlLostKey(epoch: number): string {
  return `${PREFIX}${epoch}`
}

/** It names an outage, and no incident that has a page. */
export function isControlLostKey(key: string): boolean {
  return key.startsWith(PREFIX)
}

/** To one receiver, at each attempt, from whichever edge. */
export function controlLostDelivery(epoch: number, receiver: string): string {
  return `${controlLostKey(epoch)}-${receiver}`
}

export interface ControlLost {
  readonly epoch: number
  /** Fleet time. */
  readonly at: number
  readonly since: number
  readonly text: string
  /** Null: it is still lost. */
  readonly resolvedAt: number | null
}

export function controlLostMessage({ epoch, at, since, text, resolvedAt }: ControlLost): NoticeMessage {
  return {
    incident: controlLostKey(epoch),
    reason: resolvedAt === null ? 'opened' : 'resolved',
    rings: resolvedAt === null,
    at,
    title: 'The control room is lost: most edges do not hear it',
    severity: 'critical',
    class: null,
    decideBy: null,
    why:
      resolvedAt === null
        ? 'Viewers are served by the last steering table. Nobody watches the servers and no alert is raised until it is back.'
        : '',
    cause: '',
    since,
    resolvedAt,
    hurtNow: null,
    peak: null,
    moved: null,
    servers: ['control'],
    text,
    by: null,
    alerts: [],
    alertsMore: 0,
  }
}
