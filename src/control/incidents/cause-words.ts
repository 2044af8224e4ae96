// Owns the words in which evidence of a cause is told, and the question whether alerts of a sort are there. Pure.
import type { CauseInput } from './cause.ts'
import { type Family, familyOf, type Labels, type ServerFacts } from './facts.ts'

export function names(servers: readonly ServerFacts[]): string {
  const ids = servers.map(({ id }) => id)
  return ids.length <= 3 ? ids.join(', ') : `${ids.slice(0, 2).join(', ')} and ${ids.length - 2} more`
}

export function has({ alerts }: CauseInput, ...families: readonly Family[]): boolean {
  return alerts.some(({ labels }) => families.includes(familyOf(labels)))
}

export function summaries({ alerts }: CauseInput, family: Family): string[] {
  const those = alerts.filter(({ labels }) => familyOf(labels) === family)
  return those.map(({ labels, server }) => told(labels, server))
}

export function told({ alertname = '' }: Labels, server: string | null): string {
  return `${alertname} fires${server === null ? '' : ` for ${server}`}`
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
}
