// Owns the agent beside a server that joined: a process of its own that is started again when it ends, so that one
// line on a new machine brings up both, and a frozen server is still seen from inside.
import { appendFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createLog, ensureFolder, lossyLines, systemClock } from '#base'
import type { Config } from '../config.ts'
import { agentSettings, type Settings } from '../settings.ts'
import { planAgent } from '../supervisor/fleet-plan.ts'
import { ManagedProcess } from '../supervisor/managed-process.ts'
import { joinedListen, readCredentials } from './credentials.ts'

/** Starts it; it ends with this process. */
export function runAgentBeside(
  server: Settings,
  config: Config,
  data: string,
  configFile: string | null,
): void {
  if (server.kind !== 'edge' && server.kind !== 'origin') return
  // Asked the way it listens: a joined origin shows its private certificate, and takes nothing in the open.
  const listen = joinedListen(server.listen, server.kind, readCredentials(server).identity)
  const settings = {
    ...agentSettings(config, data, { ...server, listen }, true),
    identityFolder: server.identityFolder,
    configFiles: configFile === null ? [] : [configFile],
  }
  ensureFolder(resolve(data, 'log'))
  const plan = planAgent(data, settings)
  const append = lossyLines(bytes => {
    appendFileSync(plan.logFile, bytes)
    return bytes.length
  })
  const log = createLog(server.logLevel, append)
  const events = { onStarted: (): void => agent.say({ type: 'leader', pid: process.pid }) }
  const agent: ManagedProcess = new ManagedProcess(plan, events, systemClock, log)
  agent.start()
  process.on('exit', () => agent.kill())
}
