// The claim page (docs/PROTOCOL.md, Claims): reads the claim from the address's fragment, which no server sees in its
// logs, posts its 132 bytes, and shows what was bought.
import { wearAccent } from './accent.js'
import { articleOf } from './article.js'
import { encode } from './uqr.js'
import { dictionaries } from './words.js'

const claimLength = 132
/** Addresses of contents are good for 15 minutes. */
const renewMs = 13 * 60 * 1000

const language =
  navigator.languages
    .map((tag) => (/^zh\b/i.test(tag) ? 'zh-Hant' : tag.split('-')[0].toLowerCase()))
    .find((tag) => tag in dictionaries) ?? 'en'
const words = dictionaries[language]
const main = document.querySelector('main')
document.documentElement.lang = language
document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr'
document.querySelector('.spinner').setAttribute('aria-label', words.loading)

/** An element with attributes and children; text never becomes markup. */
const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children.flat().filter((child) => child !== undefined))
  return element
}

const svgNamespace = 'http://www.w3.org/2000/svg'
const drawn = (viewBox, attributes, path) => {
  const svg = document.createElementNS(svgNamespace, 'svg')
  svg.setAttribute('viewBox', viewBox)
  const shape = document.createElementNS(svgNamespace, 'path')
  for (const [name, value] of Object.entries({ ...attributes, d: path })) shape.setAttribute(name, value)
  svg.append(shape)
  return svg
}
const icon = (path) => {
  const stroke = { fill: 'none', stroke: 'currentColor', 'stroke-width': 2.4, 'stroke-linecap': 'round' }
  const svg = drawn('0 0 24 24', { ...stroke, 'stroke-linejoin': 'round' }, path)
  svg.setAttribute('aria-hidden', 'true')
  return svg
}
const tick = () => icon('M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 1 0 0-19M7.5 12.5l3 3 6-6.5')
const caution = () => icon('M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 1 0 0-19M12 7v6M12 16.8v.1')

/** @returns the claim's bytes, or undefined where the fragment is not base64url of exactly 132 bytes */
const claimOf = (fragment) => {
  if (!/^[\w-]{176}$/.test(fragment)) return undefined
  const text = atob(fragment.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0))
  return bytes.length === claimLength ? bytes : undefined
}

/** In the page's language, else the first of the customer's that there is, else in any; with its direction. */
const textOf = (texts) => {
  const tags = [language, ...navigator.languages, 'en'].flatMap((tag) => [tag, tag.split('-')[0]])
  return texts[tags.find((tag) => tag in texts)] ?? Object.values(texts)[0]
}
const dateOf = (iso, style = { dateStyle: 'medium', timeStyle: 'short' }) =>
  new Intl.DateTimeFormat(words.locale, style).format(new Date(iso))
const amountOf = (minor, { currency, currencyDecimals }) =>
  new Intl.NumberFormat(words.locale, { style: 'currency', currency, minimumFractionDigits: currencyDecimals }).format(
    minor / 10 ** currencyDecimals,
  )
const sizeOf = (bytes) => {
  const [unit, size] = bytes < 1e6 ? ['kilobyte', Math.max(1, bytes / 1e3)] : ['megabyte', bytes / 1e6]
  const style = { style: 'unit', unit, maximumFractionDigits: size < 10 ? 1 : 0 }
  return new Intl.NumberFormat(words.locale, style).format(size)
}

/** Pairs of name and value; a style is both elements' class. */
const listOf = (name, ...pairs) =>
  make(
    'dl',
    { class: name },
    ...pairs.flatMap(([term, value, style]) => [
      make('dt', style === undefined ? {} : { class: style }, term),
      make('dd', style === undefined ? {} : { class: style }, make('bdi', {}, value)),
    ]),
  )

const button = (id, text, onClick) => {
  const made = make('button', { class: 'button second', type: 'button', id }, text)
  made.addEventListener('click', onClick)
  return made
}

const copyButton = (code, shown) => {
  const made = button('copy', words.copy, async () => {
    try {
      await navigator.clipboard.writeText(code)
      made.textContent = words.copied
    } catch {
      // No clipboard over plain HTTP: select it, so that the phone's own menu copies it.
      getSelection()?.selectAllChildren(shown)
    }
  })
  return made
}

/** As large as fits on one line of a narrow phone. */
const lengthOf = (code) => (code.length <= 14 ? 'short' : code.length <= 19 ? 'middle' : 'long')

const codeGoods = ({ code }) => {
  const shown = make('code', { class: `code ${lengthOf(code)}`, id: 'code', dir: 'ltr' }, code)
  const copy = copyButton(code, shown)
  copy.className = 'button'
  return [make('p', { class: 'label' }, words.yourCode), shown, copy]
}

const qrPicture = (text) => {
  // The white around it is the rest of its quiet zone.
  const { size, data } = encode(text, { ecc: 'M', border: 2 })
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('')
  const svg = drawn(`0 0 ${size} ${size}`, { fill: '#000', 'shape-rendering': 'crispEdges' }, path)
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', words.yourTicket)
  return svg
}

/** For the phone's own pictures, where it needs no network. */
const saveTicket = (sale) => {
  const { size, data } = encode(sale.code, { ecc: 'M', border: 4 })
  const dot = 20
  const canvas = make('canvas', { width: size * dot, height: size * dot + 150 })
  const context = canvas.getContext('2d')
  context.fillStyle = '#fff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.fillStyle = '#000'
  for (const [y, row] of data.entries())
    for (const [x, dark] of row.entries()) if (dark) context.fillRect(x * dot, y * dot, dot, dot)
  context.textAlign = 'center'
  const lines = [textOf(sale.title), [words.ticketNumber, sale.ticket?.number ?? ''].join(' ')]
  for (const [index, text] of lines.entries()) {
    context.font = index === 0 ? '600 44px system-ui' : '40px system-ui'
    context.fillText(text, canvas.width / 2, size * dot + 30 + index * 64, canvas.width - 60)
  }
  canvas.toBlob((blob) => {
    const url = URL.createObjectURL(blob)
    make('a', { href: url, download: `${sale.item}-${sale.ticket?.number ?? 'ticket'}.png` }).click()
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
  })
}

const ticketGoods = (sale) => {
  const { code, ticket } = sale
  const letters = make('p', { class: 'letters', id: 'code', dir: 'ltr' }, code)
  return [
    make('p', { class: 'label' }, words.yourTicket),
    make(
      'div',
      { class: 'ticket' },
      qrPicture(code),
      ticket === undefined ? undefined : make('strong', { id: 'ticket-number', dir: 'ltr' }, ticket.number),
    ),
    ticket === undefined
      ? undefined
      : listOf(
          'validity',
          [words.validFrom, dateOf(ticket.validFrom)],
          ...(ticket.validUntil === undefined ? [] : [[words.validUntil, dateOf(ticket.validUntil)]]),
        ),
    make('p', { class: 'label' }, words.once),
    button('save-ticket', words.savePicture, () => saveTicket(sale)),
    make('details', {}, make('summary', {}, words.lettersOf), letters, copyButton(code, letters)),
  ]
}

const readArticle = async (sale, holder) => {
  const answer = await fetch(sale.contentUrl)
  if (!answer.ok) throw new Error('no content')
  const article = articleOf(await answer.text(), sale.mediaType === 'text/markdown')
  // The page has said its title.
  const heading = article.querySelector('h3:first-child')
  if (Object.values(sale.title).includes(heading?.textContent)) heading.remove()
  holder.replaceChildren(article)
  // Longer than a screen: the receipt is not to be looked for.
  if (article.scrollHeight < 560) return
  article.classList.add('folded')
  const more = button('more', words.readOn, () => {
    article.classList.remove('folded')
    more.remove()
  })
  holder.append(more)
}

const fileTile = ({ fileName, bytes }) =>
  make(
    'div',
    { class: 'file' },
    make('b', { 'aria-hidden': 'true' }, fileName.split('.').pop().slice(0, 4).toUpperCase()),
    make('span', { dir: 'ltr' }, fileName),
    make('small', {}, sizeOf(bytes)),
  )

/** What is seen of a content at once. */
const preview = (sale) => {
  const { mediaType, contentUrl } = sale
  const name = textOf(sale.title)
  if (mediaType.startsWith('image/')) return make('img', { class: 'picture', src: contentUrl, alt: name })
  if (mediaType.startsWith('audio/'))
    return make('audio', { src: contentUrl, controls: '', preload: 'metadata', 'aria-label': name })
  if (mediaType.startsWith('video/'))
    return make('video', { src: contentUrl, controls: '', playsinline: '', preload: 'metadata', 'aria-label': name })
  if (mediaType.startsWith('text/')) {
    const holder = make('div', { id: 'article' })
    readArticle(sale, holder).catch(() => holder.replaceChildren(fileTile(sale)))
    return holder
  }
  return fileTile(sale)
}

/** What is on this page whole, or what no browser opens, has no need of a page of its own. */
const opensApart = ({ mediaType }) => mediaType === 'application/pdf' || mediaType.startsWith('image/')

const contentGoods = (sale) => {
  const link = (id, text, attributes) =>
    make('a', { class: 'button', id, href: sale.contentUrl, 'data-content': '', ...attributes }, text)
  const save = link('save', words.save, { download: sale.fileName })
  if (!opensApart(sale)) return [preview(sale), save]
  save.className = 'button second'
  return [preview(sale), link('open', words.open, { target: '_blank', rel: 'noopener' }), save]
}

const goodsOf = (sale) =>
  sale.code === undefined ? contentGoods(sale) : sale.kind === 'ticket' ? ticketGoods(sale) : codeGoods(sale)

const grouped = (hex) => hex.toUpperCase().replace(/.{4}(?=.)/g, '$& ')

const slipOf = (sale) => {
  const { receipt } = sale
  const rate = new Intl.NumberFormat(words.locale, { style: 'percent', maximumFractionDigits: 2 }).format(
    sale.taxBasisPoints / 10_000,
  )
  return make(
    'section',
    { class: 'sheet slip', 'aria-labelledby': 'receipt' },
    make('h2', { id: 'receipt' }, words.receiptTitle),
    make('p', { class: 'amount' }, make('bdi', {}, amountOf(sale.amountMinor, sale))),
    make('p', { class: 'label' }, dateOf(sale.paidAt, { dateStyle: 'long', timeStyle: 'short' })),
    listOf(
      'sums',
      [make('bdi', {}, textOf(sale.title)), amountOf(sale.amountMinor, sale)],
      ...(sale.taxBasisPoints > 0 ? [[words.tax(rate), amountOf(sale.taxMinor, sale), 'quiet']] : []),
      [words.total, amountOf(sale.amountMinor, sale), 'total'],
    ),
    listOf(
      'facts',
      [words.seller, sale.merchant],
      [words.kiosk, receipt.terminalName ?? grouped(receipt.terminalId)],
      [words.card, `•••• ${receipt.cardEnding}`],
      [words.receipt, `${receipt.cardEnding}-${receipt.counter}`, 'number'],
      [words.claim, grouped(receipt.claim), 'number'],
    ),
    button('print', words.print, () => print()),
  )
}

/** A ticket's code is what is to be seen at once, and a picture that was bought is its own. */
const coverOf = ({ pictureUrl, kind, mediaType }) =>
  pictureUrl === undefined || kind === 'ticket' || mediaType.startsWith('image/')
    ? undefined
    : make('img', { class: 'cover', src: pictureUrl, alt: '' })

/** The page looks like the seller's kiosk. */
const wearBrand = ({ accent, logoUrl }) => {
  if (accent !== undefined) wearAccent(accent, document.documentElement.style)
  if (logoUrl === undefined) return
  const logo = document.querySelector('header img')
  // Without it the page keeps its own sign.
  logo.addEventListener('error', () => logo.setAttribute('src', 'c/farthing.svg'), { once: true })
  logo.setAttribute('src', logoUrl)
}

const showSale = (sale) => {
  wearBrand(sale)
  document.querySelector('#merchant').textContent = sale.merchant
  document.title = `${textOf(sale.title)} · ${sale.merchant}`
  document.body.dataset.state = 'shown'
  main.replaceChildren(
    make(
      'article',
      { class: 'sheet' },
      coverOf(sale),
      make('p', { class: 'mark' }, tick(), words.thanks),
      make('h1', { dir: 'auto' }, textOf(sale.title)),
      make('p', { class: 'summary', dir: 'auto' }, textOf(sale.summary)),
      make('div', { class: 'goods' }, goodsOf(sale)),
    ),
    slipOf(sale),
    make('p', { class: 'until' }, words.until(dateOf(sale.expiresAt, { dateStyle: 'long' }))),
  )
}

const showTrouble = (name) => {
  const [what, todo] = words.troubles[name]
  const again = button('again', words.again, () => location.reload())
  document.body.dataset.state = 'trouble'
  document.body.dataset.trouble = name
  main.replaceChildren(
    make(
      'article',
      { class: 'sheet trouble', role: 'alert' },
      make('p', { class: 'mark' }, caution()),
      make('h1', {}, what),
      make('p', { class: 'summary' }, todo),
      ...(['offline', 'failed', 'unknownYet'].includes(name) ? [make('div', { class: 'goods' }, again)] : []),
    ),
  )
}

/** The issuer's refusals by the trouble that a customer reads. */
const troubleOf = {
  layout: 'incomplete',
  tooLarge: 'incomplete',
  forged: 'notGenuine',
  expired: 'expired',
  unknownTerminal: 'notGenuine',
  unknownCard: 'unknownYet',
  reversed: 'givenBack',
  moneyBack: 'givenBack',
  clone: 'person',
  itemOrPrice: 'person',
  exception: 'person',
}

/** @returns the sale, or the name of a trouble */
const collect = async () => {
  const claim = claimOf(location.hash.slice(1))
  if (claim === undefined) return 'incomplete'
  let answer
  try {
    answer = await fetch('v1/claims', {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: claim,
    })
  } catch {
    return 'offline'
  }
  // What stands before the issuer says that it is away.
  if (answer.status >= 502 && answer.status <= 504) return 'offline'
  try {
    const body = await answer.json()
    return answer.ok ? body : (troubleOf[body.error] ?? 'failed')
  } catch {
    return 'failed'
  }
}

/** A page that was left open gives its links anew, and takes nothing away from who is looking. */
const renewLinks = async () => {
  const sale = await collect()
  if (sale.contentUrl === undefined) return
  for (const link of document.querySelectorAll('[data-content]')) link.setAttribute('href', sale.contentUrl)
}

addEventListener('hashchange', () => location.reload())
const found = await collect()
if (typeof found === 'string') showTrouble(found)
else {
  showSale(found)
  setInterval(renewLinks, renewMs)
}
