// Owns asking the running control room of this data folder, for commands whose answer only it has. It signs in by a
// token that lives for one question, and trusts the private authority of the same folder.
import { existsSync, readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { messageOf } from '#base'
import { tlsClient } from '#trust'
import type { UserRole } from '#wire'
import { cliFaults } from '../faults.ts'
import { controlAddress, controlFolder } from '../settings.ts'
import { type CommonOptions, readFleetConfig } from './context.ts'
import { BY, withState } from './state.ts'

const ANSWER_MS_MAX = 30_000
const ANSWER_BYTES_MAX = 32 * 1024 * 1024

/** What is sent, and as whom; without it, it is a question of a viewer. */
export interface Sent {
  readonly role: UserRole
  readonly body: unknown
}

/** The JSON of its answer. Faults: nobody answers, or it refuses; the message is its own. */
export function askControl(
  options: CommonOptions,
  path: string,
  name: string,
  sent: Sent | null = null,
): Promise<unknown> {
  return withControl(options, { role: sent?.role ?? 'viewer', name }, ask => ask(path, sent?.body ?? null))
}

/** Asks as often as `run` does, with one token that ends with it. A body is posted. */
export async function withControl<Value>(
  options: CommonOptions,
  { role, name }: { readonly role: UserRole; readonly name: string },
  run: (ask: (path: string, body?: unknown, method?: 'DELETE') => Promise<unknown>) => Promise<Value>,
): Promise<Value> {
  const { config, data } = readFleetConfig(options)
  const base = controlAddress(config, data)
  const authorityFile = join(controlFolder(data), 'authority', 'authority.crt')
  const trust = existsSync(authorityFile) ? { authorityPem: readFileSync(authorityFile, 'utf8') } : null
  const { token, id } = await withState(options, state => state.createToken(role, name, BY))
  try {
    return await run(async (path, body = null, method) => {
      const answer = await ask(`${base}${path}`, { token, trust, body, method })
      if (answer.status === 200) return JSON.parse(answer.text)
      throw cliFaults.fault('cli-usage', problemOf(answer))
    })
  } finally {
    await withState(options, state => state.revokeToken(id, BY))
  }
}

function problemOf({ status, text }: { status: number; text: string }): string {
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message
  } catch {
    return `the control room answered with status ${status}`
  }
}

function ask(
  url: string,
  {
    token,
    trust,
    body,
    method = body === null ? 'GET' : 'POST',
  }: {
    readonly token: string
    readonly trust: Parameters<typeof tlsClient>[0]
    readonly body: unknown
    readonly method?: 'DELETE' | 'GET' | 'POST' | undefined
  },
): Promise<{ status: number; text: string }> {
  const isTls = url.startsWith('https:')
  return new Promise((resolve, reject) => {
    const refuse = (problem: string): void =>
      reject(cliFaults.fault('cli-control-away', `no answer from the control room at ${url}: ${problem}`))
    const outgoing = (isTls ? httpsRequest : httpRequest)(
      url,
      {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
        ...(isTls ? tlsClient(trust, url, { role: 'control' }) : {}),
      },
      response => {
        const parts: Buffer[] = []
        let bytes = 0
        response.on('data', (part: Buffer) => {
          bytes += part.length
          if (bytes > ANSWER_BYTES_MAX) outgoing.destroy(new Error('its answer is too long'))
          else parts.push(part)
        })
        response.on('error', error => refuse(messageOf(error)))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
        )
      },
    )
    outgoing.on('error', error => refuse(messageOf(error)))
    outgoing.end(body === null ? undefined : JSON.stringify(body))
  })
}
