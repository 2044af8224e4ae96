// Owns `vitrine audit`: who changed what, newest first, for people and programs.
import type { Command } from 'commander'
import { isoTime } from '#base'
import type { AuditEntry } from '#wire'
import { type CommonOptions, print, readTime, withData, withJson } from './context.ts'
import { withState } from './state.ts'

const SINCE_S_MAX = 3650 * 86_400
const SINCE_S = 7 * 86_400
/** Of one call; whoever needs more asks for a shorter time, or takes the file of the page. */
const ENTRIES_MAX = 50_000

type AuditOptions = CommonOptions & {
  readonly since: number
  readonly who?: string
  readonly action?: string
}

export function registerAudit(program: Command): void {
  const command = program
    .command('audit')
    .description('who changed what, newest first')
    .option(
      '--since <time>',
      'how far back, for example 6h, 7d',
      text => readTime(text, SINCE_S_MAX),
      SINCE_S,
    )
    .option('--who <name>', 'a person with all their tokens, a token, or "command line"')
    .option('--action <name>', 'for example sign-in-refused')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine audit --since 24h\n  npx vitrine audit --who ada --json',
    )
    .action(async (options: AuditOptions) => {
      const entries = await withState(options, async state => {
        const all: AuditEntry[] = []
        let before: string | null = null
        do {
          const page = await state.audit(options.since * 1000, {
            ...(options.who === undefined ? {} : { who: options.who }),
            ...(options.action === undefined ? {} : { action: options.action }),
            ...(before === null ? {} : { before }),
          })
          all.push(...page.entries)
          before = page.next
        } while (before !== null && all.length < ENTRIES_MAX)
        return all
      })
      print(entries, options.json, () => (entries.length === 0 ? ['nothing'] : entries.map(lineOf)))
    })
  withJson(withData(command))
}

function lineOf({ at, by, action, subject, address, facts }: AuditEntry): string {
  const more = Object.keys(facts).length === 0 ? '' : ` ${JSON.stringify(facts)}`
  const from = address === '' ? '' : ` from ${address}`
  // Names and reasons are written by strangers too: no control characters reach the terminal.
  return `${isoTime(at)}  ${by}  ${action}  ${subject}${from}${more}`.replaceAll(/\p{Cc}/gu, '?')
}
