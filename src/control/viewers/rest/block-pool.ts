// Owns memory for byte strings of changing lengths, outside of the collector's reach: blocks of 256 bytes in a few large
// buffers, chained. It has an upper bound, and freed blocks are used again; the buffers are never given back.

const BLOCK = 256
/** Number of the next block; of the first one its length too. */
const NEXT = 4
const DATA = BLOCK - NEXT
const LENGTH = 4
const CHUNK_BLOCKS = 4 * 1024
const END = 0xffff_ffff
export const NOWHERE = -1

export class BlockPool {
  readonly #chunks: Buffer[] = []
  readonly #chunksMax: number
  #free = END
  #used = 0
  #scratch: Buffer = Buffer.allocUnsafe(BLOCK * 16)

  constructor(bytesMax: number) {
    this.#chunksMax = Math.max(1, Math.floor(bytesMax / (CHUNK_BLOCKS * BLOCK)))
  }

  /** In blocks that are taken. */
  bytes(): number {
    return this.#used * BLOCK
  }

  bytesMax(): number {
    return this.#chunksMax * CHUNK_BLOCKS * BLOCK
  }

  /** Instead of what lies at `place` (NOWHERE: nothing); gives the place of it from now on. Null: it is full. */
  put(place: number, bytes: Buffer): number | null {
    const first = place === NOWHERE ? this.#take() : place
    if (first === null) return null
    let [block, from] = [first, 0]
    for (let room = DATA - LENGTH, at = NEXT + LENGTH; ; room = DATA, at = NEXT) {
      const chunk = this.#chunkOf(block)
      const start = offsetOf(block)
      const to = Math.min(bytes.length, from + room)
      bytes.copy(chunk, start + at, from, to)
      from = to
      const next = chunk.readUInt32LE(start)
      if (from === bytes.length) {
        chunk.writeUInt32LE(END, start)
        this.#freeChain(next)
        break
      }
      const follows = next === END ? this.#take() : next
      if (follows === null) {
        this.free(first)
        return null
      }
      chunk.writeUInt32LE(follows, start)
      block = follows
    }
    this.#chunkOf(first).writeUInt32LE(bytes.length, offsetOf(first) + NEXT)
    return first
  }

  /** A view that holds until the next call. */
  read(place: number): Buffer {
    const length = this.#chunkOf(place).readUInt32LE(offsetOf(place) + NEXT)
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafe(2 * length)
    let [block, from] = [place, 0]
    for (let room = DATA - LENGTH, at = NEXT + LENGTH; from < length; room = DATA, at = NEXT) {
      const chunk = this.#chunkOf(block)
      const start = offsetOf(block)
      const count = Math.min(length - from, room)
      chunk.copy(this.#scratch, from, start + at, start + at + count)
      from += count
      block = chunk.readUInt32LE(start)
    }
    return this.#scratch.subarray(0, length)
  }

  free(place: number): void {
    if (place !== NOWHERE) this.#freeChain(place)
  }

  #freeChain(first: number): void {
    for (let block = first; block !== END; ) {
      const chunk = this.#chunkOf(block)
      const next = chunk.readUInt32LE(offsetOf(block))
      chunk.writeUInt32LE(this.#free, offsetOf(block))
      this.#free = block
      this.#used -= 1
      block = next
    }
  }

  /** Ends a chain as long as nothing follows it. */
  #take(): number | null {
    if (this.#free === END && !this.#grow()) return null
    const block = this.#free
    const chunk = this.#chunkOf(block)
    this.#free = chunk.readUInt32LE(offsetOf(block))
    chunk.writeUInt32LE(END, offsetOf(block))
    this.#used += 1
    return block
  }

  #grow(): boolean {
    if (this.#chunks.length >= this.#chunksMax) return false
    const first = this.#chunks.length * CHUNK_BLOCKS
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BLOCKS * BLOCK)
    for (let at = 0; at < CHUNK_BLOCKS; at += 1) {
      chunk.writeUInt32LE(at + 1 < CHUNK_BLOCKS ? first + at + 1 : this.#free, at * BLOCK)
    }
    this.#chunks.push(chunk)
    this.#free = first
    return true
  }

  #chunkOf(block: number): Buffer {
    const chunk = this.#chunks[Math.floor(block / CHUNK_BLOCKS)]
    if (chunk === undefined) throw new RangeError(`block ${block} was never taken`)
    return chunk
  }
}

function offsetOf(block: number): number {
  return (block % CHUNK_BLOCKS) * BLOCK
}
