// Owns the pin: SHA-256 of an authority's public key, which a join string carries. Pure.
import { createHash, X509Certificate } from 'node:crypto'

/** Of SubjectPublicKeyInfo, as in RFC 7469: a renewed certificate with the same key keeps its pin. */
export function pinOf(certificate: X509Certificate | string): string {
  const { publicKey } = typeof certificate === 'string' ? new X509Certificate(certificate) : certificate
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
}
