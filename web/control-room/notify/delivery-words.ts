// Owns the words and tones of deliveries and receivers. Pure.
import type { DeliveryView, NoticeReason, ReceiverKind, ReceiverView } from '#wire'

export interface Standing {
  readonly word: string
  readonly tone: string
}

export function deliveryWords(state: DeliveryView['state']): Standing {
  switch (state) {
    case 'sent':
      return { word: 'sent', tone: 'healthy' }
    case 'waiting':
      return { word: 'waiting', tone: 'moving' }
    case 'failed':
      return { word: 'failed', tone: 'degraded' }
    case 'given-up':
      return { word: 'given up', tone: 'unreachable' }
    default:
      return state satisfies never
  }
}

/** What was never tried is not known to work. */
export function receiverWords({
  failures,
  lastSentAt,
  waiting,
}: Pick<ReceiverView, 'failures' | 'lastSentAt' | 'waiting'>): Standing {
  if (failures > 0) return { word: 'fails', tone: 'unreachable' }
  if (waiting > 0) return { word: 'waiting', tone: 'moving' }
  return lastSentAt === null ? { word: 'not tried yet', tone: 'resting' } : { word: 'works', tone: 'healthy' }
}

export const KIND_WORDS: Readonly<Record<ReceiverKind, string>> = {
  email: 'e-mail',
  slack: 'chat',
  pagerduty: 'PagerDuty',
  webhook: 'webhook',
  alertmanagerWebhook: 'Alertmanager webhook',
  alertmanager: 'Alertmanager',
}

export const REASON_WORDS: Readonly<Record<NoticeReason, string>> = {
  opened: 'it began',
  worse: 'it got worse',
  'edge-lost': 'another edge was lost',
  reminder: 'reminder',
  resolved: 'it is over',
  test: 'test',
  escalated: 'nobody had it',
  acknowledged: 'somebody has it',
}
