// Owns the metrics of the watched server's process group, as seen from outside of it.
import { readFileSync } from 'node:fs'
import type { Clock, Counters, FleetTime, Gauge } from '#base'
import { GroupAccount } from './group-account.ts'
import { type ProcessStat, TICKS_PER_S } from './proc-text.ts'

export interface ServerMetricsOptions {
  readonly counters: Counters
  readonly clock: Clock
  readonly fleet: FleetTime
  readonly hostId: string
  readonly pageBytes: number
  readonly agentPid: number
}

/** Gauges and counters of the group; `update` once a pass. */
export class ServerMetrics {
  readonly #options: ServerMetricsOptions
  readonly #group = new GroupAccount()
  readonly #server = new GroupAccount()
  readonly #skew: Gauge
  readonly #update: (members: readonly ProcessStat[], leader: number | null, stopped: boolean) => void

  constructor(options: ServerMetricsOptions) {
    this.#options = options
    this.#skew = options.counters.gauge(
      'vitrine_clock_fleet_offset_seconds',
      'Wall clock of this host minus fleet time. More than some milliseconds: its clock is wrong.',
    )
    this.#update = this.#register()
  }

  /** Of the host: also where no server is watched, or it is gone. */
  lookAtClock(): void {
    const { clock, fleet } = this.#options
    if (fleet.known()) this.#skew.set((clock.wallMs() - fleet.nowMs()) / 1000)
  }

  /** `members` of the group, its leader's pid, and whether the leader is frozen. */
  update(members: readonly ProcessStat[], leader: number | null, stopped: boolean): void {
    this.#update(members, leader, stopped)
  }

  #register(): (members: readonly ProcessStat[], leader: number | null, stopped: boolean) => void {
    const { counters, hostId, pageBytes, agentPid } = this.#options
    const groupCpu = counters.counter(
      'vitrine_server_cpu_seconds_total',
      'CPU seconds of the server: its whole process group, with its agent. At 1 a second, one CPU is full.',
    )
    const processCpu = counters.counter(
      'vitrine_agent_process_cpu_seconds_total',
      'CPU seconds by process of the group: the server itself, and the agent that watches it.',
    )
    const cpuWait = counters.counter(
      'vitrine_server_cpu_wait_seconds_total',
      'Seconds in which the server was ready to run while others had the CPU. Near 1 a second: neighbours starve it.',
    )
    const resident = counters.gauge(
      'vitrine_server_resident_memory_bytes',
      'Resident memory of the process group.',
    )
    const processes = counters.gauge(
      'vitrine_server_processes',
      'Processes of the group. 0 or 1: the server is gone.',
    )
    const frozen = counters.gauge(
      'vitrine_server_process_stopped',
      '1 while the server is frozen (SIGSTOP): it accepts connections and answers nothing. kill -CONT thaws it.',
    )
    counters
      .gauge('vitrine_agent_host_info', 'Always 1; servers with the same host_id share a host.')
      .set(1, { host_id: hostId })
    let agentTicks = 0
    let waited: { readonly pid: number; readonly waitS: number } | null = null
    return (members, leader, stopped) => {
      const before = [this.#group.totalTicks(), this.#server.totalTicks()] as const
      this.#group.scan(members)
      this.#server.scan(members.filter(({ pid }) => pid === leader))
      groupCpu.add((this.#group.totalTicks() - before[0]) / TICKS_PER_S)
      processCpu.add((this.#server.totalTicks() - before[1]) / TICKS_PER_S, { process: 'server' })
      const waitS = leader === null ? null : readCpuWaitS(leader)
      if (leader !== null && waitS !== null) {
        cpuWait.add(waited?.pid === leader ? Math.max(0, waitS - waited.waitS) : 0)
        waited = { pid: leader, waitS }
      }
      const agent = members.find(({ pid }) => pid === agentPid)
      if (agent !== undefined) {
        processCpu.add((agent.ownTicks - agentTicks) / TICKS_PER_S, { process: 'agent' })
        agentTicks = agent.ownTicks
      }
      processes.set(members.length)
      resident.set(members.reduce((sum, { residentPages }) => sum + residentPages, 0) * pageBytes)
      frozen.set(stopped ? 1 : 0)
    }
  }
}

/** Of its main thread (Linux, scheduler/sched-stats: the second figure, in ns). Null: this kernel does not count it. */
function readCpuWaitS(pid: number): number | null {
  try {
    const [, waitedNs] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')
    const seconds = Number(waitedNs) / 1e9
    return Number.isFinite(seconds) ? seconds : null
  } catch {
    return null
  }
}
