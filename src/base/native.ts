// Owns the few libc calls that Node lacks. Where koffi cannot load, each call says so with `false` or `null`.
import { createRequire } from 'node:module'

interface Libc {
  readonly clockGettime: (clockId: number, timespec: BigInt64Array) => number
  readonly setpgid: (pid: number, pgid: number) => number
  readonly prctl: (option: number, a: bigint, b: bigint, c: bigint, d: bigint) => number
  readonly flock: (fd: number, operation: number) => number
  readonly errno: () => number
  /** File descriptor, level, option, value, its length. */
  readonly getsockopt: (...parameters: [number, number, number, Buffer, Uint32Array]) => number
  /** As the process itself sees it: a library that was preloaded may stand between, as a drill's does. */
  readonly seenClockGettime: (clockId: number, timespec: BigInt64Array) => number
  readonly seenAdjtimex: (timex: BigInt64Array) => number
  /** Clock, flags, until when, (null), callback: on a thread of the pool. */
  readonly sleep: (
    clockId: number,
    flags: number,
    until: BigInt64Array,
    remain: null,
    done: (error: unknown, errno: number) => void,
  ) => void
  /** Address, length, protection, flags, file descriptor, offset. */
  readonly mmap: (...parameters: [null, bigint, number, number, number, bigint]) => bigint | null
  readonly view: (address: bigint, length: number) => ArrayBuffer
}

const CLOCK_BOOTTIME = 7 // linux/time.h
const CLOCK_REALTIME = 0
const CLOCK_MONOTONIC = 1
const TIMER_ABSTIME = 1
const PR_SET_PDEATHSIG = 1 // linux/prctl.h
const IPPROTO_TCP = 6 // netinet/in.h
const TCP_INFO = 11 // netinet/tcp.h
/** Up to tcpi_total_retrans, which every kernel of this century has. */
const TCP_INFO_BYTES = 104
const LOCK_EX_NB = 2 | 4 // sys/file.h
const PROT_READ_WRITE = 1 | 2 // sys/mman.h
const MAP_SHARED = 1
const MAP_FAILED = 2n ** 64n - 1n
const EWOULDBLOCK = 11 // asm-generic/errno.h

function load(): Libc | null {
  if (process.platform !== 'linux') return null
  try {
    // Loaded lazily and by require: a machine without a matching koffi still runs, with less.
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const libc = koffi.load('libc.so.6')
    const seen = koffi.load(null)
    const sleep = seen.func('int clock_nanosleep(int, int, int64_t *, void *)')
    return {
      clockGettime: libc.func('int clock_gettime(int, int64_t *)') as Libc['clockGettime'],
      setpgid: libc.func('int setpgid(int, int)') as Libc['setpgid'],
      prctl: libc.func('int prctl(int, uint64_t, uint64_t, uint64_t, uint64_t)') as Libc['prctl'],
      flock: libc.func('int flock(int, int)') as Libc['flock'],
      errno: () => koffi.errno(),
      getsockopt: libc.func(
        'int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint32_t *)',
      ) as Libc['getsockopt'],
      seenClockGettime: seen.func('int clock_gettime(int, int64_t *)') as Libc['clockGettime'],
      seenAdjtimex: seen.func('int adjtimex(int64_t *)') as Libc['seenAdjtimex'],
      sleep: (...parameters) => sleep.async(...parameters),
      mmap: libc.func('void *mmap(void *, size_t, int, int, int, int64_t)') as Libc['mmap'],
      view: (address, length) => koffi.view(address, length),
    }
  } catch {
    return null
  }
}

const libc: Libc | null = load()
const timespec = new BigInt64Array(2)
const NS = 1_000_000_000n

/** CLOCK_BOOTTIME in nanoseconds: monotonic, counts suspended time. Null where it cannot be read. */
export function bootTimeNs(): bigint | null {
  if (libc === null || libc.clockGettime(CLOCK_BOOTTIME, timespec) !== 0) return null
  return (timespec[0] ?? 0n) * 1_000_000_000n + (timespec[1] ?? 0n)
}

export type KernelClock = 'realtime' | 'monotonic' | 'boottime'
const CLOCK_IDS: Readonly<Record<KernelClock, number>> = {
  realtime: CLOCK_REALTIME,
  monotonic: CLOCK_MONOTONIC,
  boottime: CLOCK_BOOTTIME,
}

/** A clock in nanoseconds, as this process sees it. Null where it cannot be read. See clock_gettime(2). */
export function readClockNs(clock: KernelClock): bigint | null {
  if (libc === null || libc.seenClockGettime(CLOCK_IDS[clock], timespec) !== 0) return null
  return (timespec[0] ?? 0n) * NS + (timespec[1] ?? 0n)
}

/**
 * Sleeps on a thread of the pool until `clock` reads `untilNs`, absolute. False: it was interrupted, or cannot be done
 * here. See TIMER_ABSTIME in clock_nanosleep(2).
 */
export async function sleepUntilNs(clock: 'realtime' | 'monotonic', untilNs: bigint): Promise<boolean> {
  if (libc === null) return false
  const { sleep } = libc
  const until = new BigInt64Array([untilNs / NS, untilNs % NS])
  return new Promise(resolve =>
    sleep(CLOCK_IDS[clock], TIMER_ABSTIME, until, null, (error, errno) =>
      resolve(error === null && errno === 0),
    ),
  )
}

/** Moves this process into the process group `pgid` (0: a new group that it leads). See setpgid(2). */
export function joinProcessGroup(pgid: number): boolean {
  return libc !== null && libc.setpgid(0, pgid) === 0
}

/**
 * Asks the kernel to send `signal` to this process when its parent dies, also when the parent is killed.
 * See PR_SET_PDEATHSIG in prctl(2). The caller must check afterwards that the parent still lives.
 */
export function dieWithParent(signal: number): boolean {
  return libc !== null && libc.prctl(PR_SET_PDEATHSIG, BigInt(signal), 0n, 0n, 0n) === 0
}

/**
 * Locks an open file for as long as `fd` is open; the kernel takes the lock back when this process ends, however it
 * ends. False: somebody else holds it. Null: this machine or this file system cannot tell. See flock(2).
 */
export function lockFd(fd: number): boolean | null {
  if (libc === null) return null
  if (libc.flock(fd, LOCK_EX_NB) === 0) return true
  return libc.errno() === EWOULDBLOCK ? false : null
}

/**
 * The first `length` bytes of an open file as memory that the kernel shares with it, until this process ends: what is
 * written there is in the file at once, and outlives the process. The file must be that long and stay so. Null: not here.
 */
export function mapFd(fd: number, length: number): ArrayBuffer | null {
  if (libc === null) return null
  const address = libc.mmap(null, BigInt(length), PROT_READ_WRITE, MAP_SHARED, fd, 0n)
  return address === null || address === MAP_FAILED ? null : libc.view(address, length)
}

/** The kernel's own opinion of its clock, in the units of adjtimex(2). */
export interface Timex {
  /** TIME_OK 0 to TIME_ERROR 5. */
  readonly state: number
  /** STA_* bits. */
  readonly status: number
  /** Microseconds, or nanoseconds where `status` has STA_NANO. */
  readonly offset: number
  /** Parts per million, times 65536. */
  readonly frequency: number
  readonly maxErrorUs: number
  readonly estimatedErrorUs: number
  readonly taiOffsetS: number
}

const TIMEX_WORDS = 26 // struct timex of 64-bit Linux: 208 bytes
const timex = new BigInt64Array(TIMEX_WORDS)

/** Reads it and changes nothing (modes = 0). Null where it is not allowed, as in many containers. */
export function readTimex(): Timex | null {
  if (libc === null || (process.arch !== 'x64' && process.arch !== 'arm64')) return null
  timex.fill(0n)
  const state = libc.seenAdjtimex(timex)
  if (state < 0) return null
  const word = (index: number): number => Number(timex[index])
  // status and tai are 32-bit fields at the start of their words.
  const half = (index: number): number => Number(BigInt.asIntN(32, timex[index] ?? 0n))
  return {
    state,
    status: half(5),
    offset: word(1),
    frequency: word(2),
    maxErrorUs: word(3),
    estimatedErrorUs: word(4),
    taiOffsetS: half(20),
  }
}

const tcpInfoRead = Buffer.alloc(TCP_INFO_BYTES)
const tcpInfoLength = new Uint32Array(1)

/** What the kernel knows of a TCP connection: `struct tcp_info`, valid until the next call. Null: it does not say. */
export function tcpInfo(fd: number): Buffer | null {
  if (libc === null) return null
  tcpInfoLength[0] = TCP_INFO_BYTES
  const isRead = libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, tcpInfoRead, tcpInfoLength) === 0
  return isRead && tcpInfoLength[0] === TCP_INFO_BYTES ? tcpInfoRead : null
}
