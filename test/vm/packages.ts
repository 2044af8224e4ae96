// Owns the programs of the guest and of its machine: Debian packages, downloaded and unpacked, never installed.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fetchPeer, PEERS_FOLDER } from '../conformance/peers.ts'

const run = promisify(execFile)
const FOLDER = join(PEERS_FOLDER, 'qemu-guest')
const WANTED = ['qemu-system-x86', 'linux-image-cloud-amd64', 'chrony', 'coreutils', 'busybox-static']
/** They come as somebody's dependency, and nothing here runs them. */
const NOT_NEEDED =
  /^(perl|lib.*-perl$|libperl|dpkg|debconf|adduser|passwd|tar$|udev|kmod|systemd|initramfs|klibc|libklibc|linux-base|cpio$|iproute2|iso-codes|usrmerge|ucf|sensible|init-system|logsave|tzdata|libpam|libdb5|libgdbm|libsemanage|libsepol|libsqlite)/
const APT_MS_MAX = 60_000

export interface Programs {
  readonly folder: string
  readonly kernel: string
  /** Folder of the kernel's modules. */
  readonly modules: string
  readonly loader: string
  /** A program (`usr/bin/...` or `bin/...`) of the folder with the folder's own loader and libraries, whatever the machine has. */
  command(program: string): string[]
}

export type Found = { readonly programs: Programs } | { readonly missing: string }

export async function findPrograms(): Promise<Found> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return { missing: 'the guest is Linux on x86-64, as is the Node that it borrows from here' }
  if (!existsSync(FOLDER)) {
    const listed = await withDependencies()
    if ('missing' in listed) return listed
    const [first = '', ...more] = listed.names
    const peer = await fetchPeer(first, more, FOLDER)
    if ('missing' in peer) return peer
  }
  const [kernel] = filesOf(['boot'], /^vmlinuz-/)
  const [modules] = filesOf(['lib/modules', 'usr/lib/modules'], /^\d/)
  const libraries = ['lib', 'usr/lib'].map(part => join(FOLDER, part, 'x86_64-linux-gnu'))
  const loader = libraries.map(part => join(part, 'ld-linux-x86-64.so.2')).find(file => existsSync(file))
  if (kernel === undefined || modules === undefined || loader === undefined)
    return { missing: `${FOLDER} holds no kernel or no libraries: remove it, and it is fetched again` }
  const command = (program: string): string[] => {
    const file = ['', 'usr'].map(part => join(FOLDER, part, program)).find(path => existsSync(path))
    return [loader, '--library-path', libraries.join(':'), file ?? program]
  }
  return { programs: { folder: FOLDER, kernel, modules: join(modules, 'kernel'), loader, command } }
}

function filesOf(folders: readonly string[], name: RegExp): string[] {
  return folders
    .map(folder => join(FOLDER, folder))
    .filter(folder => existsSync(folder))
    .flatMap(folder =>
      readdirSync(folder)
        .filter(entry => name.test(entry))
        .map(entry => join(folder, entry)),
    )
}

/** As on a machine where nothing is installed: what is here may be of another release. */
async function withDependencies(): Promise<{ names: string[] } | { missing: string }> {
  const options = ['-s', 'install', '--no-install-recommends', '-o', 'Dir::State::status=/dev/null']
  try {
    const { stdout } = await run('apt-get', [...options, ...WANTED], { timeout: APT_MS_MAX })
    const names = [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name)
    return { names: names.filter(name => !NOT_NEEDED.test(name)) }
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    const line = text.split('\n').find(part => part.startsWith('E:')) ?? text.split('\n')[0] ?? ''
    return { missing: `Debian's packages cannot be listed (apt-get): ${line}` }
  }
}
