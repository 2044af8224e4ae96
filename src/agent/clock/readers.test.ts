import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readChronySources, readChronyTracking } from './chrony.ts'
import { boundFamilies, daemonFamilies, leapPending, sourceFamilies } from './clock-families.ts'
import { configuredSources, readTimesyncdLines } from './configured-sources.ts'
import { readControlPart, readNtpVariables } from './ntp-control.ts'
import { readNtpAnswer } from './ntp-packet.ts'
import { readTimerOffsetNs } from './timer-list.ts'
import { readTimesyncd } from './timesyncd.ts'

const tracking =
  'C0A80001,192.168.0.1,3,1719791998.123456789,-0.000012345,0.000001,0.000020,-12.5,0.003,0.045,0.0102,0.0006,64.2,Normal\n'
const timesync = `ServerName=ntp.example.net
ServerAddress=192.0.2.7
NTPMessage={ Leap=1, Version=4, Mode=4, Stratum=2, Precision=-25, RootDelay=1.5ms, RootDispersion=20.1ms, Reference=C0000201, OriginateTimestamp=Sun 2026-11-22 20:05:11 UTC, Ignored=no, PacketCount=3, Jitter=1.1ms }
Frequency=-123`

describe('what daemons say', () => {
  it('chrony, with the sign turned so that ahead is positive', () => {
    const read = readChronyTracking(tracking)
    expect(read).toMatchObject({ stratum: 3, leap: 0, offsetS: 0.000012345, frequencyPpm: -12.5 })
    expect(readChronyTracking(tracking.replace('Normal', 'Insert second'))?.leap).toBe(1)
    for (const bad of ['', '506 Cannot talk to daemon\n', tracking.replace('64.2', 'x')]) {
      expect(readChronyTracking(bad)).toBeNull()
    }
    expect(readChronySources('^,*,192.0.2.1,2,6,377,12,0.1,0.1,0.01\n#,?,PHC0,0,4,0,1,0,0,0\n')).toEqual([
      { server: '192.0.2.1', selected: true, reach: 255 },
    ])
  })

  it('timesyncd', () => {
    expect(readTimesyncd(timesync)).toMatchObject({
      server: 'ntp.example.net',
      leap: 1,
      stratum: 2,
      offsetS: null,
      rootDelayS: 0.0015,
    })
    expect(readTimesyncd('ServerName=x\nNTPMessage=\n')).toBeNull()
  })

  it('ntpd and ntpsec, in milliseconds and with the other sign', () => {
    const text =
      'version="ntpd ntpsec-1.2.2", leap=01, stratum=2, rootdelay=10.5, rootdisp=20, refid=192.0.2.1, offset=-1.25, frequency=-3.1'
    expect(readNtpVariables(text)).toMatchObject({
      leap: 1,
      stratum: 2,
      offsetS: 0.00125,
      rootDelayS: 0.0105,
    })
    expect(readNtpVariables('leap=00, stratum=2')).toBeNull()
  })

  it('the kernel’s timers', () => {
    const text =
      'cpu: 0\n clock 0:\n  .offset:     0 nsecs\nactive timers:\n clock 1:\n  .index:      1\n  .offset:     1795344513299025665 nsecs\n'
    expect(readTimerOffsetNs(text)).toBe(1_795_344_513_299_025_665n)
    expect(readTimerOffsetNs('cpu: 0\n clock 0:\n  .offset: 5 nsecs\n')).toBeNull()
  })

  it('which servers the host may ask', () => {
    const files: Record<string, string> = {
      '/etc/chrony/chrony.conf':
        '# server old.example\npool 2.debian.pool.ntp.org iburst\nserver 10.0.0.1 prefer\nserver 10.0.0.2 iburst port 1123\nserver 2001:db8::1 ntsport 1 port 124\nrefclock PHC /dev/ptp0\n',
      '/etc/ntp.conf': 'server 127.127.1.0\nserver 10.0.0.1\nserver $(reboot)\n',
      '/etc/systemd/timesyncd.conf': '[Time]\n#NTP=no.example\nNTP=\nFallbackNTP=a.example b.example\n',
    }
    expect(configuredSources(file => files[file] ?? null)).toEqual([
      '2.debian.pool.ntp.org',
      '10.0.0.1',
      '10.0.0.2:1123',
      '[2001:db8::1]:124',
      'a.example',
      'b.example',
    ])
    expect(readTimesyncdLines('NTP=x\nFallbackNTP=y\n')).toEqual(['x'])
  })

  it('whatever comes, a reader gives a value or null and ends', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 4000 }),
        fc.uint8Array({ maxLength: 600 }),
        (text, bytes) => {
          for (const read of [readChronyTracking, readTimesyncd, readNtpVariables, readTimerOffsetNs])
            read(text)
          readChronySources(text)
          readControlPart(Buffer.from(bytes), 1)
          readNtpAnswer(Buffer.from(bytes), Buffer.from(bytes.subarray(0, 8)), 0)
        },
      ),
    )
  })
})

describe('clock metrics', () => {
  const kept = {
    status: 0x2001,
    state: 0,
    offset: 0,
    frequency: 0,
    maxErrorUs: 5000,
    estimatedErrorUs: 1,
    taiOffsetS: 37,
  }

  it('see a leap second that UNSYNC hides in the return code', () => {
    expect(leapPending({ status: 0x40 | 0x10 })).toBe(1)
    expect(leapPending({ status: 0x20 })).toBe(-1)
    expect(leapPending({ status: 0x40 })).toBe(0)
  })

  it('give no bound where nobody keeps the clock', () => {
    const bound = (...parameters: Parameters<typeof boundFamilies>): number | undefined =>
      boundFamilies(...parameters)[0]?.points[0]?.value
    expect(bound(null, { ...kept, status: 0x40, maxErrorUs: 16e6 })).toBeUndefined()
    expect(bound(null, kept)).toBe(0.005)
    expect(bound(readChronyTracking(tracking), { ...kept, status: 0x40 })).toBeCloseTo(0.005712345)
  })

  it('name the daemon that answers, and count those that smear', () => {
    const running = daemonFamilies(readChronyTracking(tracking))[0]?.points
    expect(running?.map(({ labels, value }) => [labels['daemon'], value])).toEqual([
      ['chrony', 1],
      ['ntp', 0],
      ['timesyncd', 0],
    ])
    const smeared = sourceFamilies([], ['time1.google.com', '192.0.2.1']).at(-1)?.points
    expect(smeared?.map(({ value }) => value)).toEqual([1, 1])
  })
})
