// Owns `vitrine token create|list|revoke`: API tokens for programs.
import { type Command, Option } from 'commander'
import { systemClock } from '#base'
import { TOKEN_S_MAX, type TokenScope, type TokenView, tokenScopes, type UserRole } from '#wire'
import { type CommonOptions, print, readTime, table, withData, withJson } from './context.ts'
import { roleOption } from './role-option.ts'
import { BY, withNewState, withState } from './state.ts'

type CreateOptions = CommonOptions & {
  readonly role: UserRole
  readonly name: string
  readonly owner?: string
  readonly scope: TokenScope
  readonly expires?: number
}

export function registerToken(program: Command): void {
  const token = program.command('token').description('API tokens for programs')
  const create = token
    .command('create')
    .description('make a token and print it, alone on the last line')
    .addOption(roleOption(null))
    .option('--name <name>', 'what it is for', 'command line')
    .option('--owner <name>', 'who answers for it: it may do no more than they may, and ends with them')
    .addOption(new Option('--scope <scope>', 'what it reaches').choices(tokenScopes).default('everything'))
    .option(
      '--expires <time>',
      'how long it works: 30m, 6h, 90d (default: until it is revoked)',
      (text: string) => readTime(text, TOKEN_S_MAX),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine token create --role viewer --name grafana\n  TOKEN=$(npx vitrine token create --role admin | tail -n 1)',
    )
    .action(async (options: CreateOptions) => {
      const { role, name, owner = null, scope, expires: expiresInS } = options
      const limits = { owner, scope, expiresInS }
      const made = await withNewState(options, state => state.createToken(role, name, BY, limits))
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
      ['id', 'role', 'scope', 'state', 'owner', 'last used', 'name'],
      all.map(({ id, role, scope, owner, name, usedAt, ...token }) => [
        id,
        role,
        scope,
        stateOf(token),
        owner ?? '',
        usedAt === null ? 'never' : new Date(usedAt).toISOString().slice(0, 16),
        name,
      ]),
      'no tokens yet; make one with: vitrine token create --role viewer',
    ),
  )
}

function stateOf({ revokedAt, expiresAt }: Pick<TokenView, 'revokedAt' | 'expiresAt'>): string {
  if (revokedAt !== null) return 'revoked'
  if (expiresAt === null) return 'valid'
  return expiresAt <= systemClock.wallMs()
    ? 'expired'
    : `until ${new Date(expiresAt).toISOString().slice(0, 10)}`
}
