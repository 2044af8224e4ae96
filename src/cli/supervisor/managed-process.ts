// Owns one child process for as long as the fleet runs: it starts it, starts it again when it has ended, and stops it.
// It refuses to touch a process that is merely stopped: only an end counts.
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { type Clock, type Log, writeFileAtomic } from '#base'
import { type FromSupervisor, type ToSupervisor, toSupervisor } from '#wire'
import { cliFaults } from '../faults.ts'
import { withLogFile } from './log-file.ts'

const BACKOFF_MS_MIN = 200
const BACKOFF_MS_MAX = 5000
/** A server closes within 5 s; one that does not react is ended. */
const RESTART_MS_MAX = 3000
const STEADY_MS = 10_000 // up this long, the next end starts the back-off anew

export interface ProcessPlan {
  /** `eu-west`, `eu-west-agent`, `control`. */
  readonly name: string
  readonly entry: string
  /** Of Node itself; left out: none. */
  readonly nodeFlags?: readonly string[]
  readonly parameters: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly logFile: string
  /** Holds the pid while it runs; null: nobody asks for it. */
  readonly pidFile: string | null
}

/** What one start differs in from the plan. */
export interface Disguise {
  readonly environment: Readonly<Record<string, string>>
  wrap(this: void, command: readonly string[]): readonly string[]
}

export interface ProcessEvents {
  readonly onStarted?: (pid: number) => void
  readonly onMessage?: (message: ToSupervisor) => void
  readonly onEnded?: (pid: number, upMs: number) => void
}

export class ManagedProcess {
  readonly plan: ProcessPlan
  readonly #events: ProcessEvents
  readonly #clock: Clock
  readonly #log: Log
  #child: ChildProcess | null = null
  #startedMs = 0
  #backoffMs = BACKOFF_MS_MIN
  #retry: NodeJS.Timeout | null = null
  #stopping = false
  #ended: Promise<void> = Promise.resolve()
  restarts = 0
  #disguise: Disguise | null = null
  /** Somebody waits for the next start. */
  #onNext: (() => void) | null = null

  constructor(plan: ProcessPlan, events: ProcessEvents, clock: Clock, log: Log) {
    this.plan = plan
    this.#events = events
    this.#clock = clock
    this.#log = log.with({ process: plan.name })
  }

  /** The running child's pid; null between an end and the next start. */
  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** A child that cannot be started at all (no room, no descriptors, no processes) is tried again like one that ended. */
  start(): void {
    if (this.#stopping || this.#child !== null) return
    try {
      this.#spawn()
    } catch (error) {
      this.#log.error('process-not-started', { error })
      this.#again()
    }
  }

  #spawn(): void {
    const { entry, nodeFlags = [], parameters, environment, logFile, pidFile } = this.plan
    const { wrap = same, environment: more = {} } = this.#disguise ?? {}
    const [program = process.execPath, ...rest] = wrap([process.execPath, ...nodeFlags, entry, ...parameters])
    const child = withLogFile(logFile, log =>
      spawn(program, rest, {
        stdio: ['ignore', log, log, 'ipc'],
        env: { ...process.env, ...environment, ...more },
      }),
    )
    this.#child = child
    this.#startedMs = this.#clock.monotonicMs()
    this.#ended = new Promise(resolve => {
      let over = false
      const end = (code: number | null, signal: string | null): void => {
        if (over) return
        over = true
        this.#onEnd(child, code, signal)
        resolve()
      }
      child.once('exit', end)
      // A child that could not be started at all has no exit: out of memory or of processes.
      child.once('error', error => {
        this.#log.error('process-error', { error })
        if (child.pid === undefined) end(null, null)
      })
    })
    child.on('message', raw => {
      const parsed = toSupervisor.safeParse(raw)
      if (parsed.success) this.#events.onMessage?.(parsed.data)
    })
    if (child.pid === undefined) return
    if (pidFile !== null) this.#notePid(pidFile, child.pid)
    this.#events.onStarted?.(child.pid)
    this.#onNext?.()
    this.#onNext = null
  }

  say(message: FromSupervisor): void {
    // The callback takes the error of a channel that is closing; the child's end is handled by itself.
    if (this.#child?.connected === true) this.#child.send(message, () => {})
  }

  signal(signal: NodeJS.Signals): boolean {
    return this.#child?.kill(signal) ?? false
  }

  /** Asks it to end, also when it is frozen; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    if (this.#child === null) return
    this.signal('SIGCONT')
    this.say({ type: 'stop' })
    await this.#ended
  }

  /**
   * Ends it, also when it is frozen, and resolves when the next one has been started: in that disguise, null: as
   * planned; left out: as it was.
   */
  async restart(disguise: Disguise | null = this.#disguise): Promise<void> {
    this.#disguise = disguise
    if (this.#stopping) throw cliFaults.fault('cli-no-such-server', `${this.plan.name} is being stopped`)
    const child = this.#child
    this.#backoffMs = BACKOFF_MS_MIN
    if (child === null) this.start()
    else {
      this.signal('SIGTERM')
      this.signal('SIGCONT')
      const late = setTimeout(() => child.kill('SIGKILL'), RESTART_MS_MAX)
      await this.#ended
      clearTimeout(late)
    }
    if (this.#child === null)
      await new Promise<void>(resolve => {
        this.#onNext = resolve
      })
  }

  /** Ends it at once. */
  kill(): void {
    this.#stopping = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.signal('SIGKILL')
  }

  #again(): void {
    this.#retry = setTimeout(() => this.start(), this.#backoffMs)
    this.#backoffMs = Math.min(BACKOFF_MS_MAX, this.#backoffMs * 2)
  }

  /** Others may ask for the pid; the service does not depend on it. */
  #notePid(file: string, pid: number): void {
    try {
      writeFileAtomic(file, `${pid}\n`, 0o644)
    } catch (error) {
      this.#log.error('pid-not-noted', { pid, error })
    }
  }

  #onEnd(child: ChildProcess, code: number | null, signal: string | null): void {
    const upMs = this.#clock.monotonicMs() - this.#startedMs
    this.#child = null
    if (this.plan.pidFile !== null) rmSync(this.plan.pidFile, { force: true })
    if (!this.#stopping) {
      if (upMs >= STEADY_MS) this.#backoffMs = BACKOFF_MS_MIN
      this.restarts += 1
      this.#log.warn('process-ended', { pid: child.pid, code, signal, upMs, againInMs: this.#backoffMs })
      this.#again()
    }
    this.#events.onEnded?.(child.pid ?? 0, upMs)
  }
}

function same(command: readonly string[]): readonly string[] {
  return command
}
