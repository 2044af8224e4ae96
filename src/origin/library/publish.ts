// Owns putting files into the library: as a copy, or in place. It refuses what is no video file and no folder.
import { randomBytes } from 'node:crypto'
import { constants, copyFile, mkdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf } from '#base'
import { originFaults } from '../faults.ts'
import { FOLDERS_MAX, readInPlaceFolders, writeInPlaceFolders } from './in-place.ts'
import { isCandidate } from './scan-folder.ts'
import { titleIdOf } from './title-id.ts'

/** Copies a file into the media folder under its own name; a file of that name is replaced as a whole. */
export async function publishCopy(mediaFolder: string, file: string): Promise<{ id: string; path: string }> {
  const name = basename(file)
  if (!isCandidate(name)) {
    throw refused(`${file}: expected the name of a video file, such as film.mp4`)
  }
  const found = await statOf(file)
  if (!found.isFile()) throw refused(`${file} is not a file`)
  const path = join(mediaFolder, name)
  // Hidden until it is complete, so that a scan never sees a part of it.
  const part = join(mediaFolder, `.${name.slice(0, 200)}.${randomBytes(4).toString('hex')}.part`)
  try {
    await mkdir(mediaFolder, { recursive: true })
    await copyFile(file, part, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw refused(`cannot copy ${file} to ${mediaFolder}: ${messageOf(error)}`, error)
  }
  return { id: titleIdOf({ origin: 'media', relativePath: name, key: name }), path }
}

/** Remembers a folder whose files are played from where they are; a running origin notices within 2 s. */
export async function publishInPlace(stateFolder: string, folder: string): Promise<{ folder: string }> {
  const found = await statOf(folder)
  if (!found.isDirectory()) throw refused(`${folder} is not a folder; leave out --in-place to copy a file`)
  const path = await realpath(folder)
  const folders = readInPlaceFolders(stateFolder)
  if (folders.includes(path)) return { folder: path }
  if (folders.length >= FOLDERS_MAX) throw refused(`${FOLDERS_MAX} folders are published in place already`)
  try {
    await mkdir(stateFolder, { recursive: true })
    writeInPlaceFolders(stateFolder, [...folders, path])
  } catch (error) {
    throw refused(`cannot remember ${path}: ${messageOf(error)}`, error)
  }
  return { folder: path }
}

async function statOf(path: string): ReturnType<typeof stat> {
  try {
    return await stat(path)
  } catch (error) {
    throw refused(`cannot read ${path}: ${messageOf(error)}`, error)
  }
}

function refused(message: string, cause?: unknown): Error {
  return originFaults.fault('origin-publish-failed', message, { cause })
}
