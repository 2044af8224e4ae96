// Owns a certificate that nobody vouches for.
import 'reflect-metadata'
import { type KeyObject, webcrypto } from 'node:crypto'
import { X509CertificateGenerator } from '@peculiar/x509'

export async function makeSelfSigned(privateKey: KeyObject): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  const own = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign'])
  const { kty, crv, x, y } = await webcrypto.subtle.exportKey('jwk', own)
  const jwk = { kty, crv, x, y } as webcrypto.JsonWebKey
  const publicKey = await webcrypto.subtle.importKey('jwk', jwk, algorithm, true, ['verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=test',
    keys: { privateKey: own, publicKey },
    signingAlgorithm: algorithm,
  })
  return certificate.toString('pem')
}
