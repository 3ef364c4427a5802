import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  articleCharactersMax,
  articleMarksMax,
  type Block,
  blocksOf,
  plainLinesMax,
  plainOf,
  type Span,
} from './markdown.ts'

const plain = (text: string, at = 0): Span => ({ style: 'plain', text, at })

function spansOfBlock(block: Block): readonly Span[] {
  if (block.name === 'rule') return []
  return block.name === 'list' ? block.items.flat() : block.spans
}

describe('blocksOf', () => {
  it('reads headings, paragraphs, quotations and rules', () => {
    expect(blocksOf('# One\nText\nof it\n\n> said\n> so\n\n---\n\n### Three ###')).toEqual([
      { name: 'heading', level: 1, spans: [plain('One')] },
      { name: 'paragraph', spans: [plain('Text of it')] },
      { name: 'quotation', spans: [plain('said so')] },
      { name: 'rule' },
      { name: 'heading', level: 3, spans: [plain('Three')] },
    ])
  })

  it('reads lists, with items over several lines', () => {
    expect(blocksOf('- one\n  and a half\n- two')).toEqual([
      { name: 'list', ordered: false, items: [[plain('one and a half')], [plain('two')]] },
    ])
    expect(blocksOf('1. one\r\n2. two')[0]).toMatchObject({ name: 'list', ordered: true })
  })

  it('reads emphasis, and leaves words_with_underscores and lone stars alone', () => {
    const [block] = blocksOf('a **b** *c* _d_ `e` f_g_h 2 * 3')
    expect(block?.name === 'paragraph' ? block.spans.map(({ style, text }) => `${style}:${text}`) : []).toEqual([
      'plain:a ',
      'strong:b',
      'plain: ',
      'emphasis:c',
      'plain: ',
      'emphasis:d',
      'plain: ',
      'code:e',
      'plain: f_g_h 2 * 3',
    ])
  })

  it('shows HTML and links as the text they are', () => {
    const text = '<script>alert(1)</script> [here](javascript:alert(1))'
    expect(blocksOf(text)).toEqual([{ name: 'paragraph', spans: [plain(text)] }])
  })

  it('takes a time in proportion to the length, and no depth, whatever stands there', () => {
    const half = 'a'.repeat(10)
    for (const text of [
      '# a\n'.repeat(200_000),
      `# ${half}${' '.repeat(500_000)}${half}`,
      `#${' '.repeat(500_000)}a\u2028b`,
      `${'*'.repeat(500_000)}a`,
      `${'_a'.repeat(400_000)}`,
    ]) {
      const startMs = performance.now()
      expect(blocksOf(text).length).toBeGreaterThan(0)
      expect(performance.now() - startMs).toBeLessThan(5000)
    }
  })

  it.each([
    ['one paragraph', '*a* '],
    ['many', '*a*\n\n'],
    ['a list', '- *a*\n'],
    ['headings', '# *a*\n'],
    ['quotations', '> *a*\n\n'],
  ])('marks so many words of an article and shows the others as they are written, in %s', (_name, part) => {
    // Lines have a limit of their own, so that there are several marks to a line.
    const text = part.replace('*a*', '*a* '.repeat(5)).repeat(articleMarksMax / 4)
    const spans = blocksOf(text).flatMap(spansOfBlock)
    expect(spans.filter(({ style }) => style !== 'plain')).toHaveLength(articleMarksMax)
    expect(spans.at(-1)).toMatchObject({ style: 'plain', text: expect.stringMatching(/\*a\*$/) })
    expect(spans.length).toBeLessThan(3 * articleMarksMax)
  })

  it('reads any text at all', () => {
    const letters = fc.string({ unit: fc.constantFrom('#', '*', '_', '`', '>', '-', '1', '.', ' ', '\n', 'a') })
    fc.assert(
      fc.property(letters, (text) => {
        for (const block of blocksOf(text)) for (const span of spansOfBlock(block)) expect(span.text).not.toBe('')
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['headings', '# a\n'],
    ['closing marks', '#'],
    ['spaces', ' '],
    ['stars', '*a '],
    ['underscores', ' _a_b'],
    ['quotations', '> '],
    ['list marks', '1. '],
    ['empty lines', ' \n\t\n'],
  ])('reads an article of nothing but %s in a moment', (_name, part) => {
    const begun = performance.now()
    blocksOf(`# a${part.repeat(articleCharactersMax / part.length)}b`)
    blocksOf(`x\n${part.repeat(articleCharactersMax / part.length)}b`)
    expect(performance.now() - begun).toBeLessThan(5000)
  })
})

describe('plainOf', () => {
  it('is the text as it stands, as far as a page can lay it out', () => {
    expect(plainOf('# One\r\n *two*\n')).toBe('# One\r\n *two*\n')
    expect(plainOf('w'.repeat(articleCharactersMax + 1))).toHaveLength(articleCharactersMax)
    expect(plainOf('\n'.repeat(plainLinesMax * 2)).split('\n')).toHaveLength(plainLinesMax)
  })
})
