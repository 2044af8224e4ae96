import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { ReportBodies, type ReportBody } from './report-body.ts'

it('holds no more of all bodies together than its limit, and gives it back', async () => {
  const bodies = new ReportBodies(1000)
  const answers: ReportBody[] = []
  const server = createServer((req, res) => {
    void bodies.read(req).then(body => {
      answers.push(body)
      res.end(body.kind === 'body' ? 'taken' : body.reason)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const open = (): { asked: ReturnType<typeof request>; answer: Promise<string> } => {
    const asked = request({ port, host: '127.0.0.1', method: 'POST', agent: false })
    const answer = new Promise<string>((resolve, reject) => {
      asked.on('error', reject)
      asked.on('response', async res => resolve(Buffer.concat(await res.toArray()).toString()))
    })
    return { asked, answer }
  }
  const slow = open()
  slow.asked.write('a'.repeat(800))
  await expect.poll(() => bodies.waitingBytes).toBe(800)
  const second = open()
  second.asked.end('b'.repeat(300))
  expect(await second.answer).toBe('bodies-full')
  slow.asked.end('c')
  expect(await slow.answer).toBe('taken')
  expect(bodies.waitingBytes).toBe(0)
  const cut = open()
  cut.answer.catch(() => undefined)
  cut.asked.write('d'.repeat(100))
  await expect.poll(() => bodies.waitingBytes).toBe(100)
  cut.asked.destroy()
  await expect.poll(() => answers.at(-1)).toEqual({ kind: 'refused', reason: 'body-cut' })
  expect(bodies.waitingBytes).toBe(0)
  server.close()
})
