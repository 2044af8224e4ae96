// Owns a process that notifies and is killed: the state of a folder, one webhook, as the control room starts it.
import { Closers, Counters, SlewedFleetTime, silentLog, systemClock } from '#base'
import { notifyConfig } from '#wire'
import { startNotifications } from '../../src/control/notify/start-notify.ts'
import { openFullState } from '../../src/control/state/open-state.ts'

const [, , folder = '', url = ''] = process.argv
const state = await openFullState(folder, systemClock)
const config = notifyConfig.parse({
  receivers: [{ name: 'hook', webhook: { url, secret: 'shared' } }],
  routes: [{ receivers: ['hook'] }],
})
const fleetTime = new SlewedFleetTime(systemClock, 0)
const parts = {
  state,
  fleetTime,
  counters: new Counters(),
  log: silentLog,
  selfUrl: () => 'https://control.example.org',
}
await startNotifications({ config, environment: {}, ...parts }, new Closers())
process.stdout.write('runs\n')
