// Owns `vitrine viewers`: who was affected by something, and the keys with which the operator's site proves whose a session
// is. The running control room answers.
import { type Command, Option } from 'commander'
import { isoTime, systemClock } from '#base'
import { type AffectedAnswer, affectedAnswer, grantKeyMade, grantKeysAnswer, titleClasses } from '#wire'
import { cliFaults } from '../faults.ts'
import { withControl } from './ask-control.ts'
import { type CommonOptions, print, readTime, table, withData, withJson } from './context.ts'

const BACK_S_MAX = 366 * 86_400
const SHOWN_MAX = 40
const NAME = 'vitrine viewers'

type AffectedOptions = CommonOptions & {
  readonly from?: string
  readonly to?: string
  readonly last: number
  readonly edge?: string
  readonly region?: string
  readonly class?: string
  readonly title?: string
  readonly lost: string
  readonly waited: string
}

export function registerViewers(program: Command): void {
  const viewers = program.command('viewers').description('what viewers went through, and who they are')
  registerAffected(viewers)
  registerGrantKeys(viewers)
}

function registerAffected(viewers: Command): void {
  const affected = viewers
    .command('affected')
    .description('who lost seconds to stalls or could not start, and how many more than among their peers')
    .addOption(
      new Option('--last <time>', 'up to now: 30m, 6h, 2d')
        .argParser(text => readTime(text, BACK_S_MAX))
        .default(3600, '1h'),
    )
    .option('--from <time>', 'instead: an ISO time, as 2026-11-22T21:00:00Z')
    .option('--to <time>', 'up to here (default: now)')
    .option('--edge <id>', 'fed by this edge; its peers are viewers of the same titles on others')
    .option('--region <name>', 'of this region by your table of addresses')
    .option('--title <id>', 'of this title')
    .addOption(new Option('--class <class>', 'of titles of this class').choices(titleClasses))
    .option('--lost <seconds>', 'seconds of stalls from which on a viewer is affected', '3')
    .option('--waited <seconds>', 'of waiting after which leaving counts as could not start', '3')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine viewers affected --last 2h --edge eu-west\n  npx vitrine viewers affected --from 2026-11-22T21:00:00Z --to 2026-11-22T23:30:00Z --lost 10 --json',
    )
    .action(async (options: AffectedOptions) => {
      const query = queryOf(options)
      const answer = affectedAnswer.parse(
        await withControl(options, { role: 'viewer', name: NAME }, ask =>
          ask(`/api/v1/viewers/affected?${query.toString()}`),
        ),
      )
      print(answer, options.json, linesOf)
    })
  withJson(withData(affected))
}

function queryOf(options: AffectedOptions): URLSearchParams {
  const { last, edge, region, title, class: titleClass, lost, waited } = options
  const to = options.to === undefined ? systemClock.wallMs() : timeOf('--to', options.to)
  const from = options.from === undefined ? to - last * 1000 : timeOf('--from', options.from)
  const given = { edge, region, title, class: titleClass, lostSMin: lost, waitedSMin: waited }
  const query = new URLSearchParams({ from: String(from), to: String(to) })
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, value)
  return query
}

function timeOf(option: string, text: string): number {
  const at = Date.parse(text)
  if (Number.isFinite(at)) return at
  const message = `${option}: expected a time as 2026-11-22T21:00:00Z, not ${JSON.stringify(text)}`
  throw cliFaults.fault('cli-usage', message)
}

function linesOf({ measured, estimated, viewers, truncated }: AffectedAnswer): string[] {
  const counts = (how: string, of: AffectedAnswer['measured']): string => {
    const more = of.excess === null ? '' : `; ${of.excess.toFixed(1)} more than among ${of.peers} peers`
    const rest = `${of.lostS.toFixed(0)} s lost, ${of.couldNotStart} could not start${more}`
    return `${how}: ${of.affected} of ${of.viewers} affected: ${rest}`
  }
  const rows = viewers
    .slice(0, SHOWN_MAX)
    .map(one => [
      one.viewerRef === null ? one.sid : `${one.viewerRef} (${one.viewerRefIs})`,
      one.title ?? '',
      isoTime(one.at),
      (one.wantedS / 60).toFixed(1),
      one.lostS.toFixed(1),
      one.couldNotStart ? 'yes' : '',
      one.edge ?? '',
      one.estimated ? 'yes' : '',
      one.evidence,
    ])
  const heads = 'viewer|title|at|min wanted|s lost|could not start|edge|estimated|evidence'.split('|')
  return [
    counts('measured', measured),
    counts('estimated', estimated),
    ...(truncated ? ['more sessions touch that time than were looked at'] : []),
    ...table(heads, rows, 'nobody was affected'),
    ...(viewers.length > SHOWN_MAX ? [`and ${viewers.length - SHOWN_MAX} more: --json has them`] : []),
  ]
}

function registerGrantKeys(viewers: Command): void {
  const keys = viewers
    .command('grant-key')
    .description('keys with which your site signs whose session it is (docs/watch/grants.md)')
  const add = keys
    .command('add <name>')
    .description('make one and print its private half, which is shown this once')
    .action(async (name: string, options: CommonOptions) => {
      const made = grantKeyMade.parse(
        await withControl(options, { role: 'admin', name: NAME }, ask =>
          ask('/api/v1/viewers/grant-keys', { name }),
        ),
      )
      print(made, options.json, () => [`kid: ${made.id}`, made.privateKey.trimEnd()])
    })
  const list = keys
    .command('list')
    .description('their ids, names and ages')
    .action(async (options: CommonOptions) => {
      const answer = grantKeysAnswer.parse(
        await withControl(options, { role: 'admin', name: NAME }, ask => ask('/api/v1/viewers/grant-keys')),
      )
      print(answer.keys, options.json, all =>
        table(
          ['kid', 'made', 'by', 'name'],
          all.map(one => [one.id, isoTime(one.at), one.by, one.name]),
          'no grant keys yet; make one with: vitrine viewers grant-key add site',
        ),
      )
    })
  const remove = keys
    .command('remove <kid>')
    .description('its grants prove nothing from now on; what they proved stays')
    .action(async (kid: string, options: CommonOptions) => {
      await withControl(options, { role: 'admin', name: NAME }, ask =>
        ask(`/api/v1/viewers/grant-keys/${encodeURIComponent(kid)}`, null, 'DELETE'),
      )
      print({ kid }, options.json, () => [`removed ${kid}`])
    })
  for (const command of [add, list, remove]) withJson(withData(command))
}
