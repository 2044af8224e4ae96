// Owns the order of getting ready: look, take the lock, install, build. It refuses to run twice at once.
import { build, builtAlready } from './build.mjs'
import { install, installedAlready } from './install.mjs'
import { withLock } from './lock.mjs'

/**
 * True when all is ready. `purpose` test: a type error is left to the test command, which shows it with the rest.
 * All words go to standard error, so that what a command prints stays clean.
 */
export async function makeReady({ purpose }) {
  if (installedAlready() && builtAlready()) return true
  return await withLock(async lock => {
    // Somebody else may have done it while we waited.
    if (!installedAlready() && !(await install(lock))) return false
    if (builtAlready()) return true
    return (await build(lock)) || purpose === 'test'
  })
}
