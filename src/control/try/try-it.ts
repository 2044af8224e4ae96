// Owns the Try it strip: asks the supervisor for faults and viewers, and times what follows from them.
// It refuses everything where there is no supervisor.
import { type FleetTime, messageOf } from '#base'
import type { TryAnswer, TryRequest } from '#wire'
import { controlFaults } from '../faults.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { SupervisorPort } from '../options.ts'

const FAULTS_MAX = 10
/** Sessions of one fault that are followed; a local fleet has at most a hundred viewers and some real ones. */
const FOLLOWED_MAX = 10_000
const ACT_MS_MAX = 10_000

interface TriedFault {
  readonly server: string
  readonly kind: 'freeze' | 'slow'
  readonly startedAt: number
  endedAt: number | null
  noticedMs: number | null
  readonly sessionsAtStart: number
  /** Sessions that are still on the server. */
  readonly waiting: Set<string>
  lastMovedMs: number | null
}

export class TryIt {
  readonly #supervisor: SupervisorPort | null
  readonly #fleet: Fleet
  readonly #fleetTime: FleetTime
  #viewers = 0
  #faults: TriedFault[] = []

  constructor(supervisor: SupervisorPort | null, fleet: Fleet, fleetTime: FleetTime) {
    this.#supervisor = supervisor
    this.#fleet = fleet
    this.#fleetTime = fleetTime
  }

  available(): boolean {
    return this.#supervisor !== null
  }

  async act(request: TryRequest): Promise<void> {
    if (this.#supervisor === null) {
      const message = 'faults can be tried only on a local fleet (vitrine start)'
      throw controlFaults.fault('control-try-unavailable', message)
    }
    if (request.action === 'viewers') {
      await this.#ask(this.#supervisor, request.action, null, request.count)
      this.#viewers = request.count
      return
    }
    const { action, server } = request
    if (this.#fleet.get(server)?.role !== 'edge') {
      throw controlFaults.fault('control-server-unknown', `no edge has the id ${server}`)
    }
    // The stopwatch starts before the fault does, so that no figure flatters.
    const started = action === 'freeze' || action === 'slow' ? this.#begin(action, server) : null
    try {
      await this.#ask(this.#supervisor, action, server, null)
    } catch (error) {
      this.#faults = this.#faults.filter(fault => fault !== started)
      throw error
    }
    if (action === 'thaw' || action === 'unslow') this.#end(action === 'thaw' ? 'freeze' : 'slow', server)
  }

  async #ask(
    supervisor: SupervisorPort,
    action: TryRequest['action'],
    server: string | null,
    count: number | null,
  ): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${ACT_MS_MAX} ms`)), ACT_MS_MAX)
    })
    try {
      await Promise.race([supervisor.act(action, server, count), late])
    } catch (error) {
      const message = `the supervisor could not ${action}: ${messageOf(error)}`
      throw controlFaults.fault('control-try-failed', message, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  #begin(kind: TriedFault['kind'], server: string): TriedFault {
    this.#end(kind, server)
    const sids = this.#fleet.sessions.sidsOf(server).slice(0, FOLLOWED_MAX)
    const healthy = this.#fleet.get(server)?.standing.state === 'healthy'
    const fault: TriedFault = {
      server,
      kind,
      startedAt: this.#fleetTime.nowMs(),
      endedAt: null,
      // A server that was ill before is noticed already.
      noticedMs: healthy ? null : 0,
      sessionsAtStart: sids.length,
      waiting: new Set(sids),
      lastMovedMs: null,
    }
    this.#faults = [fault, ...this.#faults].slice(0, FAULTS_MAX)
    return fault
  }

  #end(kind: TriedFault['kind'], server: string): void {
    const running = this.#faults.find(
      fault => fault.server === server && fault.kind === kind && fault.endedAt === null,
    )
    if (running !== undefined) running.endedAt = this.#fleetTime.nowMs()
  }

  /** Called on each evaluation: what has been noticed, who has moved. */
  observe(): void {
    const now = this.#fleetTime.nowMs()
    for (const fault of this.#faults) {
      const state = this.#fleet.get(fault.server)?.standing.state
      if (fault.noticedMs === null && fault.endedAt === null && state !== 'healthy') {
        fault.noticedMs = now - fault.startedAt
      }
      for (const sid of fault.waiting) {
        const where = this.#fleet.sessions.whereIs(sid)
        if (where?.edge === fault.server) continue
        fault.waiting.delete(sid)
        // One that ended is no longer waiting, but tells nothing about how quickly viewers move.
        if (where !== null) fault.lastMovedMs = now - fault.startedAt
      }
    }
  }

  answer(): TryAnswer {
    return {
      now: this.#fleetTime.nowMs(),
      viewers: this.#viewers,
      faults: this.#faults.map(fault => ({
        server: fault.server,
        kind: fault.kind,
        startedAt: fault.startedAt,
        endedAt: fault.endedAt,
        noticedMs: fault.noticedMs,
        sessionsAtStart: fault.sessionsAtStart,
        sessionsMoved: fault.sessionsAtStart - fault.waiting.size,
        movedMs: fault.waiting.size === 0 ? fault.lastMovedMs : null,
      })),
    }
  }
}
