import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseFromControl, parseToControl } from './channel.ts'
import { mayAct } from './names.ts'
import { speaks } from './version.ts'

describe('channel frames', () => {
  it('reads a message and ignores fields that it does not know', () => {
    const parsed = parseToControl('{"type":"heartbeat","sequence":1,"bootMs":2,"later":true}')
    expect(parsed).toEqual({ kind: 'message', message: { type: 'heartbeat', sequence: 1, bootMs: 2 } })
  })

  it('tells an unknown type from a broken message', () => {
    expect(parseFromControl('{"type":"from-the-future"}')).toEqual({
      kind: 'unknown-type',
      type: 'from-the-future',
    })
    expect(parseFromControl('{"type":"time-reply","t1":"x"}')).toMatchObject({ kind: 'invalid' })
    expect(parseFromControl('{')).toEqual({ kind: 'invalid', problem: 'not JSON' })
  })

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => {
        expect(['message', 'unknown-type', 'invalid']).toContain(parseToControl(text).kind)
      }),
    )
  })
})

describe('versions', () => {
  it('speaks with a neighbour one minor version away, and with no other major', () => {
    expect(speaks({ major: 1, minor: 3 }, { major: 1, minor: 4 })).toBe(true)
    expect(speaks({ major: 1, minor: 3 }, { major: 1, minor: 2 })).toBe(true)
    expect(speaks({ major: 1, minor: 3 }, { major: 1, minor: 5 })).toBe(false)
    expect(speaks({ major: 1, minor: 0 }, { major: 2, minor: 0 })).toBe(false)
  })
})

describe('roles', () => {
  it('lets an admin do what an operator may, and not the other way round', () => {
    expect(mayAct('admin', 'operator')).toBe(true)
    expect(mayAct('viewer', 'operator')).toBe(false)
  })
})
