// Owns `vitrine check-config`: reads a configuration as a start would, and starts nothing.
import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { type CommonOptions, print, readConfig, withJson } from './context.ts'

export function registerCheckConfig(program: Command): void {
  const command = program
    .command('check-config <file>')
    .description('check a configuration file')
    .addHelpText('after', '\nExamples:\n  npx vitrine check-config vitrine.yaml')
    .action(async (file: string, options: CommonOptions) => {
      const { config } = readConfig({ config: file })
      // Loaded only here: other commands need no control room.
      const { planNotify } = await import('#control')
      planNotify(config.control.notify, process.env)
      print(withoutSecrets(config), options.json, () => [`${file}: ok`])
    })
  withJson(command)
}

const SECRETS = /^(password|routingKey|secret|bearer|url)$/

/** What may be secret is printed as stars; where it is to be found is not. */
function withoutSecrets(config: Config): Config {
  const hide = (key: string, value: unknown): unknown =>
    SECRETS.test(key) && typeof value === 'string' ? '***' : value
  const notify = JSON.parse(JSON.stringify(config.control.notify, hide)) as Config['control']['notify']
  return { ...config, control: { ...config.control, notify } }
}
