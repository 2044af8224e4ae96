// Owns wiring an agent: whom it watches, and the process group that it joins.
import { startAgent } from '#agent'
import { createLog, joinProcessGroup, type Log, lockHolder, systemClock } from '#base'
import type { AgentSettings } from '../settings.ts'
import { restartEdge } from './builtin-steps.ts'
import { joinedListen, readCredentials } from './credentials.ts'
import { type RoleProcess, runRole } from './role-process.ts'

const JOIN_EVERY_MS = 200 // the new leader makes its group while it starts, some tens of milliseconds after its fork
const JOIN_ATTEMPTS_MAX = 100

export async function runAgent(settings: AgentSettings): Promise<void> {
  const { id, role, region, listen, controlUrl, serverUrl, stateFolder, pidFile } = settings
  const log = createLog(settings.logLevel).with({ server: id, role: 'agent' })
  await runRole(log, false, process => {
    const { token, trust, identity } = readCredentials(settings)
    return startAgent({
      id,
      role,
      region,
      listen: listen === null ? null : joinedListen(listen, 'agent', identity),
      controlUrl,
      serverUrl,
      stateFolder,
      configFiles: settings.configFiles,
      certificateFiles: settings.certificateFiles,
      stepsFile: settings.stepsFile,
      timeServers: settings.timeServers,
      token,
      trust,
      identity: identity?.role === 'agent' ? identity : null,
      watchedPid: process.supervised
        ? followLeader(process, log)
        : () => (pidFile === null ? null : lockHolder(pidFile)),
      // After the leader's listener: the first one hears what was said before it.
      builtinSteps: process.supervised && role === 'edge' ? [restartEdge(process)] : [],
      clock: systemClock,
      log,
    })
  })
}

/** The supervisor names the leader; the agent joins its group, so that its own load counts as the server's. */
function followLeader(process: RoleProcess, log: Log): () => number | null {
  let leader: number | null = null
  const join = (pid: number, attempt: number): void => {
    if (leader !== pid) return
    if (joinProcessGroup(pid)) return
    if (attempt < JOIN_ATTEMPTS_MAX) setTimeout(join, JOIN_EVERY_MS, pid, attempt + 1).unref()
    else log.warn('agent-group-not-joined', { leader: pid })
  }
  process.listen(message => {
    if (message.type !== 'leader') return
    leader = message.pid
    join(message.pid, 1)
  })
  return () => leader
}
