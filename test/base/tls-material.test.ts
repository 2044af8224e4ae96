import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, it } from 'vitest'
import { listen } from '#base'
import { selfSigned } from '../edge/self-signed.ts'

function shownBy(port: number, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

it('takes over a renewed certificate, keeps the old one when the new key does not fit, and shows its own by name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-tls-'))
  const [certFile, keyFile, own] = ['cert.pem', 'key.pem', 'own.pem'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const write = (pair: { cert: string; key: string }): void => {
    writeFileSync(certFile, pair.cert)
    writeFileSync(keyFile, pair.key)
  }
  const private_ = selfSigned()
  writeFileSync(own, `${private_.key}${private_.cert}`)
  write(selfSigned())
  const heard: (string | null)[] = []
  const options = {
    host: '127.0.0.1',
    port: 0,
    tls: { certFile, keyFile },
    privateTls: { file: own, suffix: '.internal' },
  }
  const listening = await listen(options, undefined, (_file, problem) => heard.push(problem))
  const changed = async (): Promise<void> => {
    const before = heard.length
    while (heard.length === before) await new Promise(resolve => void setTimeout(resolve, 50))
  }
  try {
    const first = await shownBy(listening.port, 'example.org')
    const byName = await shownBy(listening.port, 'x.internal')
    expect(byName).not.toBe(first)
    writeFileSync(keyFile, selfSigned().key)
    await changed()
    expect(heard.at(-1)).toMatch(/cannot listen over TLS/)
    expect(await shownBy(listening.port, 'example.org')).toBe(first)
    write(selfSigned())
    while (heard.at(-1) !== null) await changed()
    expect(await shownBy(listening.port, 'example.org')).not.toBe(first)
    expect(await shownBy(listening.port, 'x.internal')).toBe(byName)
  } finally {
    await listening.close()
  }
}, 40_000)
