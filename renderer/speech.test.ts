import { expect, it } from 'vitest'
import { newLines, voiceFor } from './speech.ts'

it('takes the nearest voice, and none rather than one of another language', () => {
  const voices = [
    { lang: 'en_GB' },
    { lang: 'en-US' },
    { lang: 'de' },
    { lang: 'yue' },
    { lang: 'cmn-latn-pinyin' },
    { lang: 'ar' },
  ]
  const chosen = (language: string) => voiceFor(language, voices)?.lang
  expect(chosen('en-US')).toBe('en-US')
  expect(chosen('en')).toBe('en_GB')
  expect(chosen('de-AT')).toBe('de')
  expect(chosen('zh-Hant')).toBe('cmn-latn-pinyin')
  expect(chosen('es')).toBeUndefined()
  expect(chosen('')).toBeUndefined()
})

it('says only what is new', () => {
  const line = (text: string) => ({ text, language: 'en' })
  expect(newLines([line('a'), line('b')], [line('b'), line('c')])).toEqual([line('c')])
})
