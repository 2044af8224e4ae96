// Owns `vitrine server watch`: somebody else's streaming server, looked at from outside, with a share of new viewers.
import { type Command, InvalidArgumentError } from 'commander'
import { foreignRequest } from '#wire'
import { cliFaults } from '../faults.ts'
import { type CommonOptions, print, withData, withJson } from './context.ts'
import { BY, withNewState } from './state.ts'

type WatchOptions = CommonOptions & { readonly id: string; readonly region?: string; readonly weight: number }

export function registerWatch(server: Command): void {
  const watch = server
    .command('watch <url>')
    .description(
      'look at a streaming server that is not ours, from outside; again with the same id: change it',
    )
    .requiredOption('--id <id>', 'what it is called here, for good')
    .option('--region <region>', 'where it stands (default: its id)')
    .option(
      '--weight <share>',
      'of new viewers, against 1 of an own edge; needs {title} in the URL',
      readWeight,
      0,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine server watch https://cdn.example.org/live/master.m3u8 --id cdn\n  npx vitrine server watch "https://cdn.example.org/vod/{title}/master.m3u8" --id cdn --weight 0.5',
    )
    .action(async (url: string, { id, region = id, weight, ...options }: WatchOptions) => {
      const parsed = foreignRequest.safeParse({ id, region, url, weight })
      if (!parsed.success) {
        const issue = parsed.error.issues[0]
        throw cliFaults.fault('cli-usage', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`)
      }
      await withNewState(options, state => state.watchForeign(parsed.data, BY))
      print(parsed.data, options.json, () => [
        `${id} is looked at from now on; end it with: vitrine server retire ${id}`,
      ])
    })
  withJson(withData(watch))
}

function readWeight(text: string): number {
  const weight = Number(text)
  if (text.trim() !== '' && weight >= 0) return weight
  throw new InvalidArgumentError('expected 0 or more, for example 0.5')
}
