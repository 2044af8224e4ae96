// Owns the page of an incident and its forms, which work without a script, and the file that holds all of it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Fault } from '#base'
import { commentRequest, mayAct } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { affectedRows } from '../incident-page/affected-viewers.ts'
import { exportPolicy, renderExport } from '../incident-page/export-page.ts'
import { figuresOf } from '../incident-page/figures.ts'
import { acts } from '../incident-page/forms.ts'
import { escape } from '../incident-page/html.ts'
import { renderSessionPage, type SignedIn, screenOf } from '../incident-page/session-page.ts'
import { STYLE_HASH } from '../incident-page/style.ts'
import { checkActor, nextMorning, wholeIncident } from '../incident-page/whole-incident.ts'
import { answerFor } from './errors.ts'
import { actsAs } from './guard.ts'
import { addRoute, check } from './route.ts'
import { pagePolicy } from './security-headers.ts'

const PAGE = '/incidents/:id'
/** A note of 4000 characters, each escaped, and the other fields. */
const FORM_BYTES_MAX = 64 * 1024

const form = z.object({
  act: z.enum(acts),
  text: z.string().optional(),
  to: z.string().trim().min(1).max(64).optional(),
})

/** What the next page says of what was done; a closed list, because it comes back in the address. */
const TOLD: Readonly<Record<string, string>> = {
  acknowledge: 'You have it. The others are told.',
  wait: 'It waits: nobody is rung before then.',
  comment: 'Your note stands on the timeline.',
  assign: 'It is handed over.',
  taken: 'Somebody else was first: see who has it.',
  over: 'It was resolved meanwhile.',
  nobody: 'That is nobody who is here and may act.',
  refused: 'That could not be done. See what is known now, and try again.',
}

export async function addIncidentPageRoutes(app: FastifyInstance, context: ControlContext): Promise<void> {
  addRoute(app, {
    method: 'GET',
    url: PAGE,
    access: 'anyone',
    summary: 'The page of one incident; who is not signed in gets the pages’ own shell, which asks for it',
    handle: async (request, reply) => {
      const reader = signedIn(request)
      if (reader === null && isFromElsewhere(request)) return again(request, reply)
      const shell = await shellOf(context)
      if (reader === null) return bare(context, reply, shell)
      return send(context, request, reply, { reader, shell })
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/incidents/:id/export.html',
    access: 'viewer',
    summary: 'All of one incident as one HTML file that needs nothing else',
    handle: (request, reply) => sendExport(context, idOf(request), reply),
  })
  await app.register(async scope => addForms(scope, context))
}

/** In a scope of their own: a form is taken nowhere else. */
function addForms(scope: FastifyInstance, context: ControlContext): void {
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_BYTES_MAX },
    async (_request: FastifyRequest, body: string) => Object.fromEntries(new URLSearchParams(body)),
  )
  // Whoever pressed a button in a browser reads a sentence, no JSON.
  scope.setErrorHandler((thrown, request, reply) => {
    const where = { method: request.method, path: PAGE }
    const { status, body } = answerFor(thrown, where, context.log)
    if (request.headers.accept?.includes('text/html') !== true) return reply.status(status).send(body)
    const next =
      status === 401
        ? `/sign-in?back=${encodeURIComponent(request.url)}`
        : `${request.url.split('?')[0]}?told=refused`
    return reply.redirect(next, 303)
  })
  addRoute(scope, {
    method: 'POST',
    url: PAGE,
    access: 'operator',
    proof: 'form',
    summary: 'The buttons and forms of the page without a script; answers with the page',
    bodyBytesMax: FORM_BYTES_MAX,
    handle: async (request, reply) => {
      const told = await run(context, request)
      return reply.redirect(`/incidents/${encodeURIComponent(idOf(request))}?told=${told}`, 303)
    },
  })
}

async function run(context: ControlContext, request: FastifyRequest): Promise<string> {
  const { act, text, to } = check(form, request.body, 'form')
  const [id, by] = [idOf(request), actsAs(request)]
  const { actions } = context.incidents.keeper
  try {
    if (act === 'acknowledge') await actions.acknowledge(id, by)
    else if (act === 'wait') await actions.wait(id, nextMorning(context), by)
    else if (act === 'comment') {
      await actions.comment(id, check(commentRequest, { text }, 'form').text, by)
    } else {
      const name = to ?? by
      await checkActor(context, name, by)
      await actions.assign(id, name, by)
    }
    return act
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (error.code === 'control-incident-taken') return 'taken'
    if (error.code === 'control-incident-over') return 'over'
    if (act === 'assign' && error.code === 'control-request-invalid') return 'nobody'
    throw error
  }
}

async function send(
  context: ControlContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { reader, shell }: { readonly reader: SignedIn; readonly shell: string },
): Promise<FastifyReply> {
  const answer = await wholeIncident(context, idOf(request))
  if (answer === null) return bare(context, reply, shell)
  const { told } = request.query as { readonly told?: unknown }
  const words = typeof told === 'string' && Object.hasOwn(TOLD, told) ? (TOLD[told] ?? null) : null
  const html = renderSessionPage(await screenOf(context, answer, reader, words), shell)
  reply.headers({ 'content-security-policy': pagePolicy(context, STYLE_HASH), 'cache-control': 'no-store' })
  return reply.type('text/html; charset=utf-8').send(html)
}

/** Marks that the page was asked for again, so that no browser goes round in circles; the scripts take it away. */
const AGAIN = 'again'

/** A link in a mail: the browser keeps a strict cookie to itself, so that nobody knows yet who follows it. */
function isFromElsewhere({ headers, query }: FastifyRequest): boolean {
  return headers['sec-fetch-site'] === 'cross-site' && !Object.hasOwn(query as object, AGAIN)
}

/** A page of ours that asks once more: then the cookie comes along, and the first screen is there without a script. */
function again(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const next = escape(`/incidents/${encodeURIComponent(idOf(request))}?${AGAIN}`)
  reply.headers({ 'content-security-policy': "default-src 'none'", 'cache-control': 'no-store' })
  return reply
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="dark light"><meta http-equiv="refresh" content="0;url=${next}"><title>Vitrine</title></head><body><a href="${next}">To the incident</a></body></html>`,
    )
}

/** Signing in, and a name that nobody knows, are the scripts' to tell. */
function bare(context: ControlContext, reply: FastifyReply, shell: string): FastifyReply {
  if (shell === '') throw controlFaults.fault('control-route-unknown', 'the pages are not built')
  reply.headers({ 'content-security-policy': pagePolicy(context), 'cache-control': 'no-cache' })
  return reply.type('text/html; charset=utf-8').send(shell)
}

async function sendExport(context: ControlContext, id: string, reply: FastifyReply): Promise<FastifyReply> {
  const answer = await wholeIncident(context, id)
  if (answer === null)
    throw controlFaults.fault(
      'control-incident-unknown',
      `no incident has the id ${JSON.stringify(id.slice(0, 40))}`,
    )
  const { openedAt, resolvedAt, servers } = answer.incident
  const { now } = answer
  const figures = await figuresOf(context, { id, openedAt, endAt: resolvedAt ?? now, servers, now })
  const affected = await affectedRows(context, answer.incident, now)
  reply.headers({
    'content-security-policy': exportPolicy,
    'content-disposition': `attachment; filename="incident-${id.replaceAll(/[^A-Za-z0-9-]/g, '')}.html"`,
  })
  return reply
    .type('text/html; charset=utf-8')
    .send(renderExport({ answer, figures, affected, zone: context.incidents.policy.zone }))
}

/** Read each time: after an upgrade it names other scripts. Empty: the pages are not built. */
async function shellOf({ options: { webFolder } }: ControlContext): Promise<string> {
  if (webFolder === null) return ''
  return await readFile(join(webFolder, 'index.html'), 'utf8').catch(() => '')
}

function signedIn({ principal }: FastifyRequest): SignedIn | null {
  if (principal.kind !== 'person' || !mayAct(principal.role, 'viewer')) return null
  // A token for one purpose alone opens no page.
  if (principal.token !== null && principal.token.scope !== 'everything') return null
  return { name: principal.name, role: principal.role, csrf: principal.session?.csrf ?? null }
}

function idOf(request: FastifyRequest): string {
  return (request.params as { readonly id: string }).id
}
