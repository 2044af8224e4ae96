// Owns the guest's file system: Debian's kernel modules and chrony, this machine's Node, our built agent and its
// packages, as one archive. Nothing of it is downloaded into the guest.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build, defaultServerConditions } from 'vite'
import { CpioFile } from './cpio.ts'
import type { Programs } from './packages.ts'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../..')
const MODULES = [
  'drivers/virtio/virtio.ko',
  'drivers/virtio/virtio_ring.ko',
  'drivers/virtio/virtio_pci_modern_dev.ko',
  'drivers/virtio/virtio_pci_legacy_dev.ko',
  'drivers/virtio/virtio_pci.ko',
  'net/core/failover.ko',
  'drivers/net/net_failover.ko',
  'drivers/net/virtio_net.ko',
]
const CODE = /\.(m?js|cjs|json|node)$/
const LEFT_OUT = /musl|better-sqlite3\/(deps|src|build\/Release\/(obj|test_))/
/** The last is the control room's, and left out. */
const NATIVE = ['koffi', 'better-sqlite3', '@node-rs/argon2']
const EXECUTABLE = 0o755

export interface ImageParts {
  readonly programs: Programs
  /** Files of the guest, by path without a slash in front. */
  readonly files: Readonly<Record<string, { readonly text: string; readonly mode?: number }>>
  /** Programs of this machine that go along, by path in the guest. */
  readonly binaries: Readonly<Record<string, string>>
}

/** Writes it into `scratch`; the kernel takes it uncompressed, which under emulation is far quicker. */
export async function writeImage(
  scratch: string,
  { programs, files, binaries }: ImageParts,
): Promise<string> {
  const target = join(scratch, 'image')
  const image = new CpioFile(target)
  try {
    for (const folder of ['proc', 'sys', 'dev', 'tmp', 'run', 'root', 'var/lib/chrony']) image.folder(folder)
    const own = (path: string, file: string): void => image.file(path, readFileSync(file), EXECUTABLE)
    own('bin/busybox', join(programs.folder, 'bin/busybox'))
    own('init', join(import.meta.dirname, 'guest/init.sh'))
    own('line.sh', join(import.meta.dirname, 'guest/line.sh'))
    own('usr/local/bin/systemctl', join(import.meta.dirname, 'guest/systemctl.sh'))
    for (const path of MODULES) {
      const file = join(programs.modules, path)
      if (existsSync(file)) own(`modules/${path.split('/').at(-1) ?? ''}`, file)
    }
    await addDebianPrograms(image, programs, ['usr/sbin/chronyd', 'usr/bin/chronyc', 'bin/date'])
    const native = [process.execPath, ...Object.values(binaries)]
    await addBinaries(image, { 'usr/local/bin/node': process.execPath, ...binaries }, native)
    await addProduct(image, scratch)
    for (const [path, { text, mode }] of Object.entries(files)) image.file(path, text, mode)
  } finally {
    image.close()
  }
  return target
}

/** With Debian's own loader and libraries beside them: Node's may be of another release. */
async function addDebianPrograms(
  image: CpioFile,
  programs: Programs,
  names: readonly string[],
): Promise<void> {
  const libraries = new Map<string, string>()
  for (const name of names) {
    const [loader = '', ...words] = programs.command(name)
    const { stdout } = await run(loader, ['--list', ...words])
    for (const file of listed(stdout)) libraries.set(file.split('/').at(-1) ?? '', file)
    const base = name.split('/').at(-1) ?? ''
    image.file(`debian/${base}`, readFileSync(words.at(-1) ?? ''), EXECUTABLE)
    const text = `#!/bin/sh\nexec /debian/lib/ld.so --library-path /debian/lib /debian/${base} "$@"\n`
    image.file(`usr/local/bin/${base}`, text, EXECUTABLE)
  }
  image.file('debian/lib/ld.so', readFileSync(programs.loader), EXECUTABLE)
  for (const [name, file] of libraries) image.file(`debian/lib/${name}`, readFileSync(file), EXECUTABLE)
}

/** Programs of this machine with the libraries that they load here, at the paths where they look for them. */
async function addBinaries(
  image: CpioFile,
  binaries: Readonly<Record<string, string>>,
  native: readonly string[],
): Promise<void> {
  for (const [path, file] of Object.entries(binaries)) image.file(path, readFileSync(file), EXECUTABLE)
  const addons = [
    ...files(join(ROOT, 'node_modules'), /linux_x64\/koffi\.node$|Release\/better_sqlite3\.node$/),
  ]
  const libraries = new Set<string>()
  for (const file of [...native, ...addons]) {
    const { stdout } = await run('ldd', [realpathSync(file)])
    for (const library of listed(stdout)) libraries.add(library)
  }
  for (const library of libraries) image.file(library.slice(1), readFileSync(library), EXECUTABLE)
}

/** Of `ldd`: paths, those behind an arrow and the loader itself. */
function listed(text: string): string[] {
  return [...text.matchAll(/(?:=>\s+|^\s+)(\/\S+) \(0x/gm)].map(([, file = '']) => file)
}

/** The agent's part of the product from its source, in few files: under emulation each one costs. */
async function addProduct(image: CpioFile, scratch: string): Promise<void> {
  const outDir = join(scratch, 'product')
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    publicDir: false,
    resolve: { conditions: ['source', ...defaultServerConditions] },
    ssr: {
      noExternal: true,
      external: [...NATIVE],
      resolve: { conditions: ['source', ...defaultServerConditions] },
    },
    build: { ssr: join(import.meta.dirname, 'guest/entry.ts'), outDir, target: 'node20', minify: true },
  })
  for (const file of files(outDir, CODE))
    image.file(`vitrine/dist/cli/${relative(outDir, file)}`, readFileSync(file))
  // The version is read two folders above the file that asks.
  for (const folder of ['vitrine', 'vitrine/dist'])
    image.file(`${folder}/package.json`, readFileSync(join(ROOT, 'package.json')))
  for (const folder of ['koffi', '@koromix', 'better-sqlite3', 'bindings', 'file-uri-to-path']) {
    for (const file of files(join(ROOT, 'node_modules', folder), CODE)) {
      if (LEFT_OUT.test(file)) continue
      image.file(`vitrine/${relative(ROOT, file)}`, readFileSync(file))
    }
  }
  const text = '#!/bin/sh\nexec /usr/local/bin/node /vitrine/dist/cli/entry.js "$@"\n'
  image.file('usr/local/bin/vitrine', text, EXECUTABLE)
}

function* files(folder: string, name: RegExp): Generator<string> {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* files(path, name)
    else if (name.test(path) && statSync(path).isFile()) yield path
  }
}
