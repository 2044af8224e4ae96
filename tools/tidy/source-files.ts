// Owns the list of source files that tidy reads, with the imports of each. It refuses nothing itself.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly imports: readonly SourceImport[]
}

export interface SourceImport {
  readonly specifier: string
  readonly line: number
  readonly typeOnly: boolean
}

const folders = ['src', 'web', 'test', 'tools', 'bench'] as const
const importPattern = /^\s*(?:import|export)\s+(type\s+)?(?:[\s\S]*?\sfrom\s+)?'([^'\n]+)'/gm

/** Every .ts and .tsx file below the source folders. */
export function readSourceFiles(root: string): SourceFile[] {
  const files: SourceFile[] = []
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue
      const absolute = join(entry.parentPath, entry.name)
      const path = relative(root, absolute).replaceAll('\\', '/')
      const text = readFileSync(absolute, 'utf8')
      files.push({ path, text, imports: readImports(text) })
    }
  }
  return files
}

/** The static imports and re-exports of a file. */
export function readImports(text: string): SourceImport[] {
  return [...text.matchAll(importPattern)].map(match => ({
    specifier: match[2] ?? '',
    line: text.slice(0, match.index + match[0].length).split('\n').length,
    typeOnly: match[1] !== undefined,
  }))
}

/** `src/edge/cache/x.ts` -> `edge`; null outside src. */
export function roomOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null
}

/** The file that a relative import names, relative to the repository; null for packages and rooms. */
export function targetOf(root: string, file: SourceFile, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null
  return relative(root, resolve(root, dirname(file.path), specifier)).replaceAll('\\', '/')
}

export const isTest = (path: string): boolean =>
  /\.(test|bench)\.tsx?$/.test(path) || path.startsWith('test/')
