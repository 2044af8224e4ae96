// Owns how admission checks are called and summed up on the pages, and the line that makes a machine an edge. Pure.
import { type CheckRun, type CheckState, type CheckStep, isCheckOver } from '#wire'

export const STEP_NAMES: Readonly<Record<CheckStep['step'], string>> = {
  joined: 'Joined',
  clock: 'Clock',
  ports: 'Ports open, as seen by others',
  dns: 'DNS equals address',
  certificate: 'Certificate',
  disk: 'Disk speed',
  origin: 'Speed to the origin',
  warm: 'Cache warmed',
  play: 'Synthetic viewer',
}

/** What a step will show, until it does. */
export const STEP_AIMS: Readonly<Record<CheckStep['step'], string>> = {
  joined: 'It opens its channel to the control room.',
  clock: 'Its clock against fleet time.',
  ports: 'The control room and another edge reach it.',
  dns: 'Its name leads to it, and to nobody else.',
  certificate: 'Valid for its name, days left, chain.',
  disk: 'Written and synced in its cache folder.',
  origin: 'Real segments, past its cache.',
  warm: 'First segments of the top titles of its region.',
  play: 'Plays from it as viewers will.',
}

export const STATE_WORDS: Readonly<Record<CheckState, string>> = {
  pending: 'pending',
  running: 'running',
  passed: 'passed',
  failed: 'failed',
  skipped: 'left out',
}

/** One sentence on a run. */
export function sumUp(run: CheckRun): { readonly text: string; readonly state: CheckState } {
  const { steps } = run
  const failed = steps.filter(({ state }) => state === 'failed').length
  const passed = steps.filter(({ state }) => state === 'passed').length
  const left = steps.filter(({ state }) => state === 'skipped').length
  if (run.endedAt === null) {
    const over = steps.filter(({ state }) => isCheckOver(state)).length
    const bad = failed === 0 ? '' : `, ${failed} failed`
    return { text: `${over} of ${steps.length} checks have ended${bad}.`, state: 'running' }
  }
  if (failed > 0) {
    return { text: `${failed} of ${steps.length} checks failed.`, state: 'failed' }
  }
  if (left > 0) return { text: `${passed} checks passed, ${left} left out.`, state: 'skipped' }
  return { text: `All ${passed} checks passed.`, state: 'passed' }
}

/** What is wrong with an address that viewers shall use; null: nothing. Empty is no address yet. */
export function addressProblem(text: string): string | null {
  const trimmed = text.trim()
  if (trimmed === '') return null
  if (!URL.canParse(trimmed)) return 'Expected an address such as https://sa-east.example.org'
  const { protocol, pathname, search, hash, username } = new URL(trimmed)
  if (protocol !== 'https:' && protocol !== 'http:') return 'Expected https:// at the beginning'
  if (pathname !== '/' || search !== '' || hash !== '' || username !== '')
    return 'Expected a host, and a port if it is not 443'
  return null
}

/** The line with what the machine must know of its address; certificate files are named as certbot names them. */
export function joinLine(command: string, address: string): string {
  const trimmed = address.trim()
  if (trimmed === '' || addressProblem(trimmed) !== null) return command
  const url = new URL(trimmed)
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  if (isLoopbackName(url.hostname)) return `${command} --port ${port}`
  const tls = url.protocol === 'https:' ? ' --tls-cert fullchain.pem --tls-key privkey.pem' : ''
  return `${command} --host 0.0.0.0 --port ${port} --public-url ${url.origin}${tls}`
}

function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.')
}
