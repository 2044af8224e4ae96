// Owns the local fleet while it runs: what is started in which order, who is told of whom, and the stop.
// It refuses to start a part of a fleet: ports, folder and lock are checked first.
import { appendFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  type Clock,
  type Closable,
  createLog,
  ensureFolder,
  every,
  type Log,
  lockFile,
  lossyLines,
  messageOf,
  unreachable,
  writeFileAtomic,
} from '#base'
import type { ToSupervisor } from '#wire'
import type { Config } from '../config.ts'
import { cliFaults } from '../faults.ts'
import { fleetFile, keptConfigFile, localUrl, mediaFolder, runFile, supervisorLock } from '../settings.ts'
import { DrillRig } from './drill-rig.ts'
import { keepFleetFile } from './fleet-file.ts'
import { type FleetPlan, type PlannedServer, planFleet } from './fleet-plan.ts'
import { lastLines, turnOver } from './log-file.ts'
import { ManagedProcess, type ProcessPlan } from './managed-process.ts'
import { checkPorts } from './ports.ts'
import { TryIt } from './try-it.ts'
import { ViewersProcess } from './viewers-process.ts'

const CONTROL_HEAD_START_MS = 2000 // others wait so long for the control room, then start without it
const READY_MS_MAX = 60_000
const STOP_MS_MAX = 5000
const CONTROL_ENDS_MAX = 3
const CONTROL_TRIAL_MS = 10_000
const LOG_LOOK_MS = 10_000

export interface SupervisorOptions {
  readonly config: Config
  /** The operator's file that it was read from; null: there is none. */
  readonly configFile: string | null
  /** Absolute path of the data folder. */
  readonly data: string
  readonly clock: Clock
  /** Takes lines for people. */
  readonly print: (line: string) => void
}

interface Member {
  readonly planned: PlannedServer
  readonly server: ManagedProcess
  readonly agent: ManagedProcess
}

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #plan: FleetPlan
  readonly #log: Log
  readonly #lock: Closable
  readonly #logWatch: Closable
  readonly #control: ManagedProcess
  readonly #members: readonly Member[]
  readonly #viewers: ViewersProcess
  readonly #tryIt: TryIt
  readonly #rig: DrillRig
  readonly #ready = new Map<string, () => void>()
  readonly #failed: Promise<never>
  #fail: (fault: Error) => void = () => {}
  #controlEnds: number[] = []
  #controlWasReady = false
  #startedMs: number

  /** Checks folder, lock and ports; nothing runs yet when it throws. */
  static async prepare(options: SupervisorOptions): Promise<Supervisor> {
    const { config, configFile, data } = options
    for (const folder of ['', 'run', 'log', 'control', 'media']) ensureFolder(resolve(data, folder))
    const lock = lockFile(supervisorLock(data))
    try {
      const plan = planFleet(config, data, configFile)
      await checkPorts(plan.ports)
      keepFleetFile(
        fleetFile(data),
        plan.servers.map(({ settings }) => ({
          id: settings.id,
          role: settings.kind,
          region: settings.region,
        })),
      )
      const kept = { ...config, origin: { ...config.origin, mediaFolder: mediaFolder(config, data) } }
      writeFileAtomic(keptConfigFile(data), `${JSON.stringify(kept)}\n`)
      writeFileAtomic(runFile(data, 'supervisor.pid'), `${process.pid}\n`, 0o644)
      return new Supervisor(options, plan, lock)
    } catch (error) {
      await lock.close()
      throw error
    }
  }

  private constructor(options: SupervisorOptions, plan: FleetPlan, lock: Closable) {
    const { config, data, clock } = options
    this.#options = options
    this.#plan = plan
    this.#lock = lock
    this.#startedMs = clock.monotonicMs()
    const logFile = resolve(data, 'log', 'supervisor.log')
    const append = lossyLines(bytes => {
      appendFileSync(logFile, bytes)
      return bytes.length
    })
    this.#log = createLog(config.log.level, append)
    this.#viewers = new ViewersProcess(plan.viewers, clock, this.#log)
    this.#tryIt = new TryIt(this.#viewers)
    this.#control = this.#process(plan.control.process, {
      onStarted: () => this.#tellPids(),
      onMessage: message => this.#onControlMessage(message),
      onEnded: () => this.#onControlEnded(),
    })
    this.#members = plan.servers.map(planned => this.#member(planned))
    const [viewers, tryIt, log] = [this.#viewers, this.#tryIt, this.#log]
    const members = this.#members.map(({ planned, server, agent }) => ({
      id: planned.settings.id,
      server,
      agent,
      agentSettings: planned.agentSettings,
    }))
    this.#rig = new DrillRig({ data, members, control: this.#control, viewers, tryIt, log })
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.#failed.catch(() => {}) // heard by whoever waits in start()
    const logs = [
      plan.control.process,
      plan.viewers,
      ...plan.servers.flatMap(({ server, agent }) => [server, agent]),
    ]
    this.#logWatch = every(
      LOG_LOOK_MS,
      () => {
        for (const file of [logFile, ...logs.map(({ logFile }) => logFile)]) turnOver(file)
      },
      error => this.#log.error('log-turn-over-failed', { error }),
    )
  }

  get plan(): FleetPlan {
    return this.#plan
  }

  /** Starts all; resolves when all serve (or after a minute, with what does not named in the log). */
  async start(): Promise<{ tookMs: number }> {
    const control = this.#announced(
      'control room',
      this.#plan.control.process,
      localUrl(this.#plan.control.settings.listen),
    )
    this.#control.start()
    await Promise.race([control, pause(CONTROL_HEAD_START_MS), this.#failed])
    const waits = [control]
    for (const { server, agent, planned } of this.#members) {
      waits.push(this.#announced(planned.settings.id, server.plan, localUrl(planned.settings.listen)))
      waits.push(this.#announced(null, agent.plan, null))
      server.start()
      agent.start()
    }
    await Promise.race([Promise.all(waits), pause(READY_MS_MAX), this.#failed])
    return { tookMs: this.#options.clock.monotonicMs() - this.#startedMs }
  }

  /** Rejects when the fleet cannot go on: the control room does not start. */
  failed(): Promise<never> {
    return this.#failed
  }

  /** Stops all in reverse order, also what is frozen; what does not end in time is killed. True: all ended by themselves. */
  async stop(): Promise<boolean> {
    this.#rig.close()
    this.#tryIt.close()
    const inTime = await Promise.race([
      this.#stopInOrder().then(() => true),
      pause(STOP_MS_MAX).then(() => false),
    ])
    if (!inTime) this.kill()
    await this.#logWatch.close()
    rmSync(runFile(this.#options.data, 'supervisor.pid'), { force: true })
    await this.#lock.close()
    return inTime
  }

  /** Ends all at once. */
  kill(): void {
    this.#rig.close()
    this.#viewers.kill()
    for (const { agent, server } of this.#members) {
      agent.kill()
      server.kill()
    }
    this.#control.kill()
  }

  async #stopInOrder(): Promise<void> {
    await this.#viewers.stop()
    await Promise.all(this.#members.map(({ agent }) => agent.stop()))
    await Promise.all(this.#members.map(({ server }) => server.stop()))
    await this.#control.stop()
  }

  #process(plan: ProcessPlan, events: ConstructorParameters<typeof ManagedProcess>[1]): ManagedProcess {
    const onMessage = (message: ToSupervisor): void => {
      if (message.type === 'ready') this.#ready.get(plan.name)?.()
      events.onMessage?.(message)
    }
    return new ManagedProcess(plan, { ...events, onMessage }, this.#options.clock, this.#log)
  }

  #member(planned: PlannedServer): Member {
    const { id } = planned.settings
    let leader: number | null = null
    const agent: ManagedProcess = this.#process(planned.agent, {
      onStarted: () => {
        if (leader !== null) agent.say({ type: 'leader', pid: leader })
      },
      // An agent asks for its own server only: there is no name in the message.
      onMessage: message => {
        if (message.type !== 'restart') return
        const answer = (error: string | null): void =>
          agent.say({ type: 'restart-done', number: message.number, error })
        this.#log.info('restart', { server: id })
        server.restart().then(
          () => answer(null),
          (error: unknown) => answer(messageOf(error)),
        )
      },
    })
    const server: ManagedProcess = this.#process(planned.server, {
      onStarted: pid => {
        leader = pid
        this.#tryIt.leaderStarted(id, pid)
        agent.say({ type: 'leader', pid })
        this.#tellPids()
      },
      onEnded: () => {
        this.#tryIt.leaderEnded(id)
        this.#tellPids()
      },
    })
    return { planned, server, agent }
  }

  #tellPids(): void {
    const pids: Record<string, number> = {}
    for (const { planned, server } of this.#members) {
      if (server.pid !== null) pids[planned.settings.id] = server.pid
    }
    if (this.#control.pid !== null) pids['control'] = this.#control.pid
    this.#control.say({ type: 'pids', pids })
  }

  /** Resolves at the process's first `ready`, and prints a line for it. */
  #announced(name: string | null, plan: ProcessPlan, url: string | null): Promise<void> {
    return new Promise(resolve => {
      this.#ready.set(plan.name, () => {
        this.#ready.delete(plan.name)
        const afterS = ((this.#options.clock.monotonicMs() - this.#startedMs) / 1000).toFixed(1)
        if (name !== null) this.#options.print(`  ${name.padEnd(14)} ${url ?? ''}   after ${afterS} s`)
        if (plan === this.#plan.control.process) this.#controlWasReady = true
        resolve()
      })
    })
  }

  #onControlMessage(message: ToSupervisor): void {
    switch (message.type) {
      case 'ready':
        return this.#tellPids()
      case 'try': {
        const { number, action, server, count } = message
        this.#log.info('try', { action, server, count })
        const answer = (error: string | null): void => this.#control.say({ type: 'try-done', number, error })
        this.#tryIt.act(action, server, count).then(
          () => answer(null),
          (error: unknown) => answer(messageOf(error)),
        )
        return
      }
      case 'drill': {
        const { number, act } = message
        this.#log.info('drill', { act })
        const answer = (error: string | null): void => this.#control.say({ type: 'try-done', number, error })
        this.#rig.act(act).then(
          () => answer(null),
          (error: unknown) => answer(messageOf(error)),
        )
        return
      }
      case 'restart': // of agents only
        return
      default:
        return unreachable(message)
    }
  }

  #onControlEnded(): void {
    // A drill without its conductor is over.
    this.#rig.act({ kind: 'undo' }).catch((error: unknown) => this.#log.error('drill-not-undone', { error }))
    const nowMs = this.#options.clock.monotonicMs()
    this.#controlEnds = [...this.#controlEnds, nowMs].filter(ms => nowMs - ms < CONTROL_TRIAL_MS)
    if (this.#controlWasReady || this.#controlEnds.length < CONTROL_ENDS_MAX) return
    const { logFile } = this.#plan.control.process
    const lines = lastLines(logFile, 10)
    const words = lines.findLast(line => line.startsWith('vitrine: '))?.slice('vitrine: '.length)
    const message =
      words === undefined
        ? `the control room does not start; the last lines of ${logFile}:\n${lines.join('\n')}`
        : `the control room does not start: ${words}   (log: ${logFile})`
    this.#fail(cliFaults.fault('cli-control-does-not-start', message))
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms).unref()
  })
}
