/** The claim page's files (claim-page/), read once and served with a content policy of "self" alone. */
import { readFileSync } from 'node:fs'

const mediaTypes = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

const asset = (name: string, mediaType: string) => ({
  text: readFileSync(new URL(`claim-page/${name}`, import.meta.url), 'utf8'),
  mediaType,
})

export interface PageAsset {
  readonly text: string
  readonly mediaType: string
}

/** @returns the page, and its other files by name @throws the disk's error when one is missing */
export const readClaimPage = (): { page: PageAsset; files: ReadonlyMap<string, PageAsset> } => ({
  page: asset('index.html', mediaTypes.html),
  files: new Map([
    ['claim.css', asset('claim.css', mediaTypes.css)],
    ['claim.js', asset('claim.js', mediaTypes.js)],
    ['words.js', asset('words.js', mediaTypes.js)],
    ['farthing.svg', asset('farthing.svg', mediaTypes.svg)],
  ]),
})

export const claimPagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')
