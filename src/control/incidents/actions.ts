// Owns what people do with an incident; each act carries a name. Two at once: the second is told who was first.
import { controlFaults } from '../faults.ts'
import { actorNow } from '../state/acting.ts'
import type { Incidents } from '../state/incidents.ts'
import { actions, type OpenIncident } from './open-incident.ts'
import { tellResolved } from './telling.ts'

export interface ActionPorts {
  find(this: void, id: string): OpenIncident | null
  readonly incidents: Incidents
  nowMs(this: void): number
  /** Stores what changed; rejects when it could not. */
  save(this: void): Promise<void>
  /** These alerts open nothing until they have ended. */
  dismiss(this: void, alertIds: ReadonlySet<string>): void
}

const WAIT_MS_MAX = 7 * 86_400_000

export class IncidentActions {
  readonly #ports: ActionPorts

  constructor(ports: ActionPorts) {
    this.#ports = ports
  }

  async acknowledge(id: string, by: string): Promise<void> {
    const incident = this.#open(id)
    const { acknowledgedBy } = incident.stored
    if (acknowledgedBy === by) return
    if (acknowledgedBy !== null) {
      const message = `${acknowledgedBy} has ${id} already; assign it to hand it over`
      throw controlFaults.fault('control-incident-taken', message, { facts: { by: acknowledgedBy } })
    }
    const at = this.#ports.nowMs()
    incident.set({ acknowledgedBy: by, acknowledgedAt: at, assignedTo: incident.stored.assignedTo ?? by })
    incident.act(at, 'acknowledged', `${by} has it`, by)
    await this.#ports.save()
  }

  /** Also of one that is resolved: what was learnt is written afterwards. */
  async comment(id: string, text: string, by: string): Promise<void> {
    const at = this.#ports.nowMs()
    const kept = this.#ports.find(id)
    if (kept !== null) {
      kept.act(at, 'comment', text, by, { text })
      await this.#ports.save()
      return
    }
    const stored = await this.#ports.incidents.get(id)
    if (stored === null) throw unknown(id)
    const { incident } = stored
    const act = { at, by, action: actions.comment, subject: id, facts: { text }, as: actorNow(by) }
    const events = [{ at, kind: 'comment', by, text } as const]
    await this.#ports.incidents.save([{ incident, alerts: [], notices: [], events, acts: [act] }])
  }

  async assign(id: string, to: string, by: string): Promise<void> {
    const incident = this.#open(id)
    const at = this.#ports.nowMs()
    incident.set({ assignedTo: to })
    incident.act(at, 'assigned', to === by ? `${by} takes it` : `${by} hands it to ${to}`, by, { to })
    await this.#ports.save()
  }

  async wait(id: string, until: number, by: string): Promise<void> {
    const incident = this.#open(id)
    const at = this.#ports.nowMs()
    if (until <= at || until > at + WAIT_MS_MAX) {
      throw controlFaults.fault(
        'control-request-invalid',
        'until lies in the past, or more than 7 days ahead',
      )
    }
    incident.set({ waitUntil: until })
    incident.act(at, 'waiting', `${by} waits: nobody is rung before`, by, { until })
    await this.#ports.save()
  }

  async resolve(id: string, by: string): Promise<void> {
    const incident = this.#open(id)
    const at = this.#ports.nowMs()
    this.#ports.dismiss(incident.firingIds())
    const left = incident.firingIds().size
    incident.set({ resolvedAt: at })
    incident.remember({ byHand: true })
    const still =
      left === 0 ? '' : ` while ${left} alert${left === 1 ? '' : 's'} still fire${left === 1 ? 's' : ''}`
    incident.act(at, 'resolved', `${by} says that it is over${still}`, by, { firing: left })
    tellResolved(incident, at, by)
    await this.#ports.save()
  }

  #open(id: string): OpenIncident {
    const incident = this.#ports.find(id)
    if (incident === null) throw unknown(id)
    if (incident.stored.resolvedAt === null) return incident
    throw controlFaults.fault('control-incident-over', `${id} is resolved`)
  }
}

function unknown(id: string): Error {
  return controlFaults.fault(
    'control-incident-unknown',
    `no open incident has the id ${JSON.stringify(id.slice(0, 40))}`,
  )
}
