// Owns the estimate of playback where a player tells nothing: seconds of media that were delivered, against time. Pure.
//
// The model: the first frame comes with the last byte of the first segment; from then on one second of media is used each
// second. When the buffer of the model is empty before the next segment is there, that is a stall if that segment had
// been asked for before (the player was waiting), and a pause if it was asked for later (nobody wanted it). A segment
// that does not follow the one before it is a seek and begins a new buffer. Sound and pictures come in separate segments:
// pictures alone are counted.
import type { Stall } from './playback.ts'
import { SEGMENT } from './session.ts'

/** Up to the last folded segment. Times are fleet time in ms. */
export interface Delivery {
  started: boolean
  startS: number
  /** When the buffer of the model is empty. */
  emptyAt: number
  doneAt: number
  /** Seconds of media that were not thrown away by a seek. */
  deliveredS: number
  rebufferS: number
  rebuffers: number
  number: number
  bitrate: number
  peak: number
  switches: number
  ratedS: number
  ratedBits: number
}

export function noDelivery(): Delivery {
  return {
    started: false,
    startS: Number.NaN,
    emptyAt: Number.NaN,
    doneAt: Number.NaN,
    deliveredS: 0,
    rebufferS: 0,
    rebuffers: 0,
    number: Number.NaN,
    bitrate: Number.NaN,
    peak: Number.NaN,
    switches: 0,
    ratedS: 0,
    ratedBits: 0,
  }
}

/** `firstAt`: when the session's first request came. */
export function deliver(
  delivery: Delivery,
  rows: readonly number[],
  at: number,
  firstAt: number,
  onStall: (stall: Stall) => void,
): void {
  const read = (column: number): number => rows[at + column] ?? Number.NaN
  const [doneAt, askedAt, mediaS] = [read(SEGMENT.doneAt), read(SEGMENT.askedAt), read(SEGMENT.mediaS)]
  const number = read(SEGMENT.number)
  const rebuffersBefore = delivery.rebuffers
  if (!delivery.started) {
    delivery.started = true
    delivery.startS = Math.max(0, doneAt - firstAt) / 1000
    delivery.emptyAt = doneAt
  } else if (number === delivery.number) {
    delivery.doneAt = doneAt
    return // the same again in another quality: no time is won
  } else if (!Number.isNaN(number) && !Number.isNaN(delivery.number) && number !== delivery.number + 1) {
    // A seek: what lay in the buffer was thrown away.
    delivery.deliveredS -= Math.max(0, delivery.emptyAt - askedAt) / 1000
    delivery.emptyAt = doneAt
  } else if (doneAt > delivery.emptyAt) {
    if (askedAt < delivery.emptyAt) {
      const seconds = (doneAt - delivery.emptyAt) / 1000
      delivery.rebuffers += 1
      delivery.rebufferS += seconds
      onStall({ from: delivery.emptyAt, seconds })
    }
    delivery.emptyAt = doneAt
  }
  // CMCD v1 `bs`: the player says that it starved, where the model saw nothing.
  if (read(SEGMENT.starved) === 1 && delivery.rebuffers === rebuffersBefore) delivery.rebuffers += 1
  delivery.doneAt = doneAt
  delivery.number = number
  delivery.emptyAt += mediaS * 1000
  delivery.deliveredS += mediaS
  rate(delivery, read(SEGMENT.bitrate), mediaS)
}

function rate(delivery: Delivery, bitrate: number, mediaS: number): void {
  if (Number.isNaN(bitrate)) return
  if (!Number.isNaN(delivery.bitrate) && delivery.bitrate !== bitrate) delivery.switches += 1
  delivery.bitrate = bitrate
  if (!(delivery.peak >= bitrate)) delivery.peak = bitrate
  delivery.ratedS += mediaS
  delivery.ratedBits += mediaS * bitrate
}

export interface Estimate {
  readonly delivery: Delivery
  readonly watchedS: number
  readonly stalls: readonly Stall[]
}

/** What lies in the buffer at the last arrival was not watched yet. */
export function estimate(base: Delivery, rows: readonly number[], firstAt: number): Estimate {
  const delivery = { ...base }
  const stalls: Stall[] = []
  for (let at = 0; at < rows.length; at += SEGMENT.width) {
    deliver(delivery, rows, at, firstAt, stall => stalls.push(stall))
  }
  const bufferedS = Math.max(0, delivery.emptyAt - delivery.doneAt) / 1000
  const watchedS = delivery.started ? Math.max(0, delivery.deliveredS - bufferedS) : 0
  return { delivery, watchedS, stalls }
}
