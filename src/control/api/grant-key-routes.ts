// Owns the routes of the keys with which the operator's site signs grants: whose session it is, proven.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { grantKeyMade, grantKeyRequest, grantKeysAnswer } from '#wire'
import type { ControlContext } from '../context.ts'
import { audit } from '../state/database.ts'
import { nameOf } from './guard.ts'
import { addRoute } from './route.ts'

export function addGrantKeyRoutes(app: FastifyInstance, context: ControlContext): void {
  const { fleetTime, state, viewers } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/viewers/grant-keys',
    access: 'admin',
    summary: 'Keys that grants of the operator’s site are checked with, without their private halves',
    answer: grantKeysAnswer,
    handle: () => ({ now: fleetTime.nowMs(), keys: [...viewers.grantKeys.list()] }),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/viewers/grant-keys',
    access: 'admin',
    summary: 'Make a key for a site that signs grants; the answer alone shows its private half',
    body: grantKeyRequest,
    answer: grantKeyMade,
    handle: async (request, _reply, { name }) => {
      const [by, at] = [nameOf(request), fleetTime.nowMs()]
      const made = viewers.grantKeys.make(name, by, at)
      await audit(state.db, { at, by, action: 'grant-key-make', subject: `${made.id} ${name}` })
      return made
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/viewers/grant-keys/:id',
    access: 'admin',
    summary: 'Grants of this key prove nothing from now on; what they proved stays',
    answer: z.object({}),
    handle: async request => {
      const { id } = request.params as { readonly id: string }
      viewers.grantKeys.remove(id)
      const note = { by: nameOf(request), action: 'grant-key-remove', subject: id }
      await audit(state.db, { at: fleetTime.nowMs(), ...note })
      return {}
    },
  })
}
