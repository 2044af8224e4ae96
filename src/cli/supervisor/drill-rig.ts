// Owns what a drill has done to processes of the local fleet, and undoes it: a frozen server, a clock that stands behind
// its timers for one agent and the programs that suffer from it, cores, viewers. It cannot touch the machine's clock.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ensureFolder, type Log, unreachable, writeFileAtomic } from '#base'
import { buildDrill, ClockFault, type DrillPrograms, DrillTimeSource, withoutClockRights } from '#drill'
import type { DrillAct } from '#wire'
import { cliFaults } from '../faults.ts'
import { SETTINGS_VARIABLE } from '../roles/main.ts'
import type { AgentSettings } from '../settings.ts'
import { coresOf, pin } from './cores.ts'
import { drillSteps } from './drill-steps.ts'
import type { Disguise, ManagedProcess } from './managed-process.ts'
import type { TryIt } from './try-it.ts'

/** Unrelated programs that wait by the wall clock, as there were many on every host in 2012. */
const WAITERS = 2
/** Each: the edge waits for its turn behind all of them, most of a second each time. */
const WAITER_THREADS = 80
/** linux/capability.h */
const CAP_SYS_TIME = 25n
/** On a machine that strangers load already, a fleet on fewer cores would starve. */
const BUSY_PER_CORE = 1.5
const RIGHTS_LOOK_MS = 50
const RIGHTS_LOOKS_MAX = 60

export interface RigMember {
  readonly id: string
  readonly server: ManagedProcess
  readonly agent: ManagedProcess
  readonly agentSettings: AgentSettings
}

export interface DrillRigOptions {
  readonly data: string
  readonly members: readonly RigMember[]
  readonly control: ManagedProcess
  readonly viewers: {
    readonly pid: number | null
    setLive(count: number): Promise<void>
  }
  readonly tryIt: Pick<TryIt, 'act'>
  readonly log: Log
}

interface SickServer {
  readonly member: RigMember
  readonly fault: ClockFault
  readonly programs: DrillPrograms
  readonly waiters: ChildProcess[]
  /** Null: it has none of its own. */
  readonly source: DrillTimeSource | null
}

export class DrillRig {
  readonly #options: DrillRigOptions
  #sick: SickServer | null = null
  /** Cores of the fleet before it was pinned; null: nothing is. */
  #cores: readonly number[] | null = null
  readonly #frozen = new Set<string>()
  #work: Promise<void> = Promise.resolve()

  constructor(options: DrillRigOptions) {
    this.#options = options
  }

  /** One after the other; what fails leaves what was done to `undo`. */
  act(act: DrillAct): Promise<void> {
    const done = this.#work.then(() => this.#act(act))
    this.#work = done.catch(() => undefined)
    return done
  }

  /** The fleet ends: nothing of a drill outlives it, and nothing is started again. */
  close(): void {
    this.#endWaiters()
    for (const id of this.#frozen) this.#member(id)?.server.signal('SIGCONT')
  }

  async #act(act: DrillAct): Promise<void> {
    switch (act.kind) {
      case 'prepare':
        return await this.#prepare(act.server, act.with)
      case 'viewers':
        return await this.#options.viewers.setLive(act.count)
      case 'clock':
        if (this.#sick === null) throw cliFaults.fault('cli-drill-failed', 'no drill is prepared')
        return this.#sick.fault.set(act.ms)
      case 'leap':
        if (this.#sick?.source == null)
          throw cliFaults.fault('cli-drill-failed', 'no drill with a time source is prepared')
        return this.#sick.source.announce(act.announced)
      case 'freeze':
        this.#frozen.add(act.server)
        return await this.#options.tryIt.act('freeze', act.server, null)
      case 'undo':
        return await this.#undo()
      default:
        return unreachable(act)
    }
  }

  async #prepare(id: string, needs: (DrillAct & { kind: 'prepare' })['with']): Promise<void> {
    const member = this.#member(id)
    if (member === undefined)
      throw cliFaults.fault('cli-no-such-server', `no server ${id} runs in this fleet`)
    await this.#undo()
    const folder = ensureFolder(join(this.#options.data, 'drill'))
    const programs = await buildDrill(join(folder, 'built'))
    const file = join(folder, 'clock')
    rmSync(file, { force: true })
    const fault = new ClockFault(file, programs.shim)
    const stepsFile = join(folder, 'steps.yaml')
    writeFileAtomic(stepsFile, drillSteps(fault.environment), 0o600)
    const source = needs === 'time-source' ? await DrillTimeSource.open() : null
    const sick = { member, fault, programs, waiters: [], source }
    this.#sick = sick
    await member.agent.restart(disguiseOf(sick, stepsFile))
    if (needs === 'spinners') for (let each = 0; each < WAITERS; each += 1) this.#startWaiter(sick)
    this.#pin(sick)
    await checkRights([member.agent.pid, ...sick.waiters.map(({ pid }) => pid ?? null)])
  }

  #startWaiter({ member, fault, programs, waiters }: SickServer): void {
    const leader = member.server.pid
    const group = leader === null ? [] : [String(leader)]
    const command = withoutClockRights([programs.waiter, String(WAITER_THREADS), ...group])
    const child = spawn(command[0] ?? '', command.slice(1), {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], ...fault.environment },
    })
    child.once('error', error => this.#options.log.error('drill-waiter', { error }))
    waiters.push(child)
  }

  /**
   * The sick server gets a core with the programs that spin, and the others leave it where the machine has time to spare;
   * on a machine with one core nobody is moved. Its agent is with the others: behind all those threads it would be as
   * late as the edge, where a real host has other cores for it.
   */
  #pin({ member, waiters }: SickServer): void {
    const cores = coresOf(process.pid)
    const [own] = cores.slice(-1)
    if (own === undefined || cores.length < 2) return
    this.#cores ??= cores
    const isBusy = (loadavg()[0] ?? 0) > BUSY_PER_CORE * cores.length
    if (!isBusy) for (const pid of this.#pids()) pin(pid, cores.slice(0, -1))
    for (const pid of [member.server.pid, ...waiters.map(one => one.pid ?? null)])
      if (pid !== null) pin(pid, [own])
  }

  async #undo(): Promise<void> {
    this.#endWaiters()
    const sick = this.#sick
    sick?.fault.set(0)
    sick?.source?.close()
    for (const id of this.#frozen) {
      this.#frozen.delete(id)
      await this.#options.tryIt.act('thaw', id, null).catch(() => undefined)
    }
    const cores = this.#cores
    if (cores !== null) for (const pid of this.#pids()) pin(pid, cores)
    this.#cores = null
    this.#sick = null
    await this.#options.viewers.setLive(0)
    if (sick !== null) await sick.member.agent.restart(null)
  }

  #endWaiters(): void {
    for (const waiter of this.#sick?.waiters.splice(0) ?? []) waiter.kill('SIGKILL')
  }

  #pids(): number[] {
    const { members, control, viewers } = this.#options
    const all = members.flatMap(({ server, agent }) => [server.pid, agent.pid])
    return [process.pid, control.pid, viewers.pid, ...all].filter(pid => pid !== null)
  }

  #member(id: string): RigMember | undefined {
    return this.#options.members.find(member => member.id === id)
  }
}

function disguiseOf({ member, fault, source }: SickServer, stepsFile: string): Disguise {
  const { agentSettings } = member
  const servers = source === null ? {} : { timeServers: [source.address] }
  const settings: AgentSettings = { ...agentSettings, stepsFile, ...servers }
  return {
    environment: { ...fault.environment, [SETTINGS_VARIABLE]: JSON.stringify(settings) },
    wrap: withoutClockRights,
  }
}

/** What a drill started must not be able to set a clock, whatever stands between it and the kernel. */
async function checkRights(pids: readonly (number | null)[]): Promise<void> {
  for (const pid of pids) {
    if (pid === null) throw cliFaults.fault('cli-drill-failed', 'a process of the drill did not start')
    // It gives the right up in its first milliseconds, before it becomes the program.
    for (let look = 0; maySetClock(pid); look += 1) {
      if (look >= RIGHTS_LOOKS_MAX)
        throw cliFaults.fault('cli-drill-failed', `process ${pid} of the drill may set the clock`)
      await pause(RIGHTS_LOOK_MS)
    }
  }
}

function maySetClock(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
    return (held & (1n << CAP_SYS_TIME)) !== 0n
  } catch {
    return false // it has ended
  }
}
