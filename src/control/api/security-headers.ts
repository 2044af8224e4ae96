// Owns the headers that every answer carries, and the content security policy of the pages.
import type { FastifyInstance } from 'fastify'
import type { ControlContext } from '../context.ts'
import { isSecure } from './guard.ts'

const YEAR_S = 31_536_000

export function installSecurityHeaders(app: FastifyInstance, context: ControlContext): void {
  const secure = isSecure(context)
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
      ...(secure ? { 'strict-transport-security': `max-age=${YEAR_S}` } : {}),
    })
  })
}

/**
 * For pages: own scripts and styles only; media, and the requests that hls.js makes, also from the edges that exist
 * now. hls.js builds its worker and its media source from blob: URLs. `styleHash`: of the one sheet in the page itself.
 */
export function pagePolicy({ fleet }: ControlContext, styleHash = ''): string {
  const edges = fleet.edges().flatMap(({ url }) => (URL.canParse(url) ? [new URL(url).origin] : []))
  const media = [...new Set(edges)].join(' ')
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' ${styleHash}`.trim(),
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self' ${media}`.trim(),
    `media-src 'self' blob: ${media}`.trim(),
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}
