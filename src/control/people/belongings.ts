// Owns finding what a person holds and answers for: ways in that work, and duties that somebody has to have. What a
// token of theirs made is theirs too.
import type { OffboardItem, OffboardKind } from '#wire'
import type { Db } from '../state/database.ts'

/** Of each kind. A person with more is offboarded in several runs, and each says so. */
export const BELONGINGS_MAX = 5000

export interface Belonging {
  readonly kind: OffboardKind
  readonly id: string
  readonly text: string
}

interface Asked {
  readonly tx: Db
  readonly name: string
  readonly at: number
}

export async function accessOf(tx: Db, name: string, at: number): Promise<Belonging[]> {
  const asked = { tx, name, at }
  return [
    ...(await sessions(asked)),
    ...(await tokens(asked)),
    ...(await shares(asked)),
    ...(await wallLinks(asked)),
    ...(await joinStrings(asked)),
    ...(await invitations(asked)),
  ]
}

export async function dutiesOf(tx: Db, name: string, at: number): Promise<Belonging[]> {
  const asked = { tx, name, at }
  return [...(await incidents(asked)), ...(await silences(asked)), ...(await orders(asked))]
}

async function sessions({ tx, name }: Asked): Promise<Belonging[]> {
  const rows = await tx
    .selectFrom('web_sessions')
    .select(['id', 'device', 'address'])
    .where('name', '=', name)
    .limit(BELONGINGS_MAX)
    .execute()
  return rows.map(({ id, device, address }) => {
    const where = address === '' ? '' : `, from ${address}`
    return { kind: 'session', id, text: `${device === '' ? 'a browser' : device}${where}` }
  })
}

async function tokens({ tx, name }: Asked): Promise<Belonging[]> {
  const rows = await tx
    .selectFrom('tokens')
    .select(['id', 'name', 'role'])
    .where('owner', '=', name)
    .where('revoked_at', 'is', null)
    .limit(BELONGINGS_MAX)
    .execute()
  return rows.map(row => ({ kind: 'token', id: row.id, text: `API token ${row.name} (${row.role})` }))
}

/** Ids that a token of theirs made: the thing itself names the token. */
function madeBy({ tx, name }: Asked, action: string) {
  return tx.selectFrom('audit').select('subject').where('person', '=', name).where('action', '=', action)
}

async function shares(asked: Asked): Promise<Belonging[]> {
  const rows = await asked.tx
    .selectFrom('shares')
    .select(['id', 'title'])
    .where(where =>
      where.or([where('created_by', '=', asked.name), where('id', 'in', madeBy(asked, 'share-create'))]),
    )
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', asked.at)
    .limit(BELONGINGS_MAX)
    .execute()
  return rows.map(({ id, title }) => ({ kind: 'share', id, text: `shared graph ${title}` }))
}

async function wallLinks(asked: Asked): Promise<Belonging[]> {
  const rows = await asked.tx
    .selectFrom('wall_links')
    .select(['id', 'name'])
    .where(where =>
      where.or([where('created_by', '=', asked.name), where('id', 'in', madeBy(asked, 'wall-link-create'))]),
    )
    .where('revoked_at', 'is', null)
    .limit(BELONGINGS_MAX)
    .execute()
  return rows.map(({ id, name }) => ({ kind: 'wall-link', id, text: `link to the wall for ${name}` }))
}

async function joinStrings(asked: Asked): Promise<Belonging[]> {
  const rows = await asked.tx
    .selectFrom('join_strings')
    .select(['id', 'role', 'server_id'])
    .where(where =>
      where.or([where('created_by', '=', asked.name), where('id', 'in', madeBy(asked, 'join-string-make'))]),
    )
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', asked.at)
    .limit(BELONGINGS_MAX)
    .execute()
  return rows.map(({ id, role, server_id }) => {
    const which = server_id === null ? `any ${role}` : `the ${role} ${server_id}`
    return { kind: 'join-string', id, text: `unused join string for ${which}` }
  })
}

/** Those that they made, and the way in that is open for themselves. */
async function invitations(asked: Asked): Promise<Belonging[]> {
  const made = asked.tx
    .selectFrom('audit')
    .select('subject')
    .where('person', '=', asked.name)
    .where('action', 'in', ['user-invite', 'user-reset'])
  const rows = await asked.tx
    .selectFrom('invitations')
    .select(['id', 'name', 'kind', 'role'])
    .where(where =>
      where.or([
        where('created_by', '=', asked.name),
        where('name', '=', asked.name),
        where.and([where('name', 'in', made), where('created_by', 'in', tokenNames(asked))]),
      ]),
    )
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', asked.at)
    .limit(BELONGINGS_MAX)
    .execute()
  return rows.map(({ id, name, kind, role }) => {
    const what = kind === 'reset' ? `reset of the password of ${name}` : `invitation of ${name} (${role})`
    return { kind: 'invitation', id, text: what }
  })
}

function tokenNames({ tx, name }: Asked) {
  return tx.selectFrom('tokens').select('name').where('owner', '=', name)
}

async function incidents({ tx, name }: Asked): Promise<Belonging[]> {
  const rows = await tx
    .selectFrom('incidents')
    .select(['id', 'title'])
    .where('resolved_at', 'is', null)
    .where(where => where.or([where('assigned_to', '=', name), where('acknowledged_by', '=', name)]))
    .limit(BELONGINGS_MAX)
    .execute()
  return rows.map(({ id, title }) => ({ kind: 'incident', id, text: `open incident ${title}` }))
}

async function silences(asked: Asked): Promise<Belonging[]> {
  const rows = await asked.tx
    .selectFrom('silences')
    .select(['id', 'comment'])
    .where(where => where.or([where('by', '=', asked.name), where('by', 'in', tokenNames(asked))]))
    .where('ended_at', 'is', null)
    .where(where => where.or([where('ends_at', '>', asked.at), where('recurs', 'is not', null)]))
    .limit(BELONGINGS_MAX)
    .execute()
  return rows.map(({ id, comment }) => ({ kind: 'silence', id, text: `silence: ${comment.slice(0, 200)}` }))
}

async function orders(asked: Asked): Promise<Belonging[]> {
  const rows = await asked.tx
    .selectFrom('overrides')
    .select(['server_id', 'kind', 'reason'])
    .where(where => where.or([where('by', '=', asked.name), where('by', 'in', tokenNames(asked))]))
    .where(where => where.or([where('expires_at', 'is', null), where('expires_at', '>', asked.at)]))
    .limit(BELONGINGS_MAX)
    .execute()
  return rows.map(({ server_id, kind, reason }) => ({
    kind: 'order',
    id: server_id,
    text: `${kind} of ${server_id}: ${reason.slice(0, 200)}`,
  }))
}

export function withFate(items: readonly Belonging[], fate: OffboardItem['fate']): OffboardItem[] {
  return items.map(item => ({ ...item, fate }))
}
