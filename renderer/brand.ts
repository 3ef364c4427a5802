/**
 * The merchant's accent, made readable: what is written on it has a contrast of 4.5:1, and it stands out from its
 * ground (WCAG 2.2, 1.4.3 and 1.4.11). Where the wished colour does not, a darker or lighter tone of it is taken.
 */

/** As in tokens.css. */
export const paper = '#f5f4ef'
export const night = '#10211d'
const ink = '#14201d'
const white = '#ffffff'

export const textRatioMin = 4.5
/** Of what is pressed against a light ground; on the dark one it is to be seen from across the hall. */
export const groundRatioMin = { paper: 3, night: 4.5 } as const

export interface Accent {
  readonly accent: string
  /** While it is pressed. */
  readonly deep: string
  /** What is written on it. */
  readonly text: string
}

type Rgb = readonly [number, number, number]

/** @throws RangeError when it is not `#rrggbb`. */
function rgbOf(colour: string): Rgb {
  const parts = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(colour)
  if (parts === null) throw new RangeError('a colour is #rrggbb')
  const [red = 0, green = 0, blue = 0] = parts.slice(1).map((part) => Number.parseInt(part, 16))
  return [red, green, blue]
}

/** The same hue and saturation (CSS Color 4, HSL), nearer to black or white by a share of the way. */
function tone(colour: string, pole: 'black' | 'white', share: number): string {
  const parts = rgbOf(colour).map((part) => part / 255)
  const [most, least] = [Math.max(...parts), Math.min(...parts)]
  const lightness = (most + least) / 2
  const room = Math.min(lightness, 1 - lightness)
  const wanted = pole === 'white' ? lightness + (1 - lightness) * share : lightness * (1 - share)
  // How far a channel is from the middle, as a part of how far it could be: hue and saturation in one.
  const moved = parts.map((part) => {
    const way = room === 0 ? 0 : (part - lightness) / room
    return Math.round(Math.min(1, Math.max(0, wanted + way * Math.min(wanted, 1 - wanted))) * 255)
  })
  return `#${moved.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

/** Relative luminance (WCAG 2.2). */
function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = rgbOf(colour).map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** 1 to 21 (WCAG 2.2, contrast ratio). @throws RangeError when one is not `#rrggbb`. */
export function contrastOf(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

const textOn = (accent: string): string => (contrastOf(white, accent) >= textRatioMin ? white : ink)

/** Tones between the wished colour and black or white. */
const steps = 50

/** @throws RangeError when the wish is not `#rrggbb`. */
export function accentOn(ground: 'paper' | 'night', wish: string): Accent {
  const behind = ground === 'paper' ? paper : night
  const fits = (accent: string) =>
    contrastOf(accent, behind) >= groundRatioMin[ground] && contrastOf(textOn(accent), accent) >= textRatioMin
  const tones = Array.from({ length: steps + 1 }, (_, step) =>
    tone(wish, ground === 'paper' ? 'black' : 'white', step / steps),
  )
  // The last one is black or white itself, which fits always.
  const accent = tones.find(fits) ?? wish
  const text = textOn(accent)
  return { accent, text, deep: tone(accent, text === white ? 'black' : 'white', 0.2) }
}
