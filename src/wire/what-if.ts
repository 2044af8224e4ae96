// Owns the shapes of what the rest carries when an edge or a region is lost. Rates are bits a second.
import { z } from 'zod'
import { serverId, serverStates } from './names.ts'

const time = z.number()

/** `cannot-tell`: the capacities that are known do not suffice, and some are not known. Never counted as infinite. */
export const carryWords = ['not-carried', 'cannot-tell', 'tight', 'carried', 'no-demand-known'] as const
export type CarryWord = (typeof carryWords)[number]

/** One demand against what the rest carries. */
export const carry = z.object({
  word: z.enum(carryWords),
  /** The largest sum of all edges at one moment; null: not measured. */
  demandBps: z.number().nullable(),
  /** Of the known capacity of the rest; null: there is none, or no demand is known. Negative: it lacks. */
  headroom: z.number().nullable(),
  /** When it was that much; null: not measured. */
  at: time.nullable(),
})
export type Carry = z.infer<typeof carry>

export const lossView = z.object({
  kind: z.enum(['edge', 'region']),
  /** Id of the edge, or the region. */
  id: z.string(),
  name: z.string(),
  edges: z.array(serverId),
  /** They would have to move. */
  viewers: z.int(),
  /** What it sends now; null: not measured. */
  sentBps: z.number().nullable(),
  rest: z.object({
    /** Edges that take viewers and would be left. */
    edges: z.array(serverId),
    /** Sum of the capacities that are known. */
    capacityBps: z.number(),
    /** Whose capacity nobody has said or measured. */
    unknown: z.array(serverId),
  }),
  /** The worst of `now` and `usual`. */
  word: z.enum(carryWords),
  now: carry,
  /** The hour that it is now, on the same weekday of up to four weeks before. */
  usual: carry,
  /** The worst hour of all that is stored of four weeks. */
  week: carry,
})
export type LossView = z.infer<typeof lossView>

/** `GET /api/v1/what-if` (viewer). */
export const whatIfAnswer = z.object({
  now: time,
  /** Worst first. */
  losses: z.array(lossView),
  edges: z.array(
    z.object({
      id: serverId,
      name: z.string(),
      region: z.string(),
      state: z.enum(serverStates),
      /** Takes new viewers: only such edges count as the rest. */
      takes: z.boolean(),
      capacityBps: z.number().nullable(),
      capacityFrom: z.enum(['set', 'measured']).nullable(),
    }),
  ),
  /** The hour that it is now, of each earlier week that is stored. */
  sameHours: z.array(z.object({ at: time, peakBps: z.number() })),
  /**
   * The last seven days hour by hour, this hour last; each is the highest of the same hours of up to four weeks, and
   * null where none is stored.
   */
  week: z.array(z.object({ at: time, peakBps: z.number().nullable(), n: z.int() })),
  /** The oldest hour that is stored; null: none. */
  storedFrom: time.nullable(),
})
export type WhatIfAnswer = z.infer<typeof whatIfAnswer>
