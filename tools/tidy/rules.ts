// Owns the rules of the house that compiler and linter do not check. Each gives the places that break it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isTest, roomOf, type SourceFile, targetOf } from './source-files.ts'

/** `path:line: what is wrong and what to do`. */
export type Finding = string

export interface Tree {
  readonly root: string
  readonly files: readonly SourceFile[]
}

const FILE_LINES_MAX = 600
const SCRIPTS_MAX = 11

/** Files that may be longer, each with its reason. */
const longFiles: ReadonlyMap<string, string> = new Map([])

/** Rooms meet at their doors: no relative path may leave a room, no import may go behind a door. */
export function doors({ root, files }: Tree): Finding[] {
  return files.flatMap(file =>
    file.imports.flatMap(({ specifier, line }) => {
      const target = targetOf(root, file, specifier)
      const room = roomOf(file.path)
      const at = `${file.path}:${line}`
      if (target !== null && room !== null && roomOf(target) !== room) {
        return [`${at}: ${specifier} leaves the room ${room}; import the other room by its #name`]
      }
      if (
        target !== null &&
        room === null &&
        roomOf(target) !== null &&
        !isTest(file.path) &&
        roomOf(target) !== 'cli'
      ) {
        return [`${at}: ${specifier} goes behind a door; import the room by its #name`]
      }
      if (specifier.startsWith('#') && specifier.includes('/'))
        return [`${at}: ${specifier} goes behind a door`]
      if (target !== null && /\.jsx?$/.test(specifier)) return [`${at}: ${specifier}: name the .ts file`]
      return []
    }),
  )
}

/** What a room imports is what its tsconfig lists, no less and no more. */
export function references({ root, files }: Tree): Finding[] {
  const rooms = new Set(files.map(file => roomOf(file.path)).filter(room => room !== null))
  return [...rooms].flatMap(room => {
    const config = JSON.parse(readFileSync(join(root, 'src', room, 'tsconfig.json'), 'utf8')) as {
      references: { path: string }[]
    }
    const listed = new Set(config.references.map(reference => reference.path.replace('../', '')))
    const used = new Set<string>()
    const findings: Finding[] = []
    for (const file of files) {
      if (roomOf(file.path) !== room || isTest(file.path)) continue
      for (const { specifier, line } of file.imports) {
        if (!specifier.startsWith('#')) continue
        const other = specifier.slice(1)
        used.add(other)
        if (!listed.has(other))
          findings.push(`${file.path}:${line}: ${specifier} is not in the references of ${room}`)
      }
    }
    for (const other of listed) {
      if (!used.has(other)) findings.push(`src/${room}/tsconfig.json: reference to ${other} is not used`)
    }
    return findings
  })
}

/** Pages know messages only; wire stays free of Node at run time, so that pages can carry its validators. */
export function browserSafe({ files }: Tree): Finding[] {
  return files.flatMap(file =>
    file.imports.flatMap(({ specifier, line, typeOnly }) => {
      const at = `${file.path}:${line}`
      const browser = file.path.startsWith('web/') && !/vite\.config\.ts$|\.test\.tsx?$/.test(file.path)
      if (browser && specifier.startsWith('#') && specifier !== '#wire')
        return [`${at}: pages may import #wire only`]
      const pure = roomOf(file.path) === 'wire' && !isTest(file.path)
      if ((pure || browser) && specifier.startsWith('node:'))
        return [`${at}: ${specifier} does not exist in a browser`]
      if (pure && specifier === '#base' && !typeOnly) return [`${at}: wire may import types of base only`]
      return []
    }),
  )
}

/** Only base/clock reads the wall clock; pages read the server's time, never the browser's. */
export function wallClock({ files }: Tree): Finding[] {
  return files.flatMap(file => {
    const free = file.path === 'src/base/clock.ts' || isTest(file.path) || !/^(src|web)\//.test(file.path)
    if (free) return []
    return matches(file, /\bDate\.now\(|\bnew Date\(\)/).map(
      at => `${at}: only base/clock reads the wall clock`,
    )
  })
}

/** A file opens with what it owns and what it refuses, and fits in a head. */
export function fileShape({ files }: Tree): Finding[] {
  return files.flatMap(({ path, text }) => {
    const findings: Finding[] = []
    const lines = text.split('\n').length
    if (lines > FILE_LINES_MAX && !longFiles.has(path)) {
      findings.push(`${path}:${lines}: more than ${FILE_LINES_MAX} lines; split it by concept`)
    }
    if (roomOf(path) !== null && !isTest(path) && !text.startsWith('//')) {
      findings.push(`${path}:1: the first line says what the file owns, as a comment`)
    }
    if (/(^|\/)(utils?|misc|helpers?|manager)\.tsx?$/.test(path))
      findings.push(`${path}:1: a name that says nothing`)
    return findings
  })
}

/** No file imports itself by a detour. */
export function cycles({ root, files }: Tree): Finding[] {
  const byPath = new Map(files.map(file => [file.path, file]))
  const done = new Set<string>()
  const findings: Finding[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      findings.push(`${path}:1: import cycle ${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}`)
      return
    }
    const file = byPath.get(path)
    if (file === undefined || done.has(path)) return
    for (const { specifier, typeOnly } of file.imports) {
      const target = typeOnly ? null : targetOf(root, file, specifier)
      if (target !== null) visit(target, [...trail, path])
    }
    done.add(path)
  }
  for (const file of files) visit(file.path, [])
  return findings
}

/** Few commands, so that a newcomer can know them all. */
export function scripts({ root }: Tree): Finding[] {
  const file = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const count = Object.keys(file.scripts).length
  return count > SCRIPTS_MAX ? [`package.json:1: ${count} scripts, at most ${SCRIPTS_MAX}`] : []
}

function matches(file: SourceFile, pattern: RegExp): string[] {
  return file.text.split('\n').flatMap((line, index) => {
    const comment = /^\s*(\/\/|\*|\/\*)/.test(line)
    return !comment && pattern.test(line) ? [`${file.path}:${index + 1}`] : []
  })
}

/** All rules, by name. */
export const rules: Readonly<Record<string, (tree: Tree) => Finding[]>> = {
  doors,
  references,
  browserSafe,
  wallClock,
  fileShape,
  cycles,
  scripts,
}
