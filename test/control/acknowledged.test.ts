// What was acknowledged survives kill -9: a child adds tokens and says each one, and is killed in the middle.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openState } from '#control'

const child = `
  import { openState } from '#control'
  const state = await openState(process.argv[1])
  for (let n = 0; ; n += 1) {
    const { id } = await state.createToken('viewer', 'token ' + n)
    process.stdout.write(id + '\\n')
  }
`

it('no acknowledged token is lost when the process is killed while it writes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-killed-'))
  const root = new URL('../../', import.meta.url).pathname
  const tsx = join(root, 'node_modules/tsx/dist/loader.mjs')
  const args = ['--conditions=source', '--import', tsx, '--input-type=module', '-e', child, folder]
  const writer = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  await new Promise<void>(resolve => {
    writer.stdout.on('data', (part: Buffer) => {
      said += part.toString('utf8')
      if (said.split('\n').length > 30) writer.kill('SIGKILL')
    })
    writer.once('close', () => resolve())
  })
  const acknowledged = said.split('\n').slice(0, -1)
  expect(acknowledged.length).toBeGreaterThanOrEqual(30)
  const state = await openState(folder)
  const kept = new Set((await state.listTokens()).map(token => token.id))
  await state.close()
  rmSync(folder, { recursive: true, force: true })
  expect(acknowledged.filter(id => !kept.has(id))).toEqual([])
})
