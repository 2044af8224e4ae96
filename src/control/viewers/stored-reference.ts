// Owns how a viewer's reference is stored: as a keyed hash, whose key never leaves the data folder, or as it was given
// where the configuration says so.
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureFolder } from '#base'

const KEY_BYTES = 32
/** 128 bits: two of a billion references are not mistaken for each other. */
const CHARACTERS = 22

/** The key is made at the first start; whoever deletes it makes all stored references strangers. */
export function referenceWords(stateFolder: string, mode: 'hashed' | 'plain'): (reference: string) => string {
  if (mode === 'plain') return reference => reference
  const key = readKey(join(ensureFolder(join(stateFolder, 'viewers')), 'reference.key'))
  return reference => createHmac('sha256', key).update(reference).digest('base64url').slice(0, CHARACTERS)
}

function readKey(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const key = randomBytes(KEY_BYTES)
    writeFileSync(file, key, { mode: 0o600, flag: 'wx' })
    return key
  }
}
