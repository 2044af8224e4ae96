// Owns host notes: what used a host's CPU and what its kernel said, second by second, as agents tell it. Command names
// alone, never arguments: those may hold secrets.
import { z } from 'zod'
import { serverId } from './names.ts'

export const NOTES_MAX = 200
export const TOP_MAX = 5
export const KERNEL_MAX = 60
export const KERNEL_TEXT_MAX = 300
/** As the kernel keeps it (TASK_COMM_LEN is 16), with room for what /proc escapes. */
const NAME_MAX = 64

export const processShare = z.object({
  pid: z.int().min(0),
  /** The command's name. */
  name: z.string().max(NAME_MAX),
  /** Of one core, over the 5 s before. */
  cpu: z.number().min(0),
  residentBytes: z.number().min(0),
})
export type ProcessShareView = z.infer<typeof processShare>

/** One second in which there was something to tell. */
export const hostNote = z.object({
  /** Fleet time in ms; also what tells a note from another of the same server. */
  at: z.number().min(0),
  /** Largest users of CPU first; left out between two looks. */
  top: z.array(processShare).max(TOP_MAX).optional(),
  kernel: z.array(z.string().max(KERNEL_TEXT_MAX)).max(KERNEL_MAX).optional(),
  /** Kernel messages of this second that were too many. */
  kernelLeftOut: z.int().min(0).optional(),
  /** False: this agent may not read /dev/kmsg. */
  kernelRead: z.boolean(),
})
export type HostNote = z.infer<typeof hostNote>

/** `POST /api/v1/host-notes`, by an agent as its server. The same second told again is the same note. */
export const hostNotesRequest = z.object({ notes: z.array(hostNote).max(NOTES_MAX) })
export const hostNotesTaken = z.object({ taken: z.int() })

/** `GET /api/v1/servers/{id}/processes?at=`: the look that is nearest to that moment. */
export const processesAnswer = z.object({
  now: z.number(),
  server: serverId,
  /** When the look ended; null: nothing is stored of that moment. */
  at: z.number().nullable(),
  /** It came late, from the agent's flight recorder or its queue. */
  recovered: z.boolean(),
  processes: z.array(processShare),
})
export type ProcessesAnswer = z.infer<typeof processesAnswer>

export const kernelMessage = z.object({
  at: z.number(),
  /** 0 (emergency) to 7 (debug). */
  level: z.int().min(0).max(7),
  text: z.string(),
  recovered: z.boolean(),
})
export type KernelMessageView = z.infer<typeof kernelMessage>

/** `GET /api/v1/servers/{id}/kernel-messages?from=&to=`: oldest first. */
export const kernelMessagesAnswer = z.object({
  now: z.number(),
  server: serverId,
  /** Whether its agent could read them; null: no agent told anything in that time. */
  readable: z.boolean().nullable(),
  messages: z.array(kernelMessage),
  /** Said by the kernel in that time, and not kept: too many in a minute. */
  leftOut: z.int(),
})
export type KernelMessagesAnswer = z.infer<typeof kernelMessagesAnswer>
