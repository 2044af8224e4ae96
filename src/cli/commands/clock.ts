// Owns `vitrine clock check`: whether independent time servers agree and, afterwards, whether this host's clock is right.
// It sets nothing.
import type { Command } from 'commander'
import { checkClock, configuredSources } from '#agent'
import { systemClock } from '#base'
import { type CommonOptions, print, table, withJson } from './context.ts'

const SERVERS_MAX = 8

type ClockOptions = CommonOptions & {
  readonly server?: readonly string[]
  readonly verify?: boolean
}

export function registerClock(program: Command): void {
  const clock = program.command('clock').description('the clock of this host; nothing here ever sets it')
  withJson(clock.command('check'))
    .description(
      'whether at least two independent time servers agree; code 1: they do not, or one is not synchronised; code 2: it cannot be told',
    )
    .option(
      '--server <host[:port]...>',
      'time servers to ask (default: those that this host is configured to use)',
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

function ms(seconds: number | null): string {
  return seconds === null ? 'no answer' : `${(seconds * 1000).toFixed(1)} ms`
}
