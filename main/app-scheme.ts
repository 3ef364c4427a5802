/**
 * Answers every request of the page: the built files of out/renderer, and the goods of the running sale under
 * `/goods/TOKEN`, and what the shelf shows to everybody under `/shelf/HASH`. The strict content policy is set here, once
 * for all of them; the book reader's host has its own.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { appHost, appScheme, bookHost, bookPath, isAppUrl, isBookUrl } from './navigation.ts'

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.pdf': 'application/pdf',
  '.mp3': 'audio/mpeg',
  '.wav': 'audio/wav',
  '.txt': 'text/plain; charset=utf-8',
}

/** `sandbox` without popups, forms, downloads and modals: the page needs none, whatever runs in it. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self' blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  `frame-src ${appScheme}://${bookHost}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  'sandbox allow-scripts allow-same-origin',
].join('; ')

/**
 * Chapters are documents in memory, which take over the policy of the reader that made them: their styles, pictures and
 * fonts count, from memory alone. Their scripts do not run: a script is a file of the app's. Nothing reaches a network.
 */
const bookPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' blob: data: 'unsafe-inline'",
  'img-src blob: data:',
  "font-src 'self' blob: data:",
  'media-src blob: data:',
  'frame-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  `frame-ancestors ${appScheme}://${appHost} ${appScheme}://${bookHost}`,
  'sandbox allow-scripts allow-same-origin',
].join('; ')

/** Goods are data: opened as a page they can do nothing. */
const goodsPolicy = "default-src 'none'; sandbox"

const everyAnswer = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

export interface Goods {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/**
 * The file that a request path names, or undefined when it is none of `root`'s.
 * @param pathname still percent-encoded
 */
export const fileOf = (root: string, pathname: string): string | undefined => {
  let decoded: string
  try {
    decoded = decodeURIComponent(pathname)
  } catch {
    return undefined
  }
  if (/[\\\0:]/.test(decoded) || decoded.split('/').some((part) => part.startsWith('.'))) return undefined
  const file = path.join(root, decoded === '/' ? 'index.html' : decoded)
  return file.startsWith(root + path.sep) ? file : undefined
}

/** Films and long recordings come piece by piece: who asks for all the rest gets this much, and asks again. */
export const partBytesMax = 4 * 1024 * 1024

/** The first and last byte of a `Range` header; undefined when there is none that can be given. */
export const rangeOf = (header: string | null, length: number): { first: number; last: number } | undefined => {
  const [, first, last] = header?.match(/^bytes=(\d*)-(\d*)$/) ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  const range =
    first === ''
      ? { first: Math.max(length - Number(last), 0), last: length - 1 }
      : { first: Number(first), last: last === '' ? length - 1 : Math.min(Number(last), length - 1) }
  if (range.first > range.last) return undefined
  return { first: range.first, last: Math.min(range.last, range.first + partBytesMax - 1) }
}

const answer = (status: number, headers: Record<string, string>, body?: Uint8Array) =>
  new Response(body === undefined ? null : new Uint8Array(body), { status, headers: { ...everyAnswer, ...headers } })

const refusal = (status: number) => answer(status, { 'Content-Security-Policy': goodsPolicy })

/** What has the hash in its address never changes: the page fetches it once. */
const forEver = { 'Cache-Control': 'private, max-age=31536000, immutable' }

const goodsAnswer = (goods: Goods | undefined, range: string | null, cached: Readonly<Record<string, string>> = {}) => {
  if (goods === undefined) return refusal(404)
  const { bytes, mediaType } = goods
  const headers = {
    'Content-Type': mediaType,
    'Content-Security-Policy': goodsPolicy,
    'Accept-Ranges': 'bytes',
    ...cached,
  }
  const part = rangeOf(range, bytes.length)
  if (part === undefined) return answer(200, headers, bytes)
  const contentRange = `bytes ${part.first}-${part.last}/${bytes.length}`
  return answer(206, { ...headers, 'Content-Range': contentRange }, bytes.subarray(part.first, part.last + 1))
}

const fileAnswer = (rendererDir: string, pathname: string, policy: string): Response | Promise<Response> => {
  const file = fileOf(rendererDir, pathname)
  const mediaType = file === undefined ? undefined : mediaTypes[path.extname(file)]
  if (file === undefined || mediaType === undefined) return refusal(404)
  return readFile(file).then(
    (bytes) => answer(200, { 'Content-Type': mediaType, 'Content-Security-Policy': policy }, bytes),
    () => refusal(404),
  )
}

/** The handler of the app's scheme. It never throws: what cannot be given is a 4xx without a body. */
export const appContent =
  (options: {
    rendererDir: string
    goodsContent: (token: string) => Goods | undefined
    shelfContent: (contentHash: string) => Goods | undefined
  }) =>
  async (request: Request): Promise<Response> => {
    const ofBook = isBookUrl(request.url)
    if (!ofBook && !isAppUrl(request.url)) return refusal(403)
    if (request.method !== 'GET' && request.method !== 'HEAD') return refusal(405)
    const { pathname } = new URL(request.url)
    // The book reader is one document with its scripts and styles; goods are handed to it by the page.
    if (ofBook)
      return pathname === bookPath || pathname.startsWith('/assets/')
        ? fileAnswer(options.rendererDir, pathname, bookPolicy)
        : refusal(404)
    const token = pathname.match(/^\/goods\/([\w-]{1,128})$/)?.[1]
    if (token !== undefined) return goodsAnswer(options.goodsContent(token), request.headers.get('range'))
    const contentHash = pathname.match(/^\/shelf\/([0-9a-f]{64})$/)?.[1]
    if (contentHash !== undefined)
      return goodsAnswer(options.shelfContent(contentHash), request.headers.get('range'), forEver)
    return fileAnswer(options.rendererDir, pathname, pagePolicy)
  }
