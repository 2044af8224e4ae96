// Owns sealing what a server keeps on disk and others must not read: AES-256-GCM under a key made of the server's own
// credential. It protects a folder that is copied without that credential, and nothing from whoever has both.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Secret } from '#base'

const VERSION = 1
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + SALT_BYTES + NONCE_BYTES + TAG_BYTES

/** Version, salt, nonce, tag, text. */
export function seal(text: string, own: Secret): Buffer {
  const salt = randomBytes(SALT_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(own, salt), nonce)
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.of(VERSION), salt, nonce, cipher.getAuthTag(), body])
}

/** Null: not sealed with this credential, or changed since. */
export function unseal(bytes: Buffer, own: Secret): string | null {
  if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION) return null
  let at = 1
  const part = (length: number): Buffer => bytes.subarray(at, (at += length))
  const [salt, nonce, tag] = [part(SALT_BYTES), part(NONCE_BYTES), part(TAG_BYTES)]
  const decipher = createDecipheriv('aes-256-gcm', keyOf(own, salt), nonce, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(tag)
  try {
    return Buffer.concat([decipher.update(bytes.subarray(at)), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

/** RFC 5869. */
function keyOf(own: Secret, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', own.reveal(), salt, 'vitrine sealed message', 32))
}
