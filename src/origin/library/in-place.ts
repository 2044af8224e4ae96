// Owns the list of folders that are published in place: a small JSON file that commands write and the origin reads.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '#base'

const FILE = 'in-place.json'
/** More folders than a person adds by hand. */
export const FOLDERS_MAX = 100

/** Absolute paths, in the order in which they were added. What cannot be read is an empty list. */
export function readInPlaceFolders(stateFolder: string): string[] {
  try {
    const value: unknown = JSON.parse(readFileSync(join(stateFolder, FILE), 'utf8'))
    if (typeof value !== 'object' || value === null || !('folders' in value)) return []
    const { folders } = value
    if (!Array.isArray(folders)) return []
    return folders.filter((folder): folder is string => typeof folder === 'string').slice(0, FOLDERS_MAX)
  } catch {
    return [] // none was added yet
  }
}

export function writeInPlaceFolders(stateFolder: string, folders: readonly string[]): void {
  writeFileAtomic(join(stateFolder, FILE), `${JSON.stringify({ folders }, null, 2)}\n`)
}
