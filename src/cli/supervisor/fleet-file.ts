// Owns run/fleet.json: the servers of the local fleet and their tokens, made once, readable by the owner alone.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { ensureFolder, writeFileAtomic } from '#base'
import { serverId, serverRoles } from '#wire'
import { cliFaults } from '../faults.ts'

const TOKEN_BYTES = 32 // 256 bits: no guess reaches it

const fleetFile = z.object({
  servers: z.array(
    z.object({
      id: serverId,
      role: z.enum(serverRoles),
      region: z.string(),
      token: z.string().min(16),
    }),
  ),
})
export type FleetFile = z.infer<typeof fleetFile>

export function parseFleetFile(text: string, file: string): FleetFile {
  try {
    return fleetFile.parse(JSON.parse(text))
  } catch (error) {
    const message = `${file} is damaged; delete it, new server tokens are made at the next start`
    throw cliFaults.fault('cli-fleet-file-unreadable', message, { cause: error })
  }
}

type Member = Omit<FleetFile['servers'][number], 'token'>

/** Writes the list of `members`, keeping tokens that exist. */
export function keepFleetFile(file: string, members: readonly Member[]): FleetFile {
  ensureFolder(dirname(file))
  const known = new Map(readKnown(file).servers.map(server => [server.id, server.token]))
  const servers = members.map(({ id, role, region }) => ({
    id,
    role,
    region,
    token: known.get(id) ?? `vs_${randomBytes(TOKEN_BYTES).toString('base64url')}`,
  }))
  writeFileAtomic(file, `${JSON.stringify({ servers }, null, 2)}\n`, 0o600)
  return { servers }
}

function readKnown(file: string): FleetFile {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return { servers: [] } // the first start
  }
  return parseFleetFile(text, file)
}
