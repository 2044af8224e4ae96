// Owns the steps that an agent of a local fleet carries out without a list: what only the supervisor can do.
import type { BuiltinStep } from '#agent'
import { cliFaults } from '../faults.ts'
import type { RoleProcess } from './role-process.ts'

const RESTART_MS_MAX = 20_000

/** Ends the edge beside this agent, frozen or not, and starts it again. */
export function restartEdge(role: RoleProcess): BuiltinStep {
  const waiting = new Map<number, (error: string | null) => void>()
  let number = 0
  role.listen(message => {
    if (message.type !== 'restart-done') return
    waiting.get(message.number)?.(message.error)
    waiting.delete(message.number)
  })
  return {
    kind: 'builtin',
    name: 'restart-edge',
    description: 'Ends the edge, also a frozen one, and starts it again.',
    parameters: {},
    idempotent: true,
    hasCheck: false,
    timeoutS: RESTART_MS_MAX / 1000,
    run: () =>
      new Promise((resolve, reject) => {
        number += 1
        const own = number
        const deadline = setTimeout(() => {
          waiting.delete(own)
          reject(cliFaults.fault('cli-not-local', 'the supervisor did not restart it in time'))
        }, RESTART_MS_MAX)
        waiting.set(own, error => {
          clearTimeout(deadline)
          if (error === null) resolve('the supervisor ended it and started it again')
          else reject(cliFaults.fault('cli-no-such-server', error))
        })
        role.say({ type: 'restart', number: own })
      }),
  }
}
