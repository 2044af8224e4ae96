import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type Server } from 'node:tls'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault, systemClock } from '#base'
import { dnsName, isDue, openAuthority, readJoinString, validityOf, writeJoinString } from '#trust'
import { newKeyPem, newRequestPem } from './x509.ts'

const DAY_MS = 86_400_000
const NOW_MS = 1_800_000_000_000
const scratch = (): string => mkdtempSync(join(tmpdir(), 'vitrine-trust-'))

describe('join strings', () => {
  it('come back as they were written', () => {
    const parts = fc.record({
      controlUrl: fc.webUrl({ validSchemes: ['https', 'http'] }),
      token: fc.string({ minLength: 1, maxLength: 64 }),
      pin: fc.option(fc.string({ maxLength: 64 })),
    })
    fc.assert(
      fc.property(parts, join => {
        expect(readJoinString(writeJoinString(join))).toEqual(join)
      }),
    )
  })

  it('are refused when a character is missing, changed or added, with what to do', () => {
    const text = writeJoinString({ controlUrl: 'https://control.example', token: 'x'.repeat(43), pin: 'p' })
    const broken = fc.oneof(
      fc.nat(text.length - 1).map(at => text.slice(0, at)),
      fc
        .tuple(fc.nat(text.length - 1), fc.constantFrom('a', '!', '.'))
        .map(([at, by]) => `${text.slice(0, at)}${by}${text.slice(at + 1)}`),
      fc.string({ maxLength: 3000 }),
    )
    fc.assert(
      fc.property(broken, cut => {
        if (cut === text) return
        expect(() => readJoinString(cut)).toThrow(Fault)
      }),
    )
    expect(() => readJoinString(text.slice(0, -1))).toThrow('cut or changed')
  })
})

describe('the authority', () => {
  it('keeps its key over a restart, and never shows it to others on the machine', async () => {
    const folder = scratch()
    const first = await openAuthority(folder, () => NOW_MS)
    const again = await openAuthority(folder, () => NOW_MS)
    expect(again.pin).toBe(first.pin)
    expect(again.certPem).toBe(first.certPem)
    expect(readFileSync(join(folder, 'authority.key'), 'utf8')).toContain('PRIVATE KEY')
  })

  it('signs certificates for 90 days that are due at two thirds, from a day back for hosts whose clock is behind', async () => {
    const authority = await openAuthority(scratch(), () => NOW_MS)
    const { certPem } = await authority.own()
    expect(validityOf(certPem)).toEqual({ fromMs: NOW_MS - DAY_MS, toMs: NOW_MS + 90 * DAY_MS })
    expect(isDue(certPem, NOW_MS + 59 * DAY_MS)).toBe(false)
    expect(isDue(certPem, NOW_MS + 60 * DAY_MS)).toBe(true)
  })

  it('is believed by a client that expects the name, and by nobody who expects another', async () => {
    const authority = await openAuthority(scratch(), systemClock.wallMs)
    const key = await newKeyPem()
    const cert = await authority.sign(await newRequestPem(key, 'eu-west'), [{ server: 'eu-west' }])
    const server = createServer({ key, cert }, socket => socket.end('hello'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    try {
      expect(await handshake(server, authority.certPem, dnsName({ server: 'eu-west' }))).toBe('ok')
      const asControl = await handshake(server, authority.certPem, dnsName({ role: 'control' }))
      expect(asControl).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID/)
      const other = await openAuthority(scratch(), () => NOW_MS)
      expect(await handshake(server, other.certPem, dnsName({ server: 'eu-west' }))).not.toBe('ok')
    } finally {
      server.close()
    }
  })

  it('refuses requests that are garbage, too long, or not signed by their own key', async () => {
    const authority = await openAuthority(scratch(), () => NOW_MS)
    const good = await newRequestPem(await newKeyPem(), 'x')
    const bytes = Buffer.from(good.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
    bytes[bytes.length - 4] = (bytes.at(-4) ?? 0) ^ 0xff
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    for (const request of ['', 'garbage', 'x'.repeat(9000), forged, good.slice(0, 200)]) {
      await expect(authority.sign(request, [{ server: 'x' }])).rejects.toMatchObject({
        code: 'trust-request-invalid',
      })
    }
  })
})

function handshake(server: Server, ca: string, servername: string): Promise<string> {
  const { port } = server.address() as { port: number }
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername }, () => {
      resolve('ok')
      socket.destroy()
    })
    socket.on('error', error => resolve('code' in error ? String(error.code) : error.message))
  })
}
