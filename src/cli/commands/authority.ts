// Owns `vitrine authority rotate|status`: the change of the private authority's key, beside the control room.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import { systemClock } from '#base'
import { beginRotation, readRotation, shownPin, writeRotation } from '#trust'
import { controlFolder } from '../settings.ts'
import { type CommonOptions, print, readConfig, withData, withJson } from './context.ts'
import { BY, withState } from './state.ts'

type RotateOptions = CommonOptions & { readonly force?: boolean }

const status = z.object({ phase: z.string().nullable(), missing: z.array(z.string()) })

export function registerAuthority(program: Command): void {
  const authority = program
    .command('authority')
    .description('the private authority, by which servers know each other')
  const rotate = authority
    .command('rotate')
    .description('change its key: servers learn the new one over the channel, then the old one goes')
    .option('--force', 'do not wait for servers that are away: they must join anew')
    .addHelpText('after', '\nExamples:\n  npx vitrine authority rotate\n  npx vitrine authority status')
    .action(rotated)
  withJson(withData(rotate))
  const show = authority
    .command('status')
    .description('how far a change of the key is, and who is missing')
    .action((options: CommonOptions) => showStatus(options))
  withJson(withData(show))
}

async function rotated(options: RotateOptions): Promise<void> {
  const folder = folderOf(options)
  const running = readRotation(folder)
  if (running !== null && options.force === true) writeRotation(folder, { ...running, force: true })
  else await beginRotation(folder, systemClock.wallMs(), options.force === true)
  const facts = { force: options.force === true, continued: running !== null }
  await withState(options, state => state.note('authority-rotate', shownPin(folder) ?? '', facts, BY))
  const { phase, force } = readRotation(folder) ?? { phase: 'learn', force: false }
  print({ phase, force }, options.json, () => [
    force ? 'The old key goes, whoever is missing.' : 'The key is being changed; servers learn the new one.',
    'How far it is: vitrine authority status. Open join strings are void: make others.',
  ])
}

function showStatus(options: CommonOptions): void {
  const folder = folderOf(options)
  const rotation = readRotation(folder)
  const { missing } = readStatus(resolve(folder, 'rotation-status.json'))
  const pin = shownPin(folder)
  const shown = { pin, phase: rotation?.phase ?? null, missing: rotation === null ? [] : missing }
  print(shown, options.json, () => {
    if (rotation === null)
      return [`the key does not change; its pin is ${pin ?? 'none: there is no authority'}`]
    const step =
      rotation.phase === 'learn' ? 'servers learn the new root' : 'servers renew their certificates'
    const who = missing.length === 0 ? 'all have' : `missing: ${missing.join(', ')}`
    return [
      `${step}; ${who}`,
      ...(missing.length === 0 ? [] : ['end it without them: vitrine authority rotate --force']),
    ]
  })
}

function readStatus(file: string): z.infer<typeof status> {
  try {
    return status.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return { phase: null, missing: [] } // no control room has taken it up yet
  }
}

function folderOf(options: CommonOptions): string {
  return resolve(controlFolder(readConfig(options).data), 'authority')
}
