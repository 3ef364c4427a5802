import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { pictureOf } from './pictures.ts'

const open = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 80">'
const svg = (inside: string) => `${open}${inside}</svg>`
const read = (text: string) => pictureOf({ name: 'a.svg', bytes: new TextEncoder().encode(text), bytesMax: 2 ** 19 })

/** Each level has ten of the one below. */
const levels = (count: number, first: string, level: (of: number) => string): string =>
  `<defs>${first}${Array.from({ length: count }, (_, of) => level(of)).join('')}</defs>`
const ten = (text: string) => text.repeat(10)
const png = (width: number) => {
  const bytes = Buffer.alloc(40)
  bytes.write('\x89PNG\r\n\x1a\n', 0, 'latin1')
  bytes.write('IHDR', 12, 'latin1')
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(9, 20)
  return `<image href="data:image/png;base64,${bytes.toString('base64')}"/>`
}

// Each of these held Chromium for many seconds, or without end.
test.each([
  [
    'copies of copies',
    `${levels(9, '<circle id="a0" r="1"/>', (of) => `<g id="a${of + 1}">${ten(`<use href="#a${of}"/>`)}</g>`)}<use href="#a9"/>`,
  ],
  [
    'copies of copies, by a number with many noughts',
    `${levels(9, '<circle id="a0" r="1"/>', (of) => `<g id="&#x00000061;${of + 1}">${ten(`<use href="#a${of}"/>`)}</g>`)}<use href="#a9"/>`,
  ],
  [
    'copies of copies, in other letters',
    `${levels(9, '<circle id="a0" r="1"/>', (of) => `<g id="a${of + 1}">${ten(`<use xlink:href="&#35;a${of}"/>`)}</g>`)}<use href=" #a9"/>`,
  ],
  [
    'masks of masks',
    `${levels(7, '<mask id="m0"><circle r="9"/></mask>', (of) => `<mask id="m${of + 1}">${ten(`<rect mask="url(#m${of})"/>`)}</mask>`)}<rect mask="url( '#m7' )"/>`,
  ],
  [
    'patterns of patterns, handed down by a group',
    `${levels(6, '<pattern id="p0"><circle r="9"/></pattern>', (of) => `<pattern id="p${of + 1}"><g style="fill:url(#p${of})">${ten('<rect/>')}</g></pattern>`)}<rect fill="url(#p6)"/>`,
  ],
  [
    'patterns handed down to copies',
    `<pattern id="p">${'<path/>'.repeat(500)}</pattern><defs><g id="a">${'<path/>'.repeat(500)}</g></defs><use href="#a" fill="url(#p)"/>`,
  ],
  [
    'patterns handed down to other patterns',
    `<g stroke="url(#p)"><pattern id="p"><path/></pattern><pattern id="q">${ten('<path/>')}</pattern></g>${ten('<rect fill="url(#q)"/>')}`,
  ],
  [
    'patterns handed down by another name',
    `<pattern id="p"><path/></pattern><g style="--a: url(#p)"><rect fill="var(--a)"/></g>`,
  ],
  [
    'masks that are asked for again',
    `<mask id="m">${'<path/>'.repeat(500)}</mask><g mask="url(#m)">${'<rect mask="inherit"/>'.repeat(500)}</g>`,
  ],
  ['masks by a style sheet', '<style>rect{mask:url(#m)}</style><mask id="m"><rect/></mask><rect/>'],
  ['a circle of references', '<g id="a"><use href="#a"/></g>'],
  ['a hundred blurs', '<g style="filter:blur(40px)"><circle r="90"/></g>'.repeat(100)],
  ['a hundred blurs by a style sheet', `<style>/* {} */g{/**/filter/**/:blur(40px)}</style>${'<g/>'.repeat(100)}`],
  ['thirty thousand shapes', '<path/>'.repeat(30_000)],
  ['groups in groups', `${'<g>'.repeat(1000)}${'</g>'.repeat(1000)}`],
])('%s are more than a kiosk can draw', (_name, inside) => {
  expect(() => read(svg(inside))).toThrow('too long to draw')
})

test.each([
  ['a filter without end', '<filter id="f"><feTurbulence numOctaves="200"/></filter><rect filter="url(#f)"/>'],
  ['what moves', '<circle r="9"><animate attributeName="r" to="1"/></circle>'],
  ['another name for its elements', '<g xmlns:x="http://www.w3.org/2000/svg"><x:use href="#a"/></g>'],
  ['an id in other letters', '<g id="a"><path/></g><use href="#%61"/>'],
  ['an id with a blank', '<mask id="m n"><path/></mask><rect mask="url(\'#m n\')"/>'],
  ['an id with a bracket', '<mask id="m)n"><path/></mask><rect mask="url(\'#m)n\')"/>'],
  ['escapes', '<rect mask="\\75rl(#m)"/>'],
  ['a sheet that hands on what is not handed down', '<style>rect{mask:inherit}</style><g mask="url(#m)"><rect/></g>'],
  ['a sheet from elsewhere', '<style>@import "https://x.example/a.css"</style>'],
  ['an address from elsewhere', '<rect fill="url(https://x.example/a)"/>'],
  ['an address in other letters', '<image href="&#104;ttps://x.example/a.png"/>'],
])('%s is more than a picture', (_name, inside) => {
  expect(() => read(svg(inside))).toThrow('more than a picture')
})

test('a picture within it is as large as a picture may be, and none that unfolds again', () => {
  expect(read(svg(png(2048)))).toMatchObject({ mediaType: 'image/svg+xml', width: 100, height: 80 })
  expect(() => read(svg(png(30_000)))).toThrow('has a picture in it that has 30000')
  const named = png(30_000).replace('href', 'xmlns:y="http://www.w3.org/1999/xlink" y:href')
  expect(() => read(svg(named))).toThrow('has a picture in it that has 30000')
  const inner = Buffer.from(svg('<rect/>')).toString('base64')
  expect(() => read(svg(`<image href="data:image/svg+xml;base64,${inner}"/>`))).toThrow('a picture in it that is no')
})

test.each([
  ['comments without a picture', '<!-- -->'.repeat(40_000)],
  ['comments that do not end', '<!--'.repeat(100_000)],
  ['a tag that does not end', `${open}<rect ${'a'.repeat(400_000)}`],
  ['a tag of one word', `${open}<rect ${'a'.repeat(200_000)}${' '.repeat(200_000)}></svg>`],
  ['pictures that do not end', '<svg '.repeat(100_000)],
  ['an address far away', svg(`<rect fill="url(${' '.repeat(400_000)})"/>`)],
  ['a name far away', svg(`<use href="#a${' '.repeat(400_000)}b"/>`)],
  ['markers that point nowhere', svg(`<rect style="${'marker'.repeat(60_000)}"/>`)],
  ['fills of nothing', svg(`<path id="p"/><g style="fill:url(#p);${'fill:'.repeat(80_000)}"/>`)],
  ['masks of nothing', svg(`<rect style="${'mask:'.repeat(80_000)}"/>`)],
  ['a sheet of blanks', svg(`<style>rect{fill:url(${' '.repeat(400_000)})}</style>`)],
])('%s are read in a moment', (_name, text) => {
  const start = performance.now()
  try {
    read(text)
  } catch (error) {
    expect(String(error)).toMatch(/The picture a\.svg/)
  }
  expect(performance.now() - start).toBeLessThan(2000)
})

test('what drawing programs write is a picture', () => {
  const figma = svg(
    '<g clip-path="url(#c)"><g filter="url(#f)"><rect width="9" height="9" rx="2" fill="url(#l)"/></g></g><defs><filter id="f" x="0" y="0"><feFlood flood-opacity="0" result="b"/><feColorMatrix in="SourceAlpha" values="0 0 0 0 0"/><feOffset dy="4"/><feGaussianBlur stdDeviation="2"/><feBlend in2="b"/></filter><linearGradient id="l"><stop stop-color="red"/></linearGradient><clipPath id="c"><rect width="9" height="9"/></clipPath></defs>',
  )
  const illustrator = `<?xml version="1.0" encoding="utf-8"?>\n<!-- Generator -->\n<svg version="1.1" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" x="0px" width="40px" height="30px"><style type="text/css">\n<![CDATA[.st0{fill:url(#S_1_);stroke-opacity:.5}]]></style><linearGradient id="S_1_"><stop offset="0"/></linearGradient><path class="st0" d="M0 0h9"/></svg>\n`
  const grouped = svg(
    '<defs><clipPath id="c"><path/></clipPath><filter id="f"><feGaussianBlur/></filter><pattern id="p"><path/></pattern></defs><g style="fill:none;clip-path:url(#c);filter:url(#f)"><path fill="url(#p)"/><text style="stroke:url(#p)">a</text></g>',
  )
  const inkscape =
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" viewBox="0 0 4 3" inkscape:export-filename="C:\\a.png"><metadata><rdf:RDF/></metadata><path style="marker:none;opacity:0.5" d="M0 0h9"/></svg>'
  for (const text of [figma, illustrator, grouped, inkscape]) expect(read(text).mediaType).toBe('image/svg+xml')
  expect(read(illustrator)).toMatchObject({ width: 40, height: 30 })
  const folder = path.join(import.meta.dirname, '../../resources/pictures')
  const drawn = readdirSync(folder).filter((file) => file.endsWith('.svg'))
  expect(drawn.length).toBeGreaterThan(20)
  for (const file of drawn) expect(read(readFileSync(path.join(folder, file), 'utf8')).mediaType).toBe('image/svg+xml')
})
