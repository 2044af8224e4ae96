// Owns the control room's private authority: its key never leaves the folder. It refuses to replace a key that it
// cannot read: every server would have to join anew.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { ensureFolder, messageOf, writeFileAtomic } from '#base'
import { trustFaults } from './faults.ts'
import { dnsName, type PrivateName } from './names.ts'
import { pinOf } from './pin.ts'
import {
  AUTHORITY_DAYS,
  authorityFiles,
  endRotation,
  nextFiles,
  type Rotation,
  readRotation,
  rotationFile,
  writeRotation,
} from './rotation.ts'
import { newAuthority, newKeyPem, newRequestPem, signLeaf } from './x509.ts'

/** Renewed at two thirds: a server may be away for a month. */
const LEAF_DAYS = 90
const KEY_MODE = 0o600

export interface Authority {
  /** Of the key that signs now; so is the pin. */
  readonly certPem: string
  readonly pin: string
  /** All that are believed now: two while the key is changed. */
  readonly roots: readonly string[]
  /** Null: the key does not change. */
  readonly rotation: Rotation | null
  /** Reads what a command has changed; true when something did. */
  follow(this: void): boolean
  /** From now on the new key signs. */
  switchOver(this: void): void
  /** From now on the new key is the only one. */
  finish(this: void): void
  /** Signs for one server; `names` is what its certificate proves. Gives the leaf and the authority behind it. */
  sign(this: void, requestPem: string, names: readonly PrivateName[]): Promise<string>
  /** A key and certificate of the control room's own. */
  own(this: void): Promise<{ readonly keyPem: string; readonly certPem: string }>
}

/** Opens the authority in `folder`, or makes it. `nowMs` is fleet time. */
export async function openAuthority(folder: string, nowMs: () => number): Promise<Authority> {
  const { key: keyFile, crt: certFile } = authorityFiles(ensureFolder(folder))
  if (!existsSync(certFile)) {
    const keyPem = existsSync(keyFile) ? read(keyFile) : await newKeyPem()
    writeFileAtomic(keyFile, keyPem, KEY_MODE)
    writeFileAtomic(certFile, await newAuthority(keyPem, nowMs(), AUTHORITY_DAYS))
  }
  return new OpenAuthority(folder, nowMs)
}

interface Material {
  readonly keyPem: string
  readonly certPem: string
  readonly roots: readonly string[]
  readonly rotation: Rotation | null
  readonly stamp: string
}

class OpenAuthority implements Authority {
  readonly #folder: string
  readonly #nowMs: () => number
  #now: Material

  constructor(folder: string, nowMs: () => number) {
    this.#folder = folder
    this.#nowMs = nowMs
    this.#now = load(folder)
  }

  get certPem(): string {
    return this.#now.certPem
  }

  get pin(): string {
    return pinOf(this.#now.certPem)
  }

  get roots(): readonly string[] {
    return this.#now.roots
  }

  get rotation(): Rotation | null {
    return this.#now.rotation
  }

  follow = (): boolean => {
    if (stampOf(this.#folder) === this.#now.stamp) return false
    this.#now = load(this.#folder)
    return true
  }

  switchOver = (): void => {
    const { rotation } = this.#now
    if (rotation !== null) writeRotation(this.#folder, { ...rotation, phase: 'renew' })
    this.#now = load(this.#folder)
  }

  finish = (): void => {
    endRotation(this.#folder)
    this.#now = load(this.#folder)
  }

  sign = async (requestPem: string, names: readonly PrivateName[]): Promise<string> => {
    const { keyPem, certPem } = this.#now
    const dnsNames = names.map(dnsName)
    const commonName = dnsNames[0] ?? 'nobody'
    const options = { requestPem, commonName, dnsNames, nowMs: this.#nowMs(), days: LEAF_DAYS }
    return `${await signLeaf({ keyPem, certPem }, options)}${certPem}`
  }

  own = async (): Promise<{ keyPem: string; certPem: string }> => {
    const ownKey = await newKeyPem()
    const names = [{ role: 'control' }, { server: 'control' }] as const
    return { keyPem: ownKey, certPem: await this.sign(await newRequestPem(ownKey, 'control'), names) }
  }
}

function load(folder: string): Material {
  const stamp = stampOf(folder)
  const rotation = readRotation(folder)
  const [own, next] = [authorityFiles(folder), nextFiles(folder)]
  const ownPem = read(own.crt)
  if (rotation === null) return { keyPem: read(own.key), certPem: ownPem, roots: [ownPem], rotation, stamp }
  const nextPem = read(next.crt)
  const signer = rotation.phase === 'renew' ? next : own
  // While it ends, the first one is the second one already.
  return {
    keyPem: read(signer.key),
    certPem: read(signer.crt),
    roots: [...new Set([ownPem, nextPem])],
    rotation,
    stamp,
  }
}

function stampOf(folder: string): string {
  const stat = statSync(rotationFile(folder), { throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.mtimeMs} ${stat.ino}`
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw trustFaults.fault('trust-files-unreadable', `${file}: ${messageOf(error)}`, { cause: error })
  }
}
