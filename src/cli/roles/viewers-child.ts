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
 * As players of low-latency live keep (RFC 8216bis, PART-HOLD-BACK: three parts): the next segment is asked for when 1 s
 * is left. With 4 or 8 s viewers are moved off a sick edge before most of them feel anything.
 */
const LIVE_BUFFER_S = 2

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
