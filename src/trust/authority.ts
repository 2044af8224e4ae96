// Owns the control room's private authority: its key never leaves the folder. It refuses to replace a key that it
// cannot read: every server would have to join anew.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureFolder, messageOf, writeFileAtomic } from '#base'
import { trustFaults } from './faults.ts'
import { dnsName, type PrivateName } from './names.ts'
import { pinOf } from './pin.ts'
import { newAuthority, newKeyPem, newRequestPem, signLeaf } from './x509.ts'

const AUTHORITY_DAYS = 3650
/** Renewed at two thirds: a server may be away for a month. */
const LEAF_DAYS = 90
const KEY_MODE = 0o600

export interface Authority {
  readonly certPem: string
  readonly pin: string
  /** Signs for one server; `names` is what its certificate proves. Gives the leaf and the authority behind it. */
  sign(this: void, requestPem: string, names: readonly PrivateName[]): Promise<string>
  /** A key and certificate of the control room's own. */
  own(this: void): Promise<{ readonly keyPem: string; readonly certPem: string }>
}

/** Opens the authority in `folder`, or makes it. `nowMs` is fleet time. */
export async function openAuthority(folder: string, nowMs: () => number): Promise<Authority> {
  const keyFile = join(ensureFolder(folder), 'authority.key')
  const certFile = join(folder, 'authority.crt')
  if (!existsSync(certFile)) {
    const keyPem = existsSync(keyFile) ? read(keyFile) : await newKeyPem()
    writeFileAtomic(keyFile, keyPem, KEY_MODE)
    writeFileAtomic(certFile, await newAuthority(keyPem, nowMs(), AUTHORITY_DAYS))
  }
  const keyPem = read(keyFile)
  const certPem = read(certFile)
  const sign = async (requestPem: string, names: readonly PrivateName[]): Promise<string> => {
    const dnsNames = names.map(dnsName)
    const commonName = dnsNames[0] ?? 'nobody'
    const options = { requestPem, commonName, dnsNames, nowMs: nowMs(), days: LEAF_DAYS }
    return `${await signLeaf({ keyPem, certPem }, options)}${certPem}`
  }
  const own = async (): Promise<{ keyPem: string; certPem: string }> => {
    const ownKey = await newKeyPem()
    const names = [{ role: 'control' }, { server: 'control' }] as const
    return { keyPem: ownKey, certPem: await sign(await newRequestPem(ownKey, 'control'), names) }
  }
  return { certPem, pin: pinOf(certPem), sign, own }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw trustFaults.fault('trust-files-unreadable', `${file}: ${messageOf(error)}`, { cause: error })
  }
}
