// Owns `vitrine recorder`: what an agent's flight recorder holds, read on the machine itself, without any server.
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readRecorder } from '#agent'
import { cliFaults } from '../faults.ts'
import { type CommonOptions, print, readConfig, table, withData, withJson } from './context.ts'

type RecorderOptions = CommonOptions & { readonly id?: string }

export function registerRecorder(program: Command): void {
  const command = program
    .command('recorder')
    .description(
      'show the last minutes of an agent’s flight recorder: load, top processes, kernel messages, clock',
    )
    .option('--id <id>', 'server whose agent it is; needed where several share the data folder')
    .addHelpText('after', '\nExamples:\n  npx vitrine recorder --id eu-west\n  npx vitrine recorder --json')
    .action((options: RecorderOptions) => show(options))
  withJson(withData(command))
}

function show(options: RecorderOptions): void {
  const agents = resolve(readConfig(options).data, 'agents')
  const seconds = readRecorder(resolve(agents, idOf(agents, options.id), 'recorder'))
  print(seconds, options.json, all => {
    const heads = ['time', 'load1', 'not sent', 'top process', 'kernel']
    return table(
      heads,
      all.map(({ at, load1, sent, top, kernel, clockOffMs }) => [
        `${at === null ? 'no fleet time' : new Date(at).toISOString()}${Math.abs(clockOffMs ?? 0) > 1000 ? ` (host clock ${((clockOffMs ?? 0) / 1000).toFixed(1)} s off)` : ''}`,
        load1 === null ? '' : load1.toFixed(2),
        sent ? '' : 'x',
        top.length === 0 ? '' : `${top[0]?.name ?? ''} ${Math.round((top[0]?.cpu ?? 0) * 100)} %`,
        kernel.join(' | '),
      ]),
      'nothing is recorded',
    )
  })
}

function idOf(agents: string, id: string | undefined): string {
  const ids = listed(agents)
  if (id !== undefined && ids.includes(id)) return id
  const [only] = ids
  if (id === undefined && ids.length === 1 && only !== undefined) return only
  const known = ids.length === 0 ? `${agents} holds no agent` : `known are ${ids.join(', ')}`
  throw cliFaults.fault('cli-usage', `which agent? give --id; ${known}`)
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
