import { describe, expect, it } from 'vitest'
import { type CommandRun, findDaemon, resetClock, resetCommands } from './reset-clock.ts'

const words = (found: Parameters<typeof resetCommands>[0], isFull: boolean): string[] =>
  resetCommands(found, isFull).map(({ argv }) => argv.join(' '))
const chrony = { daemon: 'chrony', unit: 'chrony.service' } as const
const answer = (code: number | null, problem: string | null = null): CommandRun => ({
  code,
  problem,
  output: '',
})

describe('the commands that set a clock', () => {
  it('are gentle where the daemon can step it, and its restart where it cannot', () => {
    expect(words(chrony, false)).toEqual(['chronyc makestep', 'chronyc waitsync 60 0.05 0 0.5'])
    expect(words({ daemon: 'ntpsec', unit: 'ntpsec.service' }, false)).toEqual([
      'systemctl restart ntpsec.service',
      'ntpwait -n 60 -s 1',
    ])
    expect(words({ daemon: 'timesyncd', unit: 'systemd-timesyncd.service' }, false)).toEqual([
      'systemctl restart systemd-timesyncd.service',
      'timedatectl timesync-status',
    ])
  })

  it('stop the daemon, set the date with its fraction, and start it, fully', () => {
    expect(words(chrony, true)).toEqual([
      'systemctl stop chrony.service',
      'date -s now',
      'systemctl start chrony.service',
      'chronyc waitsync 60 0.05 0 0.5',
    ])
    expect(words({ daemon: 'none', unit: null }, false)).toEqual(['date -s now'])
  })

  it('start a daemon again that was stopped, also when the date could not be set', async () => {
    const ran: string[] = []
    const told: (string | null)[] = []
    const ok = await resetClock(
      resetCommands(chrony, true),
      argv => {
        ran.push(argv.join(' '))
        return Promise.resolve(argv[0] === 'date' ? answer(1) : answer(0))
      },
      ({ problem }) => told.push(problem),
    )
    expect(ok).toBe(false)
    expect(ran).toEqual(['systemctl stop chrony.service', 'date -s now', 'systemctl start chrony.service'])
    expect(told).toEqual([null, 'code 1', null])
  })

  it('are for the daemon that runs', async () => {
    const found = await findDaemon(argv => Promise.resolve(answer(argv.at(-1) === 'ntp.service' ? 0 : 3)))
    expect(found).toEqual({ daemon: 'ntpsec', unit: 'ntp.service' })
    const none = await findDaemon(() => Promise.resolve(answer(null, 'spawn systemctl ENOENT')))
    expect(none).toEqual({ daemon: 'none', unit: null })
  })
})
