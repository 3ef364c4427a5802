/** The part of fontkit 2 that text on paper needs; it brings no types of its own. */
declare module 'fontkit' {
  interface PathCommand {
    readonly command: 'moveTo' | 'lineTo' | 'quadraticCurveTo' | 'bezierCurveTo' | 'closePath'
    readonly args: readonly number[]
  }
  interface Glyph {
    readonly path: { readonly commands: readonly PathCommand[] }
  }
  interface GlyphPosition {
    readonly xAdvance: number
    readonly xOffset: number
    readonly yOffset: number
  }
  interface GlyphRun {
    readonly glyphs: readonly Glyph[]
    readonly positions: readonly GlyphPosition[]
    readonly advanceWidth: number
  }
  interface Font {
    readonly unitsPerEm: number
    hasGlyphForCodePoint(codePoint: number): boolean
    layout(
      text: string,
      features?: { readonly kern: boolean },
      script?: undefined,
      language?: undefined,
      direction?: string,
    ): GlyphRun
  }
  export function openSync(file: string): Font
}
