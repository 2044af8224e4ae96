// Owns how a new machine joins: the shapes of join strings' API, of enrolment and of certificate renewal.
import { z } from 'zod'
import { joinRoles, serverId } from './names.ts'

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
const region = z.string().min(1).max(64)
const time = z.number()
/** A P-256 request has about 400 characters. */
const requestPem = z.string().max(8192)

/** What an operator says of a server; for people, for steering by capacity, and for comparing. */
export const serverTags = z.strictObject({
  /** Shown instead of the id, which never changes. */
  name: z.string().max(64).optional(),
  provider: z.string().max(64).optional(),
  instanceType: z.string().max(64).optional(),
  /** What its line carries, bits a second. */
  capacityBps: z.number().min(1000).max(1e13).optional(),
  /** A drill may hurt it; left out: only in the local fleet of `vitrine start`. */
  drillTarget: z.boolean().optional(),
})
export type ServerTags = z.infer<typeof serverTags>

/** `POST /api/v1/foreign-servers` (operator): looked at from outside from now on; again with the same id: changed. */
export const foreignRequest = z.strictObject({
  id: serverId,
  region,
  /** A playlist; with `{title}` in its path it plays every title of the library under that address. */
  url: z
    .string()
    .max(512)
    // A title may choose the path, never the host.
    .regex(
      /^https?:\/\/(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?\/[^\s#]*$/i,
      'expected http:// or https://, a host, a path, and no user, password or fragment',
    ),
  /** Share of new viewers against 1 of an own edge at full weight; 0: none are sent there. */
  weight: z.number().min(0).max(1000).default(0),
})
export type ForeignRequest = z.infer<typeof foreignRequest>

/** The address of a title on a foreign server; null: it has one stream, and no title of ours. */
export function foreignTitleUrl(stream: string, title: string): string | null {
  return stream.includes('{title}') ? stream.replaceAll('{title}', title) : null
}

/** `PUT /api/v1/servers/{id}/share` (operator): the part of all new sessions that an edge may get, at most. */
export const serverShareRequest = z.strictObject({ percent: z.number().gt(0).max(100) })
export type ServerShareRequest = z.infer<typeof serverShareRequest>

/** What a person may order: take viewers off, leave it alone while it is worked on, or keep it in service against the witnesses. */
export const overrideKinds = ['drain', 'maintenance', 'keep'] as const
export type OverrideKind = (typeof overrideKinds)[number]

/** `PUT /api/v1/servers/{id}/override` (operator). */
export const overrideRequest = z.strictObject({
  kind: z.enum(overrideKinds),
  /** Why, for those who find it later. */
  reason: z.string().trim().min(1).max(512),
  /** Seconds until it ends by itself; null: until somebody ends it. `keep` must end within a day. */
  expiresInS: z.int().min(60).max(31_536_000).nullable(),
  /** Of a drain: after so many seconds who is still fed is sent to another edge, and it counts as drained; 600 left out. */
  drainMaxS: z.int().min(1).max(86_400).optional(),
})
export type OverrideRequest = z.infer<typeof overrideRequest>

export const overrideView = z.object({
  kind: z.enum(overrideKinds),
  reason: z.string(),
  by: z.string(),
  since: time,
  expiresAt: time.nullable(),
  /** Of a drain, in seconds; left out: as usual. */
  drainMaxS: z.number().optional(),
})
export type OverrideView = z.infer<typeof overrideView>

/** `POST /api/v1/join-strings` (admin). */
export const joinStringRequest = z.strictObject({
  role: z.enum(joinRoles),
  /** The id that the server will have; without it the machine chooses. One that is enrolled already is given a new key. */
  id: serverId.optional(),
  /** Of an agent: the foreign server whose host it measures. */
  for: serverId.optional(),
  region: region.optional(),
  tags: serverTags.optional(),
  /** Seconds until it expires; an hour by default, a week at most. */
  expiresInS: z.int().min(60).max(604_800).optional(),
  /** Of an edge: it begins with the smallest share of new sessions, and is checked as soon as it has joined. */
  admission: z.boolean().optional(),
})
export type JoinStringRequest = z.infer<typeof joinStringRequest>

export const joinStringView = z.object({
  id: z.string(),
  role: z.enum(joinRoles),
  server: serverId.nullable(),
  region: z.string().nullable(),
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time,
  /** `used` and `revoked` ones are kept for the list. */
  state: z.enum(['open', 'used', 'expired', 'revoked']),
  usedBy: serverId.nullable(),
  usedAt: time.nullable(),
  /** Made on the add-an-edge page. */
  admission: z.boolean(),
})
export type JoinStringView = z.infer<typeof joinStringView>

/** The only place where the string itself is shown. */
export const joinStringMade = joinStringView.extend({ joinString: z.string(), command: z.string() })
export const joinStringsAnswer = z.object({ now: time, joinStrings: z.array(joinStringView) })
/** `GET /api/v1/join-strings/{id}` (operator). */
export const joinStringAnswer = z.object({ now: time, joinString: joinStringView })

/**
 * `POST /api/v1/enrol`, with the token of a join string and no other credential. The machine makes its own
 * credential and tells only its SHA-256, so that a lost answer can be asked for again with the same one.
 */
export const enrolRequest = z.strictObject({
  token: z.string().max(256),
  role: z.enum(joinRoles),
  id: serverId.nullable(),
  region: region.nullable(),
  credentialSha256: sha256Hex,
  /** PKCS #10 in PEM; null over plain HTTP on loopback or behind a proxy that ends TLS. */
  requestPem: requestPem.nullable(),
  version: z.string().max(64),
})
export type EnrolRequest = z.infer<typeof enrolRequest>

export const enrolAnswer = z.object({
  id: serverId,
  role: z.enum(joinRoles),
  region: z.string(),
  /** Of an agent: what it is an agent of. */
  watches: z.enum(['foreign', 'host']).optional(),
  /** Leaf and authority in PEM. */
  certificatePem: z.string().nullable(),
  authorityPem: z.string().nullable(),
  /** Where the fleet's origin is reached; null: none has come yet. */
  originUrl: z.string().nullable(),
})
export type EnrolAnswer = z.infer<typeof enrolAnswer>

/** `POST /api/v1/simulated-servers` (admin), where the control room was started with `--allow-simulated`. */
export const simulatedRequest = z.strictObject({ count: z.int().min(1).max(1000) })
export const simulatedAnswer = z.object({
  servers: z.array(z.object({ id: serverId, region: z.string(), token: z.string() })),
})
export type SimulatedAnswer = z.infer<typeof simulatedAnswer>

/** `POST /api/v1/certificate`, by a server as itself: a new certificate for a key that it holds. */
export const certificateRequest = z.strictObject({ requestPem })
export const certificateAnswer = z.object({ certificatePem: z.string(), authorityPem: z.string() })
