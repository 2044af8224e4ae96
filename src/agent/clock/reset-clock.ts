// Owns the commands that set a host's clock by its own time daemon, gently or fully, for each daemon that is known. It
// is begun by a person or a runbook on that host, never by itself.
import { unreachable } from '#base'

export const timeDaemons = ['chrony', 'ntpsec', 'timesyncd', 'none'] as const
export type TimeDaemon = (typeof timeDaemons)[number]

export interface FoundDaemon {
  readonly daemon: TimeDaemon
  /** Of systemd; null: there is no daemon. */
  readonly unit: string | null
}

export interface ResetCommand {
  readonly argv: readonly string[]
  readonly why: string
  readonly timeoutMs: number
  /** Done also when one before it failed: a daemon that was stopped is started. */
  readonly always?: boolean
}

/** Units by distribution: Debian and Ubuntu `chrony`, RHEL and Amazon Linux `chronyd`. */
export const daemonUnits: readonly { readonly unit: string; readonly daemon: TimeDaemon }[] = [
  { unit: 'chrony.service', daemon: 'chrony' },
  { unit: 'chronyd.service', daemon: 'chrony' },
  { unit: 'ntpsec.service', daemon: 'ntpsec' },
  { unit: 'ntp.service', daemon: 'ntpsec' },
  { unit: 'ntpd.service', daemon: 'ntpsec' },
  { unit: 'systemd-timesyncd.service', daemon: 'timesyncd' },
]

const SHORT_MS = 20_000
const WAIT_MS = 90_000

/**
 * Gently: the daemon steps the clock while it runs, or is started again where it has no such word. Fully: it is
 * stopped, the date is set to what it is, it is started. Setting the date is what ends early timers, not by how much.
 * `date -s now` keeps the fraction of the second; `date -s "$(date)"` would step by up to a second.
 */
export function resetCommands({ daemon, unit }: FoundDaemon, isFull: boolean): ResetCommand[] {
  const control = (verb: string, why: string): ResetCommand[] =>
    unit === null ? [] : [{ argv: ['systemctl', verb, unit], why, timeoutMs: SHORT_MS }]
  if (isFull || daemon === 'none') {
    const start = control('start', 'starts the time daemon').map(one => ({ ...one, always: true }))
    return [
      ...control('stop', 'stops the time daemon'),
      { argv: ['date', '-s', 'now'], why: 'sets the date to what it is', timeoutMs: SHORT_MS },
      ...start,
      ...waitCommands(daemon),
    ]
  }
  if (daemon === 'chrony')
    return [
      {
        argv: ['chronyc', 'makestep'],
        why: 'steps the clock to what chrony holds for right',
        timeoutMs: SHORT_MS,
      },
      ...waitCommands(daemon),
    ]
  return [
    ...control('restart', 'starts the time daemon again, which sets the clock'),
    ...waitCommands(daemon),
  ]
}

function waitCommands(daemon: TimeDaemon): ResetCommand[] {
  const why = 'waits until it is synchronised'
  switch (daemon) {
    case 'chrony':
      // At most 60 times, within 50 ms, any skew, twice a second.
      return [{ argv: ['chronyc', 'waitsync', '60', '0.05', '0', '0.5'], why, timeoutMs: WAIT_MS }]
    case 'ntpsec':
      return [{ argv: ['ntpwait', '-n', '60', '-s', '1'], why, timeoutMs: WAIT_MS }]
    case 'timesyncd':
      return [
        {
          argv: ['timedatectl', 'timesync-status'],
          why: 'says what it is synchronised to',
          timeoutMs: SHORT_MS,
        },
      ]
    case 'none':
      return []
    default:
      return unreachable(daemon)
  }
}

export interface CommandRun {
  readonly code: number | null
  readonly problem: string | null
  readonly output: string
}
type Run = (argv: readonly string[], timeoutMs: number) => Promise<CommandRun>

/** Which daemon runs here, by its unit. */
export async function findDaemon(run: Run): Promise<FoundDaemon> {
  for (const { unit, daemon } of daemonUnits) {
    const { code } = await run(['systemctl', 'is-active', '--quiet', unit], SHORT_MS)
    if (code === 0) return { daemon, unit }
  }
  return { daemon: 'none', unit: null }
}

export interface ResetStep {
  readonly command: string
  readonly why: string
  /** Null: done. */
  readonly problem: string | null
  readonly output: string
}

/** Carries them out in order; after one that failed only those that have to be done in any case. */
export async function resetClock(
  commands: readonly ResetCommand[],
  run: Run,
  onStep: (step: ResetStep) => void,
): Promise<boolean> {
  let ok = true
  for (const { argv, why, timeoutMs, always = false } of commands) {
    if (!ok && !always) continue
    const { code, problem, output } = await run(argv, timeoutMs)
    const failure = code === 0 ? null : (problem ?? `code ${code}`)
    if (failure !== null) ok = false
    onStep({ command: argv.join(' '), why, problem: failure, output: output.trim() })
  }
  return ok
}
