// Owns the proof of the night of 30 June 2012 in a real kernel: a guest whose agent belongs to a control room outside it
// passes a genuine leap second, gets the state that kernels of then were left in, is found, explained and mended by the
// shipped runbook. Nothing here sets the machine's own clock.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildDrill } from '#drill'
import type { ClocksAnswer, NormalAnswer, RunAnswer, ServerView } from '#wire'
import { fetchPeer } from '../conformance/peers.ts'
import { freePort, until } from '../e2e/fleet.ts'
import { guestFiles } from './guest-files.ts'
import { writeImage } from './image.ts'
import { boot, type Machine } from './machine.ts'
import { OutsideControl } from './outside-control.ts'
import { findPrograms, type Programs } from './packages.ts'
import { readTimerBases, sicken } from './sick-timers.ts'
import { LeapTime, startTimeServer, type TimeServer } from './time-servers.ts'

const ID = 'guest'
const EARLY = `vitrine_clock_realtime_timer_early_seconds{instance="${ID}"}`
const MIDNIGHT_MS = Date.UTC(2012, 6, 1)
const SECOND_MS = 1000
/** What the guest's clock begins with; its time servers then say better. */
const BOOT_CLOCK = '2012-06-30T12:00:00'
const WAIT_MS = 180_000
/** The issue's own number, from the moment at which the timers are sick to the alert. */
const DETECT_MS_MAX = 10_000
/** So long after a correct leap second nothing may call it the fault of 2012. */
const QUIET_MS = 12_000
/** What a leap second is told as: it was announced, and the wall clock went back by one. */
const TOLD_OF_A_LEAP = new Set(['UnexpectedLeapPending', 'ClockStepped', 'ClockSteppedFar'])

/** Others tell of an emulated processor on a busy machine, as EventLoopDelay does. */
const ABOUT_CLOCKS = /Clock|Time|Leap|Smear/

interface Stage {
  readonly machine: Machine
  readonly control: OutsideControl
  readonly time: LeapTime
  readonly say: (text: string) => void
}

/** Gives the process's exit code: 0 also when it cannot be done here, with the reason. */
export async function leapVm(): Promise<number> {
  const startedMs = performance.now()
  const say = (text: string): void =>
    console.log(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`)
  const found = await findPrograms()
  const faketime = await fetchPeer('libfaketime')
  const missing = 'missing' in found ? found.missing : 'missing' in faketime ? faketime.missing : null
  if (missing !== null || 'missing' in found || 'missing' in faketime) {
    console.log(`skipped: ${missing ?? ''}`)
    return 0
  }
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-leap-vm-'))
  const open: { close(): Promise<void> }[] = []
  const end = async (): Promise<void> => {
    for (const one of open.splice(0).toReversed()) await one.close()
    rmSync(folder, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().finally(() => process.exit(1)))
  try {
    return await play({ folder, programs: found.programs, faketime: faketime.folder, open, say })
  } catch (error) {
    console.error(error instanceof Error ? `FAILED: ${error.message}` : error)
    return 1
  } finally {
    await end()
  }
}

interface Parts {
  readonly folder: string
  readonly programs: Programs
  readonly faketime: string
  readonly open: { close(): Promise<void> }[]
  readonly say: (text: string) => void
}

async function play({ folder, programs, faketime, open, say }: Parts): Promise<number> {
  const compiled = await buildDrill(folder).catch((error: unknown) => (error instanceof Error ? error : null))
  if (compiled === null || compiled instanceof Error) {
    console.log(`skipped: ${compiled?.message ?? 'the program that spins cannot be compiled'}`)
    return 0
  }
  const image = await writeImage(folder, {
    programs,
    files: guestFiles(),
    binaries: {
      'usr/local/bin/waits-as-mysql': compiled.waiter,
      'usr/local/bin/waits-as-java': compiled.waiter,
    },
  })
  const bootMs = performance.now()
  const machine = await boot({ programs, image, folder, clock: BOOT_CLOCK }, say)
  open.push(machine)
  const kernel = await machine.must('uname -r')
  const tookMs = performance.now() - bootMs
  say(
    `guest: Linux ${kernel} up in ${(tookMs / 1000).toFixed(1)} s (${machine.accelerator}, 2 processors, 900 MB)`,
  )
  const nodeMs = await timed(() => machine.must('vitrine agent --help', WAIT_MS))
  // The agent needs about one such start, and what it tells some seconds.
  const leadMs = Math.round(30_000 + 2 * nodeMs)
  const time = new LeapTime(MIDNIGHT_MS, leadMs)
  const servers = [await startTimeServer(time, 1), await startTimeServer(time, 1)]
  open.push(...servers)
  // Fleet time follows a majority of hosts, and here is but one: this control room has from the start the time that holds after it.
  const fromHereMs = time.fromHereMs - SECOND_MS
  const control = new OutsideControl({
    folder,
    faketime,
    port: await freePort(),
    host: '10.0.2.2',
    fromHereMs,
  })
  open.push(control)
  await control.start()
  say(`control room: outside the guest, at ${new Date(time.nowMs).toISOString()} of the guest's time`)
  const stage = { machine, control, time, say }
  await join2012(stage, servers)
  await passLeap(stage)
  await untilNormal(stage)
  const detectedMs = await hurt(stage)
  await cure(stage)
  await cureFully(stage)
  const isQuick = detectedMs <= DETECT_MS_MAX
  say(
    `${isQuick ? 'PROVEN' : 'TOO SLOW'}: found ${(detectedMs / 1000).toFixed(1)} s after it began (at most ${DETECT_MS_MAX / 1000} s), and mended`,
  )
  return isQuick ? 0 : 1
}

async function join2012(
  { machine, control, time, say }: Stage,
  servers: readonly TimeServer[],
): Promise<void> {
  const sources = servers.map(
    ({ port }, card) => `server 10.0.${card + 2}.2 port ${port} iburst minpoll 1 maxpoll 3`,
  )
  const conf = [
    ...sources,
    'makestep 0.05 5',
    'rtcsync',
    'leapsecmode system',
    'driftfile /var/lib/chrony/drift',
  ]
  await machine.must(
    `mkdir -p /etc/chrony; printf '%s\\n' ${conf.map(line => `'${line}'`).join(' ')} > /etc/chrony/chrony.conf`,
  )
  await machine.must('systemctl start chrony.service')
  await machine.must('chronyc waitsync 120 0.02 0 0.5', WAIT_MS)
  say(
    `guest: chronyd keeps its clock by two time servers: ${(await machine.must('date -u +%H:%M:%S')).trim()} UTC`,
  )
  const joined = await control.invite(ID)
  if (joined === '') throw new Error('no join string')
  await machine.must(
    `(vitrine agent --config /etc/vitrine/agent.yaml --data /var/lib/vitrine --join ${joined} > /tmp/agent.log 2>&1 &)`,
  )
  await until(
    async () =>
      (await readClock(control))?.leapPending === 1 &&
      (await control.firing()).includes('UnexpectedLeapPending'),
    Math.max(1000, time.isBefore ? MIDNIGHT_MS - time.nowMs - 6 * SECOND_MS : 0),
    () => 'the agent told nothing before midnight: this machine is too slow for the lead that was given',
  ).catch(async (error: unknown) => {
    say((await machine.run('tail -20 /tmp/agent.log; chronyc tracking; chronyc sources')).output)
    say(control.output)
    throw error
  })
  const row = await readClock(control)
  say(
    `agent: joined; daemon ${row?.daemon ?? 'none'}; kernel, daemon and time servers announce a leap second; UnexpectedLeapPending fires`,
  )
}

async function passLeap({ machine, control, time, say }: Stage): Promise<void> {
  // The kernel's own words, five times a second around midnight.
  const watch =
    'for i in $(seq 60); do echo "$(/usr/local/bin/date -u +%H:%M:%S.%N) $(adjtimex | grep return)"; usleep 200000; done > /tmp/leap.log'
  await until(() => MIDNIGHT_MS - time.nowMs < 5 * SECOND_MS, WAIT_MS)
  await machine.must(`(${watch} 2>&1 &)`)
  await until(() => !time.isBefore && time.nowMs > MIDNIGHT_MS + SECOND_MS, WAIT_MS)
  const untilMs = performance.now() + QUIET_MS
  const alerts = new Set<string>()
  await until(async () => {
    for (const name of await control.firing()) alerts.add(name)
    const diagnosis = (await control.get<ClocksAnswer>('/api/v1/clocks')).diagnosis
    if (diagnosis.kind === '2012-class') throw new Error(`a correct leap second is called ${diagnosis.text}`)
    return performance.now() > untilMs
  }, WAIT_MS)
  const printed = (await machine.must('dmesg')).split('\n').find(line => /leap second/i.test(line))
  if (printed === undefined) throw new Error('the kernel inserted no leap second')
  say(`kernel: "${printed.replace(/^\[[^\]]*\]\s*/, '')}"`)
  say(`kernel: ${shown(await machine.must('cat /tmp/leap.log'))}`)
  const wrong = [...alerts].filter(name => ABOUT_CLOCKS.test(name) && !TOLD_OF_A_LEAP.has(name))
  if (wrong.length > 0) throw new Error(`a correct leap second is told as ${wrong.join(', ')}`)
  const step = await control.value(`vitrine_clock_step_seconds{instance="${ID}"}`)
  const early = await control.value(EARLY)
  const error = await control.value(`vitrine_clock_hrtimer_offset_error_seconds{instance="${ID}"}`)
  if (early !== 0) throw new Error(`timers are ${early} s early after a correct leap second`)
  say(
    `agent: clock set by ${step?.toFixed(3)} s, timers ${early} s early, the kernel's timers ${error?.toFixed(6)} s off`,
  )
  say(`no false alarm of 2012's kind in ${QUIET_MS / 1000} s; told were ${[...alerts].join(', ') || 'none'}`)
}

/** States of the kernel's clock in their order, each with the time of day at which it was first seen. */
function shown(log: string): string {
  const states: string[] = []
  let last = ''
  for (const line of log.split('\n')) {
    const [at = '', state] = line.split(/\s+.*return value:\s*/)
    if (state === undefined || state === last) continue
    last = state
    states.push(`${at.slice(0, 12)} ${state}`)
  }
  return states.join(' | ')
}

async function untilNormal({ control, say, machine }: Stage): Promise<void> {
  // Programs that wait until a time of day: harmless as long as that works.
  await machine.must('(sh -c "waits-as-mysql 1 & waits-as-java 1 & wait" > /dev/null 2>&1 &)')
  let text = ''
  await until(
    async () => {
      const [server] = (await control.get<NormalAnswer>(`/api/v1/normal?server=${ID}`)).servers
      text = JSON.stringify(server)
      const { state } = await control.get<ServerView>(`/api/v1/servers/${ID}`)
      return state === 'healthy' && server?.word === 'ok'
    },
    WAIT_MS,
    () => `the guest is not within its normal ranges: ${text}`,
  )
  say('guest: healthy, within its normal ranges')
}

/** Gives how long it took until the alert. */
async function hurt({ machine, control, say }: Stage): Promise<number> {
  const before = await switches(machine)
  const begunMs = performance.now()
  const changed = await sicken(machine)
  const sickMs = performance.now()
  say(
    `hurt: the timers of ${changed} clocks stand 1 s ahead, as in 2012 (${(sickMs - begunMs).toFixed(0)} ms)`,
  )
  await until(async () => (await control.firing()).includes('RealtimeTimersEarly'), WAIT_MS)
  const detectedMs = performance.now() - sickMs
  say(`found: RealtimeTimersEarly fires ${(detectedMs / 1000).toFixed(1)} s after it began`)
  await until(
    async () => (await control.get<ClocksAnswer>('/api/v1/clocks')).diagnosis.kind === '2012-class',
    WAIT_MS,
  )
  // The probe's own word comes some seconds after the kernel's list.
  await until(async () => (await diagnosisOf(control)).for.some(text => / early/.test(text)), 20_000).catch(
    () => undefined,
  )
  const diagnosis = await diagnosisOf(control)
  say(`explained: ${diagnosis.text}`)
  for (const text of diagnosis.for) say(`  for: ${text}`)
  for (const text of diagnosis.against) say(`  against: ${text}`)
  say(`guest: ${await switches(machine)} context switches a second, ${before} before`)
  return detectedMs
}

/** Begins a runbook as an operator does, approves it, and tells each step as it ends. */
async function runRunbook({ control, say }: Stage, runbook: string): Promise<RunAnswer['run']> {
  const asked = { runbook, servers: [ID], reason: 'timers fire early' }
  let { run } = await control.post<RunAnswer>('/api/v1/runs', asked)
  const told = new Set<number>()
  let approved = false
  await until(
    async () => {
      run = (await control.get<RunAnswer>(`/api/v1/runs/${run.id}`)).run
      if (run.waitsFor !== null && !approved) {
        approved = true
        await control.post(`/api/v1/runs/${run.id}/approve`, {})
      }
      for (const step of run.servers.flatMap(({ steps }) => steps)) {
        if (step.endedAt === null || told.has(step.step)) continue
        told.add(step.step)
        say(`${runbook}: ${step.title}: ${step.state}${step.text === '' ? '' : `: ${step.text}`}`)
        for (const line of step.output.split('\n').filter(text => /^(done|FAILED|ok|refused)/.test(text)))
          say(`    ${line}`)
      }
      return run.endedAt !== null
    },
    3 * WAIT_MS,
    () => `${runbook} does not end: ${run.text}`,
  )
  if (run.condition !== 'completed')
    throw new Error(`${runbook} ended as ${run.condition ?? ''}: ${run.text}`)
  return run
}

async function isWell({ machine, control, say }: Stage, begunMs: number): Promise<void> {
  await until(async () => !(await control.firing()).includes('RealtimeTimersEarly'), WAIT_MS)
  const early = await control.value(EARLY)
  const error = await hrtimerErrorS(machine)
  if (early !== 0 || Math.abs(error) > 0.01) throw new Error(`not mended: ${early} s early, ${error} s off`)
  const tookS = (performance.now() - begunMs) / 1000
  say(
    `mended in ${tookS.toFixed(1)} s: timers ${early} s early, the kernel's timers ${error.toFixed(3)} s off its clock, ${await switches(machine)} context switches a second`,
  )
}

/** The shipped runbook: its gentle way is enough, and it ends with the server back. */
async function cure(stage: Stage): Promise<void> {
  const begunMs = performance.now()
  const run = await runRunbook(stage, 'reset-clock')
  const outcome = run.servers[0]?.outcome
  if (outcome !== 'returned') throw new Error(`reset-clock left the guest ${outcome ?? ''}: ${run.text}`)
  await isWell(stage, begunMs)
}

/** The cure of 2012, which the shipped runbook keeps for where the gentle way does not help: sick again, and by itself. */
async function cureFully(stage: Stage): Promise<void> {
  await sicken(stage.machine)
  stage.say('hurt again, for the cure of 2012 alone')
  await until(async () => (await stage.control.firing()).includes('RealtimeTimersEarly'), WAIT_MS)
  const begunMs = performance.now()
  await runRunbook(stage, 'date-set')
  await isWell(stage, begunMs)
}

/** Of the first processor, asked of the guest's kernel itself. */
async function hrtimerErrorS(machine: Machine): Promise<number> {
  const text = await machine.must(
    'cat /proc/timer_list; echo; /usr/local/bin/date +%s.%N; grep "now at" /proc/timer_list',
  )
  const [base] = readTimerBases(text)
  const wall = /\n(\d+\.\d+)\n/.exec(text)?.[1]
  const nows = [...text.matchAll(/now at (\d+) nsecs/g)].map(([, ns]) => Number(ns) / 1e9)
  const at = ((nows[0] ?? 0) + (nows[1] ?? 0)) / 2
  const apart = Number(base?.offsetNs ?? 0n) / 1e9 - (Number(wall) - at)
  // What the reading itself takes is no error.
  return Math.abs(apart) < (nows[1] ?? 0) - (nows[0] ?? 0) ? 0 : apart
}

async function readClock(control: OutsideControl): Promise<ClocksAnswer['servers'][number] | null> {
  const answer = await control.get<ClocksAnswer>('/api/v1/clocks')
  return answer.servers.find(({ id }) => id === ID) ?? null
}

const diagnosisOf = async (control: OutsideControl): Promise<ClocksAnswer['diagnosis']> =>
  (await control.get<ClocksAnswer>('/api/v1/clocks')).diagnosis

/** Context switches a second, by the guest's kernel. */
async function switches(machine: Machine): Promise<number> {
  const text = await machine.must(
    'grep ctxt /proc/stat; cat /proc/uptime; usleep 2000000; grep ctxt /proc/stat; cat /proc/uptime',
  )
  const counts = [...text.matchAll(/ctxt (\d+)\n([\d.]+)/g)]
  const grown = (field: number): number => Number(counts[1]?.[field]) - Number(counts[0]?.[field])
  return Math.round(grown(1) / grown(2))
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}
