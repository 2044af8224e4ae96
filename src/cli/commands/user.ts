// Owns `vitrine user add|password|remove|link|list`; what else there is about people is in files of its own.
import type { Command } from 'commander'
import type { userRoles } from '#wire'
import { controlAddress } from '../settings.ts'
import { type CommonOptions, print, readConfig, table, withData, withJson } from './context.ts'
import { registerOffboard } from './offboard.ts'
import { readPassword } from './password.ts'
import { roleOption } from './role-option.ts'
import { BY, withNewState, withState } from './state.ts'
import { registerUserAccess } from './user-access.ts'

type PasswordOptions = CommonOptions & { readonly passwordStdin?: boolean }
type RoleOptions = CommonOptions & { readonly role: (typeof userRoles)[number] }

export function registerUser(program: Command): void {
  const user = program.command('user').description('people who may sign in')
  registerAdd(user)
  registerPassword(user)
  registerRemove(user)
  registerLink(user)
  registerUserAccess(user)
  registerOffboard(user)
  const list = user
    .command('list')
    .description('list people')
    .action((options: CommonOptions) => listUsers(options))
  withJson(withData(list))
}

function registerAdd(user: Command): void {
  const add = user
    .command('add <name>')
    .description('add somebody; asks for a password')
    .addOption(roleOption(null))
    .option('--password-stdin', 'read the password from standard input')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine user add ada --role operator\n  npx vitrine user add ada --role viewer --password-stdin < secret.txt',
    )
    .action(async (name: string, options: PasswordOptions & RoleOptions) => {
      const password = await readPassword(name, options.passwordStdin === true)
      const added = await withNewState(options, state => state.addUser(name, password, options.role, BY))
      print(added, options.json, ({ name, role }) => [`added ${name} (${role})`])
    })
  withJson(withData(add))
}

function registerPassword(user: Command): void {
  const change = user
    .command('password <name>')
    .description('set a new password')
    .option('--password-stdin', 'read the password from standard input')
    .action(async (name: string, options: PasswordOptions) => {
      const password = await readPassword(name, options.passwordStdin === true)
      await withState(options, state => state.setPassword(name, password, BY))
      print({ name }, options.json, () => [`changed the password of ${name}`])
    })
  withJson(withData(change))
}

function registerRemove(user: Command): void {
  const remove = user
    .command('remove <name>')
    .description('remove somebody, and sign them out everywhere')
    .action(async (name: string, options: CommonOptions) => {
      await withState(options, state => state.removeUser(name, BY))
      print({ name }, options.json, () => [`removed ${name}`])
    })
  withJson(withData(remove))
}

function registerLink(user: Command): void {
  const link = user
    .command('link')
    .description('print a one-time sign-in link')
    .addOption(roleOption('admin'))
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine user link\n  npx vitrine user link --role viewer --data /srv/vitrine',
    )
    .action(async (options: RoleOptions) => {
      const { config, data } = readConfig(options)
      const code = await withNewState(options, state => state.createLink(options.role, BY))
      const url = `${controlAddress(config, data)}/sign-in#link=${code}`
      print({ code, url }, options.json, () => [url])
    })
  withJson(withData(link))
}

async function listUsers(options: CommonOptions): Promise<void> {
  const users = await withState(options, state => state.listUsers())
  print(users, options.json, all =>
    table(
      ['name', 'role', 'browsers', 'tokens', 'state'],
      all.map(({ name, role, sessions, tokens, offboardedAt }) => [
        name,
        role,
        String(sessions),
        String(tokens),
        offboardedAt === null ? '' : `offboarded ${new Date(offboardedAt).toISOString().slice(0, 10)}`,
      ]),
      'nobody yet; invite somebody with: vitrine user invite NAME --role admin',
    ),
  )
}
