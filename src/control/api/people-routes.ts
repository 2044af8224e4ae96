// Owns what admins do about people: invite, change a role, reset a password, offboard, and the recovery code.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  invitationMade,
  invitationRequest,
  invitationsAnswer,
  offboardAnswer,
  offboardPlan,
  offboardRequest,
  recoveryMade,
  recoveryView,
  roleRequest,
  usersAnswer,
} from '#wire'
import type { ControlContext } from '../context.ts'
import type { MadeInvitation } from '../people/invitations.ts'
import { nameOf } from './guard.ts'
import { addRoute } from './route.ts'

const userName = (request: FastifyRequest): string => (request.params as { readonly name: string }).name

export function addPeopleRoutes(app: FastifyInstance, context: ControlContext): void {
  addUserRoutes(app, context)
  addInvitingRoutes(app, context)
  addOffboardRoutes(app, context)
  addRecoveryRoutes(app, context)
}

function addUserRoutes(app: FastifyInstance, context: ControlContext): void {
  const { state, fleetTime } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/users',
    access: 'admin',
    summary: 'People, their roles, and what they hold; also those who have left',
    answer: usersAnswer,
    handle: async () => ({ now: fleetTime.nowMs(), users: await state.people.listUsers() }),
  })
  addRoute(app, {
    method: 'PUT',
    url: '/api/v1/users/:name/role',
    access: 'admin',
    summary: 'Give somebody another role; it holds at once in every browser and for every token of theirs',
    body: roleRequest,
    answer: z.object({}),
    handle: async (request, _reply, { role }) => {
      await state.people.setRole(userName(request), role, nameOf(request))
      await context.refreshAccess()
      return {}
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/users/:name/reset',
    access: 'admin',
    summary: 'Make a link by which somebody sets a new password; the answer alone shows it',
    answer: invitationMade,
    handle: async request => shown(await state.invitations.reset(userName(request), nameOf(request))),
  })
}

/** Behind the #, so that it is in no log, and a preview of the link sees nothing. */
function shown({ code, ...view }: MadeInvitation): z.infer<typeof invitationMade> {
  return { ...view, path: `/welcome#code=${code}` }
}

function addInvitingRoutes(app: FastifyInstance, { state, fleetTime }: ControlContext): void {
  const { invitations } = state
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/invitations',
    access: 'admin',
    summary: 'Invitations and resets without their links, also the ended ones',
    answer: invitationsAnswer,
    handle: async () => ({ now: fleetTime.nowMs(), invitations: await invitations.list() }),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/invitations',
    access: 'admin',
    summary: 'Invite one named person with a role; the answer alone shows the link, which works once',
    body: invitationRequest,
    answer: invitationMade,
    handle: async (request, _reply, body) => shown(await invitations.invite(body, nameOf(request))),
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/invitations/:id',
    access: 'admin',
    summary: 'Revoke an invitation or a reset',
    answer: z.object({}),
    handle: async request => {
      await invitations.revoke((request.params as { readonly id: string }).id, nameOf(request))
      return {}
    },
  })
}

function addOffboardRoutes(app: FastifyInstance, context: ControlContext): void {
  const { offboarding, fleetTime } = context
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/users/:name/offboarding',
    access: 'admin',
    summary: 'What somebody holds and answers for, and what offboarding would do about each; changes nothing',
    answer: offboardPlan,
    handle: async request => ({ now: fleetTime.nowMs(), ...(await offboarding.plan(userName(request))) }),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/users/:name/offboarding',
    access: 'admin',
    summary: 'End somebody’s time here: revoke, hand over, and give the proof that stands in the audit',
    body: offboardRequest,
    answer: offboardAnswer,
    handle: async (request, _reply, body) => {
      const proof = await offboarding.run(userName(request), body, nameOf(request))
      await context.refreshAccess()
      return proof
    },
  })
}

function addRecoveryRoutes(app: FastifyInstance, { state, fleetTime, log }: ControlContext): void {
  const { recovery } = state
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/recovery-code',
    access: 'admin',
    summary: 'Whether somebody could still let people in if one admin were lost',
    answer: recoveryView,
    handle: async () => ({ now: fleetTime.nowMs(), ...(await recovery.view()) }),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/recovery-code',
    access: 'admin',
    summary: 'Make a recovery code, which voids the one before; the answer alone shows it',
    answer: recoveryMade,
    handle: async request => {
      const by = nameOf(request)
      const made = await recovery.make(by)
      log.warn('recovery-code-made', { by })
      return made
    },
  })
}
