// Owns how a benchmark or a drill gets servers that do not exist. It refuses wherever nobody allowed that at the start:
// a real fleet's control room must not be filled with made-up machines by a stolen token.
import type { FastifyInstance } from 'fastify'
import { type SimulatedAnswer, simulatedAnswer, simulatedRequest } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { audit } from '../state/database.ts'
import { nameOf } from './guard.ts'
import { addRoute } from './route.ts'

const URL_PATH = '/api/v1/simulated-servers'

export function addSimulatedRoutes(app: FastifyInstance, context: ControlContext): void {
  const replace = async (by: string, count: number): Promise<SimulatedAnswer> => {
    if (context.options.allowSimulated !== true) {
      const message = 'this control room was not started with --allow-simulated'
      throw controlFaults.fault('control-simulated-refused', message)
    }
    const servers = [...context.simulated.replace(count)]
    const { db, nowMs } = context.state
    await audit(db, { at: nowMs(), by, action: 'simulate', subject: 'servers', facts: { count } })
    await context.refreshAccess()
    return { servers }
  }
  addRoute(app, {
    method: 'POST',
    url: URL_PATH,
    access: 'admin',
    summary: 'Make simulated servers in the place of those before; only with --allow-simulated',
    body: simulatedRequest,
    answer: simulatedAnswer,
    handle: (request, _reply, { count }) => replace(nameOf(request), count),
  })
  addRoute(app, {
    method: 'DELETE',
    url: URL_PATH,
    access: 'admin',
    summary: 'Remove all simulated servers',
    answer: simulatedAnswer,
    handle: request => replace(nameOf(request), 0),
  })
}
