// Owns who a server on a machine of its own is: id, credential, key and certificate, in one folder. It refuses to
// become somebody else in a folder that belongs to a server already.
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, messageOf, packageVersion, Secret, writeFileAtomic } from '#base'
import { type EnrolRequest, enrolAnswer, type JoinRole, joinRoles, serverId } from '#wire'
import { refusePlain, type Trust } from './client.ts'
import { trustFaults } from './faults.ts'
import { postPinned } from './first-contact.ts'
import { type JoinString, readJoinString } from './join-string.ts'
import { liveTrust } from './live-trust.ts'
import { newKeyPem, newRequestPem } from './x509.ts'

const ENROL_PATH = '/api/v1/enrol'

const stored = z.object({
  id: serverId,
  role: z.enum(joinRoles),
  region: z.string(),
  watches: z.enum(['foreign', 'host']).optional(),
  controlUrl: z.string(),
  originUrl: z.string().nullable(),
  credential: z.string(),
  /** SHA-256 of the join string that made it: the same one again changes nothing. */
  joinedBy: z.string(),
})

/** Kept before anything is sent: an answer that is lost is asked for again with the same credential. */
const attempt = z.object({ joinedBy: z.string(), credential: z.string() })

export interface Identity {
  readonly id: string
  readonly role: JoinRole
  readonly region: string
  /** Of an agent: what it is an agent of; else null. */
  readonly watches: 'foreign' | 'host' | null
  readonly controlUrl: string
  readonly originUrl: string | null
  readonly credential: Secret
  readonly trust: Trust
  /** Where `trust` lies: replaced when the authority's key changes. */
  readonly authorityFile: string | null
  /** One PEM file with the private key and its certificate; null over plain HTTP on loopback or behind a proxy. */
  readonly tls: { readonly file: string } | null
}

export interface Wish {
  readonly role: JoinRole
  /** Null: as the join string says, or made up by the control room's rules. */
  readonly id: string | null
  readonly region: string | null
}

/** Null: nobody has joined in this folder. */
export function readIdentity(folder: string): Identity | null {
  const kept = readKept(folder)
  if (kept === null) return null
  const { id, role, region, watches = null, controlUrl, originUrl, credential } = kept
  const authorityFile = join(folder, 'authority.crt')
  const hasTls = existsSync(authorityFile)
  return {
    id,
    role,
    region,
    watches,
    controlUrl,
    originUrl,
    credential: new Secret(credential),
    trust: hasTls ? liveTrust(authorityFile) : null,
    authorityFile: hasTls ? authorityFile : null,
    tls: hasTls ? { file: tlsFile(folder) } : null,
  }
}

function tlsFile(folder: string): string {
  return join(folder, 'server.pem')
}

/** Joins with a join string, or finds that it has: safe to call at each start with the same string. */
export async function enrol(folder: string, joinText: string, wish: Wish): Promise<Identity> {
  const join = readJoinString(joinText)
  const joinedBy = createHash('sha256').update(join.token).digest('hex')
  const known = readKept(folder)
  if (known?.joinedBy === joinedBy) return readIdentity(folder) as Identity
  if (known !== null && (known.role !== wish.role || (wish.id !== null && wish.id !== known.id))) {
    const message = `${folder} belongs to ${known.role} ${known.id}, and cannot become ${wish.role} ${wish.id ?? ''} with another join string`
    throw trustFaults.fault('trust-identity-other', message.trimEnd())
  }
  refusePlain(join.controlUrl)
  ensureFolder(folder)
  const credential = credentialOf(folder, joinedBy)
  const keyPem = join.pin === null ? null : await newKeyPem()
  const answer = await ask(join, {
    ...wish,
    token: join.token,
    credentialSha256: createHash('sha256').update(credential).digest('hex'),
    requestPem: keyPem === null ? null : await newRequestPem(keyPem, wish.id ?? wish.role),
    version: packageVersion,
  })
  keepFiles(folder, keyPem, answer)
  const { id, role, region, watches, originUrl } = answer
  const identity = { id, role, region, watches, controlUrl: join.controlUrl, originUrl, credential, joinedBy }
  writeFileAtomic(identityFile(folder), `${JSON.stringify(identity)}\n`)
  rmSync(attemptFile(folder), { force: true })
  return readIdentity(folder) as Identity
}

async function ask(join: JoinString, request: EnrolRequest): Promise<z.infer<typeof enrolAnswer>> {
  const { status, body } = await postPinned(join.controlUrl, join.pin, ENROL_PATH.slice(1), request)
  if (status !== 200) {
    const problem = refusalOf(body) ?? `status ${status}`
    throw trustFaults.fault('trust-refused', `the control room refused: ${problem}`, { facts: { status } })
  }
  const parsed = enrolAnswer.safeParse(parseJson(body))
  if (parsed.success) return parsed.data
  const message = `${join.controlUrl} answered something else than a control room of this version does`
  throw trustFaults.fault('trust-control-unreachable', message)
}

function keepFiles(folder: string, keyPem: string | null, answer: z.infer<typeof enrolAnswer>): void {
  const { certificatePem, authorityPem } = answer
  if (keyPem === null || certificatePem === null || authorityPem === null) return
  writeFileAtomic(tlsFile(folder), `${keyPem}${certificatePem}`)
  writeFileAtomic(join(folder, 'authority.crt'), authorityPem)
}

function credentialOf(folder: string, joinedBy: string): string {
  const file = attemptFile(folder)
  const before = existsSync(file) ? attempt.safeParse(parseJson(readFileSync(file, 'utf8'))) : null
  if (before?.success === true && before.data.joinedBy === joinedBy) return before.data.credential
  const credential = `vit_${randomBytes(32).toString('base64url')}`
  writeFileAtomic(file, `${JSON.stringify({ joinedBy, credential })}\n`)
  return credential
}

function attemptFile(folder: string): string {
  return join(folder, 'joining.json')
}

function identityFile(folder: string): string {
  return join(folder, 'identity.json')
}

function readKept(folder: string): z.infer<typeof stored> | null {
  const file = identityFile(folder)
  if (!existsSync(file)) return null
  try {
    return stored.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    throw trustFaults.fault('trust-files-unreadable', `${file}: ${messageOf(error)}`, { cause: error })
  }
}

function refusalOf(body: string): string | null {
  const parsed = z.object({ error: z.object({ message: z.string() }) }).safeParse(parseJson(body))
  return parsed.success ? parsed.data.error.message.slice(0, 500) : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
