// Owns the pages: two HTML shells, hashed assets that never change, and the fallback of the control room's addresses.
import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import staticFiles from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { watchPageWith } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { watchTableOf } from './fleet-view.ts'
import { addRoute } from './route.ts'
import { pagePolicy } from './security-headers.ts'

const YEAR_MS = 31_536_000_000
const assetFolders = ['assets', 'watch-assets'] as const

/** Registers what `webFolder` has; without one the API still works. */
export async function addPageRoutes(app: FastifyInstance, context: ControlContext): Promise<void> {
  const { webFolder } = context.options
  if (webFolder === null || !existsSync(webFolder)) {
    app.setNotFoundHandler(request => {
      throw unknownAddress(request)
    })
    return
  }
  await app.register(staticFiles, { root: webFolder, serve: false })
  for (const folder of assetFolders) {
    addRoute(app, {
      method: 'GET',
      url: `/${folder}/*`,
      access: 'anyone',
      summary: 'Scripts and styles of the pages',
      handle: (request, reply) => {
        const path = (request.params as { readonly '*': string })['*']
        // The name carries a hash of the content, so it never changes.
        reply.header('cache-control', `public, max-age=${YEAR_MS / 1000}, immutable`)
        return reply.sendFile(path, join(webFolder, folder), { cacheControl: false, index: false })
      },
    })
  }
  for (const name of readdirSync(webFolder).filter(file =>
    /^[a-z0-9-]+\.(svg|png|ico|txt|webmanifest)$/.test(file),
  )) {
    addRoute(app, {
      method: 'GET',
      url: `/${name}`,
      access: 'anyone',
      summary: 'A picture or text of the pages',
      handle: (_request, reply) => {
        reply.header('cache-control', 'public, max-age=3600')
        return reply.sendFile(name, webFolder, { cacheControl: false })
      },
    })
  }
  const watchFile = join(webFolder, 'watch.html')
  addRoute(app, {
    method: 'GET',
    url: '/watch/:title',
    access: 'anyone',
    summary: 'The player page',
    handle: async (request, reply) => {
      reply.headers({ 'content-security-policy': pagePolicy(context), 'cache-control': 'no-cache' })
      // Read each time: after an upgrade it names other scripts.
      const watchPage = await readFile(watchFile, 'utf8')
      const { pathways } = watchTableOf(context, context.regions.regionOf(request.ip))
      return reply.type('text/html; charset=utf-8').send(watchPageWith(watchPage, pathways))
    },
  })
  app.setNotFoundHandler((request, reply) => {
    reply.header('cache-control', 'no-store') // a missing asset must not be missing for a year
    if (!isPage(request)) throw unknownAddress(request)
    return page(reply, context, webFolder, 'index.html')
  })
}

/** Any address that a person may type or reload is a page of the control room; the page itself knows which exist. */
function isPage(request: FastifyRequest): boolean {
  const path = request.url.split('?')[0] ?? ''
  const reads = request.method === 'GET' || request.method === 'HEAD'
  return (
    reads &&
    extname(path) === '' &&
    !/^\/(api|prometheus|metrics|play|watch|assets|watch-assets|i)(\/|$)/.test(path)
  )
}

function page(reply: FastifyReply, context: ControlContext, folder: string, name: string): FastifyReply {
  reply.header('content-security-policy', pagePolicy(context))
  reply.header('cache-control', 'no-cache')
  return reply.sendFile(name, folder, { cacheControl: false })
}

function unknownAddress(request: FastifyRequest): Error {
  const message = `nothing answers ${request.method} ${request.url.split('?')[0]?.slice(0, 200)}`
  return controlFaults.fault('control-route-unknown', message)
}
