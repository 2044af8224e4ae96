// Owns our side of the incidents bench: a whole control room with rules and one receiver, until it is told to stop.
// It refuses to measure less than what runs in production: the built code, sign-in, HTTP, store, rules, incidents, notices.
import { silentLog, systemClock } from '#base'
import { startControl } from '#control'
import { notifyConfig } from '#wire'

const [folder = '', port = '0', rulesFolder = '', receiver = '', groupWaitMs = '10000'] =
  process.argv.slice(2)
const control = await startControl({
  listen: { host: '127.0.0.1', port: Number(port) },
  publicUrl: null,
  privateTls: false,
  stateFolder: folder,
  webFolder: null,
  enrol: [],
  supervisor: null,
  rulesFolders: [rulesFolder],
  retentionDays: 15,
  retentionBytes: null,
  probeBytesMonth: 0,
  wake: { groupWaitMs: Number(groupWaitMs) },
  notify: notifyConfig.parse({
    receivers: [{ name: 'hook', alertmanagerWebhook: { url: receiver } }],
    routes: [{ matchers: ['alertname=~"BenchProbe.*"'], receivers: ['hook'] }],
  }),
  clock: systemClock,
  log: silentLog,
})
process.once('SIGTERM', () => {
  void control.close().then(() => process.exit(0))
})
