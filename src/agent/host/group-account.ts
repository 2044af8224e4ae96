// Owns the CPU account of one process group: a counter that never runs backwards while processes come and go.
// It refuses nothing; what it is not told of (a process that lived between two scans outside any parent) is lost.
import type { ProcessStat } from './proc-text.ts'

interface Member {
  readonly ticks: number
  readonly parentPid: number
}

/**
 * Adds up own and waited-for children's time of all members. When a child ends, its time moves into its parent's
 * account by wait(2), so the sum stays; only the time of members whose parent is outside has to be kept here.
 */
export class GroupAccount {
  #members = new Map<string, Member>()
  #retiredTicks = 0
  #totalTicks = 0

  /** All members of the group at this moment. A new leader is a new set of members; the counter goes on. */
  scan(stats: readonly ProcessStat[]): void {
    const present = new Map<string, Member>()
    const pids = new Set<number>()
    for (const stat of stats) {
      pids.add(stat.pid)
      present.set(`${stat.pid}@${stat.startTicks}`, {
        ticks: stat.ownTicks + stat.childTicks,
        parentPid: stat.parentPid,
      })
    }
    let sum = 0
    for (const { ticks } of present.values()) sum += ticks
    for (const [key, member] of this.#members) {
      if (!present.has(key) && !pids.has(member.parentPid)) this.#retiredTicks += member.ticks
    }
    this.#members = present
    // A child may be gone from our list a moment before its time shows in its parent: wait for it, never go back.
    this.#totalTicks = Math.max(this.#totalTicks, sum + this.#retiredTicks)
  }

  totalTicks(): number {
    return this.#totalTicks
  }
}
