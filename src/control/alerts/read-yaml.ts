// Owns reading a YAML file into a shape, with the line of everything in it. It refuses with file, line and what was
// expected there, for all mistakes at once: one line each, in the order of the file.
import { readFileSync } from 'node:fs'
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import type { z } from 'zod'
import { type Fault, messageOf, nearest } from '#base'
import { controlFaults } from '../faults.ts'

const FILE_BYTES_MAX = 1024 * 1024
const MISTAKES_MAX = 20

export type YamlPath = readonly (string | number)[]

export interface ReadYaml<Value> {
  readonly value: Value
  /** `file.yaml:12`, of the deepest node that exists on the way. */
  readonly at: (path: YamlPath) => string
}

export interface Mistake {
  readonly path: YamlPath
  readonly text: string
}

/** Throws control-rules-invalid. `further` tells of what a shape cannot, also where the shape is wrong elsewhere. */
export function readYaml<Shape extends z.ZodType>(
  text: string,
  name: string,
  shape: Shape,
  further: (plain: unknown) => readonly Mistake[] = () => [],
): ReadYaml<z.infer<Shape>> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: '1.2' })
  const broken = document.errors[0]
  if (broken !== undefined)
    throw invalidRules(`${name}:${lines.linePos(broken.pos[0]).line}: ${firstLine(broken.message)}`)
  const line = (path: YamlPath): number => lineAt(document.contents, path, lines)
  const at = (path: YamlPath): string => `${name}:${line(path)}`
  let plain: unknown
  try {
    plain = document.toJS() ?? {}
  } catch (error) {
    throw invalidRules(`${name}: ${messageOf(error)}`, error) // more aliases than any hand writes
  }
  const parsed = shape.safeParse(plain)
  const mistakes = [...(parsed.success ? [] : mistakesOf(parsed.error, keysOf(shape))), ...further(plain)]
  if (!parsed.success || mistakes.length > 0) {
    const told = mistakes.toSorted((a, b) => line(a.path) - line(b.path)).slice(0, MISTAKES_MAX)
    const rest = mistakes.length - told.length
    throw invalidRules(
      [
        ...told.map(mistake => `${at(mistake.path)}: ${mistake.text}`),
        ...(rest > 0 ? [`${name}: and ${rest} more`] : []),
      ].join('\n'),
    )
  }
  return { value: parsed.data, at }
}

/** What a shape found, each with the place it is about; a key that is not known with the nearest of `known`. */
export function mistakesOf(error: z.ZodError, known: readonly string[], under: YamlPath = []): Mistake[] {
  return error.issues.flatMap(issue => {
    const own = issue.path.filter(part => typeof part !== 'symbol')
    if (issue.code !== 'unrecognized_keys') return [mistakeAt([...under, ...own], issue.message)]
    return issue.keys.map(key => {
      const near = own.length === 0 ? nearest(key, known) : null
      const hint = near === null ? '' : `; did you mean ${near}?`
      return mistakeAt([...under, ...own, key], `Unrecognized key: ${JSON.stringify(key)}${hint}`)
    })
  })
}

function mistakeAt(path: YamlPath, what: string): Mistake {
  return { path, text: path.length === 0 ? what : `${path.join('.')}: ${what}` }
}

function keysOf(shape: z.ZodType): string[] {
  return 'shape' in shape && typeof shape.shape === 'object' && shape.shape !== null
    ? Object.keys(shape.shape)
    : []
}

/** Throws control-rules-invalid when it is too large, or what the system says. */
export function readTextFile(file: string): string {
  const bytes = readBytes(file)
  if (bytes.length > FILE_BYTES_MAX)
    throw invalidRules(`${file}: ${bytes.length} bytes, expected at most ${FILE_BYTES_MAX}`)
  return bytes.toString('utf8')
}

const troubles: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder, and a file is expected',
  EACCES: 'it may not be read by this user',
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw invalidRules(`${file}: ${troubles[code] ?? messageOf(error)}`, error)
  }
}

export function invalidRules(message: string, cause?: unknown): Fault {
  return controlFaults.fault('control-rules-invalid', message, { cause })
}

/** The line of the deepest node that exists on the way to `path`. */
function lineAt(root: Node | null, path: readonly (string | number)[], lines: LineCounter): number {
  let node: unknown = root
  let offset = root?.range?.[0] ?? 0
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find(item => isScalar(item.key) && item.key.value === key)
      if (pair === undefined) break
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items)) {
      node = node.items[Number(key)]
      offset = (node as Node | undefined)?.range?.[0] ?? offset
    } else {
      break
    }
  }
  return lines.linePos(offset).line
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}
