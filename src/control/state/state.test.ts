import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '#base'
import { openFullState, openState } from './open-state.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-state-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const HOUR_MS = 3_600_000

describe('one-time links', () => {
  it('sign in once, and not again', async () => {
    const state = await openFullState(folder, new FakeClock())
    const code = await state.people.createLink('operator', 'test')
    expect(await state.people.signInByLink(code)).toMatchObject({ role: 'operator' })
    expect(await state.people.signInByLink(code)).toBeNull()
    await state.close()
  })

  it('are spent by one of two requests that come at once', async () => {
    const state = await openFullState(folder, new FakeClock())
    const code = await state.people.createLink('admin', 'test')
    const both = await Promise.all([state.people.signInByLink(code), state.people.signInByLink(code)])
    expect(both.filter(session => session !== null)).toHaveLength(1)
    await state.close()
  })

  it('end after one hour', async () => {
    const clock = new FakeClock()
    const state = await openFullState(folder, clock)
    const code = await state.people.createLink('admin', 'test')
    clock.advance(HOUR_MS)
    expect(await state.people.signInByLink(code)).toBeNull()
    await state.close()
  })

  it('made by a command in another process work in the control room, on its fleet time', async () => {
    const clock = new FakeClock()
    const control = await openFullState(folder, clock)
    const fleetNowMs = (): number => clock.bootMs() + 2_000_000_000_000
    control.useTime(fleetNowMs)
    await control.publishTime(2_000_000_000_000)
    const command = await openState(folder, clock)
    const code = await command.createLink('admin')
    await command.close()
    expect(await control.people.signInByLink(code)).not.toBeNull()
    await control.close()
  })
})

describe('what is removed', () => {
  it('is signed out and cannot sign in again', async () => {
    const state = await openFullState(folder, new FakeClock())
    await state.people.addUser({ name: 'ada', password: 'correct horse', role: 'operator' }, 'test')
    const session = await state.people.signInByPassword('ada', 'correct horse')
    await state.people.removeUser('ada', 'test')
    expect(await state.people.sessionOf(session?.cookie ?? '')).toBeNull()
    expect(await state.people.signInByPassword('ada', 'correct horse')).toBeNull()
    await expect(state.people.removeUser('ada', 'test')).rejects.toMatchObject({
      code: 'control-user-unknown',
    })
    await state.close()
  })

  it('is no server any more, and may be enrolled anew with another token', async () => {
    const state = await openFullState(folder, new FakeClock())
    const first = await state.servers.add({ id: 'sa-east', role: 'edge', region: 'sa-east' }, 'test')
    await state.servers.remove('sa-east', 'test')
    expect(await state.servers.list()).toEqual([])
    expect(await state.servers.add({ id: 'sa-east', role: 'edge', region: 'sa-east' }, 'test')).not.toBe(
      first,
    )
    await expect(state.servers.remove('x', 'test')).rejects.toMatchObject({ code: 'control-server-unknown' })
    await state.close()
  })
})

describe('web sessions', () => {
  it('end 12 h after their last use, and 7 days after their start', async () => {
    const clock = new FakeClock()
    const state = await openFullState(folder, clock)
    const session = await state.people.signInByLink(await state.people.createLink('viewer', 'test'))
    const cookie = session?.cookie ?? ''
    for (let hours = 0; hours < 7 * 24 - 6; hours += 6) {
      expect(await state.people.sessionOf(cookie)).not.toBeNull()
      clock.advance(6 * HOUR_MS)
    }
    clock.advance(7 * HOUR_MS)
    expect(await state.people.sessionOf(cookie)).toBeNull()
    const other = await state.people.signInByLink(await state.people.createLink('viewer', 'test'))
    clock.advance(12 * HOUR_MS + 1)
    expect(await state.people.sessionOf(other?.cookie ?? '')).toBeNull()
    await state.close()
  })

  it('end at sign-out, and for all browsers of a user whose password is set', async () => {
    const state = await openFullState(folder, new FakeClock())
    await state.people.addUser({ name: 'ada', password: 'correct horse', role: 'viewer' }, 'test')
    const one = await state.people.signInByPassword('ada', 'correct horse')
    const two = await state.people.signInByPassword('ada', 'correct horse')
    await state.people.signOut(one?.cookie ?? '')
    expect(await state.people.sessionOf(one?.cookie ?? '')).toBeNull()
    expect(await state.people.sessionOf(two?.cookie ?? '')).not.toBeNull()
    await state.people.setPassword('ada', 'another password', 'test')
    expect(await state.people.sessionOf(two?.cookie ?? '')).toBeNull()
    await state.close()
  })
})

describe('users', () => {
  it('sign in with their password only', async () => {
    const state = await openFullState(folder, new FakeClock())
    await state.people.addUser({ name: 'ada', password: 'correct horse', role: 'operator' }, 'test')
    expect(await state.people.signInByPassword('ada', 'wrong horse')).toBeNull()
    expect(await state.people.signInByPassword('eve', 'correct horse')).toBeNull()
    expect(await state.people.signInByPassword('ada', 'correct horse')).toMatchObject({ role: 'operator' })
    await state.close()
  })

  it('are refused twice, with a weak password, an unknown role or a strange name', async () => {
    const state = await openState(folder, new FakeClock())
    await state.addUser('ada', 'correct horse', 'admin')
    const refusals: [() => Promise<unknown>, string][] = [
      [() => state.addUser('ada', 'correct horse', 'admin'), 'control-user-duplicate'],
      [() => state.addUser('bob', 'too short', 'admin'), 'control-password-weak'],
      [() => state.addUser('bob', 'correct horse', 'root'), 'control-role-unknown'],
      [() => state.addUser('b b', 'correct horse', 'admin'), 'control-user-name-invalid'],
      [() => state.setPassword('bob', 'correct horse'), 'control-user-unknown'],
      [() => state.setPassword('ada', 'short'), 'control-password-weak'],
      [() => state.createLink('root'), 'control-role-unknown'],
    ]
    for (const [refused, code] of refusals) await expect(refused()).rejects.toMatchObject({ code })
    expect((await state.listUsers()).map(user => user.name)).toEqual(['ada'])
    await state.close()
  })
})

describe('tokens and servers', () => {
  it('a token is shown once, listed without its secret, and dies when it is revoked', async () => {
    const state = await openFullState(folder, new FakeClock())
    const made = await state.tokens.create('viewer', 'grafana', 'test')
    expect(made.token).toMatch(/^vit_[A-Za-z0-9_-]{43}$/)
    expect(JSON.stringify(await state.tokens.list())).not.toContain(made.token)
    expect(await state.tokens.active()).toHaveLength(1)
    await state.tokens.revoke(made.id, 'test')
    expect(await state.tokens.active()).toHaveLength(0)
    await expect(state.tokens.revoke(made.id, 'test')).rejects.toMatchObject({
      code: 'control-token-unknown',
    })
    await state.close()
  })

  it('no secret stands in the file', async () => {
    const state = await openState(folder, new FakeClock())
    const secrets = [
      await state.createLink('admin'),
      (await state.createToken('admin', 'ci')).token,
      await state.addServer('eu-west', 'edge', 'eu'),
      'correct horse battery',
    ]
    await state.addUser('ada', 'correct horse battery', 'admin')
    await state.close()
    const bytes = readFileSync(join(folder, 'state.db')).toString('latin1')
    for (const secret of secrets) expect(bytes).not.toContain(secret)
  })

  it('a server is enrolled once', async () => {
    const state = await openState(folder, new FakeClock())
    await state.addServer('eu-west', 'edge', 'eu')
    await expect(state.addServer('eu-west', 'edge', 'eu')).rejects.toMatchObject({
      code: 'control-server-duplicate',
    })
    await expect(state.addServer('EU', 'edge', 'eu')).rejects.toMatchObject({
      code: 'control-request-invalid',
    })
    await expect(state.addServer('x', 'router', 'eu')).rejects.toMatchObject({ code: 'control-role-unknown' })
    expect(await state.listServers()).toEqual([{ id: 'eu-west', role: 'edge', region: 'eu', tags: {} }])
    await state.close()
  })

  it('changes of another process show in dataVersion', async () => {
    const control = await openFullState(folder, new FakeClock())
    const before = control.dataVersion()
    const command = await openState(folder, new FakeClock())
    await command.createToken('viewer', 'x')
    expect(control.dataVersion()).not.toBe(before)
    await command.close()
    await control.close()
  })
})

it('a file of a newer version is refused and left as it is', async () => {
  await (await openState(folder, new FakeClock())).close()
  const raw = new Sqlite(join(folder, 'state.db'))
  raw.pragma('user_version = 99')
  raw.close()
  await expect(openState(folder, new FakeClock())).rejects.toMatchObject({ code: 'control-state-newer' })
})

it('every change leaves an audit line', async () => {
  const state = await openFullState(folder, new FakeClock())
  await state.people.addUser({ name: 'ada', password: 'correct horse', role: 'admin' }, 'test')
  const token = await state.tokens.create('viewer', 'x', 'ada')
  await state.tokens.revoke(token.id, 'ada')
  const rows = await state.db.selectFrom('audit').select(['by', 'action']).orderBy('id').execute()
  expect(rows).toEqual([
    { by: 'test', action: 'user-add' },
    { by: 'ada', action: 'token-create' },
    { by: 'ada', action: 'token-revoke' },
  ])
  await state.close()
})
