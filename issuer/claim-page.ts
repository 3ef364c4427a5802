/** The claim page's files (claim-page/), read once and served with a content policy of "self" alone. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const mediaTypes = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

/** Makes QR codes: one module with no imports, as its package has it. */
const qrModule = fileURLToPath(import.meta.resolve('uqr'))

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
    ['accent.js', asset('accent.js', mediaTypes.js)],
    ['claim.js', asset('claim.js', mediaTypes.js)],
    ['article.js', asset('article.js', mediaTypes.js)],
    ['uqr.js', { text: readFileSync(qrModule, 'utf8'), mediaType: mediaTypes.js }],
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
