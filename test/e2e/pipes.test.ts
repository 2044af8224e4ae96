// Commands whose reader goes away (`vitrine ledger | head`) end in order.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'

it.each([
  [['--help'], 0],
  [['simulate', 'viewers', '--help'], 0],
  [['check-config', 'config/example.yaml', '--json'], 0],
  [['no-such-command'], 2],
])('%j says nothing of a reader that has gone, and ends with %i', async (args, code) => {
  const child = spawn(process.execPath, ['dist/cli/main.js', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  expect(await once(child, 'close')).toEqual([code, null])
  expect(said).not.toMatch(/EPIPE|Unhandled/)
})
