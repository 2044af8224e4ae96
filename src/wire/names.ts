// Owns the closed sets and identifiers that roles share.
import { z } from 'zod'

/** `foreign`: somebody else's streaming server, which is looked at; `host`: a machine with an agent and no server of ours. */
export const serverRoles = ['edge', 'origin', 'control', 'foreign', 'host'] as const
export type ServerRole = (typeof serverRoles)[number]

/** What may join by a join string. An `agent` measures a host: of its own, or that of a foreign server. */
export const joinRoles = ['edge', 'origin', 'agent'] as const
export type JoinRole = (typeof joinRoles)[number]

export const serverStates = [
  'healthy',
  'degraded',
  'unreachable',
  'draining',
  'drained',
  'maintenance',
] as const
export type ServerState = (typeof serverStates)[number]

/** Of a moment in the past of which nothing is stored, a state is not known: it is never shown as fine. */
export const shownStates = [...serverStates, 'unknown'] as const
export type ShownState = (typeof shownStates)[number]

export const userRoles = ['viewer', 'operator', 'admin'] as const
export type UserRole = (typeof userRoles)[number]

/** Permanent id of a server; also its pathway id and its `instance` label. */
export const serverId: z.ZodString = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected 1 to 63 lower-case letters, digits and dashes')
/** Stable id of a title. */
export const titleId: z.ZodString = z.string().regex(/^[a-z0-9][a-z0-9-]{0,126}$/)

/**
 * What a title is to whoever pays for its delivery: the label `class` of counters and of the ledger. `vod`: own files;
 * `live`; `builtin`: samples that come with Vitrine; `other`: no title, or one that the catalogue does not have.
 */
export const titleClasses = ['vod', 'live', 'builtin', 'other'] as const
export type TitleClass = (typeof titleClasses)[number]
/** A neighbour one version away may not say it, or know more of them. */
export const titleClass: z.ZodType<TitleClass> = z.enum(titleClasses).default('vod').catch('other')

/** True when a person with `role` may do what needs `needed`. */
export function mayAct(role: UserRole, needed: UserRole): boolean {
  return userRoles.indexOf(role) >= userRoles.indexOf(needed)
}

/**
 * What stands for people or machines that do not exist is named so: ids of simulated servers, and session ids of
 * simulated viewers. Whoever sees the id, in a label, a log or a page, knows; no other server may be named so.
 */
const SIMULATED_PREFIX = 'simulated-'

export function simulatedName(name: string): string {
  return `${SIMULATED_PREFIX}${name}`
}

export function isSimulated(id: string): boolean {
  return id.startsWith(SIMULATED_PREFIX)
}
