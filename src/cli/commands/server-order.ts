// Owns `vitrine server drain|maintain|keep|release`: a person's order about a server, with a reason and an end.
import type { Command } from 'commander'
import type { OverrideKind } from '#wire'
import { type CommonOptions, print, readSeconds, readTime, withData, withJson } from './context.ts'
import { BY, withState } from './state.ts'

type OrderOptions = CommonOptions & {
  readonly reason: string
  readonly for?: number
  readonly max?: number
}

const EXPIRES_S_MAX = 31_536_000

const orders: readonly (readonly [name: string, kind: OverrideKind, words: string])[] = [
  ['drain', 'drain', 'send it no new viewers and move those it has; healthy or not'],
  ['maintain', 'maintenance', 'leave it alone while it is worked on: no viewers, no alerts'],
  ['keep', 'keep', 'keep it in service against its witnesses, for a day at most'],
]

export function registerOrders(server: Command): void {
  for (const [name, kind, words] of orders) {
    const command = server
      .command(`${name} <id>`)
      .description(words)
      .requiredOption('--reason <words>', 'why, for those who find it later')
      .option('--for <time>', 'until when, for example 30m, 6h, 2d (default: until it is released)', text =>
        readTime(text, EXPIRES_S_MAX),
      )
      .addHelpText(
        'after',
        `\nExamples:\n  npx vitrine server ${name} eu-west --reason "disk change" --for 2h`,
      )
      .action(async (id: string, options: OrderOptions) => {
        const drainMaxS = options.max === undefined ? {} : { drainMaxS: options.max }
        const request = { kind, reason: options.reason, expiresInS: options.for ?? null, ...drainMaxS }
        await withState(options, state => state.setOverride(id, request, BY))
        print({ id, ...request }, options.json, () => [
          `${id}: ${kind} ordered; end it with: vitrine server release ${id}`,
        ])
      })
    if (kind === 'drain') {
      command.option(
        '--max <time>',
        'who is still fed after it is sent to another edge, and it counts as drained (default: 10m)',
        readSeconds,
      )
    }
    withJson(withData(command))
  }
  const release = server
    .command('release <id>')
    .description('end the order: the witnesses decide again; an edge comes back in steps of 1, 10 and 100 %')
    .option('--at-once', 'without the steps: all that steering would send it')
    .action(async (id: string, options: CommonOptions & { readonly atOnce?: boolean }) => {
      const { atOnce = false } = options
      await withState(options, state => state.endOverride(id, BY, atOnce))
      print({ id, atOnce }, options.json, () => [`released ${id}`])
    })
  withJson(withData(release))
}
