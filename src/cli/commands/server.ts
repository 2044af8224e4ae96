// Owns `vitrine server add|remove|retire|tag|list`: servers on machines of their own.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type ServerRole, type ServerTags, serverRoles, serverTags } from '#wire'
import { cliFaults } from '../faults.ts'
import { type CommonOptions, print, table, withData, withJson } from './context.ts'
import { registerCheck } from './server-check.ts'
import { registerDiff } from './server-diff.ts'
import { registerInvite } from './server-invite.ts'
import { registerOrders } from './server-order.ts'
import { registerWatch } from './server-watch.ts'
import { BY, withNewState, withState } from './state.ts'

type AddOptions = CommonOptions & { readonly role: ServerRole; readonly region?: string }

export function registerServer(program: Command): void {
  const server = program.command('server').description('servers that may join this control room')
  registerInvite(server)
  registerCheck(server)
  registerOrders(server)
  registerWatch(server)
  registerDiff(server)
  const add = server
    .command('add <id>')
    .description(
      'enrol a server by a token file instead of a join string; prints the token, alone on the last line',
    )
    .addOption(new Option('--role <role>', 'what it does').choices(['edge', 'origin']).default('edge'))
    .option('--region <region>', 'where it stands (default: its id)')
    .addHelpText('after', '\nExamples:\n  npx vitrine server add sa-east --region sa-east > sa-east.token')
    .action(async (id: string, options: AddOptions) => {
      const region = options.region ?? id
      const token = await withNewState(options, state => state.addServer(id, options.role, region, BY))
      print({ id, role: options.role, region, token }, options.json, () => [token])
    })
  withJson(withData(add))
  const remove = server
    .command('remove <id>')
    .description('end the enrolment of a server; its token stops working at once')
    .action(async (id: string, options: CommonOptions) => {
      await withState(options, state => state.removeServer(id, BY))
      print({ id }, options.json, () => [`removed ${id}`])
    })
  withJson(withData(remove))
  const retire = server
    .command('retire <id>')
    .description('take a server out of service for good: its credential ends, its past stays')
    .action(async (id: string, options: CommonOptions) => {
      await withState(options, state => state.retireServer(id, BY))
      print({ id }, options.json, () => [`retired ${id}`])
    })
  withJson(withData(retire))
  const tag = server
    .command('tag <id>')
    .description('say what a server is; replaces what was said before')
    .option('--name <name>', 'shown instead of the id, which never changes')
    .option('--provider <provider>', 'who runs the machine')
    .option('--instance-type <type>', 'what the provider calls it')
    .option('--capacity <rate>', 'what its line carries, for example 800Mb/s or 10Gb/s', readRate)
    .option('--drill-target <yes|no>', 'whether a drill may hurt it', readYesNo)
    .addHelpText('after', '\nExamples:\n  npx vitrine server tag sa-east --provider ec2 --capacity 800Mb/s')
    .action((id: string, options: TagOptions) => tagServer(id, options))
  withJson(withData(tag))
  const list = server
    .command('list')
    .description('list enrolled servers')
    .action((options: CommonOptions) => listServers(options))
  withJson(withData(list))
}

type TagOptions = CommonOptions & {
  readonly name?: string
  readonly provider?: string
  readonly instanceType?: string
  readonly capacity?: number
  readonly drillTarget?: boolean
}

async function tagServer(id: string, options: TagOptions): Promise<void> {
  const { name, provider, instanceType, capacity, drillTarget } = options
  const tags = {
    ...(name === undefined ? {} : { name }),
    ...(provider === undefined ? {} : { provider }),
    ...(instanceType === undefined ? {} : { instanceType }),
    ...(capacity === undefined ? {} : { capacityBps: capacity }),
    ...(drillTarget === undefined ? {} : { drillTarget }),
  }
  await withState(options, state => state.tagServer(id, checkTags(tags), BY))
  print({ id, tags }, options.json, () => [`tagged ${id}`])
}

function readYesNo(text: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes'
  throw cliFaults.fault(
    'cli-usage',
    `--drill-target: expected yes or no, not ${JSON.stringify(text.slice(0, 32))}`,
  )
}

function checkTags(tags: ServerTags): ServerTags {
  const parsed = serverTags.safeParse(tags)
  if (parsed.success) return parsed.data
  throw cliFaults.fault('cli-usage', parsed.error.issues[0]?.message ?? 'a tag is not valid')
}

/** `800Mb/s`, `800 Mb/s`, `10Gbit/s`: bits a second. */
function readRate(text: string): number {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)\s*([kMG])b(?:it)?\/s$/.exec(text.trim())
  const units = { k: 1e3, M: 1e6, G: 1e9 } as const
  if (match !== null) return Number(match[1]) * units[match[2] as keyof typeof units]
  throw new InvalidArgumentError('expected a rate such as 800Mb/s or 10Gb/s')
}

async function listServers(options: CommonOptions): Promise<void> {
  const servers = await withState(options, state => state.listServers())
  print(servers, options.json, all =>
    table(
      ['id', 'role', 'region'],
      all.filter(({ role }) => serverRoles.includes(role)).map(({ id, role, region }) => [id, role, region]),
      'none yet; enrol one with: vitrine server add ID',
    ),
  )
}
