// Owns our side of the metrics bench: a whole control room in a process of its own, until it is told to stop.
// It refuses to measure less than what runs in production: the built code, sign-in, guard, HTTP, store.
import { silentLog, systemClock } from '#base'
import { startControl } from '#control'

const [folder = '', port = '0'] = process.argv.slice(2)
const control = await startControl({
  listen: { host: '127.0.0.1', port: Number(port) },
  publicUrl: null,
  privateTls: false,
  stateFolder: folder,
  webFolder: null,
  enrol: [],
  supervisor: null,
  rulesFolders: [],
  retentionDays: 15,
  retentionBytes: null,
  probeBytesMonth: 0,
  clock: systemClock,
  log: silentLog,
})
process.once('SIGTERM', () => {
  void control.close().then(() => process.exit(0))
})
