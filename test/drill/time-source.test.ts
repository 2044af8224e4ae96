import { afterEach, expect, it } from 'vitest'
import { systemClock } from '#base'
import { DrillTimeSource } from '#drill'
import { ask } from '../../src/agent/clock/sntp.ts'

let source: DrillTimeSource | null = null
afterEach(() => source?.close())

it('tells this machine’s time, and a leap second only when it is told to', async () => {
  source = await DrillTimeSource.open()
  const [host = '', port = ''] = source.address.split(':')
  const honest = await ask(host, Number(port), systemClock)
  expect(honest?.answer).toMatchObject({ leap: 0, stratum: 2, kiss: null })
  expect(Math.abs(honest?.offsetS ?? 1)).toBeLessThan(0.5)
  source.announce(true)
  expect((await ask(host, Number(port), systemClock))?.answer.leap).toBe(1)
})
