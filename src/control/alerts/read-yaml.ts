// Owns reading a YAML file into a shape, with the line of everything in it. It refuses with file, line and what was
// expected there.
import { readFileSync } from 'node:fs'
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import type { z } from 'zod'
import { type Fault, messageOf } from '#base'
import { controlFaults } from '../faults.ts'

const FILE_BYTES_MAX = 1024 * 1024

export type YamlPath = readonly (string | number)[]

export interface ReadYaml<Value> {
  readonly value: Value
  /** `file.yaml:12`, of the deepest node that exists on the way. */
  readonly at: (path: YamlPath) => string
}

/** Throws control-rules-invalid. */
export function readYaml<Shape extends z.ZodType>(
  text: string,
  name: string,
  shape: Shape,
): ReadYaml<z.infer<Shape>> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: '1.2' })
  const broken = document.errors[0]
  if (broken !== undefined)
    throw invalidRules(`${name}:${lines.linePos(broken.pos[0]).line}: ${firstLine(broken.message)}`)
  const at = (path: YamlPath): string => `${name}:${lineAt(document.contents, path, lines)}`
  let plain: unknown
  try {
    plain = document.toJS() ?? {}
  } catch (error) {
    throw invalidRules(`${name}: ${messageOf(error)}`, error) // more aliases than any hand writes
  }
  const parsed = shape.safeParse(plain)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const path = (issue?.path ?? []).filter(part => typeof part !== 'symbol')
    throw invalidRules(`${at(path)}: ${path.join('.')}: ${issue?.message ?? 'not such a file'}`)
  }
  return { value: parsed.data, at }
}

/** Throws control-rules-invalid when it is too large, or what the system says. */
export function readTextFile(file: string): string {
  const bytes = readFileSync(file)
  if (bytes.length > FILE_BYTES_MAX)
    throw invalidRules(`${file}: ${bytes.length} bytes, expected at most ${FILE_BYTES_MAX}`)
  return bytes.toString('utf8')
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
