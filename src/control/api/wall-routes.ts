// Owns the wall's one answer, and the links that open it, and nothing else, on a screen where nobody signs in.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import {
  type ServerView,
  type WallAnswer,
  type WallNormal,
  wallAnswer,
  wallLinkMade,
  wallLinkRequest,
  wallLinksAnswer,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { fleetAt } from '../past/past-view.ts'
import { SPARK_STEP_S } from '../wall/wall-keeper.ts'
import { type WallFigures, wallRowOf } from '../wall/wall-view.ts'
import { serverViews } from './fleet-view.ts'
import { nameOf } from './guard.ts'
import { addRoute, atQuery, check } from './route.ts'

function wallOf(
  { fleetTime }: ControlContext,
  servers: readonly ServerView[],
  figures: (id: string) => WallFigures,
  normal: (id: string) => WallNormal | null,
): WallAnswer {
  return {
    now: fleetTime.nowMs(),
    edges: servers
      .filter(({ role }) => role === 'edge')
      .map(server => wallRowOf(server, figures(server.id), normal(server.id))),
    others: servers
      .filter(({ role, state }) => role !== 'edge' && state !== 'healthy')
      .map(({ id, role, state, reason }) => ({ id, role, state, reason })),
    cpuStepS: SPARK_STEP_S,
  }
}

export function addWallRoutes(app: FastifyInstance, context: ControlContext): void {
  const { wallLinks } = context.state
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/wall',
    access: 'wall',
    summary: 'All that a wall shows, in one answer; also for the token of a link to the wall',
    query: atQuery,
    answer: wallAnswer,
    handle: async request => {
      const { at } = check(atQuery, request.query, 'query')
      if (at === undefined) {
        const figures = await context.wall.figures()
        return wallOf(context, serverViews(context), figures, id => context.runs.normal.wallOf(id))
      }
      if (request.principal.kind === 'wall') {
        throw controlFaults.fault('control-role-too-low', 'a link to the wall shows the present alone')
      }
      const { servers, moment } = await fleetAt(context, at)
      return { ...wallOf(context, servers, await context.wall.figuresAt(at), () => null), past: moment }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/wall-links',
    access: 'admin',
    summary: 'Links to the wall without their secrets, also the revoked ones',
    answer: wallLinksAnswer,
    handle: async () => ({ now: context.fleetTime.nowMs(), links: await wallLinks.list() }),
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/wall-links',
    access: 'admin',
    summary: 'Make a link that opens the wall alone; the answer is the only place where it is shown',
    body: wallLinkRequest,
    answer: wallLinkMade,
    handle: async (request, _reply, { name }) => {
      const { token, ...view } = await wallLinks.make(name, nameOf(request))
      await context.refreshAccess()
      // Behind the #, so that it is in no log of a proxy, and in the address of a screen that starts again.
      return { ...view, path: `/wall?kiosk#link=${token}` }
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: '/api/v1/wall-links/:id',
    access: 'admin',
    summary: 'Revoke a link to the wall: its screens go dark at once',
    answer: z.object({}),
    handle: async request => {
      await wallLinks.revoke((request.params as { readonly id: string }).id, nameOf(request))
      await context.refreshAccess()
      return {}
    },
  })
}
