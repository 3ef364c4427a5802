import { describe, expect, it } from 'vitest'
import { idleOf, idleWarningMs, rests } from './idle.ts'

describe('idleOf', () => {
  it.each(['attract', 'pay', 'recover', 'out-of-service'] as const)('leaves %s alone for ever', (screen) => {
    expect(idleOf(screen, Number.MAX_SAFE_INTEGER)).toEqual({ name: 'patient' })
  })

  it.each(['catalogue', 'item', 'approved', 'goods', 'declined', 'balance'] as const)(
    'warns for twenty seconds before %s ends',
    (screen) => {
      const warning = Array.from({ length: 300 }, (_, second) => idleOf(screen, second * 1000)).findIndex(
        (idle) => idle.name === 'warning',
      )
      expect(warning).toBeGreaterThan(30)
      expect(idleOf(screen, warning * 1000)).toEqual({ name: 'warning', secondsLeft: idleWarningMs / 1000 })
      expect(idleOf(screen, warning * 1000 + idleWarningMs - 1)).toEqual({ name: 'warning', secondsLeft: 1 })
      expect(idleOf(screen, warning * 1000 + idleWarningMs)).toEqual({ name: 'over' })
    },
  )
})

describe('rests', () => {
  const longMs = 11 * 60_000

  it('is for the night, and for when nobody came for ten minutes', () => {
    expect([21, 22, 23, 0, 5, 6].map((hour) => rests({ untouchedMs: longMs, hour }))).toEqual([
      ...[false, true, true],
      ...[true, true, false],
    ])
    expect(rests({ untouchedMs: 0, hour: 23 })).toBe(false)
    expect(rests({ untouchedMs: 10 * 60_000, hour: 23 })).toBe(false)
  })
})
