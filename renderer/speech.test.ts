import { expect, it } from 'vitest'
import { newLines } from './speech.ts'

it('says only what is new', () => {
  const line = (text: string) => ({ text, language: 'en' })
  expect(newLines([line('a'), line('b')], [line('b'), line('c')])).toEqual([line('c')])
})
