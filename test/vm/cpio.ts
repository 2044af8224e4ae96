// Owns writing a cpio archive (newc), the form in which a Linux kernel takes its first file system.
import { closeSync, openSync, writeSync } from 'node:fs'

const ALIGN = 4
const FOLDER = 0o40_000
const FILE = 0o100_000
const LINK = 0o120_000

export class CpioFile {
  readonly #fd: number
  readonly #folders = new Set<string>()
  #inode = 0

  constructor(path: string) {
    this.#fd = openSync(path, 'wx')
  }

  /** Paths have no slash in front; folders above come by themselves. What is there already is not written again. */
  folder(path: string): void {
    if (path === '' || path === '.' || this.#folders.has(path)) return
    this.#above(path)
    this.#folders.add(path)
    this.#entry(path, FOLDER | 0o755, Buffer.alloc(0))
  }

  file(path: string, bytes: Buffer | string, mode = 0o644): void {
    this.#above(path)
    this.#entry(path, FILE | mode, Buffer.from(bytes))
  }

  link(path: string, target: string): void {
    this.#above(path)
    this.#entry(path, LINK | 0o777, Buffer.from(target))
  }

  close(): void {
    this.#entry('TRAILER!!!', 0, Buffer.alloc(0))
    closeSync(this.#fd)
  }

  #above(path: string): void {
    const cut = path.lastIndexOf('/')
    if (cut > 0) this.folder(path.slice(0, cut))
  }

  /** Magic and 13 fields of eight hexadecimal digits (kernel: Documentation/driver-api/early-userspace/buffer-format). */
  #entry(path: string, mode: number, bytes: Buffer): void {
    this.#inode += 1
    const name = Buffer.from(`${path}\0`)
    const fields = [this.#inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length, 0]
    const head = `070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}`
    this.#write(Buffer.concat([Buffer.from(head), name]))
    this.#write(bytes)
  }

  #write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done)
    const rest = bytes.length % ALIGN
    if (rest > 0) writeSync(this.#fd, Buffer.alloc(ALIGN - rest))
  }
}
