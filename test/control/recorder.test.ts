// An agent that ends while the control room is away: what it measured comes back from its flight recorder.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type RunningAgent, readRecorder, startAgent } from '#agent'
import { Secret, silentLog, systemClock } from '#base'
import type { KernelMessagesAnswer, MarkView, ProcessesAnswer } from '#wire'
import { startTestControl, until } from './fixture.ts'

it('seconds measured without a control room, by an agent that then ended, are in the store afterwards, and marked', async () => {
  const control = await startTestControl()
  const stateFolder = mkdtempSync(join(tmpdir(), 'vitrine-agent-state-'))
  const start = (): Promise<RunningAgent> =>
    startAgent({
      id: 'eu-west',
      role: 'edge',
      region: 'eu-west',
      listen: null,
      controlUrl: control.url,
      token: new Secret('vit_eu-west'),
      serverUrl: null,
      watchedPid: () => process.pid,
      stateFolder,
      clock: systemClock,
      log: silentLog,
    })
  const recorded = (): ReturnType<typeof readRecorder> => readRecorder(join(stateFolder, 'recorder'))
  const unsent = (): number => recorded().filter(({ at, sent }) => at !== null && !sent).length
  let agent = await start()
  try {
    await until(() => recorded().some(({ sent }) => sent), 'the control room has taken something')
    await control.stop()
    const before = recorded().length
    await until(() => recorded().length > before + 9 && unsent() > 8, 'nine seconds wait', 30_000)
    // Nothing is delivered at its end: for the samples it is as if it had been killed.
    await agent.close()
    const gap = recorded().filter(({ at, sent }) => at !== null && !sent)
    await control.restart()
    agent = await start()
    const [from, to] = [(gap[0]?.at ?? 0) - 500, (gap.at(-1)?.at ?? 0) + 500]
    const query = `count_over_time(node_load1{instance="eu-west"}[${Math.ceil((to - from) / 1000)}s])`
    const path = `/prometheus/api/v1/query?query=${encodeURIComponent(query)}&time=${to / 1000}`
    await until(async () => {
      const { body } = await control.get(path)
      const value = (body as { data: { result: { value: [number, string] }[] } }).data.result[0]?.value[1]
      return Number(value ?? 0) >= gap.length
    }, `${gap.length} samples in the gap`)
    const mark = await until(
      async () => {
        const { body } = await control.get('/api/v1/marks?server=eu-west')
        return (body as { marks: MarkView[] }).marks.find(({ kind }) => kind === 'recovered')
      },
      'the recovery is marked',
      40_000,
    )
    expect(mark.text).toMatch(/^recovered \d+ seconds of samples/)
    const looks = gap.filter(({ top }) => top.length > 0)
    expect(looks.length).toBeGreaterThan(0)
    for (const { at, top } of looks) {
      const path = `/api/v1/servers/eu-west/processes?at=${at}`
      const told = await until(async () => {
        const body = (await control.get(path)).body as ProcessesAnswer
        return body.at !== null && Math.abs(body.at - (at ?? 0)) < 1000 && body
      }, 'what ran then is told afterwards')
      expect(told.processes).toEqual(top.slice(0, 5))
    }
    const kernel = (await control.get('/api/v1/servers/eu-west/kernel-messages')).body as KernelMessagesAnswer
    expect(kernel.readable).not.toBeNull()
  } finally {
    await agent.close()
    await control.close()
  }
}, 90_000)
