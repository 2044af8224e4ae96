// Owns the keys that grants are checked with: the public halves only. The private half goes to the operator's site and is
// shown once; who reads this folder can sign nothing.
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, writeFileAtomic } from '#base'
import type { GrantKeyMade, GrantKeyView } from '#wire'
import { controlFaults } from '../faults.ts'

/** The one in use, the next one, and those of other sites. */
const KEYS_MAX = 16
const ID_BYTES = 6

const kept = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    /** SPKI, DER, as Base64. */
    publicKey: z.string(),
    by: z.string(),
    at: z.number(),
  }),
)
type Kept = z.infer<typeof kept>[number]

export class GrantKeys {
  readonly #file: string
  readonly #keys = new Map<string, { readonly one: Kept; readonly key: KeyObject }>()

  constructor(stateFolder: string) {
    this.#file = join(ensureFolder(join(stateFolder, 'viewers')), 'grant-keys.json')
    for (const one of readKept(this.#file)) this.#put(one)
  }

  has(id: string): boolean {
    return this.#keys.has(id)
  }

  verify(id: string, signed: string, signature: Buffer): boolean {
    const known = this.#keys.get(id)
    return known !== undefined && verify(null, Buffer.from(signed), known.key, signature)
  }

  list(): readonly GrantKeyView[] {
    return [...this.#keys.values()].map(({ one: { id, name, by, at } }) => ({ id, name, by, at }))
  }

  make(name: string, by: string, at: number): GrantKeyMade {
    if (this.#keys.size >= KEYS_MAX) {
      const message = `there are ${KEYS_MAX} grant keys already: remove one that no site signs with any more`
      throw controlFaults.fault('control-limit-reached', message)
    }
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const id = randomBytes(ID_BYTES).toString('base64url')
    const der = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    this.#put({ id, name, publicKey: der, by, at })
    this.#write()
    return { id, name, by, at, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  }

  /** Sessions that it proved stay proven. */
  remove(id: string): void {
    if (!this.#keys.delete(id)) {
      const message = `no grant key has the id ${JSON.stringify(id.slice(0, 40))}`
      throw controlFaults.fault('control-grant-key-unknown', message)
    }
    this.#write()
  }

  #put(one: Kept): void {
    const key = createPublicKey({ key: Buffer.from(one.publicKey, 'base64'), type: 'spki', format: 'der' })
    this.#keys.set(one.id, { one, key })
  }

  #write(): void {
    const all: Kept[] = [...this.#keys.values()].map(({ one }) => one)
    writeFileAtomic(this.#file, `${JSON.stringify(all, null, 2)}\n`)
  }
}

function readKept(file: string): readonly Kept[] {
  try {
    return kept.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
