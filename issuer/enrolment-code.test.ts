import { describe, expect, it } from 'vitest'
import { enrolmentCode, enrolmentCodeHash } from './enrolment-code.ts'

const code = enrolmentCode(Uint8Array.from({ length: 10 }, (_, i) => i * 23 + 5))

describe('the enrolment code', () => {
  it('is 16 letters of Crockford base32 in groups of four', () => {
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/)
    expect(enrolmentCode(new Uint8Array(10))).toBe('0000-0000-0000-0000')
    expect(enrolmentCode(new Uint8Array(10).fill(255))).toBe('ZZZZ-ZZZZ-ZZZZ-ZZZZ')
  })

  it('may be typed in any case and grouping, with O for 0 and I or L for 1', () => {
    const hash = enrolmentCodeHash('0101-0101-0101-0101')
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(enrolmentCodeHash(' oIoLoIoLoIoL 0101 ')).toBe(hash)
    expect(enrolmentCodeHash(code.toLowerCase().replaceAll('-', ''))).toBe(enrolmentCodeHash(code))
  })

  it.each(['', 'AAAA', 'UUUU-UUUU-UUUU-UUUU', `${code}A`, 'é'.repeat(16), 'A'.repeat(10_000)])(
    'takes %j for no code',
    (typed) => {
      expect(enrolmentCodeHash(typed)).toBeUndefined()
    },
  )
})
