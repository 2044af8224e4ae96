// Owns wiring an origin from its settings.
import { existsSync } from 'node:fs'
import { createLog, ensureFolder, systemClock } from '#base'
import { startOrigin } from '#origin'
import type { OriginSettings } from '../settings.ts'
import { joinedListen, readCredentials } from './credentials.ts'
import { runRole } from './role-process.ts'

export async function runOrigin(settings: OriginSettings): Promise<void> {
  const { id, region, listen, publicUrl, controlUrl, stateFolder } = settings
  const log = createLog(settings.logLevel).with({ server: id, role: 'origin' })
  await runRole(log, true, () => {
    const { token, trust, identity } = readCredentials(settings)
    return startOrigin({
      id,
      region,
      listen: joinedListen(listen, 'origin', identity),
      publicUrl,
      controlUrl,
      stateFolder,
      token,
      trust,
      identity,
      mediaFolder: ensureFolder(settings.mediaFolder),
      builtinFolders: settings.builtinFolders.filter(folder => existsSync(folder)),
      clock: systemClock,
      log,
    })
  })
}
