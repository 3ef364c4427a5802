import { argon2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { checkPassword, hashPassword, requireGoodPassword } from './password.ts'

const cheapHash = (password: string): string => {
  const salt = Buffer.alloc(16, 7)
  const cost = { parallelism: 1, tagLength: 32, memory: 64, passes: 1 }
  const tag = argon2Sync('argon2id', { message: password, nonce: salt, ...cost })
  const [saltText, tagText] = [salt, tag].map((bytes) => bytes.toString('base64').replace(/=+$/, ''))
  return `$argon2id$v=19$m=64,t=1,p=1$${saltText}$${tagText}`
}

describe('a password hash', () => {
  it('is Argon2id with 19 MiB, two passes, one lane and a salt of its own', async () => {
    const [one, other] = [await hashPassword('gravel tuba ninety'), await hashPassword('gravel tuba ninety')]
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(one).not.toBe(other)
    expect(await checkPassword('gravel tuba ninety', one)).toBe('right')
    expect(await checkPassword('gravel tuba ninetY', one)).toBe('wrong')
    expect(await checkPassword('gravel tuba ninety', undefined)).toBe('wrong')
  })

  it('is right for one that was made elsewhere with less, which is said', async () => {
    expect(await checkPassword('gravel tuba ninety', cheapHash('gravel tuba ninety'))).toBe('outdated')
    expect(await checkPassword('gravel tuba', cheapHash('gravel tuba ninety'))).toBe('wrong')
  })

  it('is the same however the keyboard composes its letters', async () => {
    const hash = await hashPassword('gr\u00fcn tuba ninety')
    expect(await checkPassword('gru\u0308n tuba ninety', hash)).toBe('right')
  })

  it('refuses a flood rather than holding the memory of all of it', async () => {
    const hash = cheapHash('gravel tuba ninety')
    const flood = await Promise.allSettled(Array.from({ length: 70 }, () => checkPassword('wrong', hash)))
    const refused = flood.filter(({ status }) => status === 'rejected')
    expect(refused.length).toBe(70 - 62)
    expect(refused[0]).toMatchObject({ reason: { code: 'tooManyTries' } })
    expect(await checkPassword('gravel tuba ninety', hash)).toBe('outdated')
  })
})

describe('the rules for passwords', () => {
  it.each(['gravel tuba ninety cloud', 'xk3Q-zz8!-wm2P', 'Die Katze tritt die Treppe krumm', 'пароль не скажу никому'])(
    'take %j',
    (password) => {
      expect(() => requireGoodPassword(password, ['ann'])).not.toThrow()
    },
  )

  it.each([
    '',
    'short',
    'elevenchars',
    'aaaaaaaaaaaaaaaa',
    'abababababababab',
    'password1234',
    'P4ssw0rd!2026',
    'Welcome12345!',
    '123456789012',
    'abcdefghijklmnop',
    'qwertyuiop123'.replace('uiop', ''),
    'adminadminadmin',
    'Farthing2026!',
    'annabelle.smith1',
    'x'.repeat(201),
  ])('refuse %j', (password) => {
    expect(() => requireGoodPassword(password, ['annabelle.smith'])).toThrow(
      expect.objectContaining({ code: 'weakPassword' }),
    )
  })
})
