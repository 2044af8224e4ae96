// Owns reading a server's token from its file: the token alone, or the local fleet's list.
import { readFileSync } from 'node:fs'
import { messageOf, Secret } from '#base'
import { cliFaults } from '../faults.ts'
import { parseFleetFile } from '../supervisor/fleet-file.ts'

export function readServerToken(file: string, id: string): Secret {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    const message = `cannot read the token of server ${id}: ${messageOf(error)}; make one beside the control room with: vitrine server add ${id} > FILE, and name it with --token-file FILE`
    throw cliFaults.fault('cli-token-unreadable', message, { cause: error })
  }
  if (!text.startsWith('{')) return new Secret(text)
  const entry = parseFleetFile(text, file).servers.find(server => server.id === id)
  if (entry === undefined) {
    throw cliFaults.fault('cli-token-unreadable', `${file} has no token for server ${id}`)
  }
  return new Secret(entry.token)
}
