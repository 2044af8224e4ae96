// Owns the plan of probes as edges are told it: made anew when edges come, go or move, and every ten minutes.
import type { FleetTime } from '#base'
import type { ProbePlan } from '#wire'
import type { Fleet, ServerRecord } from '../fleet/fleet.ts'
import { foreignPlay } from './foreign-stream.ts'
import type { ProbeBudget } from './probe-budget.ts'
import type { ProbeCredentials } from './probe-credentials.ts'
import { type Plan, planProbes, turnOf } from './probe-plan.ts'
import { chooseTitles, titleTurn } from './probe-titles.ts'
import { isSuspected } from './synthetic-viewer.ts'

/** So many of its observers play from a suspect at every turn: two agree sooner, and twenty would cost much. */
const SUSPECT_OBSERVERS = 3

export interface PlanKeeperOptions {
  readonly fleet: Fleet
  readonly fleetTime: FleetTime
  readonly budget: ProbeBudget
  readonly credentials: ProbeCredentials
  /** After each new plan: every edge is told its own part. */
  readonly publish: () => void
}

type Play = ProbePlan['targets'][number]['play']

export class PlanKeeper {
  readonly #options: PlanKeeperOptions
  #key = ''
  #plan: Plan = { mesh: 'full', targets: new Map() }
  #urls: ReadonlyMap<string, string> = new Map()
  #plays: ReadonlyMap<string, Play> = new Map()
  #titles: readonly string[] = []
  #foreign: readonly Pick<ServerRecord, 'id' | 'url' | 'stream'>[] = []
  #titleTurn = -1
  #turn = 0
  #hour = 0

  constructor(options: PlanKeeperOptions) {
    this.#options = options
  }

  /** Each second, and when a server said where it is. */
  refresh(): void {
    const { fleet, fleetTime, publish } = this.#options
    const edges = fleet.edges().filter(({ url }) => url !== '')
    const turn = turnOf(fleetTime.nowMs())
    this.#chooseTitles(fleetTime.nowMs())
    this.#hour = this.#options.credentials.hourOf(fleetTime.nowMs())
    const foreign = fleet.foreign()
    this.#foreign = foreign.map(({ id, url, stream }) => ({ id, url, stream }))
    this.#plays = new Map([...edges, ...foreign].map(edge => [edge.id, this.#playOf(edge)]))
    const what = [this.#titles, this.#hour, [...this.#plays.values()], this.#foreign]
    this.#turn = turn
    const key = JSON.stringify([turn, edges.map(({ id, region, url }) => [id, region, url]), what])
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

  /** What is played now, in turn. */
  titles = (): readonly string[] => this.#titles

  /** What the control room's own viewer shows to this server. */
  credential = (server: string): string => this.#options.credentials.credential(server, this.#hour)

  messageFor(edge: string): ProbePlan {
    const targets: ProbePlan['targets'] = this.targetsOf(edge).flatMap(id => {
      const url = this.#urls.get(id)
      if (url === undefined) return []
      return [{ id, url, play: this.#playBy(edge, id), stream: null, credential: this.credential(id) }]
    })
    targets.push(...this.#foreignOf(edge))
    const accepts = this.#options.credentials.accepts(edge, this.#hour)
    return { type: 'probe-plan', mesh: this.#plan.mesh, targets, titles: [...this.#titles], accepts }
  }

  /** Two edges look at each foreign server beside the control room: so three witnesses, and few requests. */
  #foreignOf(edge: string): ProbePlan['targets'] {
    const edges = [...this.#plan.targets.keys()]
    return this.#foreign.flatMap(({ id, url, stream }, order) => {
      const chosen = [0, 1].map(step => edges[(order + this.#turn + step) % Math.max(1, edges.length)])
      const play = foreignPlay(stream, this.#titles, this.#turn)
      if (!chosen.includes(edge) || play === null) return []
      return [{ id, url, play: this.#plays.get(id) ?? 'no', stream: play.url, credential: '' }]
    })
  }

  #playOf(record: ServerRecord): Play {
    if (!this.#options.budget.isOpen(record.id)) return 'no'
    return isSuspected(record) ? 'suspect' : 'turn'
  }

  #playBy(observer: string, target: string): Play {
    const play = this.#plays.get(target) ?? 'no'
    if (play !== 'suspect') return play
    const observers = [...this.#plan.targets].filter(([, list]) => list.includes(target)).map(([id]) => id)
    return observers.indexOf(observer) < SUSPECT_OBSERVERS ? 'suspect' : 'turn'
  }

  /** Once a minute, or when one of them can no longer be played. */
  #chooseTitles(fleetMs: number): void {
    const titles = this.#options.fleet.titles()
    const ready = new Set(titles.filter(({ state }) => state === 'ready').map(({ id }) => id))
    const turn = titleTurn(fleetMs)
    const holds = this.#titles.length > 0 && this.#titles.every(id => ready.has(id))
    if (turn === this.#titleTurn && holds) return
    this.#titleTurn = turn
    this.#titles = chooseTitles(titles, this.#options.fleet.sessions.titles(), turn)
  }
}
