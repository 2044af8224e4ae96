// Owns what another agent of the field costs in the same minutes: node_exporter of Debian, its collectors as they are
// shipped, read once a second as ours measures.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fetchPeer } from '../../test/conformance/peers.ts'
import { freePort } from '../fleet/processes.ts'

const READ_MS = 1000
const PACKAGE = 'prometheus-node-exporter'
/** It is asked by a server, whose questions would be ours to invent: what it then costs says little. */
export const NOT_MEASURED = 'Zabbix agent: not measured, since it does what its server asks of it and no more'

export interface AgentPeer {
  readonly name: string
  readonly pid: number
  stop(): void
}

/** In words: why there is none. */
export async function startAgentPeer(): Promise<AgentPeer | string> {
  const peer = await fetchPeer(PACKAGE)
  if ('missing' in peer) return `node_exporter: ${peer.missing}`
  const address = `127.0.0.1:${await freePort()}`
  const child: ChildProcess = spawn(
    join(peer.folder, 'usr/bin', PACKAGE),
    [`--web.listen-address=${address}`, '--log.level=error'],
    { stdio: 'ignore' },
  )
  const { pid } = child
  const started = await new Promise<boolean>(resolve => {
    child.once('error', () => resolve(false))
    child.once('spawn', () => resolve(true))
  })
  if (!started || pid === undefined) return 'node_exporter: it does not start'
  // Until it listens a question fails; that is no news.
  const reads = setInterval(() => {
    void fetch(`http://${address}/metrics`)
      .then(answer => answer.arrayBuffer())
      .catch(() => undefined)
  }, READ_MS)
  const stop = (): void => {
    clearInterval(reads)
    child.kill()
  }
  return { name: 'node_exporter', pid, stop }
}
