// Owns the control room's HTTP application: plugins, checks and all routes, in the order in which they apply.
import cookie from '@fastify/cookie'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'
import { packageVersion } from '#base'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { addAccountRoutes } from './account-routes.ts'
import { addAlertmanagerRoutes } from './alertmanager-routes.ts'
import { addAuditRoutes } from './audit-routes.ts'
import { addCheckRoutes } from './check-routes.ts'
import { addClockRoutes } from './clock-routes.ts'
import { addDiffRoutes } from './diff-routes.ts'
import { addDrillRoutes } from './drill-routes.ts'
import { addEnrolRoutes } from './enrol-routes.ts'
import { addEntryRoutes } from './entry-routes.ts'
import { answerFor } from './errors.ts'
import { addFleetRoutes } from './fleet-routes.ts'
import { addGrantKeyRoutes } from './grant-key-routes.ts'
import { installGuard } from './guard.ts'
import { addIncidentPageRoutes } from './incident-page-routes.ts'
import { addIncidentRoutes } from './incident-routes.ts'
import { addMarkRoutes } from './mark-routes.ts'
import { addNoteRoutes } from './note-routes.ts'
import { addNotifyRoutes } from './notify-routes.ts'
import { addPageRoutes } from './page-routes.ts'
import { addPeopleRoutes } from './people-routes.ts'
import { addProbeRoutes } from './probe-routes.ts'
import { addPrometheusRoutes } from './prometheus-routes.ts'
import { addRuleEditRoutes } from './rule-edit-routes.ts'
import { addRuleRoutes } from './rule-routes.ts'
import { addRunRoutes } from './run-routes.ts'
import { installSecurityHeaders } from './security-headers.ts'
import { addSessionRoutes } from './session-routes.ts'
import { addShareRoutes } from './share-routes.ts'
import { addSilenceRoutes } from './silence-routes.ts'
import { addSimulatedRoutes } from './simulated-routes.ts'
import { addSteeringRoutes } from './steering-routes.ts'
import { addSystemRoutes } from './system-routes.ts'
import { addTryRoutes } from './try-routes.ts'
import { addViewerRoutes } from './viewer-routes.ts'
import { addWallRoutes } from './wall-routes.ts'
import { addWhatIfRoutes } from './what-if-routes.ts'

const BODY_BYTES_MAX = 64 * 1024 // no JSON request is larger; remote write has its own limit
/** Addresses whose sign-ins are counted at once. */
const RATE_ADDRESSES_MAX = 10_000

/** Ready to answer; it does not listen itself. */
export async function createApp(context: ControlContext): Promise<FastifyInstance> {
  const { listen } = context.options
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    // Behind a proxy the last address of X-Forwarded-For is the proxy's word; the ones before it are hearsay.
    trustProxy: listen.behindProxy === true ? (_address, hop) => hop === 0 : false,
    routerOptions: { maxParamLength: 256 },
    // An address that cannot be decoded never reaches the error handler.
    frameworkErrors: (error, request, reply) => {
      const { status, body } = answerFor(error, { method: request.method, path: '' }, context.log)
      reply.raw.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      reply.raw.end(JSON.stringify(body))
    },
  })
  // Forms of other sites can send text/plain without asking first; no route of ours takes it.
  app.removeContentTypeParser('text/plain')
  // Shapes are checked by zod in the route; the JSON schemas are for openapi.json alone.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => data => JSON.stringify(data))
  app.setErrorHandler((thrown, request, reply) => {
    const where = { method: request.method, path: request.routeOptions.url ?? '' }
    const { status, body } = answerFor(thrown, where, context.log)
    return reply.status(status).send(body)
  })
  await app.register(cookie)
  await app.register(rateLimit, {
    global: false,
    cache: RATE_ADDRESSES_MAX,
    errorResponseBuilder: (_request, limit) =>
      controlFaults.fault(
        'control-sign-in-too-often',
        `at most ${limit.max} attempts a minute; wait ${limit.after}`,
      ),
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Vitrine control room', version: packageVersion },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'API token; also as password of Basic' },
        },
      },
      security: [{ token: [] }],
    },
  })
  installSecurityHeaders(app, context)
  installGuard(app, context)
  addApiRoutes(app, context)
  await addNotifyRoutes(app, context)
  await addIncidentPageRoutes(app, context)
  await addPrometheusRoutes(app, context)
  await addPageRoutes(app, context)
  await app.ready()
  return app
}

function addApiRoutes(app: FastifyInstance, context: ControlContext): void {
  addSystemRoutes(app, context)
  addSessionRoutes(app, context)
  addFleetRoutes(app, context)
  addAccountRoutes(app, context)
  addPeopleRoutes(app, context)
  addAuditRoutes(app, context)
  addTryRoutes(app, context)
  addEnrolRoutes(app, context)
  addCheckRoutes(app, context)
  addSimulatedRoutes(app, context)
  addWallRoutes(app, context)
  addClockRoutes(app, context)
  addShareRoutes(app, context)
  addSteeringRoutes(app, context)
  addMarkRoutes(app, context)
  addDiffRoutes(app, context)
  addWhatIfRoutes(app, context)
  addNoteRoutes(app, context)
  addViewerRoutes(app, context)
  addGrantKeyRoutes(app, context)
  addAlertingRoutes(app, context)
  addProbeRoutes(app, context)
  addEntryRoutes(app, context)
}

/** From rules to what people are told. */
function addAlertingRoutes(app: FastifyInstance, context: ControlContext): void {
  addRuleRoutes(app, context)
  addRuleEditRoutes(app, context)
  addRunRoutes(app, context)
  addDrillRoutes(app, context)
  addIncidentRoutes(app, context)
  addSilenceRoutes(app, context)
  addAlertmanagerRoutes(app, context)
}
