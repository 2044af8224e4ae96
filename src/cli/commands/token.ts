// Owns `vitrine token create|list|revoke`: API tokens for programs.
import type { Command } from 'commander'
import type { UserRole } from '#wire'
import { type CommonOptions, print, table, withData, withJson } from './context.ts'
import { BY, withState } from './state.ts'
import { roleOption } from './user.ts'

type CreateOptions = CommonOptions & { readonly role: UserRole; readonly name: string }

export function registerToken(program: Command): void {
  const token = program.command('token').description('API tokens for programs')
  const create = token
    .command('create')
    .description('make a token and print it, alone on the last line')
    .addOption(roleOption(null))
    .option('--name <name>', 'what it is for', 'command line')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine token create --role viewer --name grafana\n  TOKEN=$(npx vitrine token create --role admin | tail -n 1)',
    )
    .action(async (options: CreateOptions) => {
      const made = await withState(options, state => state.createToken(options.role, options.name, BY))
      print(made, options.json, ({ token }) => [token])
    })
  withJson(withData(create))
  const list = token
    .command('list')
    .description('list tokens')
    .action((options: CommonOptions) => listTokens(options))
  withJson(withData(list))
  const revoke = token
    .command('revoke <id>')
    .description('end a token; list shows the ids')
    .action(async (id: string, options: CommonOptions) => {
      await withState(options, state => state.revokeToken(id, BY))
      print({ id }, options.json, () => [`revoked ${id}`])
    })
  withJson(withData(revoke))
}

async function listTokens(options: CommonOptions): Promise<void> {
  const tokens = await withState(options, state => state.listTokens())
  print(tokens, options.json, all =>
    table(
      ['id', 'role', 'state', 'name'],
      all.map(({ id, role, name, revokedAt }) => [id, role, revokedAt === null ? 'valid' : 'revoked', name]),
      'no tokens yet; make one with: vitrine token create --role viewer',
    ),
  )
}
