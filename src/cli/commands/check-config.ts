// Owns `vitrine check-config`: reads a configuration as a start would, and starts nothing.
import type { Command } from 'commander'
import { type CommonOptions, print, readConfig, withJson } from './context.ts'

export function registerCheckConfig(program: Command): void {
  const command = program
    .command('check-config <file>')
    .description('check a configuration file')
    .addHelpText('after', '\nExamples:\n  npx vitrine check-config vitrine.yaml')
    .action((file: string, options: CommonOptions) => {
      const { config } = readConfig({ config: file })
      print(config, options.json, () => [`${file}: ok`])
    })
  withJson(command)
}
