// Owns `vitrine user offboard`: what somebody holds, then the end of it, then the proof. Without --yes it shows, and
// changes nothing.
import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { type KeepKind, keepKinds, type OffboardItem } from '#wire'
import { configMentions } from '../config-mentions.ts'
import { keptConfigFile } from '../settings.ts'
import { type CommonOptions, callerPath, print, readConfig, table, withData, withJson } from './context.ts'
import { BY, withState } from './state.ts'

type OffboardOptions = CommonOptions & {
  readonly to?: string
  readonly keep?: readonly KeepKind[]
  readonly yes?: boolean
}

export function registerOffboard(user: Command): void {
  const offboard = user
    .command('offboard <name>')
    .description(
      'end somebody’s time here: list what they hold, revoke it, hand duties over, print the proof',
    )
    .option('--to <name>', 'who takes over what they answer for')
    .addOption(new Option('--keep <kind...>', 'what may go on to work').choices(keepKinds))
    .option('--yes', 'do it; without this it is only shown')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine user offboard ada\n  npx vitrine user offboard ada --to grace --yes --json > proof.json',
    )
    .action(run)
  withJson(withData(offboard))
}

async function run(name: string, options: OffboardOptions): Promise<void> {
  const mentions = configMentions(configFile(options))
  if (options.yes !== true) {
    const plan = await withState(options, state => state.planOffboarding(name, mentions))
    print(plan, options.json, ({ items, needsSuccessor, refusal, notes }) => [
      `${name} (${plan.role}) holds and answers for:`,
      ...listed(items),
      ...notes.map(note => `note: ${note}`),
      '',
      refusal ??
        `Nothing was changed. Do it with: vitrine user offboard ${name}${needsSuccessor ? ' --to NAME' : ''} --yes`,
    ])
    if (plan.refusal !== null) process.exitCode = 1
    return
  }
  const request = { to: options.to ?? null, keep: [...(options.keep ?? [])] }
  const proof = await withState(options, state => state.offboard(name, request, mentions, BY))
  print(proof, options.json, ({ items, left, notes, at, by, to, auditId }) => [
    `${name} was offboarded by ${by} at ${new Date(at).toISOString()}${to === null ? '' : `, duties go to ${to}`}`,
    ...listed(items),
    `counted again: ${left.length === 0 ? 'no access of theirs is left' : `${left.length} things work still`}`,
    ...left.map(({ text, fate }) => `  ${fate}: ${text}`),
    ...notes.map(note => `note: ${note}`),
    `proof: entry ${auditId} of the audit`,
  ])
}

function listed(items: readonly OffboardItem[]): string[] {
  return table(
    ['what', 'fate', 'id'],
    items.map(({ text, fate, id }) => [text, fate, id]),
    'nothing',
  )
}

/** Of a local fleet the configuration that it was started with last. */
function configFile(options: CommonOptions): string | null {
  if (options.config !== undefined) return callerPath(options.config)
  const kept = keptConfigFile(readConfig(options).data)
  return existsSync(kept) ? kept : null
}
