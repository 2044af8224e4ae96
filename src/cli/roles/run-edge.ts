// Owns wiring an edge from its settings.
import { existsSync } from 'node:fs'
import { createLog, systemClock } from '#base'
import { startEdge } from '#edge'
import type { EdgeSettings } from '../settings.ts'
import { runRole } from './role-process.ts'
import { readServerToken } from './server-token.ts'

export async function runEdge(settings: EdgeSettings): Promise<void> {
  const { id, region, listen, publicUrl, controlUrl, originUrl, stateFolder } = settings
  const log = createLog(settings.logLevel).with({ server: id, role: 'edge' })
  await runRole(log, true, () =>
    startEdge({
      id,
      region,
      listen,
      publicUrl,
      controlUrl,
      originUrl,
      stateFolder,
      token: readServerToken(settings.tokenFile, id),
      webFolder: existsSync(settings.webFolder) ? settings.webFolder : null,
      memoryBytesMax: settings.memoryBytesMax,
      diskBytesMax: settings.diskBytesMax,
      accessLog: settings.accessLog,
      clock: systemClock,
      log,
    }),
  )
}
