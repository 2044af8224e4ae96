// Owns wiring an origin from its settings.
import { existsSync } from 'node:fs'
import { createLog, ensureFolder, systemClock } from '#base'
import { startOrigin } from '#origin'
import type { OriginSettings } from '../settings.ts'
import { runRole } from './role-process.ts'
import { readServerToken } from './server-token.ts'

export async function runOrigin(settings: OriginSettings): Promise<void> {
  const { id, region, listen, publicUrl, controlUrl, stateFolder } = settings
  const log = createLog(settings.logLevel).with({ server: id, role: 'origin' })
  await runRole(log, true, () =>
    startOrigin({
      id,
      region,
      listen,
      publicUrl,
      controlUrl,
      stateFolder,
      token: readServerToken(settings.tokenFile, id),
      mediaFolder: ensureFolder(settings.mediaFolder),
      builtinFolders: settings.builtinFolders.filter(folder => existsSync(folder)),
      clock: systemClock,
      log,
    }),
  )
}
