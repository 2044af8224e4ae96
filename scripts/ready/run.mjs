// Owns running a long child: in a process group of its own, ended with us, its output kept for when it fails.
import { spawn } from 'node:child_process'
import { root } from './paths.mjs'

const OUTPUT_CHARACTERS_MAX = 1_000_000

/** Resolves to its exit code and output. `show`: its output goes to the terminal at once. */
export function run(lock, command, parameters, { env = process.env, show = false } = {}) {
  return new Promise(resolve => {
    const child = spawn(command, parameters, {
      cwd: root,
      env,
      detached: true,
      // What a child prints goes to standard error: standard output belongs to the command that runs next.
      stdio: show ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe'],
    })
    if (child.pid !== undefined) lock.remember(child.pid)
    let output = ''
    const collect = chunk => {
      output = (output + chunk).slice(-OUTPUT_CHARACTERS_MAX)
    }
    child.stdout?.setEncoding('utf8').on('data', collect)
    child.stderr?.setEncoding('utf8').on('data', collect)
    const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map(signal => {
      const handler = () => {
        end(child.pid)
        process.exit(signal === 'SIGINT' ? 130 : 143)
      }
      process.on(signal, handler)
      return [signal, handler]
    })
    const done = code => {
      for (const [signal, handler] of handlers) process.off(signal, handler)
      lock.remember(null)
      resolve({ code, output })
    }
    child.once('error', error => {
      output += error.message
      done(1)
    })
    child.once('close', code => done(code ?? 1))
  })
}

function end(group) {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}
