// Owns making and hashing of secrets: passwords by argon2id, random codes by SHA-256. It refuses weak passwords.
import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { controlFaults } from '../faults.ts'

const PASSWORD_CHARACTERS_MIN = 10
const PASSWORD_CHARACTERS_MAX = 1024
/** Argon2id takes 19 MB and a thread for each check: more at once would be a way to exhaust the machine. */
const CHECKS_AT_ONCE_MAX = 4
const RANDOM_BYTES = 32

let checks = 0

/** Argon2id with the library's defaults (19 MiB, 2 passes), as OWASP advises. */
export async function hashPassword(password: string): Promise<string> {
  if (password.length < PASSWORD_CHARACTERS_MIN || password.length > PASSWORD_CHARACTERS_MAX) {
    const message = `a password of ${PASSWORD_CHARACTERS_MIN} to ${PASSWORD_CHARACTERS_MAX} characters is needed, this one has ${password.length}`
    throw controlFaults.fault('control-password-weak', message)
  }
  return hash(password)
}

/** False when it is another password. At most a few run at once; more are turned away. */
export async function passwordMatches(passwordHash: string, password: string): Promise<boolean> {
  if (checks >= CHECKS_AT_ONCE_MAX) {
    const message = `${checks} passwords are being checked already; try again in a few seconds`
    throw controlFaults.fault('control-sign-in-busy', message)
  }
  checks += 1
  try {
    return await verify(passwordHash, password)
  } finally {
    checks -= 1
  }
}

/** `vit_` and 32 random bytes: easy for secret scanners to find. */
export function newToken(): string {
  return `vit_${randomBytes(RANDOM_BYTES).toString('base64url')}`
}

/** For links, web sessions and CSRF values. */
export function newCode(): string {
  return randomBytes(RANDOM_BYTES).toString('base64url')
}

/** A short public id that tells nothing about the secret beside it. */
export function newId(): string {
  return randomBytes(6).toString('hex')
}
