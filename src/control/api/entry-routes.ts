// Owns the ways in for viewers: /play, /watch and what the player page needs. No sign-in, no cookies.
import type { FastifyInstance } from 'fastify'
import { foreignTitleUrl, watchTable } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { chooseForeign, choosePathway } from '../steering/make-table.ts'
import { watchTableOf } from './fleet-view.ts'
import { addRoute } from './route.ts'

/** Open to players on any page: nothing here depends on who asks. */
const anyOrigin = { 'access-control-allow-origin': '*' }

export function addEntryRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/watch-table',
    access: 'anyone',
    summary: 'Edges, best first, and titles: what the player page needs',
    answer: watchTable,
    handle: (request, reply) => {
      reply.headers(anyOrigin)
      return watchTableOf(context, context.regions.regionOf(request.ip))
    },
  })
  addRoute(app, {
    method: 'GET',
    url: '/play/:file',
    access: 'anyone',
    summary: 'Redirect to a title’s playlist on the best edge; ?via=ID asks for one by name',
    handle: (request, reply) => {
      const { file } = request.params as { readonly file: string }
      const title = playable(context, file)
      const query = new URLSearchParams(request.url.split('?')[1] ?? '')
      const via = query.get('via')
      query.delete('via')
      const { pathways = [], foreign = [] } = context.steering.table() ?? {}
      const rest = query.size === 0 ? '' : `?${query.toString()}`
      const elsewhere = chooseForeign(foreign, pathways, via, Math.random())
      const url = elsewhere === null ? null : foreignTitleUrl(elsewhere.url, title)
      if (url !== null) return reply.headers(anyOrigin).redirect(url, 302)
      const region = context.regions.regionOf(request.ip)
      const chosen = choosePathway(pathways, via, Math.random(), region)
      if (chosen === null) throw controlFaults.fault('control-no-edge', 'no edge has connected yet')
      // The rest of the query goes along: a player's CMCD tells the edge who it is.
      return reply.headers(anyOrigin).redirect(`${chosen.url}/vod/${title}/master.m3u8${rest}`, 302)
    },
  })
}

/** The title of `{title}.m3u8`. Before any origin has told its titles, every well-formed one is let through. */
function playable({ fleet }: ControlContext, file: string): string {
  const title = /^([a-z0-9][a-z0-9-]{0,126})\.m3u8$/.exec(file)?.[1]
  const titles = fleet.titles()
  if (title !== undefined && (titles.length === 0 || titles.some(({ id }) => id === title))) return title
  const message = `no title is played at /play/${file.slice(0, 140)}`
  throw controlFaults.fault('control-title-unknown', message)
}
