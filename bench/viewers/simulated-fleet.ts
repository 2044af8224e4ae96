// Owns a fleet of simulated viewers for the comparison's bench: sessions that come, stall and go, turn by turn; nothing of
// it is known to the comparison but which session was hit when. Everything follows from the seed.
import { cellAt, channels, DistinctWindow, type EdgeCounts, NEVER, TURN_MS } from '#control'

export const EDGES = 10
/** Permanently worse by two points: a region with a poor last mile. */
export const POOR_EDGE = 7
const TURN_S = TURN_MS / 1000
const DAY_S = 86_400
const TITLES = 3
const NETWORKS = 2
/** Mean length of a session; exponentially distributed. */
const SESSION_S = 1800
const STALL_S = 2.5
/** With RATE_MAX and the waves they come to 0.3 % and two points more. */
const BASE_RATIO = 0.0031
const POOR_RATIO = 0.0275
const EXTRA_RATIO = 0.03
/** Of the log-normal by which sessions differ in stalls: with 1.8 one session in twenty has half of all stalls. */
const SESSION_SIGMA = 1.8
/** A slow edge hits all of its viewers, some more. */
const EXTRA_SIGMA = 0.5
/** No session stalls more often than this. */
const RATE_MAX = 0.2
/** Networks differ: mobile stalls three times as much, and edges have more or less of it. */
const MOBILE_TIMES = 3
/** Players, the edge's channel and the second's turn: a stall is known so much later, s. */
const KNOWN_AFTER_S = [0.5, 3] as const
const HORIZON = 4096

interface Viewer {
  readonly edge: number
  readonly stratum: number
  /** Stalls a second, without waves. */
  readonly rate: number
  readonly extra: number
  hit: number
  ended: boolean
}

export interface FleetSize {
  readonly viewers: number
  readonly seed: number
  /** Of the day, s. */
  readonly fromS: number
}

interface Cell {
  here: number
  /** Left within each turn, for the windows. */
  readonly left: DistinctWindow
  readonly hit: DistinctWindow
}

export class SimulatedFleet {
  readonly #random: () => number
  readonly #size: FleetSize
  readonly #cells: Cell[][]
  readonly #wheel: Map<number, { viewer: Viewer; kind: 'stall' | 'extra' | 'end' | 'known' }[]> = new Map()
  readonly #here: Set<Viewer>[] = Array.from({ length: EDGES }, () => new Set())
  readonly #entries = new Int32Array(EDGES)
  #turn = 0
  #slow: number | null = null
  /** Seconds since the start: the first stall that the slow-down made. */
  firstExtraS: number | null = null

  constructor(size: FleetSize) {
    this.#size = size
    this.#random = randomOf(size.seed)
    this.#cells = Array.from({ length: EDGES }, () =>
      Array.from({ length: TITLES * NETWORKS }, () => ({
        here: 0,
        left: new DistinctWindow(),
        hit: new DistinctWindow(),
      })),
    )
    for (let edge = 0; edge < EDGES; edge += 1) {
      const many = this.#poisson(size.viewers * this.#crowd(edge))
      for (let each = 0; each < many; each += 1) this.#enter(edge)
    }
  }

  get nowMs(): number {
    return (this.#size.fromS + this.#turn * TURN_S) * 1000
  }

  slow(edge: number): void {
    this.#slow = edge
    for (const viewer of this.#here[edge] ?? []) this.#next(viewer, 'extra', 0)
  }

  turn(): Map<string, EdgeCounts> {
    this.#turn += 1
    this.#entries.fill(0)
    for (const { left, hit } of this.#cells.flat()) {
      left.advance(this.#turn)
      hit.advance(this.#turn)
    }
    for (let edge = 0; edge < EDGES; edge += 1) {
      const come = this.#poisson((this.#size.viewers * this.#crowd(edge) * TURN_S) / SESSION_S)
      for (let each = 0; each < come; each += 1) this.#enter(edge)
    }
    const due = this.#wheel.get(this.#turn) ?? []
    for (const event of due) this.#happen(event.viewer, event.kind)
    this.#wheel.delete(this.#turn)
    return this.#counts()
  }

  #counts(): Map<string, EdgeCounts> {
    const counts = new Map<string, EdgeCounts>()
    for (const [edge, own] of this.#cells.entries()) {
      const cells = new Float64Array(own.length * channels.length * 2)
      for (const [stratum, cell] of own.entries()) {
        for (const [at, { measure, turns }] of channels.entries()) {
          if (measure !== 'rebuffering') continue
          cells[cellAt(stratum, at)] = cell.here + cell.left.count(turns)
          cells[cellAt(stratum, at) + 1] = cell.hit.count(turns)
        }
      }
      counts.set(`edge-${edge}`, { cells, entries: this.#entries[edge] ?? 0 })
    }
    return counts
  }

  #enter(edge: number): void {
    const random = this.#random
    const isMobile = random() < 0.2 + 0.4 * (edge / (EDGES - 1))
    const stratum = Math.floor(random() * TITLES) * NETWORKS + Number(isMobile)
    const frailty = Math.exp(SESSION_SIGMA * this.#normal() - SESSION_SIGMA ** 2 / 2)
    const ratio = (BASE_RATIO * (isMobile ? MOBILE_TIMES : 1)) / (1 + (MOBILE_TIMES - 1) * 0.4)
    const own = ratio + (edge === POOR_EDGE ? POOR_RATIO : 0)
    const viewer: Viewer = {
      edge,
      stratum,
      rate: Math.min(RATE_MAX, (own * frailty) / STALL_S),
      extra: (EXTRA_RATIO * Math.exp(EXTRA_SIGMA * this.#normal() - EXTRA_SIGMA ** 2 / 2)) / STALL_S,
      hit: NEVER,
      ended: false,
    }
    const cell = this.#cells[edge]?.[stratum]
    if (cell === undefined) return
    cell.here += 1
    this.#here[edge]?.add(viewer)
    this.#entries[edge] = (this.#entries[edge] ?? 0) + 1
    this.#at(Math.ceil(-Math.log(1 - random()) * SESSION_S), viewer, 'end')
    this.#next(viewer, 'stall', 0)
    if (this.#slow === edge) this.#next(viewer, 'extra', 0)
  }

  #next(viewer: Viewer, kind: 'stall' | 'extra', afterS: number): void {
    const rate = kind === 'stall' ? viewer.rate * WAVE_MAX : viewer.extra
    this.#at(afterS - Math.log(1 - this.#random()) / rate, viewer, kind)
  }

  #at(afterS: number, viewer: Viewer, kind: 'stall' | 'extra' | 'end' | 'known'): void {
    const turns = Math.max(1, Math.ceil(afterS / TURN_S))
    // Nobody stays for so long: a stall beyond it never comes, an end comes then.
    if (turns >= HORIZON && kind !== 'end') return
    const turn = this.#turn + Math.min(HORIZON, turns)
    const list = this.#wheel.get(turn)
    if (list === undefined) this.#wheel.set(turn, [{ viewer, kind }])
    else list.push({ viewer, kind })
  }

  #happen(viewer: Viewer, kind: 'stall' | 'extra' | 'end' | 'known'): void {
    if (viewer.ended) return
    const { edge, stratum } = viewer
    const cell = this.#cells[edge]?.[stratum]
    if (cell === undefined) return
    if (kind === 'end') {
      viewer.ended = true
      cell.here -= 1
      cell.left.happens(NEVER)
      this.#here[edge]?.delete(viewer)
      return
    }
    if (kind === 'known') {
      viewer.hit = cell.hit.happens(viewer.hit)
      return
    }
    const isReal = kind === 'extra' || this.#random() * WAVE_MAX < this.#stallWave(edge)
    if (!isReal) return this.#next(viewer, kind, 0)
    const seconds = STALL_S * -Math.log(1 - this.#random())
    if (kind === 'extra') this.firstExtraS ??= this.#turn * TURN_S - this.#random() * TURN_S
    const [least, most] = KNOWN_AFTER_S
    const known = least + (most - least) * this.#random()
    // The turn in which it happened has just been: what is known within it is in this one.
    if (known < TURN_S * this.#random()) viewer.hit = cell.hit.happens(viewer.hit)
    else this.#at(known, viewer, 'known')
    this.#next(viewer, kind, seconds)
  }

  /** Crowds by the time of day; three groups of edges lie four hours apart. */
  #crowd(edge: number): number {
    return 1 + 0.6 * Math.sin(this.#phase(edge))
  }

  /** Evenings stall more than nights, by a factor of three, each in its own zone. */
  #stallWave(edge: number): number {
    return 1 + 0.5 * Math.sin(this.#phase(edge) - 0.3)
  }

  #phase(edge: number): number {
    const s = this.#size.fromS + this.#turn * TURN_S + (edge % 3) * 4 * 3600
    return (2 * Math.PI * s) / DAY_S
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random())
  }

  #poisson(mean: number): number {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#normal()))
    let [count, product] = [0, this.#random()]
    for (const limit = Math.exp(-mean); product > limit; count += 1) product *= this.#random()
    return count
  }
}

const WAVE_MAX = 1.5

/** sfc32 (Doty-Humphrey), seeded by mixing one number. */
function randomOf(seed: number): () => number {
  let [a, b, c, d] = [seed | 0, (seed * 0x9e3779b1) | 0, 0x243f6a88, 1]
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4294967296
  }
  for (let round = 0; round < 16; round += 1) next()
  return next
}
