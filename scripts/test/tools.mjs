// Owns the programs that tests use besides Node: looks for them, and as root on Debian or Ubuntu installs them after
// saying so. It refuses to install anything that would run as a service.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const tools = [
  { command: 'ffmpeg', packages: ['ffmpeg'], use: 'checks that what is served can be decoded', also: [] },
  {
    command: 'chromium',
    packages: ['chromium'],
    use: 'plays through the pages as a viewer does',
    also: [process.env.CHROMIUM ?? '/usr/bin/chromium'],
  },
  { command: 'ping', packages: ['iputils-ping'], use: 'is asked by probes', also: [] },
]

/** Gives a line for each tool that is missing after all: what is skipped, and why. */
export function installTools(mayInstall) {
  const missing = tools.filter(tool => !isThere(tool))
  if (missing.length === 0) return []
  const reason = whyNot(mayInstall)
  if (reason === null) aptInstall(missing)
  return missing
    .filter(tool => !isThere(tool))
    .map(({ command, packages, use }) => {
      const why = reason ?? 'it could not be installed'
      return `tests that need ${command} (${use}): ${why}; apt-get install -y ${packages.join(' ')}`
    })
}

function isThere({ command, also }) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return [...also, ...folders.map(folder => join(folder, command))].some(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Null when this machine's packages may be installed. */
function whyNot(mayInstall) {
  if (!mayInstall) return '--no-install was given'
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'not run as root'
  let release = ''
  try {
    release = readFileSync('/etc/os-release', 'utf8')
  } catch {
    // Not a system that says what it is.
  }
  return /^ID(?:_LIKE)?=.*(?:debian|ubuntu)/m.test(release) ? null : 'not Debian or Ubuntu'
}

function aptInstall(missing) {
  const packages = missing.flatMap(tool => tool.packages)
  for (const { command, use } of missing) console.log(`${command} is missing: it ${use}`)
  console.log(`Installing with apt-get: ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = words =>
    spawnSync('apt-get', words, { stdio: ['ignore', 'inherit', 'inherit'], env }).status === 0
  if (!apt(['update', '-q'])) console.log('apt-get update failed; trying with the lists that are there')
  apt(['install', '-y', '-q', '--no-install-recommends', ...packages])
}
