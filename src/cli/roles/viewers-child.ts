// Owns the process of simulated viewers under `vitrine start`: as many as the supervisor says.
import { createLog, systemClock } from '#base'
import { startViewers } from '#viewer'
import { SETTINGS_VARIABLE } from './main.ts'
import { runRole } from './role-process.ts'

interface ViewersSettings {
  readonly entries: readonly string[]
  readonly title: string
}

/** As our own page, which comes back to an edge soon: a rehearsal lasts a minute or two. */
const PENALTY_S = 30
/**
 * One segment, as players near the live edge keep: the next one is asked for when 2 s are left. With 8 s it is asked for
 * with 4 s left, a player leaves a mute edge after 3 s, and nobody feels anything.
 */
const LIVE_BUFFER_S = 4

const { entries, title } = JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as ViewersSettings
const log = createLog('info').with({ role: 'viewers' })

await runRole(log, false, role => {
  const shared = { count: 0, entries, title, penaltyS: PENALTY_S, clock: systemClock, log }
  const viewers = startViewers(shared)
  const live = startViewers({ ...shared, bufferS: LIVE_BUFFER_S })
  role.listen(message => {
    if (message.type !== 'viewers') return
    viewers.setCount(message.count)
    live.setCount(message.live)
  })
  const close = async (): Promise<void> => void (await Promise.all([viewers.close(), live.close()]))
  return Promise.resolve({ url: null, close })
})
