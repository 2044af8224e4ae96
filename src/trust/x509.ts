// Owns the X.509 library: that it has what it needs, and the algorithms that we use. Nothing else imports it.
import 'reflect-metadata' // the library's dependency injection needs it, before its own first line
import { createPrivateKey, createPublicKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { messageOf } from '#base'
import { trustFaults } from './faults.ts'

x509.cryptoProvider.set(webcrypto)

/** Small, quick, and taken by every TLS library. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const CSR_CHARACTERS_MAX = 8192
const DAY_MS = 86_400_000
/** A new certificate is valid on a host whose clock is behind by this much. */
const BACKDATED_MS = DAY_MS

/** A fresh private key, PKCS #8 in PEM. */
export async function newKeyPem(): Promise<string> {
  const { privateKey } = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey))
  return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()
}

/** A root that may sign leaves and nothing below them. */
export async function newAuthority(keyPem: string, nowMs: number, days: number): Promise<string> {
  const keys = await importPair(keyPem)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=Vitrine private authority ${randomBytes(3).toString('hex')}`,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

/** A request for a certificate: the public key, signed by its private half. Names are the signer's to give. */
export async function newRequestPem(keyPem: string, commonName: string): Promise<string> {
  const keys = await importPair(keyPem)
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: ALGORITHM,
  })
  return `${request.toString('pem')}\n`
}

export interface LeafOptions {
  readonly requestPem: string
  readonly commonName: string
  readonly dnsNames: readonly string[]
  readonly nowMs: number
  readonly days: number
}

/** Signs a leaf for servers and clients. Of the request only its key counts. Fault: `trust-request-invalid`. */
export async function signLeaf(
  authority: { readonly keyPem: string; readonly certPem: string },
  options: LeafOptions,
): Promise<string> {
  const { requestPem, commonName, dnsNames, nowMs, days } = options
  const publicKey = await requestedKey(requestPem)
  const { privateKey } = await importPair(authority.keyPem)
  const root = new x509.X509Certificate(authority.certPem)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: `CN=${commonName}`,
    issuer: root.subject,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey,
    signingKey: privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(dnsNames.map(value => ({ type: 'dns', value }))),
      await x509.AuthorityKeyIdentifierExtension.create(root.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

async function requestedKey(requestPem: string): Promise<webcrypto.CryptoKey> {
  if (requestPem.length > CSR_CHARACTERS_MAX) {
    throw invalid(`${requestPem.length} characters, expected at most ${CSR_CHARACTERS_MAX}`)
  }
  try {
    const request = new x509.Pkcs10CertificateRequest(requestPem)
    const key = await request.publicKey.export(ALGORITHM, ['verify'])
    if (!(await request.verify())) throw invalid('its signature does not match its key')
    return key
  } catch (error) {
    if (error instanceof Error && error.name === 'Fault') throw error
    throw invalid(messageOf(error))
  }
}

function invalid(problem: string): Error {
  return trustFaults.fault('trust-request-invalid', `the certificate request cannot be used: ${problem}`)
}

async function importPair(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const key = createPrivateKey(keyPem)
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const { subtle } = webcrypto
  return {
    privateKey: await subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']),
    publicKey: await subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
  }
}

/** 159 random bits, positive (RFC 5280 section 4.1.2.2). */
function newSerial(): string {
  const bytes = randomBytes(20)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

/** From when to when a certificate in PEM is valid, ms since 1970. */
export function validityOf(certPem: string): { readonly fromMs: number; readonly toMs: number } {
  const { validFrom, validTo } = new X509Certificate(certPem)
  return { fromMs: Date.parse(validFrom), toMs: Date.parse(validTo) }
}
