// Owns the plan of probes as edges are told it: made anew when edges come, go or move, and every ten minutes.
import type { FleetTime } from '#base'
import type { ProbePlan } from '#wire'
import type { Fleet } from '../fleet/fleet.ts'
import { type Plan, planProbes, turnOf } from './probe-plan.ts'

export interface PlanKeeperOptions {
  readonly fleet: Fleet
  readonly fleetTime: FleetTime
  /** After each new plan: every edge is told its own part. */
  readonly publish: () => void
}

export class PlanKeeper {
  readonly #options: PlanKeeperOptions
  #key = ''
  #plan: Plan = { mesh: 'full', targets: new Map() }
  #urls: ReadonlyMap<string, string> = new Map()

  constructor(options: PlanKeeperOptions) {
    this.#options = options
  }

  /** Each second, and when a server said where it is. */
  refresh(): void {
    const { fleet, fleetTime, publish } = this.#options
    const edges = fleet.edges().filter(({ url }) => url !== '')
    const turn = turnOf(fleetTime.nowMs())
    const key = JSON.stringify([turn, edges.map(({ id, region, url }) => [id, region, url])])
    if (key === this.#key) return
    this.#key = key
    this.#plan = planProbes(edges, turn)
    this.#urls = new Map(edges.map(({ id, url }) => [id, url]))
    publish()
  }

  mesh(): Plan['mesh'] {
    return this.#plan.mesh
  }

  /** Whom this edge looks at; empty for one that has not said where it is. */
  targetsOf(edge: string): readonly string[] {
    return this.#plan.targets.get(edge) ?? []
  }

  messageFor(edge: string): ProbePlan {
    const targets = this.targetsOf(edge).flatMap(id => {
      const url = this.#urls.get(id)
      return url === undefined ? [] : [{ id, url }]
    })
    return { type: 'probe-plan', mesh: this.#plan.mesh, targets }
  }
}
