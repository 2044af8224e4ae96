// Owns the shapes of people: users, invitations, browsers that are signed in, tokens, the audit, and offboarding.
import { z } from 'zod'
import { userRoles } from './names.ts'

const time = z.number()
const role = z.enum(userRoles)

export const userView = z.object({
  name: z.string(),
  role,
  createdAt: time,
  /** Last request of a browser of theirs that is signed in; null: none is. */
  seenAt: time.nullable(),
  sessions: z.int(),
  tokens: z.int(),
  /** Their time here is over; the name is kept for the audit and is not given again. */
  offboardedAt: time.nullable(),
  handedTo: z.string().nullable(),
})
export type UserView = z.infer<typeof userView>

/** `GET /api/v1/users` (admin) */
export const usersAnswer = z.object({ now: time, users: z.array(userView) })

/** `PUT /api/v1/users/{name}/role` (admin) */
export const roleRequest = z.strictObject({ role })

export const INVITATION_S_DEFAULT: number = 3 * 86_400
export const INVITATION_S_MAX: number = 30 * 86_400

export const invitationKinds = ['invitation', 'reset'] as const
export type InvitationKind = (typeof invitationKinds)[number]

export const invitationView = z.object({
  id: z.string(),
  kind: z.enum(invitationKinds),
  name: z.string(),
  role,
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time,
  state: z.enum(['open', 'used', 'revoked', 'expired']),
})
export type InvitationView = z.infer<typeof invitationView>

/** `POST /api/v1/invitations` (admin): for one named person, once. */
export const invitationRequest = z.strictObject({
  name: z.string().max(64),
  role,
  expiresInS: z.int().min(60).max(INVITATION_S_MAX).optional(),
})
export const invitationsAnswer = z.object({ now: time, invitations: z.array(invitationView) })
/** The path holds the code behind its #, and is shown once. */
export const invitationMade = invitationView.extend({ path: z.string() })

/** `POST /api/v1/invitations/look` (anyone who has the code): spends nothing. */
export const invitationLook = z.strictObject({ code: z.string().max(256) })
export const invitationSeen = z.object({
  kind: z.enum(invitationKinds),
  name: z.string(),
  role,
  invitedBy: z.string(),
  expiresAt: time,
})
/** `POST /api/v1/invitations/accept`: sets the password and signs in. */
export const invitationAccept = z.strictObject({
  code: z.string().max(256),
  password: z.string().max(1024),
})

/** `POST /api/v1/me/password`: every other browser of theirs is signed out. */
export const passwordRequest = z.strictObject({
  current: z.string().max(1024),
  password: z.string().max(1024),
})

export const webSessionView = z.object({
  id: z.string(),
  /** A one-time link names nobody. */
  name: z.string(),
  role,
  means: z.enum(['link', 'password', 'invitation', 'recovery', '']),
  /** `Firefox on Linux`; from what the browser says of itself. */
  device: z.string(),
  /** Where it signed in from. */
  address: z.string(),
  since: time,
  seenAt: time,
  /** The one that asks. */
  own: z.boolean(),
})
export type WebSessionView = z.infer<typeof webSessionView>

/** `GET /api/v1/web-sessions`: one's own; `?of=everybody` for admins. */
export const webSessionsAnswer = z.object({ now: time, sessions: z.array(webSessionView) })

/** What a token reaches, beside what its role allows: the whole API, the metrics alone, or the receiver of alerts. */
export const tokenScopes = ['everything', 'metrics', 'alerts'] as const
export type TokenScope = (typeof tokenScopes)[number]
export const TOKEN_S_MAX: number = 10 * 366 * 86_400

export const tokenView = z.object({
  id: z.string(),
  name: z.string(),
  role,
  scope: z.enum(tokenScopes),
  /** Who answers for it: it may never do more than they may, and ends with them. Null: made on the command line. */
  owner: z.string().nullable(),
  createdBy: z.string(),
  createdAt: time,
  expiresAt: time.nullable(),
  /** Written at most once a minute. */
  usedAt: time.nullable(),
  usedFrom: z.string(),
  revokedAt: time.nullable(),
})
export type TokenView = z.infer<typeof tokenView>
export const tokenRequest = z.strictObject({
  name: z.string().max(64),
  role,
  scope: z.enum(tokenScopes).optional(),
  expiresInS: z.int().min(60).max(TOKEN_S_MAX).optional(),
})
export const tokensAnswer = z.object({ now: time, tokens: z.array(tokenView) })
export const tokenMade = tokenView.extend({ token: z.string() })

/** `GET /api/v1/recovery-code` (admin): whether the fleet survives the loss of one admin. */
export const recoveryView = z.object({
  now: time,
  /** Named people with the role admin. */
  admins: z.int(),
  /** Of the code that still works; null: there is none. */
  codeMadeAt: time.nullable(),
  /** The last time that one was used, and whom it made. */
  usedAt: time.nullable(),
  usedFor: z.string().nullable(),
  isSafe: z.boolean(),
})
export type RecoveryView = z.infer<typeof recoveryView>
export const recoveryMade = z.object({ code: z.string(), createdAt: time })
/** `POST /api/v1/recovery` (anyone who has the code): makes one new admin, once. */
export const recoveryRequest = z.strictObject({
  code: z.string().max(256),
  name: z.string().max(64),
  password: z.string().max(1024),
})

export const auditEntry = z.object({
  id: z.int(),
  at: time,
  /** The name that acted: of a person, a token, `command line`, or a part of Vitrine. */
  by: z.string(),
  /** `person`, `link` (a one-time link), `token`, `server`, `command`, `vitrine`; '' in entries of older versions. */
  actor: z.string(),
  /** Who answers for it; null: nobody is named. */
  person: z.string().nullable(),
  /** Id of the token or of the browser's session; on the command line the user of the operating system. */
  via: z.string(),
  address: z.string(),
  action: z.string(),
  subject: z.string(),
  facts: z.record(z.string(), z.unknown()),
})
export type AuditEntry = z.infer<typeof auditEntry>

export const AUDIT_PAGE_MAX = 500
/** `GET /api/v1/audit` and `/api/v1/audit.csv` (admin): newest first. */
export const auditQuery = z.object({
  /** Of a person, a token, or `command line`. */
  who: z.string().max(128).optional(),
  action: z.string().max(64).optional(),
  subject: z.string().max(256).optional(),
  from: z.coerce.number().min(0).max(8.64e15).optional(),
  until: z.coerce.number().min(0).max(8.64e15).optional(),
  /** `next` of the page before. */
  before: z
    .string()
    .regex(/^\d{1,16}(\.\d{1,9})?-\d{1,16}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(AUDIT_PAGE_MAX).optional(),
})
export type AuditQuery = z.infer<typeof auditQuery>
export const auditAnswer = z.object({
  now: time,
  entries: z.array(auditEntry),
  /** Null: there is no more. */
  next: z.string().nullable(),
})

export const dutyKinds = ['incident', 'silence', 'order', 'configuration'] as const
export const accessKinds = ['session', 'token', 'share', 'wall-link', 'join-string', 'invitation'] as const
export const offboardKinds = [...accessKinds, ...dutyKinds] as const
export type OffboardKind = (typeof offboardKinds)[number]
/** What may be left to work, since others look at it. */
export const keepKinds = ['share', 'wall-link'] as const
export type KeepKind = (typeof keepKinds)[number]

export const offboardItem = z.object({
  kind: z.enum(offboardKinds),
  id: z.string(),
  /** In words. */
  text: z.string(),
  /** What is done about it; `by hand`: in the configuration file, which Vitrine does not write. */
  fate: z.enum(['revoked', 'handed over', 'kept', 'by hand']),
})
export type OffboardItem = z.infer<typeof offboardItem>

/** `GET /api/v1/users/{name}/offboarding` (admin) */
export const offboardPlan = z.object({
  now: time,
  name: z.string(),
  role,
  items: z.array(offboardItem),
  /** Duties are there, and somebody has to take them over. */
  needsSuccessor: z.boolean(),
  /** Why it cannot be done at all; null: it can. */
  refusal: z.string().nullable(),
  /** What nobody can attribute, said so that it is not forgotten. */
  notes: z.array(z.string()),
})
export type OffboardPlan = z.infer<typeof offboardPlan>

/** `POST /api/v1/users/{name}/offboarding` (admin): all of it or nothing; asked again it ends what came since. */
export const offboardRequest = z.strictObject({
  to: z.string().max(64).nullable(),
  keep: z.array(z.enum(keepKinds)).max(keepKinds.length).optional(),
})
export type OffboardRequest = z.infer<typeof offboardRequest>

/** Stands in the audit word by word. */
export const offboardProof = z.object({
  name: z.string(),
  at: time,
  by: z.string(),
  to: z.string().nullable(),
  items: z.array(offboardItem),
  /** What still worked when it was counted again, in the same transaction: nothing but what was kept. */
  left: z.array(offboardItem),
  notes: z.array(z.string()),
})
export type OffboardProof = z.infer<typeof offboardProof>
export const offboardAnswer = offboardProof.extend({
  /** Of the entry in the audit that holds it. */
  auditId: z.int(),
})
