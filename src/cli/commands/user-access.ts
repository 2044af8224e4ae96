// Owns `vitrine user invite|invitations|uninvite|reset|role|sessions|end-session|recovery-code`.
import type { Command } from 'commander'
import { INVITATION_S_MAX, type UserRole } from '#wire'
import { controlAddress } from '../settings.ts'
import { type CommonOptions, print, readConfig, readTime, table, withData, withJson } from './context.ts'
import { roleOption } from './role-option.ts'
import { BY, withNewState, withState } from './state.ts'

type InviteOptions = CommonOptions & { readonly role: UserRole; readonly expires?: number }

export function registerUserAccess(user: Command): void {
  registerInvite(user)
  registerReset(user)
  registerRole(user)
  registerSessions(user)
  registerRecoveryCode(user)
}

function registerInvite(user: Command): void {
  const invite = user
    .command('invite <name>')
    .description('print a link by which one named person chooses a password; works once')
    .addOption(roleOption(null))
    .option('--expires <time>', 'how long it works: 30m, 6h, 2d (default: 3d)', (text: string) =>
      readTime(text, INVITATION_S_MAX),
    )
    .addHelpText('after', '\nExamples:\n  npx vitrine user invite ada --role operator --expires 1d')
    .action(async (name: string, options: InviteOptions) => {
      const wanted = { name, role: options.role, expiresInS: options.expires }
      const made = await withNewState(options, state => state.invite(wanted, BY))
      printLink(options, made)
    })
  withJson(withData(invite))
  const list = user
    .command('invitations')
    .description('list invitations and resets')
    .action(async (options: CommonOptions) => {
      const all = await withState(options, state => state.listInvitations())
      print(all, options.json, shown =>
        table(
          ['id', 'name', 'role', 'kind', 'state', 'by'],
          shown.map(({ id, name, role, kind, state, createdBy }) => [id, name, role, kind, state, createdBy]),
          'nobody is invited; invite somebody with: vitrine user invite NAME --role operator',
        ),
      )
    })
  withJson(withData(list))
  const revoke = user
    .command('uninvite <id>')
    .description('revoke an invitation or a reset; invitations shows the ids')
    .action(async (id: string, options: CommonOptions) => {
      await withState(options, state => state.revokeInvitation(id, BY))
      print({ id }, options.json, () => [`revoked ${id}`])
    })
  withJson(withData(revoke))
}

function printLink(options: CommonOptions, made: { readonly id: string; readonly code: string }): void {
  const { config, data } = readConfig(options)
  const url = `${controlAddress(config, data)}/welcome#code=${made.code}`
  print({ ...made, url }, options.json, () => [url])
}

function registerReset(user: Command): void {
  const reset = user
    .command('reset <name>')
    .description('print a link by which somebody chooses a new password; works once, for a day')
    .action(async (name: string, options: CommonOptions) => {
      printLink(options, await withState(options, state => state.resetPassword(name, BY)))
    })
  withJson(withData(reset))
}

function registerRole(user: Command): void {
  const change = user
    .command('role <name> <role>')
    .description('give somebody another role; holds at once in every browser')
    .action(async (name: string, role: string, options: CommonOptions) => {
      await withState(options, state => state.setRole(name, role, BY))
      print({ name, role }, options.json, () => [`${name} is ${role} now`])
    })
  withJson(withData(change))
}

function registerSessions(user: Command): void {
  const list = user
    .command('sessions [name]')
    .description('list the browsers that are signed in, also those by a one-time link')
    .action(async (name: string | undefined, options: CommonOptions) => {
      const all = await withState(options, state => state.listSessions(name ?? null))
      print(all, options.json, shown =>
        table(
          ['id', 'name', 'role', 'device', 'address', 'last seen'],
          shown.map(row => [
            row.id,
            row.name,
            row.role,
            row.device,
            row.address,
            new Date(row.seenAt).toISOString().slice(0, 19),
          ]),
          'no browser is signed in',
        ),
      )
    })
  withJson(withData(list))
  const end = user
    .command('end-session <id>')
    .description('sign a browser out at once; sessions shows the ids')
    .action(async (id: string, options: CommonOptions) => {
      await withState(options, state => state.endSession(id, BY))
      print({ id }, options.json, () => [`ended ${id}`])
    })
  withJson(withData(end))
}

function registerRecoveryCode(user: Command): void {
  const make = user
    .command('recovery-code')
    .description('print a code that makes one new admin, once; seal it. The code before becomes void')
    .action(async (options: CommonOptions) => {
      const made = await withState(options, state => state.makeRecoveryCode(BY))
      print(made, options.json, ({ code }) => [
        code,
        '',
        'Shown only now. Write it on paper, seal it, and keep it where two people can find it.',
        'It is used on the sign-in page under "Recovery code", makes one new admin, and is void afterwards.',
      ])
    })
  withJson(withData(make))
}
