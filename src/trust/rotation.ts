// Owns the change of the authority's key as files: a second key beside the first, and how far the fleet is. Each step
// is one file that is replaced as a whole, so that a process that is killed anywhere finds a state that works.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '#base'
import { trustFaults } from './faults.ts'
import { pinOf } from './pin.ts'
import { newAuthority, newKeyPem } from './x509.ts'

export const AUTHORITY_DAYS = 3650
const KEY_MODE = 0o600

/** `learn`: the old key signs, servers are told of the new root; `renew`: the new one signs, both are believed. */
export interface Rotation {
  readonly phase: 'learn' | 'renew'
  readonly startedAt: number
  /** Somebody wants its end, whoever is missing. */
  readonly force: boolean
}

const rotation: z.ZodType<Rotation> = z.object({
  phase: z.enum(['learn', 'renew']),
  startedAt: z.number(),
  force: z.boolean(),
})

export const authorityFiles = (folder: string): { key: string; crt: string } => ({
  key: join(folder, 'authority.key'),
  crt: join(folder, 'authority.crt'),
})
export const nextFiles = (folder: string): { key: string; crt: string } => ({
  key: join(folder, 'next.key'),
  crt: join(folder, 'next.crt'),
})
export const rotationFile = (folder: string): string => join(folder, 'rotation.json')

/** Null: the key does not change. */
export function readRotation(folder: string): Rotation | null {
  if (!existsSync(rotationFile(folder))) return null
  const parsed = rotation.safeParse(parseJson(readFileSync(rotationFile(folder), 'utf8')))
  if (parsed.success) return parsed.data
  throw trustFaults.fault(
    'trust-files-unreadable',
    `${rotationFile(folder)} is damaged; restore it from a backup`,
  )
}

/** Makes the second key. What an attempt before left without its last file is replaced. */
export async function beginRotation(folder: string, nowMs: number, force: boolean): Promise<void> {
  if (!existsSync(authorityFiles(folder).crt)) {
    throw trustFaults.fault('trust-no-authority', `${folder} holds no authority: there is no key to change`)
  }
  if (readRotation(folder) !== null) {
    throw trustFaults.fault('trust-rotation-running', 'the authority’s key is being changed already')
  }
  const next = nextFiles(folder)
  const keyPem = await newKeyPem()
  writeFileAtomic(next.key, keyPem, KEY_MODE)
  writeFileAtomic(next.crt, await newAuthority(keyPem, nowMs, AUTHORITY_DAYS))
  writeRotation(folder, { phase: 'learn', startedAt: nowMs, force })
}

export function writeRotation(folder: string, next: Rotation): void {
  writeFileAtomic(rotationFile(folder), `${JSON.stringify(next)}\n`)
}

/** The second key becomes the only one. May be done again from any of its own steps. */
export function endRotation(folder: string): void {
  const [own, next] = [authorityFiles(folder), nextFiles(folder)]
  writeFileAtomic(own.crt, readFileSync(next.crt))
  writeFileAtomic(own.key, readFileSync(next.key), KEY_MODE)
  rmSync(rotationFile(folder), { force: true })
  rmSync(next.key, { force: true })
  rmSync(next.crt, { force: true })
}

/** What join strings carry at this moment: the pin of the key that signs. Null: there is no authority. */
export function shownPin(folder: string): string | null {
  const { crt } = readRotation(folder)?.phase === 'renew' ? nextFiles(folder) : authorityFiles(folder)
  return existsSync(crt) ? pinOf(readFileSync(crt, 'utf8')) : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
