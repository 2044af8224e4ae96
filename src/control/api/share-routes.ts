// Owns frozen snapshots of graphs: made, listed and revoked by operators, read by whoever has the link.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { SHARE_HEADER, SNAPSHOT_LIMITS, sharedAnswer, shareMade, shareRequest, sharesAnswer } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { nameOf } from './guard.ts'
import { addRoute } from './route.ts'

/** A page asks once; a guesser has 2^256 codes before it. */
const LOOKS_PER_MINUTE = 60
const CODE_MAX = 128

export function addShareRoutes(app: FastifyInstance, context: ControlContext): void {
  const { shares } = context.state
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/shares',
    access: 'operator',
    summary: 'Shared graphs without their links, also the ended ones',
    answer: sharesAnswer,
    handle: async () => ({ now: context.fleetTime.nowMs(), shares: await shares.list() }),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/shares',
    access: 'operator',
    summary: 'Freeze a graph for whoever has the link; the answer is the only place where it is shown',
    body: shareRequest,
    answer: shareMade,
    bodyBytesMax: SNAPSHOT_LIMITS.bytes + 1024,
    handle: async (request, _reply, body) => {
      const { code, ...view } = await shares.make(body, nameOf(request))
      return { ...view, path: `/shared#code=${code}` }
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/shares/:id',
    access: 'operator',
    summary: 'Revoke a shared graph: its data is thrown away',
    answer: z.object({}),
    handle: async request => {
      await shares.revoke((request.params as { readonly id: string }).id, nameOf(request))
      return {}
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/shared',
    access: 'anyone',
    summary: `A shared graph, for whoever sends the code of its link in ${SHARE_HEADER}`,
    answer: sharedAnswer,
    ratePerMinute: LOOKS_PER_MINUTE,
    handle: async request => {
      const code = request.headers[SHARE_HEADER]
      const found = typeof code === 'string' && code.length <= CODE_MAX ? await shares.open(code) : null
      if (found === null) {
        throw controlFaults.fault(
          'control-link-unknown',
          'this link was revoked, has expired, or is not whole',
        )
      }
      return { now: context.fleetTime.nowMs(), ...found }
    },
  })
}
