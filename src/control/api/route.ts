// Owns how a route of the API is declared: one object with its method, address, access, shapes and handler.
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { type ZodType, z } from 'zod'
import { controlFaults } from '../faults.ts'
import type { RouteAccess } from './guard.ts'

const MOMENT_MS_MAX = 8.64e15

/** A moment in a query, fleet time in ms. An empty one is a mistake, not 1970. */
export const queryMoment: z.ZodType<number | undefined> = z.preprocess(
  text => (typeof text === 'string' && text.trim() === '' ? Number.NaN : text),
  z.coerce.number({ error: 'expected a moment in ms since 1970' }).min(0).max(MOMENT_MS_MAX).optional(),
)

/** A moment in the past: the answer is the fleet as it was then. */
export const atQuery: z.ZodType<{ at?: number | undefined }> = z.object({ at: queryMoment })

export interface ApiRoute<Body> {
  readonly method: HTTPMethods
  readonly url: string
  readonly access: RouteAccess
  /** One line for openapi.json. */
  readonly summary: string
  readonly body?: ZodType<Body>
  readonly query?: ZodType
  readonly answer?: ZodType
  /** Attempts a minute from one address; none when absent. */
  readonly ratePerMinute?: number
  readonly bodyBytesMax?: number
  /** A form of ours carries the proof that our page made the request; a header otherwise. */
  readonly proof?: 'form'
  handle(this: void, request: FastifyRequest, reply: FastifyReply, body: Body): unknown
}

/** Registers it; the body is checked by its schema before the handler sees it. */
export function addRoute<Body = undefined>(app: FastifyInstance, route: ApiRoute<Body>): void {
  const { method, url, access, summary, body, query, answer, ratePerMinute } = route
  app.route({
    method,
    url,
    ...(route.bodyBytesMax === undefined ? {} : { bodyLimit: route.bodyBytesMax }),
    config: {
      access,
      ...(route.proof === undefined ? {} : { proof: route.proof }),
      ...(ratePerMinute === undefined ? {} : { rateLimit: { max: ratePerMinute, timeWindow: 60_000 } }),
    },
    schema: {
      summary,
      tags: [url.startsWith('/prometheus') ? 'prometheus' : 'vitrine'],
      ...(access === 'anyone' ? { security: [] } : {}),
      ...(body === undefined ? {} : { body: jsonSchema(body) }),
      ...(query === undefined ? {} : { querystring: jsonSchema(query) }),
      ...(answer === undefined ? {} : { response: { 200: jsonSchema(answer) } }),
    },
    handler: (request, reply) =>
      route.handle(
        request,
        reply,
        body === undefined ? (undefined as Body) : check(body, request.body, 'body'),
      ),
  })
}

/** The value in its expected shape, or `control-request-invalid` with the field that is wrong. */
export function check<Value>(schema: ZodType<Value>, value: unknown, what: string): Value {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue?.path.map(String).join('.') ?? ''
  const message = `${what}${path === '' ? '' : ` field ${path}`}: ${issue?.message ?? 'not valid'}`
  throw controlFaults.fault('control-request-invalid', message)
}

/** OpenAPI 3.1 takes JSON Schema 2020-12 as it is. */
function jsonSchema(schema: ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' })
  return rest
}
