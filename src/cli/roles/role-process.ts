// Owns the life of a process that runs one role: its start, its stop by signal or by its supervisor, its end.
// It refuses to hang: what does not close in time is left to the kernel.
import { dieWithParent, Fault, joinProcessGroup, type Log, messageOf } from '#base'
import { type FromSupervisor, fromSupervisor, type ToSupervisor } from '#wire'

const CLOSE_MS_MAX = 5000 // as the supervisor waits before it kills
const SIGKILL = 9
/** Set by the supervisor to its own pid: tells a child from a command that somebody typed. */
export const SUPERVISOR_VARIABLE = 'VITRINE_SUPERVISOR'

interface Started {
  readonly url: string | null
  close(): Promise<void>
}

/** What a role's start function is given of its process. */
export interface RoleProcess {
  /** True under `vitrine start`. */
  readonly supervised: boolean
  say(message: ToSupervisor): void
  /** Hears the supervisor; messages that came before are kept. */
  listen(listener: (message: FromSupervisor) => void): void
}

/** Runs a role until it is told to stop; sets the exit code and ends the process. */
export async function runRole(
  log: Log,
  ownGroup: boolean,
  start: (process: RoleProcess) => Promise<Started>,
): Promise<void> {
  const supervisorPid = Number(process.env[SUPERVISOR_VARIABLE] ?? 0)
  const supervised = supervisorPid > 0 && process.send !== undefined
  if (supervised) followSupervisor(supervisorPid)
  // A supervised server leads a group of its own, so that its load can be told from its neighbours'.
  if (supervised && ownGroup) joinProcessGroup(0)
  const listeners: ((message: FromSupervisor) => void)[] = []
  const early: FromSupervisor[] = []
  let stop: (() => void) | null = null
  const stopped = new Promise<void>(resolve => {
    stop = resolve
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop?.())
  if (supervised) {
    process.on('disconnect', () => stop?.())
    process.on('message', raw => {
      const parsed = fromSupervisor.safeParse(raw)
      if (!parsed.success) return
      if (parsed.data.type === 'stop') stop?.()
      else if (listeners.length === 0) early.push(parsed.data)
      else for (const listener of listeners) listener(parsed.data)
    })
  }
  endOnSurprise(log)
  const say = (message: ToSupervisor): void => {
    if (supervised && process.connected) process.send?.(message)
  }
  try {
    const running = await start({
      supervised,
      say,
      listen: listener => {
        listeners.push(listener)
        for (const message of early.splice(0)) listener(message)
      },
    })
    log.info('role-ready', { url: running.url, pid: process.pid })
    say({ type: 'ready', url: running.url })
    await stopped
    log.info('role-stopping', {})
    await closeInTime(running, log)
  } catch (error) {
    failToStart(log, error)
  }
}

function followSupervisor(supervisorPid: number): void {
  // Also a stopped process dies with SIGKILL, so nothing is left when the supervisor is killed.
  dieWithParent(SIGKILL)
  // The supervisor may have died before the kernel was asked; prctl(2) tells to look afterwards.
  if (process.ppid !== supervisorPid) process.exit(1)
}

async function closeInTime(running: Started, log: Log): Promise<void> {
  const deadline = setTimeout(() => {
    log.error('role-close-timeout', { afterMs: CLOSE_MS_MAX })
    process.exit(1)
  }, CLOSE_MS_MAX)
  try {
    await running.close()
    clearTimeout(deadline)
    process.exit(0)
  } catch (error) {
    log.error('role-close-failed', { error })
    process.exit(1)
  }
}

function failToStart(log: Log, error: unknown): void {
  // A fault says all in its words; where anything else came from is told by its stack.
  const expected = error instanceof Fault
  log.error('role-start-failed', expected ? { code: error.code, problem: error.message } : { error })
  process.stderr.write(`vitrine: ${messageOf(error)}\n`)
  process.exit(1)
}

/** What nobody caught is a bug: it is written down, and the supervisor starts a fresh process. */
function endOnSurprise(log: Log): void {
  const end = (error: unknown): void => {
    log.error('role-crashed', { error: error instanceof Error ? error : messageOf(error) })
    process.exit(1)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}
