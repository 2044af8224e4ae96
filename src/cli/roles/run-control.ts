// Owns wiring the control room: its settings, its enrolled servers, and the supervisor behind the Try it strip.
import { existsSync, readFileSync } from 'node:fs'
import { createLog, loadConfig, messageOf, systemClock, writeFileAtomic } from '#base'
import { type ControlOptions, type Enrolment, type NotifySource, startControl } from '#control'
import { hashToken } from '#link'
import type { NotifyConfig } from '#wire'
import { configSchema } from '../config.ts'
import { configMentions } from '../config-mentions.ts'
import { cliFaults } from '../faults.ts'
import { type ControlSettings, controlUrlFile, joinFile, localUrl } from '../settings.ts'
import { parseFleetFile } from '../supervisor/fleet-file.ts'
import { type RoleProcess, runRole } from './role-process.ts'

/** The first drill compiles two programs. */
const DRILL_MS_MAX = 90_000
const ACT_MS_MAX = 10_000 // the supervisor answers in milliseconds; viewers take a moment to start

export async function runControl(settings: ControlSettings): Promise<void> {
  const log = createLog(settings.logLevel).with({ server: settings.id, role: 'control' })
  await runRole(log, true, async role => {
    const running = await startControl({
      listen: settings.listen,
      publicUrl: settings.publicUrl,
      privateTls: settings.privateTls,
      stateFolder: settings.stateFolder,
      webFolder: existsSync(settings.webFolder) ? settings.webFolder : null,
      enrol: settings.fleetFile === null ? [] : enrolments(settings.fleetFile),
      supervisor: role.supervised ? supervisorPort(role) : null,
      retentionDays: settings.retentionDays,
      auditDays: settings.auditDays,
      retentionBytes: settings.retentionBytes,
      allowSimulated: settings.allowSimulated,
      wake: settings.wake,
      viewers: settings.viewers,
      probeBytesMonth: settings.probeBytesMonth,
      regionsFile: settings.regionsFile,
      externalLabels: settings.externalLabels,
      runbooksFolders: settings.runbooksFolders.filter(folder => existsSync(folder)),
      runbooksByThemselves: settings.runbooksByThemselves,
      rulesFolders: settings.rulesFolders.filter(folder => existsSync(folder)),
      shippedRules: settings.shippedRules,
      mediaFolder: settings.mediaFolder,
      mentions: configMentions(settings.mentionsFile),
      notify: notifyOf(settings.notify),
      notifySource: notifySourceOf(settings),
      clock: systemClock,
      log,
    })
    writeFileAtomic(
      controlUrlFile(settings.stateFolder),
      `${settings.publicUrl ?? localUrl(settings.listen)}\n`,
    )
    writeFileAtomic(joinFile(settings.stateFolder), `${JSON.stringify(running.join)}\n`)
    return running
  })
}

function notifyOf(notify: ControlSettings['notify']): NotifyConfig {
  return 'file' in notify ? loadConfig(configSchema, notify.file, {}).control.notify : notify
}

/** The operator's file; a local fleet's kept copy follows it, since the next start of the control room reads that. */
function notifySourceOf({ notify, notifySource: file }: ControlSettings): NotifySource | null {
  if (file === null) return null
  const read = (): NotifyConfig => loadConfig(configSchema, file, process.env).control.notify
  if (!('file' in notify)) return { file, read }
  const keep = (changed: NotifyConfig): void => {
    const kept = loadConfig(configSchema, notify.file, {})
    const config = { ...kept, control: { ...kept.control, notify: changed } }
    writeFileAtomic(notify.file, `${JSON.stringify(config)}\n`)
  }
  return { file, read, keep }
}

function enrolments(file: string): Enrolment[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw cliFaults.fault('cli-fleet-file-unreadable', messageOf(error), { cause: error })
  }
  const { servers } = parseFleetFile(text, file)
  return servers.map(({ id, role, region, token }) => ({ id, role, region, tokenSha256: hashToken(token) }))
}

/** The supervisor's side of Try it, over IPC: numbered requests, answered one by one. */
function supervisorPort(role: RoleProcess): NonNullable<ControlOptions['supervisor']> {
  const waiting = new Map<number, (error: string | null) => void>()
  let pids: Readonly<Record<string, number>> = {}
  let number = 0
  role.listen(message => {
    if (message.type === 'pids') pids = message.pids
    if (message.type === 'try-done') {
      waiting.get(message.number)?.(message.error)
      waiting.delete(message.number)
    }
  })
  const ask = (deadlineMs: number, say: (number: number) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      number += 1
      const own = number
      const deadline = setTimeout(() => {
        waiting.delete(own)
        reject(cliFaults.fault('cli-not-local', 'the supervisor did not answer in time'))
      }, deadlineMs)
      waiting.set(own, error => {
        clearTimeout(deadline)
        if (error === null) resolve()
        else reject(cliFaults.fault('cli-no-such-server', error))
      })
      say(own)
    })
  return {
    pids: () => pids,
    act: (action, server, count) =>
      ask(ACT_MS_MAX, own => role.say({ type: 'try', number: own, action, server, count })),
    drill: act => ask(DRILL_MS_MAX, own => role.say({ type: 'drill', number: own, act })),
  }
}
