import { describe, expect, it } from 'vitest'
import { compareFacts, factKey, readDpkgStatus, readOsName, timeSourceOf } from './facts.ts'

const STATUS = `Package: openssl
Status: install ok installed
Architecture: amd64
Version: 3.0.15-1

Package: removed
Status: deinstall ok config-files
Version: 1

Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.36-9
`

describe('facts of a host', () => {
  it('reads installed packages, those of two architectures apart, and nothing of damaged lists', () => {
    expect([...readDpkgStatus(STATUS)]).toEqual([
      ['openssl', '3.0.15-1'],
      ['libc6', '2.36-9'],
      ['libc6:i386', '2.36-9'],
    ])
    expect(readDpkgStatus('Package: x\n\n\n\nVersion').size).toBe(0)
  })

  it('names the system and who keeps time', () => {
    expect(readOsName('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')).toBe(
      'Debian GNU/Linux 12 (bookworm)',
    )
    expect(readOsName('ID=x')).toBeNull()
    expect(timeSourceOf(['bash', 'chronyd', 'ntpd'])).toBe('chronyd, ntpd')
    expect(timeSourceOf([])).toBe('none')
  })
})

describe('changes', () => {
  const before = new Map([
    [factKey('package', 'openssl'), '3.0.15'],
    [factKey('package', 'gone'), '1'],
    [factKey('process', 'server'), '12 900'],
    [factKey('kernel', 'linux'), '6.1.0-21'],
  ])

  it('tells what is new, changed and gone, and of a restart only that it was', () => {
    const after = new Map([
      [factKey('package', 'openssl'), '3.0.16'],
      [factKey('package', 'fresh'), '2'],
      [factKey('process', 'server'), '13 2000'],
      [factKey('kernel', 'linux'), '6.1.0-21'],
    ])
    expect(compareFacts(before, after, 1000.4)).toEqual([
      { kind: 'package', subject: 'openssl', from: '3.0.15', to: '3.0.16', at: 1000 },
      { kind: 'package', subject: 'fresh', from: null, to: '2', at: 1000 },
      { kind: 'process', subject: 'server', from: null, to: null, at: 1000 },
      { kind: 'package', subject: 'gone', from: '1', to: null, at: 1000 },
    ])
    expect(compareFacts(after, after, 0)).toEqual([])
  })

  it('takes what was never looked at before, or cannot be read now, for no change', () => {
    const more = new Map([...before, [factKey('certificate', '/c.pem'), 'ab until 2026']])
    expect(compareFacts(before, more, 0)).toEqual([])
    const unreadable = new Map([...before].filter(([key]) => !key.startsWith('package')))
    expect(compareFacts(before, unreadable, 0)).toEqual([])
  })
})
