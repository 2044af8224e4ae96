// Owns the messages between `vitrine start` and its children, over Node's IPC channel.
import { z } from 'zod'
import { serverId } from './names.ts'

/** What a drill does to processes of the local fleet. All of it ends with `undo`, and with the control room. */
export const drillAct = z.discriminatedUnion('kind', [
  /** Compiles the drill's programs; the server's agent is started again with the drill's clock, which is right as yet. */
  z.object({
    kind: z.literal('prepare'),
    server: serverId,
    with: z.enum(['spinners', 'time-source', 'nothing']),
  }),
  /** So many simulated viewers of the drill's own, with the small buffers of live players. */
  z.object({ kind: z.literal('viewers'), count: z.int() }),
  /** By how many ms the drill's clock stands before its timers. */
  z.object({ kind: z.literal('clock'), ms: z.number() }),
  /** Whether the drill's time source announces a leap second. */
  z.object({ kind: z.literal('leap'), announced: z.boolean() }),
  z.object({ kind: z.literal('freeze'), server: serverId }),
  z.object({ kind: z.literal('undo') }),
])
export type DrillAct = z.infer<typeof drillAct>

/** Child to supervisor. */
export const toSupervisor = z.discriminatedUnion('type', [
  /** Said once, when the child serves. `url` null for an agent. */
  z.object({ type: z.literal('ready'), url: z.string().nullable() }),
  /** Control room only: the Try it strip. Answered by `try-done` with the same number. */
  z.object({
    type: z.literal('try'),
    number: z.int(),
    action: z.enum(['freeze', 'thaw', 'slow', 'unslow', 'viewers']),
    server: serverId.nullable(),
    count: z.int().nullable(),
  }),
  /** Control room only: one action of a drill. Answered by `try-done` with the same number. */
  z.object({ type: z.literal('drill'), number: z.int(), act: drillAct }),
  /** Agent only: its server is ended and started again. Answered by `restart-done` with the same number. */
  z.object({ type: z.literal('restart'), number: z.int() }),
])
export type ToSupervisor = z.infer<typeof toSupervisor>

/** Supervisor to child. */
export const fromSupervisor = z.discriminatedUnion('type', [
  /** To an agent: its server has (re)started as the leader of this process group; join it and watch it. */
  z.object({ type: z.literal('leader'), pid: z.int() }),
  /** To the control room: process-group leaders of the local fleet. */
  z.object({ type: z.literal('pids'), pids: z.record(serverId, z.int()) }),
  z.object({ type: z.literal('try-done'), number: z.int(), error: z.string().nullable() }),
  z.object({ type: z.literal('restart-done'), number: z.int(), error: z.string().nullable() }),
  /** To simulated viewers: how many there shall be, and how many with the small buffers of live players. */
  z.object({ type: z.literal('viewers'), count: z.int(), live: z.int() }),
  z.object({ type: z.literal('stop') }),
])
export type FromSupervisor = z.infer<typeof fromSupervisor>
