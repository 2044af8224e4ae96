// Owns compiling the drill's two C programs into a data folder, once for each version of their sources.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureFolder } from '#base'
import { drillFaults } from './faults.ts'

const sources = fileURLToPath(new URL('../../drill/', import.meta.url))
const COMPILE_MS_MAX = 60_000
const OUTPUT_CHARACTERS_MAX = 2000
const WARNINGS: readonly string[] = ['-O2', '-Wall', '-Wextra']
const PROGRAMS = {
  shim: { source: 'early-timers.c', file: 'early-timers.so', flags: ['-shared', '-fPIC'] },
  waiter: { source: 'wall-clock-waiter.c', file: 'wall-clock-waiter', flags: ['-pthread'] },
} as const

export interface DrillPrograms {
  /** To be loaded with LD_PRELOAD. */
  readonly shim: string
  /** The process that spins while the fault is there. */
  readonly waiter: string
}

/** Compiles what is not there yet, with `cc` of `path`. Two at once do no harm: files appear whole. */
export async function buildDrill(
  folder: string,
  path: string = process.env['PATH'] ?? '',
): Promise<DrillPrograms> {
  const hash = createHash('sha256')
  for (const { source } of Object.values(PROGRAMS)) hash.update(readFileSync(join(sources, source)))
  const target = ensureFolder(join(folder, hash.digest('hex').slice(0, 16)))
  const work = mkdtempSync(join(target, 'build-'))
  try {
    for (const { source, file, flags } of Object.values(PROGRAMS)) {
      if (existsSync(join(target, file))) continue
      await compile([...WARNINGS, ...flags, '-o', join(work, file), join(sources, source)], path)
      renameSync(join(work, file), join(target, file))
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return { shim: join(target, PROGRAMS.shim.file), waiter: join(target, PROGRAMS.waiter.file) }
}

async function compile(parameters: readonly string[], path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { timeout: COMPILE_MS_MAX, env: { PATH: path, LC_ALL: 'C' } }
    execFile('cc', [...parameters], options, (error, _stdout, stderr) => {
      if (error === null) return resolve()
      if (error.code === 'ENOENT') {
        return reject(
          drillFaults.fault('drill-no-compiler', 'no program cc is on the PATH', { cause: error }),
        )
      }
      const said = stderr.slice(0, OUTPUT_CHARACTERS_MAX)
      reject(drillFaults.fault('drill-not-built', `cc failed: ${said}`, { cause: error }))
    })
  })
}
