// Owns `vitrine simulate`: viewers without a picture, until Ctrl-C.
import type { Command } from 'commander'
import { createLog, systemClock } from '#base'
import { edgeSettings, localUrl } from '../settings.ts'
import {
  type CommonOptions,
  print,
  readCount,
  readFleetConfig,
  withData,
  withJson,
  withPortBase,
} from './context.ts'

const REPORT_MS = 1000

type SimulateOptions = CommonOptions & {
  readonly viewers: number
  readonly title: string
  readonly entry?: readonly string[]
}

export function registerSimulate(program: Command): void {
  const command = program
    .command('simulate')
    .description('watch as many viewers would, without a picture, until Ctrl-C')
    .option('--viewers <n>', 'how many', readCount, 30)
    .option('--title <id>', 'what they watch', 'sample')
    .option('--entry <url...>', 'where they enter (default: the edges of the configuration)')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine simulate --viewers 30\n  npx vitrine simulate --entry https://eu.example.org --title film',
    )
    .action((options: SimulateOptions) => simulate(options))
  withJson(withPortBase(withData(command)))
}

async function simulate(options: SimulateOptions): Promise<void> {
  const { config, data } = readFleetConfig(options)
  const edges = config.edges.map(edge => edgeSettings(config, data, edge))
  const entries = options.entry ?? edges.map(edge => edge.publicUrl ?? localUrl(edge.listen))
  const { startViewers } = await import('#viewer')
  const log = createLog('silent')
  const viewers = startViewers({
    count: options.viewers,
    entries,
    title: options.title,
    clock: systemClock,
    log,
  })
  const report = setInterval(() => {
    print(viewers.stats(), options.json, ({ playing, stalled, stalls, failures, edges }) => {
      const shares = Object.entries(edges).map(([id, { active }]) => `${id} ${active}`)
      return [
        `${playing} playing, ${stalled} waiting, ${stalls} stalls, ${failures} failures   ${shares.join('  ')}`,
      ]
    })
  }, REPORT_MS)
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve)
  })
  clearInterval(report)
  await viewers.close()
}
