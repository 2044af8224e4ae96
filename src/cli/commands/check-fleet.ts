// Owns `vitrine check fleet`: whether every server is within its normal ranges, and compared with what.
import type { Command } from 'commander'
import { normalAnswer } from '#wire'
import { askControl } from './ask-control.ts'
import { type CommonOptions, print, table, withData, withJson } from './context.ts'

type CheckOptions = CommonOptions & { readonly server?: string }

export function registerCheckFleet(program: Command): void {
  const command = program.command('check').description('check what runs')
  withJson(withData(command.command('fleet')))
    .description(
      'whether every server is within its normal ranges; code 1 when one is out, 2 when it cannot be told',
    )
    .option('--server <id>', 'only this one, signal by signal')
    .action(async ({ server, ...options }: CheckOptions) => {
      const path = server === undefined ? '' : `?server=${encodeURIComponent(server)}`
      const answer = normalAnswer.parse(
        await askControl(options, `/api/v1/normal${path}`, 'vitrine check fleet'),
      )
      print(answer, options.json, ({ now, servers }) => [
        ...table(
          ['SERVER', 'STATE', 'NORMAL', 'FOR', 'WHY'],
          servers.map(({ id, state, word, since, text }) => [id, state, word, lasting(now, since), text]),
          'no servers',
        ),
        ...(server === undefined
          ? []
          : servers.flatMap(({ signals }) =>
              signals.map(
                ({ word, since, text }) => `  ${word.padEnd(11)} ${lasting(now, since).padEnd(8)} ${text}`,
              ),
            )),
      ])
      const words = answer.servers.map(({ word }) => word)
      if (words.includes('out')) process.exitCode = 1
      else if (words.includes('cannot-tell')) process.exitCode = 2
    })
}

/** `12 min`; a dash: it has just become so. */
function lasting(now: number, since: number | undefined): string {
  if (since === undefined) return '-'
  const seconds = Math.max(0, Math.round((now - since) / 1000))
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}
