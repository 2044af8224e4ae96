// Owns wiring an edge from its settings.
import { existsSync } from 'node:fs'
import { createLog, systemClock } from '#base'
import { startEdge } from '#edge'
import type { EdgeSettings } from '../settings.ts'
import { joinedListen, readCredentials } from './credentials.ts'
import { runRole } from './role-process.ts'

export async function runEdge(settings: EdgeSettings): Promise<void> {
  const { id, region, listen, publicUrl, controlUrl, originUrl, stateFolder } = settings
  const log = createLog(settings.logLevel).with({ server: id, role: 'edge' })
  await runRole(log, true, () => {
    const { token, trust, identity } = readCredentials(settings)
    return startEdge({
      id,
      region,
      listen: joinedListen(listen, 'edge', identity),
      publicUrl,
      controlUrl,
      originUrl,
      stateFolder,
      token,
      trust,
      identity,
      webFolder: existsSync(settings.webFolder) ? settings.webFolder : null,
      memoryBytesMax: settings.memoryBytesMax,
      diskBytesMax: settings.diskBytesMax,
      accessLog: settings.accessLog,
      viewerSpoolBytesMax: settings.viewerSpoolBytesMax,
      clock: systemClock,
      log,
    })
  })
}
