// Owns `vitrine clock`: whether independent time servers agree and this host's clock is right, which sets nothing, and
// setting it by the host's own time daemon, which is asked for by its name.
import type { Command } from 'commander'
import {
  checkClock,
  configuredSources,
  daemonUnits,
  type FoundDaemon,
  findDaemon,
  resetClock,
  resetCommands,
  runCommand,
} from '#agent'
import { systemClock } from '#base'
import { cliFaults } from '../faults.ts'
import { type CommonOptions, print, table, withJson } from './context.ts'

const SERVERS_MAX = 8

type ClockOptions = CommonOptions & {
  readonly server?: readonly string[]
  readonly verify?: boolean
}

export function registerClock(program: Command): void {
  const clock = program.command('clock').description('the clock of this host; only `reset` sets it')
  registerReset(clock)
  withJson(clock.command('check'))
    .description(
      'whether at least two independent time servers agree; code 1: they do not, or one is not synchronised; code 2: it cannot be told',
    )
    .option(
      '--server <host...>',
      'time servers to ask, HOST or HOST:PORT (default: those that this host is configured to use)',
    )
    .option(
      '--verify',
      'this clock must be right too: within 50 ms, no early timers, no leap second expected',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine clock check\n  npx vitrine clock check --server ntp1.example.org ntp2.example.org --verify --json',
    )
    .action(async ({ server, verify = false, json }: ClockOptions) => {
      const servers = [...new Set(server ?? configuredSources())].slice(0, SERVERS_MAX)
      const checked = await checkClock({ servers, verify, clock: systemClock })
      print(checked, json, ({ word, text, sources }) => [
        ...table(
          ['SERVER', 'OFFSET', 'AWAY', 'STRATUM', 'LEAP'],
          sources.map(({ server: name, offsetS, rttS, stratum, leap, kiss }) => [
            name,
            kiss === null ? ms(offsetS) : `refuses: ${kiss}`,
            ms(rttS),
            stratum === null ? '-' : String(stratum),
            leap === null ? '-' : String(leap),
          ]),
          'no time servers: this host is configured to use none; name some with --server',
        ),
        `${word}: ${text}`,
      ])
      if (checked.word === 'refused') process.exitCode = 1
      else if (checked.word === 'cannot-tell') process.exitCode = 2
    })
}

interface ResetOptions {
  readonly full?: boolean
  readonly unit?: string
  readonly dryRun?: boolean
}

const run = (argv: readonly string[], timeoutMs: number): ReturnType<typeof runCommand> =>
  runCommand(argv, { timeoutMs, user: null, environment: {} })

function registerReset(clock: Command): void {
  clock
    .command('reset')
    .description(
      'has the time daemon of this host set its clock, which ends timers that fire early; code 1: it could not',
    )
    .option('--full', 'stop the daemon, set the date to what it is, start the daemon')
    .option('--unit <unit>', `the daemon's unit (default: the one of ${daemonUnits.length} known that runs)`)
    .option('--dry-run', 'print what would be done; change nothing')
    .addHelpText(
      'after',
      '\nNeeds root, or a unit that may set the time. Look first whether the time servers agree: vitrine clock check.\n\nExamples:\n  npx vitrine clock reset --dry-run\n  npx vitrine clock reset --full',
    )
    .action(async ({ full = false, unit, dryRun = false }: ResetOptions) => {
      const found = await daemonOf(unit)
      const commands = resetCommands(found, full)
      console.log(
        found.unit === null
          ? 'no known time daemon runs here: the date is set to what it is'
          : `time daemon: ${found.daemon} (${found.unit})`,
      )
      if (dryRun) {
        for (const { argv, why } of commands) console.log(`would run: ${argv.join(' ')}  # ${why}`)
        return
      }
      const ok = await resetClock(commands, run, ({ command, why, problem, output }) => {
        console.log(`${problem === null ? 'done' : 'FAILED'}: ${command}  # ${why}`)
        for (const line of [problem ?? '', output].filter(text => text !== '')) console.log(`  ${line}`)
      })
      if (!ok) process.exitCode = 1
    })
}

async function daemonOf(unit: string | undefined): Promise<FoundDaemon> {
  if (unit === undefined) return await findDaemon(run)
  const name = unit.endsWith('.service') ? unit : `${unit}.service`
  const known = daemonUnits.find(one => one.unit === name)
  if (known !== undefined) return known
  const names = daemonUnits.map(one => one.unit.replace('.service', '')).join(', ')
  throw cliFaults.fault('cli-usage', `no time daemon is known by the unit ${unit}; known are ${names}`)
}

function ms(seconds: number | null): string {
  return seconds === null ? 'no answer' : `${(seconds * 1000).toFixed(1)} ms`
}
