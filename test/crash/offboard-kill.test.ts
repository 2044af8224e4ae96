// Owns the end of somebody's time under SIGKILL: `vitrine user offboard` is killed at many moments, and each time
// either nothing was done or all of it; run again it ends well, with the proof in the audit.
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { openState } from '#control'
import type { OffboardProof } from '#wire'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'vitrine-offboard-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const KILLS = 12
/** Of a person with so much that the transaction takes a while. */
const STRINGS = 150
const LONG_MS = 120_000

const vitrine = async (...args: string[]): Promise<string> =>
  (await run(process.execPath, [main, ...args, '--data', root], { maxBuffer: 2 ** 26 })).stdout

it(
  'is all or nothing wherever it is killed, and ends well when it is run again',
  async () => {
    const state = await openState(join(root, 'control'))
    await state.addUser('ada', 'a long password', 'admin')
    await state.addUser('grace', 'a long password', 'admin')
    for (let number = 0; number < STRINGS; number += 1) {
      await state.makeJoinString({ role: 'edge' }, 'ada')
      if (number % 10 === 0) await state.createToken('admin', `script ${number}`, 'ada', { owner: 'ada' })
    }
    const before = await state.planOffboarding('ada', () => [])
    expect(before.items.length).toBeGreaterThan(STRINGS)

    const started = performance.now()
    await vitrine('user', 'list')
    const commandMs = performance.now() - started
    let killedWhole = 0
    for (let round = 0; round < KILLS; round += 1) {
      const args = ['user', 'offboard', 'ada', '--to', 'grace', '--yes', '--data', root]
      const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' })
      const ended = new Promise(resolve => child.once('exit', resolve))
      // From before the database is open until after the end: the moment is what is tried, not a wait for anything.
      await pause((commandMs * 1.3 * round) / KILLS)
      child.kill('SIGKILL')
      await ended
      const [user] = (await state.listUsers()).filter(({ name }) => name === 'ada')
      const { items } = await state.planOffboarding('ada', () => [])
      const done = user?.offboardedAt !== null
      expect(items.length, `killed in round ${round}`).toBe(done ? 0 : before.items.length)
      const working = (await state.listTokens()).filter(({ revokedAt }) => revokedAt === null)
      expect(working.length === 0).toBe(done)
      if (done) {
        killedWhole += 1
        break
      }
    }
    const proof = JSON.parse(
      await vitrine('user', 'offboard', 'ada', '--to', 'grace', '--yes', '--json'),
    ) as OffboardProof
    expect(proof).toMatchObject({ name: 'ada', to: 'grace', left: [] })
    if (killedWhole === 0) expect(proof.items).toHaveLength(before.items.length)
    await expect(state.setRole('grace', 'viewer')).rejects.toMatchObject({ code: 'control-last-admin' })
    await state.close()
  },
  LONG_MS,
)
