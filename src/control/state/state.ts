// Owns the shape of the control room's durable state, for the control room itself and for commands beside it.
import type { Closable } from '#base'
import type {
  AuditQuery,
  CheckRun,
  ForeignRequest,
  InvitationView,
  JoinStringRequest,
  JoinStringView,
  OffboardPlan,
  OffboardRequest,
  OverrideRequest,
  ServerRole,
  ServerTags,
  SilenceRequest,
  SilenceView,
  TokenView,
  UserView,
  WebSessionView,
} from '#wire'
import type { AuditPage } from '../people/audit-book.ts'
import type { InvitationRequest, MadeInvitation } from '../people/invitations.ts'
import type { Mentions, RanOffboarding } from '../people/offboarding.ts'
import type { TokenLimits } from './tokens.ts'

export interface CreatedToken extends TokenView {
  /** Shown once; only its hash is kept. */
  readonly token: string
}

export interface ServerEntry {
  readonly id: string
  readonly role: ServerRole
  readonly region: string
  readonly tags: ServerTags
}

/** What commands may do while the control room runs in another process. `by` goes into the audit. */
export interface State extends Closable {
  /** A code for `/sign-in?link=CODE`: valid for one hour, once. */
  createLink(role: string, by?: string): Promise<string>
  addUser(name: string, password: string, role: string, by?: string): Promise<UserView>
  setPassword(name: string, password: string, by?: string): Promise<void>
  /** Signs it out everywhere as well. */
  removeUser(name: string, by?: string): Promise<void>
  listUsers(): Promise<UserView[]>
  setRole(name: string, role: string, by?: string): Promise<void>
  /** The codes are for `/welcome#code=CODE`, and are shown once. */
  invite(request: InvitationRequest, by?: string): Promise<MadeInvitation>
  resetPassword(name: string, by?: string): Promise<MadeInvitation>
  listInvitations(): Promise<InvitationView[]>
  revokeInvitation(id: string, by?: string): Promise<void>
  /** Null: of everybody, also those by a one-time link. */
  listSessions(name: string | null): Promise<Omit<WebSessionView, 'own'>[]>
  endSession(id: string, by?: string): Promise<void>
  makeRecoveryCode(by?: string): Promise<{ readonly code: string; readonly createdAt: number }>
  planOffboarding(name: string, mentions: Mentions): Promise<Omit<OffboardPlan, 'now'>>
  offboard(name: string, request: OffboardRequest, mentions: Mentions, by?: string): Promise<RanOffboarding>
  createToken(role: string, name: string, by?: string, limits?: TokenLimits): Promise<CreatedToken>
  /** All, with the revoked ones, newest first. */
  listTokens(): Promise<TokenView[]>
  revokeToken(id: string, by?: string): Promise<void>
  /** Enrols a server; gives its token, which is shown once. */
  addServer(id: string, role: string, region: string, by?: string): Promise<string>
  /** Ends its token at once. */
  removeServer(id: string, by?: string): Promise<void>
  listServers(): Promise<ServerEntry[]>
  tagServer(id: string, tags: ServerTags, by?: string): Promise<void>
  /** Looks at somebody else's streaming server from now on, or changes what is known of it. */
  watchForeign(request: ForeignRequest, by?: string): Promise<void>
  /** Ends its credential; its past stays, and its id is not given again. */
  retireServer(id: string, by?: string): Promise<void>
  /** A person's order about a server: drain, maintenance, keep. */
  setOverride(id: string, request: OverrideRequest, by?: string): Promise<void>
  endOverride(id: string, by?: string, atOnce?: boolean): Promise<void>
  /** `request` is given the fleet time now. */
  addSilence(request: (now: number) => SilenceRequest, by?: string): Promise<SilenceView>
  listSilences(): Promise<SilenceView[]>
  endSilence(id: string, by?: string): Promise<void>
  /** Has an edge checked by the control room that runs on this folder; gives the run's id. */
  askForCheck(id: string, by?: string): Promise<string>
  /** Newest first. */
  listChecks(id: string): Promise<CheckRun[]>
  /** The token is shown once, inside a join string. */
  makeJoinString(
    request: JoinStringRequest,
    by?: string,
  ): Promise<JoinStringView & { readonly token: string }>
  listJoinStrings(): Promise<JoinStringView[]>
  revokeJoinString(id: string, by?: string): Promise<void>
  /** A page of the audit, newest first, no older than `sinceMs`. */
  audit(sinceMs: number, query: AuditQuery): Promise<AuditPage>
  /** For changes that are made beside state.db: who, what, subject and facts, for the audit. */
  note(action: string, subject: string, facts: Record<string, unknown>, by?: string): Promise<void>
  close(): Promise<void>
}
