// Owns `vitrine server add|remove|list`: servers on machines of their own.
import { type Command, Option } from 'commander'
import { type ServerRole, serverRoles } from '#wire'
import { type CommonOptions, print, table, withData, withJson } from './context.ts'
import { BY, withState } from './state.ts'

type AddOptions = CommonOptions & { readonly role: ServerRole; readonly region?: string }

export function registerServer(program: Command): void {
  const server = program.command('server').description('servers that may join this control room')
  const add = server
    .command('add <id>')
    .description('enrol a server and print its token, alone on the last line')
    .addOption(new Option('--role <role>', 'what it does').choices(['edge', 'origin']).default('edge'))
    .option('--region <region>', 'where it stands (default: its id)')
    .addHelpText('after', '\nExamples:\n  npx vitrine server add sa-east --region sa-east > sa-east.token')
    .action(async (id: string, options: AddOptions) => {
      const region = options.region ?? id
      const token = await withState(options, state => state.addServer(id, options.role, region, BY))
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
  const list = server
    .command('list')
    .description('list enrolled servers')
    .action((options: CommonOptions) => listServers(options))
  withJson(withData(list))
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
