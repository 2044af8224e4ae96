// Owns one command of a step: no shell, an environment of its own, an end in time with all that it started, and output
// that is bounded.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { messageOf } from '#base'
import { STEP_OUTPUT_CHARACTERS_MAX } from '#wire'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** After SIGTERM. */
export const END_MS_MAX: number = 3000

export interface CommandLimits {
  readonly timeoutMs: number
  readonly user: string | null
  readonly environment: Readonly<Record<string, string>>
  /** It leads a process group with its number. */
  readonly onStarted?: (pid: number) => void
  readonly onOutput?: (output: string) => void
}

/** `code` null: it did not end by itself, and `problem` says why. */
export interface CommandEnd {
  readonly code: number | null
  readonly problem: string | null
  readonly output: string
}

export function runCommand(argv: readonly string[], limits: CommandLimits): Promise<CommandEnd> {
  const { timeoutMs, user, environment, onStarted, onOutput } = limits
  return new Promise(resolve => {
    let output = ''
    let problem: string | null = null
    const end = (code: number | null): void =>
      resolve({ code: problem === null ? code : null, problem, output })
    let child: ReturnType<typeof spawn>
    try {
      child = spawn(argv[0] ?? '', argv.slice(1), {
        shell: false,
        // A group of its own, so that what it started ends with it.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        cwd: '/',
        env: { PATH, LANG: 'C.UTF-8', ...environment },
        ...(user === null ? {} : identityOf(user)),
      })
    } catch (error) {
      problem = messageOf(error)
      end(null)
      return
    }
    if (child.pid !== undefined) onStarted?.(child.pid)
    const take = (bytes: Buffer): void => {
      output = (output + bytes.toString('utf8')).slice(-STEP_OUTPUT_CHARACTERS_MAX)
      onOutput?.(output)
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    const late = setTimeout(() => {
      problem = `not done within ${Math.round(timeoutMs / 1000)} s, and was ended`
      signalGroup(child.pid, 'SIGTERM')
      setTimeout(() => signalGroup(child.pid, 'SIGKILL'), END_MS_MAX).unref()
    }, timeoutMs)
    child.once('error', error => {
      clearTimeout(late)
      problem = messageOf(error)
      end(null)
    })
    child.once('exit', (code, killed) => {
      clearTimeout(late)
      if (code === null) problem ??= `ended by ${killed ?? 'a signal'}`
      // What it left running may hold its output open for ever.
      setImmediate(() => end(code))
    })
  })
}

export function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, name)
  } catch {
    // It has just ended.
  }
}

/** Throws when there is no such user: it must not run as another. */
function identityOf(user: string): { uid: number; gid: number } {
  const row = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(text => text.split(':'))
    .find(([name]) => name === user)
  if (row === undefined) throw new Error(`no user ${user} on this host`)
  return { uid: Number(row[2]), gid: Number(row[3]) }
}
