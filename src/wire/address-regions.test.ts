import { BlockList, isIP } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REGION_LINES_MAX, readAddress, readRegions, readRegionsInSteps } from './address-regions.ts'

function regionOf(text: string, address: string): string | null {
  const read = readRegions(text)
  if (read.kind === 'invalid') throw new Error(`${read.line}: ${read.problem}`)
  return read.regions.regionOf(address)
}

/** Mostly near each other, so that prefixes overlap. */
const v4 = fc
  .tuple(
    fc.constantFrom(10, 192),
    fc.constantFrom(0, 1, 128),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 255 }),
  )
  .map(parts => parts.join('.'))
const group = fc.constantFrom('0', '1', 'abcd', 'ffff')
const v6 = fc.oneof(
  fc.array(group, { minLength: 8, maxLength: 8 }).map(groups => groups.join(':')),
  fc
    .tuple(fc.array(group, { maxLength: 3 }), fc.array(group, { maxLength: 3 }))
    .map(([a, b]) => `${a.join(':')}::${b.join(':')}`),
)

/** The network of an address, written out in full. */
function network(address: string, length: number): string {
  const read = readAddress(address)
  if (read === null) throw new Error(address)
  const part = Math.min(length, read.bits)
  const value = (BigInt(read.value) >> BigInt(read.bits - part)) << BigInt(read.bits - part)
  if (read.bits === 32) {
    return `${[24n, 16n, 8n, 0n].map(shift => (value >> shift) & 255n).join('.')}/${part}`
  }
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16),
  )
  return `${groups.join(':')}/${part}`
}

describe('regions by address', () => {
  it('takes the longest prefix, whatever the order of lines, and reads comments and blanks', () => {
    const table =
      '# ours\n10.0.0.0/8 far\n\n10.1.0.0/16 near # the office\n2001:db8::/32 far\n::/0 rest\r\n10.1.2.3 one\n'
    expect(['10.2.0.1', '10.1.0.1', '10.1.2.3', '11.0.0.1'].map(ip => regionOf(table, ip))).toEqual([
      'far',
      'near',
      'one',
      null,
    ])
    expect(
      ['2001:db8::1', '2002::', '::ffff:10.1.0.1', 'no address', ''].map(ip => regionOf(table, ip)),
    ).toEqual(['far', 'rest', 'near', null, null])
  })

  it('finds what a scan over all lines finds (property, against the networks of Node)', () => {
    const line = fc.tuple(
      fc.oneof(v4, v6).filter(address => !(address.includes(':') && readAddress(address)?.bits === 32)),
      fc.integer({ min: 0, max: 128 }),
      fc.constantFrom('a', 'b', 'c'),
    )
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 40 }),
        fc.array(fc.oneof(v4, v6), { maxLength: 20 }),
        (lines, asked) => {
          const unique = new Map(lines.map(([address, length, region]) => [network(address, length), region]))
          const read = readRegions([...unique].map(([cidr, region]) => `${cidr} ${region}`).join('\n'))
          if (read.kind === 'invalid') throw new Error(read.problem)
          for (const address of asked) {
            // A mapped address is the IPv4 one here, and an IPv6 one for Node.
            if (address.includes(':') && readAddress(address)?.bits === 32) continue
            const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
            let best: { length: number; region: string } | null = null
            for (const [cidr, region] of unique) {
              const [net = '', length = ''] = cidr.split('/')
              const list = new BlockList()
              list.addSubnet(net, Number(length), net.includes(':') ? 'ipv6' : 'ipv4')
              if (net.includes(':') !== (family === 'ipv6') || !list.check(address, family)) continue
              if (best === null || Number(length) > best.length) best = { length: Number(length), region }
            }
            expect(read.regions.regionOf(address)).toBe(best?.region ?? null)
          }
          // What edges are told is the same table.
          const again = readRegions(read.text)
          expect(again.kind === 'regions' && again.regions.lines).toBe(unique.size)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('reads an address exactly when Node does (property)', () => {
    const text = fc.oneof(v4, v6, fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,20}$/))
    fc.assert(
      fc.property(text, address => {
        expect(readAddress(address) !== null).toBe(isIP(address) !== 0)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['10.0.0.0/8', 1, /expected a network and a region/],
    ['10.0.0.0/8 a\n10.0.0.1/8 b', 2, /bits beyond its prefix/],
    ['10.0.0.0/33 a', 1, /from 0 to 32/],
    ['10.0.0.0/-1 a', 1, /from 0 to 32/],
    ['::/129 a', 1, /from 0 to 128/],
    ['10.0.0/8 a', 1, /no IPv4 or IPv6/],
    ['10.0.0.0/8/8 a', 1, /no IPv4 or IPv6/],
    ['10.0.0.0/8 a b', 1, /expected a network and a region/],
    [`10.0.0.0/8 ${'x'.repeat(65)}`, 1, /more than 64/],
    ['10.0.0.0/8 a\n\n10.0.0.0/8 b', 3, /given to a above/],
  ])('refuses %s and says where', (text, line, problem) => {
    expect(readRegions(text)).toMatchObject({
      kind: 'invalid',
      line,
      problem: expect.stringMatching(problem),
    })
  })

  it('is bounded', () => {
    const lines = Array.from(
      { length: REGION_LINES_MAX + 1 },
      (_, n) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255} a`,
    )
    expect(readRegions(lines.join('\n'))).toMatchObject({ kind: 'invalid', line: REGION_LINES_MAX + 1 })
    expect(readRegions(lines.slice(1).join('\n')).kind).toBe('regions')
  })
})

describe('a table that is read in steps', () => {
  const lines = Array.from({ length: 5000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24 r${at % 7}`)

  it('says the same as one that is read at once, and lets others in between', async () => {
    let pauses = 0
    const read = await readRegionsInSteps(lines.join('\n'), async () => {
      pauses += 1
    })
    const whole = readRegions(lines.join('\n'))
    if (read.kind !== 'regions' || whole.kind !== 'regions') throw new Error('it is a good table')
    expect([read.text, read.regions.lines, pauses]).toEqual([whole.text, 5000, 5])
    expect(read.regions.regionOf('10.3.4.5')).toBe(whole.regions.regionOf('10.3.4.5'))
  })

  it('is refused as a whole for its last line', async () => {
    expect(await readRegionsInSteps([...lines, '10.0.0.0/33 x'].join('\n'), async () => undefined)).toEqual({
      kind: 'invalid',
      line: 5001,
      problem: '10.0.0.0/33: expected a prefix length from 0 to 32',
    })
  })
})
