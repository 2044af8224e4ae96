// Owns the routes of host notes: agents tell them, people ask what ran and what the kernel said at a moment.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import {
  hostNotesRequest,
  hostNotesTaken,
  type KernelMessageView,
  kernelMessagesAnswer,
  processesAnswer,
  serverId,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { addRoute, atQuery, check, queryMoment } from './route.ts'

const NOTES_BYTES_MAX = 4 * 1024 * 1024
const RANGE_MS = 120_000
const RANGE_MS_MAX = 7 * 86_400_000
const SECONDS_MAX = 500

const rangeQuery = z.object({ from: queryMoment, to: queryMoment })

export function addNoteRoutes(app: FastifyInstance, context: ControlContext): void {
  const { notes, fleetTime } = context
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/host-notes',
    access: 'writer',
    summary: 'Top processes and kernel messages of a host, told by an agent as its server',
    body: hostNotesRequest,
    answer: hostNotesTaken,
    bodyBytesMax: NOTES_BYTES_MAX,
    handle: (request, _reply, body) => {
      const { principal } = request
      if (principal.kind !== 'server') {
        throw controlFaults.fault('control-role-too-low', 'this is for agents, with their server’s own token')
      }
      return { taken: notes.add(principal.id, body.notes, fleetTime.nowMs()) }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/servers/:id/processes',
    access: 'viewer',
    summary: 'The processes that used most CPU of a server’s host at a moment, by command name',
    query: atQuery,
    answer: processesAnswer,
    handle: request => {
      const now = fleetTime.nowMs()
      const { at = now } = check(atQuery, request.query, 'query')
      const server = idOf(request.params)
      const look = notes.lookAt(server, at)
      return {
        now,
        server,
        at: look?.at ?? null,
        recovered: look?.recovered ?? false,
        processes: look?.processes ?? [],
      }
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/servers/:id/kernel-messages',
    access: 'viewer',
    summary: 'What the kernel of a server’s host said, oldest first',
    query: rangeQuery,
    answer: kernelMessagesAnswer,
    handle: request => {
      const now = fleetTime.nowMs()
      const { from, to = now } = check(rangeQuery, request.query, 'query')
      const fromMs = from ?? to - RANGE_MS
      if (fromMs > to || to - fromMs > RANGE_MS_MAX) {
        const message = `from and to must be in order and at most ${RANGE_MS_MAX / 86_400_000} days apart`
        throw controlFaults.fault('control-request-invalid', message)
      }
      const server = idOf(request.params)
      const { readable, said, leftOut } = notes.saidIn(server, fromMs, to, SECONDS_MAX)
      const messages = said.flatMap(({ at, recovered, lines }) =>
        lines.map(line => messageOf(line, at, recovered)),
      )
      return { now, server, readable, messages, leftOut }
    },
  })
}

/** `<6> [12.346] text`, as agents read it; another shape is shown whole. */
function messageOf(line: string, at: number, recovered: boolean): KernelMessageView {
  const match = /^<([0-7])> \[[\d.]+\] (.*)$/s.exec(line)
  return { at, recovered, level: Number(match?.[1] ?? 6), text: match?.[2] ?? line }
}

/** Also of a server that is retired by now: its past stays. */
function idOf(params: unknown): string {
  return check(serverId, (params as { readonly id: string }).id, 'the server’s id')
}
