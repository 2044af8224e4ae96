// Owns `vitrine server invite|invites|uninvite`: join strings for machines that shall join this control room.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { shownPin, writeJoinString } from '#trust'
import { type JoinRole, joinRoles } from '#wire'
import { cliFaults } from '../faults.ts'
import { controlFolder, joinFile } from '../settings.ts'
import { type CommonOptions, print, readConfig, readTime, table, withData, withJson } from './context.ts'
import { BY, withNewState, withState } from './state.ts'

type InviteOptions = CommonOptions & {
  readonly role: JoinRole
  readonly id?: string
  readonly for?: string
  readonly region?: string
  readonly expires: number
}

const EXPIRES_S_MAX = 604_800
const EXPIRES_S_DEFAULT = 3600

export function registerInvite(server: Command): void {
  const invite = server
    .command('invite')
    .description('make a join string for a new machine and print the line to paste there')
    .addOption(new Option('--role <role>', 'what it will do').choices(joinRoles).default('edge'))
    .option('--id <id>', 'its id; one that is enrolled already is given a new credential')
    .option('--for <id>', 'of an agent: the foreign server whose host it will measure')
    .option('--region <region>', 'where it stands')
    .option(
      '--expires <time>',
      'until when it works, for example 30m, 6h, 2d',
      text => readTime(text, EXPIRES_S_MAX),
      EXPIRES_S_DEFAULT,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine server invite --id sa-east --region sa-east\n  npx vitrine server invite --role agent --for cdn',
    )
    .action(invited)
  withJson(withData(invite))
  const list = server
    .command('invites')
    .description('list join strings, without their secrets')
    .action((options: CommonOptions) => listInvites(options))
  withJson(withData(list))
  const revoke = server
    .command('uninvite <id>')
    .description('revoke an open join string; invites shows the ids')
    .action(async (id: string, options: CommonOptions) => {
      await withState(options, state => state.revokeJoinString(id, BY))
      print({ id }, options.json, () => [`revoked ${id}`])
    })
  withJson(withData(revoke))
}

async function invited(options: InviteOptions): Promise<void> {
  const { controlUrl, pin } = readJoin(options)
  const { role, id, region, expires } = options
  if (options.for !== undefined && (role !== 'agent' || id !== undefined)) {
    throw cliFaults.fault('cli-usage', '--for names the server of an agent: give --role agent, and no --id')
  }
  const request = {
    role,
    expiresInS: expires,
    ...(id === undefined ? {} : { id }),
    ...(options.for === undefined ? {} : { for: options.for }),
    ...(region === undefined ? {} : { region }),
  }
  const { token, ...view } = await withNewState(options, state => state.makeJoinString(request, BY))
  const joinString = writeJoinString({ controlUrl, token, pin })
  print({ ...view, joinString }, options.json, () => [
    `On the new machine, within ${expires / 60} minutes (flags for its address and certificate: vitrine ${role} --help):`,
    `npx vitrine ${role} --join ${joinString}`,
  ])
}

const joinShape = z.object({ controlUrl: z.string(), pin: z.string().nullable() })

function readJoin(options: CommonOptions): z.infer<typeof joinShape> {
  const file = joinFile(controlFolder(readConfig(options).data))
  try {
    const join = joinShape.parse(JSON.parse(readFileSync(file, 'utf8')))
    // Since the control room's start the authority's key may have been changed.
    const pin = join.pin === null ? null : (shownPin(resolve(dirname(file), 'authority')) ?? join.pin)
    return { ...join, pin }
  } catch (error) {
    const message = `${file} cannot be read: start the control room of this data folder once, so that its address is known`
    throw cliFaults.fault('cli-usage', message, { cause: error })
  }
}

async function listInvites(options: CommonOptions): Promise<void> {
  const all = await withState(options, state => state.listJoinStrings())
  const heads = ['id', 'state', 'role', 'server', 'region', 'made by']
  print(all, options.json, views =>
    table(
      heads,
      views.map(({ id, state, role, server, usedBy, region, createdBy }) => [
        id,
        state,
        role,
        usedBy ?? server ?? 'any',
        region ?? '',
        createdBy,
      ]),
      'none yet; make one with: vitrine server invite',
    ),
  )
}
