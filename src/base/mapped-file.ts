// Owns files that are memory as well: what a process writes there is kept by the kernel when it is killed.
// It refuses to promise more: a power cut may take any of it, and the boot id tells that there was one.
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { mapFd } from './native.ts'

const ZEROS_BYTES = 64 * 1024

/** The file as memory; made, and filled with zeros, unless it is of that length. Null: this machine cannot, or the disk is full. */
export function mapFile(file: string, length: number): ArrayBuffer | null {
  let fd: number | null = null
  try {
    fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
    if (fstatSync(fd).size !== length) fill(fd, length)
    return mapFd(fd, length)
  } catch {
    return null
  } finally {
    if (fd !== null) closeSync(fd) // the mapping stays
  }
}

/** Every block is taken now: a block that is missing when memory is written would end the process (SIGBUS). */
function fill(fd: number, length: number): void {
  ftruncateSync(fd, 0)
  const zeros = Buffer.alloc(ZEROS_BYTES)
  for (let at = 0; at < length; ) at += writeSync(fd, zeros, 0, Math.min(ZEROS_BYTES, length - at), at)
}
