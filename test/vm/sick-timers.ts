// Owns re-creating in a guest what the leap second of 2012 left behind: timers on the wall clock that stand a second ahead
// of it, in the kernel itself. A current kernel has not the fault, so its memory is changed from outside while it stands
// still: for each processor the offset by which it turns such timers into its own time.
import { whileStopped } from './gdb.ts'
import type { Machine } from './machine.ts'

/** What the kernel of 2012 forgot to take back. */
const SECOND_NS = 1_000_000_000n
/** `struct hrtimer_clock_base` fills a cache line. */
const BASE_BYTES = 64

interface TimerBase {
  readonly address: bigint
  readonly offsetNs: bigint
}

/** Gives how many were changed. The kernel sets them anew when its clock is set, and at no other time. */
export async function sicken(machine: Machine): Promise<number> {
  const bases = readTimerBases(await machine.must('cat /proc/timer_list'))
  if (bases.length === 0) throw new Error('the guest’s kernel does not name its timers')
  await whileStopped(machine.debugSocket, async memory => {
    for (const { address, offsetNs } of bases) {
      const bytes = await memory.read(address, BASE_BYTES)
      const place = bytes.indexOf(int64(offsetNs))
      // Another place in memory than was meant would be another fault.
      if (place < 0) throw new Error(`the offset of the timers is not at ${address.toString(16)}`)
      await memory.write(address + BigInt(place), int64(offsetNs + SECOND_NS))
    }
  })
  return bases.length
}

/** Those of CLOCK_REALTIME, of all processors. Pure. */
export function readTimerBases(text: string): TimerBase[] {
  const pattern =
    /\.base:\s+([0-9a-f]+)\s+\.index:\s+\d+\s+\.resolution:.*\s+\.get_time:\s+ktime_get_real\s+\.offset:\s+(\d+) nsecs/g
  return [...text.matchAll(pattern)].map(([, address = '', offset = '']) => ({
    address: BigInt(`0x${address}`),
    offsetNs: BigInt.asIntN(64, BigInt(offset)),
  }))
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}
