// Owns opening the control room's state, from the control room itself and from commands beside it.
import { type Clock, systemClock } from '#base'
import { checkSilence } from '../incidents/silence-book.ts'
import { type AuditBook, createAuditBook } from '../people/audit-book.ts'
import { createInvitations, type Invitations } from '../people/invitations.ts'
import { createOffboarding } from '../people/offboarding.ts'
import { createRecovery, type Recovery } from '../people/recovery.ts'
import { createWebSessions, type WebSessions } from '../people/web-sessions.ts'
import { COMMAND } from './acting.ts'
import { type Alerts, createAlerts } from './alerts.ts'
import { type Checks, createChecks } from './checks.ts'
import { audit, openDatabase, type StateDb } from './database.ts'
import { createDemandBook, type DemandBook } from './demand.ts'
import { createDrills, type Drills } from './drills.ts'
import { createFactBook, type FactBook } from './facts.ts'
import { createForeign, type Foreign } from './foreign.ts'
import { createIncidents, type Incidents } from './incidents.ts'
import { createJoinStrings, type JoinStrings } from './join-strings.ts'
import { createMarks, type Marks } from './marks.ts'
import { createOverrides, type Overrides } from './overrides.ts'
import { createPast, type Past } from './past.ts'
import { createPeople, type People } from './people.ts'
import { createRuns, type Runs } from './runs.ts'
import { createServers, type Servers } from './servers.ts'
import { createSessionPathways, type SessionPathways } from './session-pathways.ts'
import { createShares, type Shares } from './shares.ts'
import { createSilences, type Silences } from './silences.ts'
import type { State } from './state.ts'
import { createSteeringVersions, type SteeringVersions } from './steering-versions.ts'
import { createTokens, type Tokens } from './tokens.ts'
import { createWallLinks, type WallLinks } from './wall-links.ts'

/** Everything that is durable, for the control room itself. */
export interface FullState extends StateDb {
  readonly people: People
  readonly webSessions: WebSessions
  readonly invitations: Invitations
  readonly recovery: Recovery
  readonly auditBook: AuditBook
  readonly tokens: Tokens
  readonly servers: Servers
  readonly joinStrings: JoinStrings
  readonly overrides: Overrides
  readonly marks: Marks
  readonly facts: FactBook
  readonly demand: DemandBook
  readonly foreign: Foreign
  readonly alerts: Alerts
  readonly incidents: Incidents
  readonly silences: Silences
  readonly wallLinks: WallLinks
  readonly shares: Shares
  readonly past: Past
  readonly checks: Checks
  readonly steeringVersions: SteeringVersions
  readonly sessionPathways: SessionPathways
  readonly runs: Runs
  readonly drills: Drills
}

export async function openFullState(stateFolder: string, clock: Clock): Promise<FullState> {
  const db = await openDatabase(stateFolder, clock)
  return {
    ...db,
    people: createPeople(db),
    webSessions: createWebSessions(db),
    invitations: createInvitations(db),
    recovery: createRecovery(db),
    auditBook: createAuditBook(db),
    tokens: createTokens(db),
    servers: createServers(db),
    joinStrings: createJoinStrings(db),
    overrides: createOverrides(db),
    marks: createMarks(db),
    facts: createFactBook(db),
    demand: createDemandBook(db),
    foreign: createForeign(db),
    alerts: createAlerts(db),
    incidents: createIncidents(db),
    silences: createSilences(db),
    wallLinks: createWallLinks(db),
    shares: createShares(db),
    past: createPast(db),
    checks: createChecks(db),
    steeringVersions: createSteeringVersions(db),
    sessionPathways: createSessionPathways(db),
    runs: createRuns(db),
    drills: createDrills(db),
  }
}

/** Opens (and, when it is new, makes) `stateFolder/state.db`; the control room may run at the same time. */
export async function openState(stateFolder: string, clock: Clock = systemClock): Promise<State> {
  const state = await openFullState(stateFolder, clock)
  const { people, tokens, servers, joinStrings, overrides, foreign, checks, silences, close, nowMs } = state
  return {
    ...peopleCommands(state),
    createLink: (role, by = COMMAND) => people.createLink(role, by),
    addUser: (name, password, role, by = COMMAND) => people.addUser({ name, password, role }, by),
    setPassword: (name, password, by = COMMAND) => people.setPassword(name, password, by),
    removeUser: (name, by = COMMAND) => people.removeUser(name, by),
    listUsers: people.listUsers,
    createToken: (role, name, by = COMMAND, limits = {}) => tokens.create(role, name, by, limits),
    listTokens: () => tokens.list(),
    revokeToken: (id, by = COMMAND) => tokens.revoke(id, by),
    addServer: (id, role, region, by = COMMAND) => servers.add({ id, role, region }, by),
    removeServer: (id, by = COMMAND) => servers.remove(id, by),
    listServers: async () =>
      (await servers.list()).map(({ id, role, region, tags }) => ({ id, role, region, tags })),
    tagServer: (id, tags, by = COMMAND) => servers.tag(id, tags, by),
    watchForeign: (request, by = COMMAND) => foreign.watch(request, by),
    retireServer: (id, by = COMMAND) => servers.retire(id, by),
    makeJoinString: (request, by = COMMAND) => joinStrings.make(request, by),
    listJoinStrings: joinStrings.list,
    setOverride: (id, request, by = COMMAND) => overrides.set(id, request, by),
    endOverride: (id, by = COMMAND, atOnce = false) => overrides.end(id, by, atOnce),
    addSilence: async (request, by = COMMAND) => {
      const silence = request(nowMs())
      checkSilence(silence, nowMs())
      return await silences.add(silence, by)
    },
    listSilences: silences.list,
    endSilence: (id, by = COMMAND) => silences.end(id, by),
    askForCheck: (id, by = COMMAND) => checks.ask(id, by),
    listChecks: checks.list,
    revokeJoinString: (id, by = COMMAND) => joinStrings.revoke(id, by),
    audit: (sinceMs, query) => createAuditBook(state).page({ from: state.nowMs() - sinceMs, ...query }),
    note: async (action, subject, facts, by = COMMAND) => {
      await audit(state.db, { at: state.nowMs(), by, action, subject, facts })
    },
    close,
  }
}

type PeopleCommands = Pick<
  State,
  | 'setRole'
  | 'invite'
  | 'resetPassword'
  | 'listInvitations'
  | 'revokeInvitation'
  | 'listSessions'
  | 'endSession'
  | 'makeRecoveryCode'
  | 'planOffboarding'
  | 'offboard'
>

function peopleCommands(state: FullState): PeopleCommands {
  const { people, invitations, webSessions, recovery } = state
  return {
    setRole: (name, role, by = COMMAND) => people.setRole(name, role, by),
    invite: (request, by = COMMAND) => invitations.invite(request, by),
    resetPassword: (name, by = COMMAND) => invitations.reset(name, by),
    listInvitations: invitations.list,
    revokeInvitation: (id, by = COMMAND) => invitations.revoke(id, by),
    listSessions: name => webSessions.list(name === null ? null : { name }),
    endSession: (id, by = COMMAND) => webSessions.end(id, null, by),
    makeRecoveryCode: (by = COMMAND) => recovery.make(by),
    planOffboarding: (name, mentions) => createOffboarding(state, mentions).plan(name),
    offboard: (name, request, mentions, by = COMMAND) =>
      createOffboarding(state, mentions).run(name, request, by),
  }
}
