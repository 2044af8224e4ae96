// Owns noticing that somebody else has handed an incident over: a person who leaves is offboarded by a command of its
// own process. What the keeper itself has not stored yet is never undone by it.
import type { IncidentOwner } from '../state/incidents.ts'

export class OwnerWatch {
  /** As they stood when they were stored or read last. */
  readonly #known = new Map<string, string>()

  stored(id: string, owner: IncidentOwner): void {
    this.#known.set(id, keyOf(owner))
  }

  /** The new owner, if it was changed behind our back. */
  changed(id: string, read: IncidentOwner): IncidentOwner | null {
    const before = this.#known.get(id)
    const now = keyOf(read)
    this.#known.set(id, now)
    if (before === undefined || before === now) return null
    const { acknowledgedBy, acknowledgedAt, assignedTo } = read
    return { acknowledgedBy, acknowledgedAt, assignedTo }
  }

  forget(id: string): void {
    this.#known.delete(id)
  }
}

function keyOf({ acknowledgedBy, acknowledgedAt, assignedTo }: IncidentOwner): string {
  return JSON.stringify([acknowledgedBy, acknowledgedAt, assignedTo])
}
