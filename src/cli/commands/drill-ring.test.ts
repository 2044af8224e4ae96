import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { registerDrill } from './drill.ts'
import { withNewState } from './state.ts'

const data = mkdtempSync(join(tmpdir(), 'vitrine-ring-'))
const bodies: unknown[] = []
/** A control room that refuses: what it was asked is all that matters here. */
const control = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    bodies.push(JSON.parse(Buffer.concat(parts).toString('utf8')))
    response.writeHead(409).end('{"error":{"message":"not tonight"}}')
  })
})
beforeAll(async () => {
  await withNewState({ data }, state => state.listTokens())
  await new Promise<void>(resolve => {
    control.listen(0, '127.0.0.1', resolve)
  })
})
afterAll(() => {
  control.close()
  rmSync(data, { recursive: true, force: true })
})

it('rings people only where it was said, on the control room of the ports that were named', async () => {
  const { port } = control.address() as AddressInfo
  const drill = (...more: string[]): Promise<Command> => {
    const program = new Command()
    registerDrill(program)
    const common = ['drill', 'edge-frozen', '--data', data, '--port-base', String(port)]
    return program.parseAsync([...common, ...more], { from: 'user' })
  }
  await expect(drill()).rejects.toThrow('not tonight')
  await expect(drill('--ring')).rejects.toThrow('not tonight')
  expect(bodies[0]).not.toHaveProperty('ring')
  expect(bodies[1]).toMatchObject({ drill: 'edge-frozen', ring: true })
})
