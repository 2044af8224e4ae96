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

const { entries, title } = JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as ViewersSettings
const log = createLog('info').with({ role: 'viewers' })

await runRole(log, false, role => {
  const viewers = startViewers({ count: 0, entries, title, penaltyS: PENALTY_S, clock: systemClock, log })
  role.listen(message => {
    if (message.type === 'viewers') viewers.setCount(message.count)
  })
  return Promise.resolve({ url: null, close: () => viewers.close() })
})
