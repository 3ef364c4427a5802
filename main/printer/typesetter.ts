/**
 * Text as black dots, for scripts that a printer's code pages lack: shaped by fontkit in the kiosk's own fonts, filled
 * here. Arabic joins and runs from right to left; a line breaks between words, Chinese between any two characters.
 */
/// <reference path="./fontkit.d.ts" />
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { type Font, type GlyphRun, openSync, type PathCommand } from 'fontkit'
import { type Bitmap, blankBitmap, type Contour, fill, type Point } from './bitmap.ts'
import { type Direction, directionOf, visualRuns } from './direction.ts'

export interface Style {
  /** Dots from one line to the next; letters are three quarters of it. */
  readonly lineDots: number
  readonly bold: boolean
}

/** Not named `require`: the bundle has one of its own. */
const modules = createRequire(import.meta.url)
const fontFile = (family: string, subset: string): string =>
  path.join(
    path.dirname(modules.resolve(`@fontsource-variable/${family}/package.json`)),
    `files/${family}-${subset}-wght-normal.woff2`,
  )

type Range = readonly [from: number, to: number]

const rangesOf = (text: string): Range[] =>
  text.split(',').map((range) => {
    const [from = '', to = from] = range.trim().replace('U+', '').split('-')
    return [Number.parseInt(from, 16), Number.parseInt(to, 16)]
  })

/** Receipts and reports are in nine of the Chinese font's pieces, all words of the kiosk in thirteen; each holds 2 MB. */
const piecesMax = 24

const openFonts = () => {
  const opened = new Map<string, Font>()
  const openedPieces = new Map<string, Font>()
  const pieceFonts = new WeakSet<Font>()
  const open = (file: string, among = opened): Font => {
    const known = among.get(file)
    if (known !== undefined) return known
    const font = openSync(file)
    among.set(file, font)
    return font
  }
  const openPiece = (file: string): Font => {
    if (openedPieces.size === piecesMax && !openedPieces.has(file)) openedPieces.clear()
    const font = open(file, openedPieces)
    pieceFonts.add(font)
    return font
  }
  const always = [
    fontFile('inter', 'latin'),
    fontFile('inter', 'latin-ext'),
    fontFile('noto-sans-arabic', 'arabic'),
    fontFile('inter', 'greek'),
    fontFile('inter', 'cyrillic'),
  ]
  /** The Chinese font comes in a hundred pieces; only those that are needed are opened. */
  let pieces: { file: string; ranges: Range[] }[] | undefined
  const readPieces = () => {
    const listed = JSON.parse(
      readFileSync(modules.resolve('@fontsource-variable/noto-sans-tc/unicode.json'), 'utf8'),
    ) as Record<string, string>
    return Object.entries(listed).map(([name, ranges]) => ({
      file: fontFile('noto-sans-tc', name.replace(/[[\]]/g, '')),
      ranges: rangesOf(ranges),
    }))
  }
  return {
    /** fontkit sets a packed variable font in its default weight alone, and the Chinese one's is a hair's. */
    isThin: (font: Font): boolean => pieceFonts.has(font),
    /** @param current kept for what is no letter, so that words and their spaces stay together */
    fontOf(char: string, current: Font | undefined): Font {
      const point = char.codePointAt(0) ?? 0
      if (!/[\p{L}\p{N}]/u.test(char) && current?.hasGlyphForCodePoint(point)) return current
      for (const file of always) {
        const font = open(file)
        if (font.hasGlyphForCodePoint(point)) return font
      }
      pieces ??= readPieces()
      const piece = pieces.find(({ ranges }) => ranges.some(([from, to]) => point >= from && point <= to))
      // What no font has is seen as the first one's empty box.
      return piece === undefined ? open(always[0] ?? '') : openPiece(piece.file)
    },
  }
}

let fonts: ReturnType<typeof openFonts> | undefined

/** At so few dots, kerning sets a point into the figure beside it. */
const unkerned = { kern: false } as const

interface Shaped {
  readonly run: GlyphRun
  readonly unitsPerEm: number
  readonly thin: boolean
}

/** From left to right as it is seen. */
const shape = (text: string, base: Direction): Shaped[] => {
  fonts ??= openFonts()
  const shaped: Shaped[] = []
  for (const { text: run, direction } of visualRuns(text, base)) {
    const parts: { font: Font; text: string }[] = []
    for (const char of run) {
      const last = parts.at(-1)
      const font = fonts.fontOf(char, last?.font)
      if (last?.font === font) last.text += char
      else parts.push({ font, text: char })
    }
    if (direction === 'rtl') parts.reverse()
    for (const part of parts)
      shaped.push({
        run: part.font.layout(part.text, unkerned, undefined, undefined, direction),
        unitsPerEm: part.font.unitsPerEm,
        thin: fonts.isThin(part.font),
      })
  }
  return shaped
}

const sizeOf = (style: Style): number => Math.round(style.lineDots * 0.75)

const advanceOf = (shaped: readonly Shaped[], style: Style): number =>
  shaped.reduce((sum, { run, unitsPerEm }) => sum + (run.advanceWidth * sizeOf(style)) / unitsPerEm, 0)

/** Strokes that were made thicker reach that far beyond. */
const edgeDots = 2

/** Parts of a curve. At these sizes a dot is more than any of them. */
const curveSteps = 6

const curve = (points: readonly Point[], t: number): Point => {
  if (points.length === 1) return points[0] ?? { x: 0, y: 0 }
  const between = points.slice(1).map((to, at) => {
    const from = points[at] ?? to
    return { x: from.x + (to.x - from.x) * t, y: from.y + (to.y - from.y) * t }
  })
  return curve(between, t)
}

const contoursOf = (commands: readonly PathCommand[], place: (x: number, y: number) => Point): Contour[] => {
  const contours: Point[][] = []
  for (const { command, args } of commands) {
    const points = Array.from({ length: args.length / 2 }, (_, at) => place(args[2 * at] ?? 0, args[2 * at + 1] ?? 0))
    if (command === 'moveTo') contours.push(points)
    const contour = contours.at(-1)
    const last = contour?.at(-1)
    if (contour === undefined || last === undefined || command === 'moveTo' || command === 'closePath') continue
    if (command === 'lineTo') contour.push(...points)
    else for (let step = 1; step <= curveSteps; step += 1) contour.push(curve([last, ...points], step / curveSteps))
  }
  return contours
}

/** A stroke is made thicker by filling it again, beside itself. Dots. */
const thickerBy = (thin: boolean, bold: boolean): readonly Point[] => [
  { x: 0, y: 0 },
  ...(thin
    ? [
        { x: 0.6, y: 0 },
        { x: 0, y: 0.4 },
      ]
    : []),
  ...(bold ? [{ x: thin ? 1.6 : 1, y: 0 }] : []),
]

const draw = (onto: Bitmap, shaped: readonly Shaped[], style: Style, left: number): void => {
  const size = sizeOf(style)
  const baseline = Math.round(style.lineDots * 0.74)
  let x = left
  for (const { run, unitsPerEm, thin } of shaped) {
    const scale = size / unitsPerEm
    run.glyphs.forEach((glyph, at) => {
      const position = run.positions[at]
      const [dx, dy] = [position?.xOffset ?? 0, position?.yOffset ?? 0]
      for (const thicker of thickerBy(thin, style.bold))
        fill(
          onto,
          contoursOf(glyph.path.commands, (px, py) => ({
            x: x + (px + dx) * scale + thicker.x,
            y: baseline - (py + dy) * scale + thicker.y,
          })),
        )
      x += (position?.xAdvance ?? 0) * scale
    })
  }
}

const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u
/** These never begin a line. */
const closing = /^[\u3001\u3002\uff01\uff09\uff0c\uff1a\uff1b\uff1f.,:;!?)»]/u

/** Where a line may break: after a space, and around each character of a script that has none. */
const piecesOf = (text: string): string[] => {
  const pieces: string[] = []
  let fresh = true
  for (const char of text) {
    const breaks = fresh || unspaced.test(char) || unspaced.test(pieces.at(-1)?.at(-1) ?? '')
    if (pieces.length === 0 || (breaks && !closing.test(char))) pieces.push(char)
    else pieces[pieces.length - 1] += char
    fresh = char === ' '
  }
  return pieces
}

/** Lines of text that are no wider than the paper; a word that is longer is broken. */
const wrap = (text: string, style: Style, width: number): string[] => {
  if (textDots(text, style) <= width) return [text]
  const room = width - edgeDots
  const advance = (piece: string): number => advanceOf(shape(piece, directionOf(piece)), style)
  const lines: string[] = []
  let line = ''
  let used = 0
  const add = (piece: string): void => {
    // Pieces do not join with each other, so that their widths add up.
    const dots = advance(piece)
    if (line !== '' && used + advance(piece.trimEnd()) > room) {
      lines.push(line)
      line = ''
      used = 0
    }
    if (dots > room && [...piece].length > 1) for (const char of piece) add(char)
    else {
      line += piece
      used += dots
    }
  }
  for (const piece of piecesOf(text)) add(piece)
  return [...lines, line].map((each) => each.trimEnd())
}

/** A paragraph, as wide as the paper. @param align `start` is where its letters begin: right for Arabic */
export const setText = (
  text: string,
  options: Style & { readonly width: number; readonly align: 'start' | 'end' | 'center'; readonly base: Direction },
): Bitmap => {
  const { width, lineDots, align, base } = options
  const lines = wrap(text, options, width)
  const bitmap = blankBitmap(width, lines.length * lineDots)
  lines.forEach((line, at) => {
    const shaped = shape(line, directionOf(line))
    const free = Math.max(0, width - edgeDots - advanceOf(shaped, options))
    const right = (align === 'end') !== (base === 'rtl')
    const one: Bitmap = { width, height: lineDots, dots: bitmap.dots.subarray(at * width * lineDots) }
    draw(one, shaped, options, Math.floor(align === 'center' ? free / 2 : right ? free : 0))
  })
  return bitmap
}

/** How wide a text is on one line. */
export const textDots = (text: string, style: Style): number =>
  Math.ceil(advanceOf(shape(text, directionOf(text)), style)) + edgeDots
