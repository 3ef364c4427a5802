// Makes the sample goods of resources/goods that are not made elsewhere: guides in PDF, EPUB and Markdown, maps and posters,
// music, codes and tickets. The same bytes each time. Run from the checkout's root:
//   node resources/sample-goods.mjs
import { createHash } from 'node:crypto'
import { createWriteStream, writeFileSync } from 'node:fs'
import { strToU8, zipSync } from 'fflate'
import PDFDocument from 'pdfkit'
import { colour, poster } from './pictures.mjs'

const to = (name) => `resources/goods/${name}`
const epoch = new Date('2026-01-01T00:00:00Z')

/** A booklet: each page a title, a drawing, and some sentences. */
const booklet = (name, title, pages) => {
  const pdf = new PDFDocument({
    size: 'A5',
    margin: 42,
    info: { Title: title, CreationDate: epoch, ModDate: epoch },
    autoFirstPage: false,
  })
  pdf
    .registerFont('plain', 'resources/fonts/inter-regular.ttf')
    .registerFont('strong', 'resources/fonts/inter-semibold.ttf')
  const out = pdf.pipe(createWriteStream(to(name)))
  for (const [index, { head, text, draw }] of pages.entries()) {
    pdf.addPage()
    const { width, height } = pdf.page
    pdf.rect(0, 0, width, 250).fill(index === 0 ? colour.teal : colour.sand)
    draw(pdf)
    pdf
      .fillColor(colour.ink)
      .font('strong')
      .fontSize(index === 0 ? 26 : 19)
      .text(head, 42, 278)
    pdf.moveDown(0.6).font('plain').fontSize(11.5).text(text, { lineGap: 4.5 })
    pdf
      .fontSize(9)
      .text(index === 0 ? 'Alderwend is invented. CC BY 4.0' : String(index + 1), 42, height - 62, { lineBreak: false })
  }
  pdf.end()
  return new Promise((resolve) => out.on('finish', resolve))
}

const bend = (pdf, dots) => {
  pdf.lineWidth(26).strokeColor(colour.sky).moveTo(-10, 200).bezierCurveTo(120, 120, 230, 260, 430, 150).stroke()
  pdf
    .lineWidth(4)
    .strokeColor(colour.rust)
    .dash(2, { space: 9 })
    .lineCap('round')
    .moveTo(20, 160)
    .bezierCurveTo(130, 80, 240, 220, 400, 112)
    .stroke()
    .undash()
  dots.forEach(([x, y], index) => {
    pdf.circle(x, y, 13).fill(colour.ink)
    pdf
      .fillColor(colour.white)
      .font('strong')
      .fontSize(11)
      .text(String(index + 1), x - 8, y - 6.5, { width: 16, align: 'center', lineBreak: false })
  })
}
const columns = (pdf, count, fill) => {
  pdf.polygon([70, 100], [210, 40], [350, 100]).fill(fill)
  for (let i = 0; i < count; i += 1) pdf.rect(84 + (i * 232) / (count - 1), 108, 20, 92).fill(colour.cream)
  pdf.rect(70, 202, 280, 14).fill(colour.ink)
}

await booklet('river-path.pdf', 'The river path', [
  {
    head: 'The river path',
    text: 'Nine kilometres from Wend Bridge to the Old Mill and back on the other side. Flat, shaded, and dry in any month but March. Bring bread for yourself; the ducks have had enough.',
    draw: (pdf) =>
      bend(pdf, [
        [60, 136],
        [210, 152],
        [350, 130],
      ]),
  },
  ...[
    [
      'From the bridge to the weir',
      'Leave Wend Bridge by the steps on its eastern side, the ones that are worn in the middle. After three hundred paces the town wall turns away and the river is alone with you. The weir sings lower in autumn.',
    ],
    [
      'The two willows',
      'They were planted on the same day by two brothers who did not speak. One leans to the water, one away. Children call them Yes and No. Sit between them; it is the best bench on the way.',
    ],
    [
      'Ferry Acre',
      'There has been no ferry since the bridge was built, but the bell still hangs there. Ring it once. Nobody comes, and that is the point: the echo from the tannery wall answers in your own pitch.',
    ],
    [
      'The kingfisher bend',
      'Stand still for as long as it takes to count to two hundred. He sits on the third post. If you see him leave before you see him, you have been seen first.',
    ],
    [
      'The Old Mill',
      'The wheel turns on Sundays from ten. The bakery is open every day but Monday. Ask for the small loaf with the caraway; it is not on the board.',
    ],
    [
      'The way back',
      'Cross by the mill race and keep the water on your left. The path is narrower here and belongs to the sheep as much as to you. Close both gates.',
    ],
    [
      'When it rains',
      'The stretch from Ferry Acre to the mill stands under water after two days of rain. The road above it is dull and dry.',
    ],
    [
      'Getting there',
      'The tram stops at Wend Bridge every ten minutes; the last one leaves the Old Mill at half past nine in the evening.',
    ],
  ].map(([head, text], index) => ({
    head,
    text,
    draw: (pdf) => bend(pdf, [[60 + index * 34, 136 + (index % 3) * 8]]),
  })),
])
await booklet('museum-guide.pdf', 'The museum in an hour', [
  {
    head: 'The museum in an hour',
    text: 'Eight rooms, eight things, one hour. The rest will still be there when you come again.',
    draw: (pdf) => columns(pdf, 6, colour.gold),
  },
  ...[
    [
      'The mint hammer',
      'Room 1. Weigh it in your mind: four blows a coin, six hundred coins a day. The dent in the handle is a thumb, and it is always the same thumb.',
    ],
    [
      'The leaning saint',
      'Room 2. Carved for a niche that was built askew. When the church was straightened, he was not.',
    ],
    [
      'A letter, twice refused',
      'Room 3. It crossed the country two times and nobody paid for it. The message was the crooked address.',
    ],
    ['The clock without a minute', 'Room 4. One hand is enough for a town in which everything is five minutes away.'],
    ['Blue glass', 'Room 5. Nobody knows how the blue was made. The glassmaker left a recipe that makes green.'],
    [
      'The guild chest',
      'Room 6. Three locks, three keys, three masters who had to agree. It was opened eleven times in ninety years.',
    ],
    [
      'The wren cabinet',
      'Room 7. Forty eggs, each smaller than a thumbnail, and a note in which the collector says that he is sorry.',
    ],
    [
      'The view',
      'Room 8 has one exhibit, and it is the window. Count the bridges. There are five arches, no two alike.',
    ],
  ].map(([head, text], index) => ({ head, text, draw: (pdf) => columns(pdf, 3 + (index % 5), colour.rust) })),
])

const paragraphs = (xhtml) => xhtml.map((text) => `<p>${text}</p>`).join('\n')
const chapters = [
  [
    'Arriving',
    [
      'You come into Alderwend on foot, whatever brought you here. The tram stops outside the walls, the road narrows, and by the North Gate there is nothing left to do but walk. Stop under the arch. The groove in the stone held a portcullis once; five centuries of schoolchildren have polished it with their fingers.',
      'The town is small enough to be crossed in a quarter of an hour and has never been crossed in less than two. This book does not tell you the way. It tells you what to look at when you have lost it.',
    ],
  ],
  [
    'Stone',
    [
      'There are three kinds of stone in the town, and they tell you when a house was built. The yellow one came down the river and is soft enough for a knife: look for initials near doors. The grey one came up the hill on oxen. The red one was bought, and whoever used it wanted it to be seen.',
      'On Printers’ Row all three meet in one wall, where a widow added a floor each time she married.',
    ],
  ],
  [
    'Water',
    [
      'The River Wend runs around the town as a cat lies around a warm place. It gave the tanners their trade, the mint its wheel, and the laundry its songs. Tanners’ Stairs are forty-one steps, and the lowest three are under water except in August.',
      'The pump in the market square still works. The water is good. It tastes of iron and a little of pennies, and people say that this is only fair.',
    ],
  ],
  [
    'Bread',
    [
      'The price of bread was made in the Corn Hall, every Thursday, with a bell. It is the same bell that now calls to the concert at noon. The old loaf weighed four pounds and had a wren pressed into its crust, because it cost what sixteen wrens bought.',
      'Bakers here close at two. It is not that the bread is gone. It is that they are.',
    ],
  ],
  [
    'Small change',
    [
      'The farthing was struck in the Mint House until the river took the wheel. Of all the coins made there it was the least, and of all of them it was handled most: it passed through every pocket in the town. Look above the door for the bird.',
      'A town can be known by what can be bought in it for almost nothing. In Alderwend this was: a candle, a bun, a song printed on one side, the crossing of the river, and a wish.',
    ],
  ],
  [
    'Leaving',
    [
      'Leave by the East Gate in the evening. Only the arch remains. Through it runs the old road to the sea, four days on foot, and the light comes in along it low and yellow, as if somebody had left a door open.',
      'You will have forgotten something. Everybody does. It is how the town brings people back.',
    ],
  ],
]
const style =
  'body{font-family:serif;line-height:1.5;margin:5%}h1{font-weight:normal;border-bottom:1px solid #c8553d;padding-bottom:.4em}p{text-indent:1.2em;margin:0}h1+p{text-indent:0}'
const document = (title, body) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" xml:lang="en"><head><title>${title}</title><link rel="stylesheet" href="style.css"/></head><body>${body}</body></html>\n`
const named = chapters.map(([title, text], index) => ({
  title,
  file: `chapter-${index + 1}.xhtml`,
  text: [
    ...text,
    ...text.map(
      (each) =>
        `${each.split('. ')[0]}. So it stands in the chronicle, which is not always right, and was written by people who wanted to be remembered kindly. Go and see for yourself; it costs nothing, and nobody will hurry you.`,
    ),
  ],
}))
writeFileSync(
  to('old-town-guide.epub'),
  zipSync(
    Object.fromEntries(
      [
        ['mimetype', 'application/epub+zip', 0],
        [
          'META-INF/container.xml',
          '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        ],
        [
          'book/package.opf',
          `<?xml version="1.0" encoding="UTF-8"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">urn:farthing:old-town-guide</dc:identifier><dc:title>Alderwend, slowly</dc:title><dc:language>en</dc:language><dc:creator>Farthing</dc:creator><meta property="dcterms:modified">2026-01-01T00:00:00Z</meta></metadata><manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/><item id="style" href="style.css" media-type="text/css"/>${named.map(({ file }, i) => `<item id="c${i + 1}" href="${file}" media-type="application/xhtml+xml"/>`).join('')}</manifest><spine>${named.map((_, i) => `<itemref idref="c${i + 1}"/>`).join('')}</spine></package>`,
        ],
        [
          'book/nav.xhtml',
          document(
            'Contents',
            `<nav epub:type="toc"><h1>Contents</h1><ol>${named.map(({ title, file }) => `<li><a href="${file}">${title}</a></li>`).join('')}</ol></nav>`,
          ),
        ],
        ['book/style.css', style],
        ...named.map(({ title, file, text }) => [
          `book/${file}`,
          document(title, `<h1>${title}</h1>${paragraphs(text)}`),
        ]),
      ].map(([name, text, level = 9]) => [name, [strToU8(text), { level, mtime: epoch }]]),
    ),
  ),
)

const article = (name, title, lead, parts) =>
  writeFileSync(
    to(name),
    `# ${title}\n\n*${lead}*\n\n${parts.map(([head, ...text]) => `## ${head}\n\n${text.join('\n\n')}`).join('\n\n')}\n`,
  )
article(
  'tower-guide.md',
  'One hundred and ninety-nine steps',
  'What to look for on the way up St Wendreda’s tower, and why there is one step too few',
  [
    [
      'The first turn',
      'Keep to the wide side of the stair. The steps were cut for monks, who had small feet and no hurry. On the ninth step somebody has scratched a boat; it is older than the bridge.',
      'At the first window you stand level with the roofs of Printers’ Row.',
    ],
    [
      'The ringers’ floor',
      'Six ropes hang through the ceiling, each with a woollen grip in another colour. The ringers say the names of the bells when they take hold of them, and so should you, under your breath: Wren, Maud, Old Thomas, Plenty, the Twins.',
    ],
    [
      'The clock',
      'The clock has one face for the town and one, smaller, for the birds. It is wound on Mondays. If it strikes while you are beside it, open your mouth: it hurts the ears less.',
    ],
    [
      'The missing step',
      'Every guide has counted two hundred, and every guide has been wrong. The mason was paid by the step and left one out when the money stopped. You will notice where.',
    ],
    [
      'The top',
      'West: the river. East: the road to the sea. North: rain, usually. South: the hill on which there is no castle any more. Stay until somebody else comes up. Then leave them the view; it holds one at a time.',
    ],
  ],
)
article(
  'garden-guide.md',
  'Twelve plants in the Apothecaries’ Garden',
  'A slow hour among things that once cost more than silver',
  [
    [
      'By the gate',
      'Feverfew, which tastes as medicine should. Beside it comfrey, the bone-knitter; touch the leaf and you will see why it was trusted.',
      'Rosemary grows here from a cutting that came in a sailor’s hat.',
    ],
    [
      'Along the wall',
      'The fig is not for picking, says the sign. The fig drops its fruit on the path, says the fig. Behind it stand lavender, hyssop and rue, in the order in which they are used at a funeral.',
    ],
    [
      'The poison bed',
      'Foxglove, monkshood, henbane: behind a low fence, which has been enough so far. An apothecary’s oath is read here every spring, aloud, to the plants.',
    ],
    [
      'Under the mulberry',
      'The bench is the quietest seat in the town. The tree is four hundred years old and was meant to feed silkworms. It is the wrong kind of mulberry. Nobody has been sorry about that since the first summer.',
    ],
  ],
)
article(
  'bells-article.md',
  'Why the bells are late',
  'St Wendreda’s strikes noon at two minutes past, and has reasons',
  [
    [
      'A polite clock',
      'In 1788 the town had two clocks, and they disagreed. The guildhall struck first. The church, not wishing to contradict it, waited until it had finished. The guildhall’s clock was sold in 1851; the church is waiting still.',
      'Trains are not told. Everybody else knows.',
    ],
    [
      'The ringers vote',
      'It has been put to the vote four times to set the bells right. Each time the ringers were equally divided, and each time the oldest bell, which has a vote by custom, was counted for leaving things as they are.',
    ],
    [
      'What two minutes are worth',
      'Two minutes a day are twelve hours a year. The town has, by now, saved up one hundred and seventeen days, and the mayor has been asked how they should be spent. He is said to be thinking about a second spring.',
      'Until that is settled, noon in Alderwend begins when the last bell has stopped humming. Put your hand on the door of the tower: you will feel it before you hear that it is over.',
    ],
  ],
)
article(
  'bridge-article.md',
  'Five arches, no two alike',
  'How four guilds and a widow built a bridge without speaking',
  [
    [
      'The quarrel',
      'The tanners would not pay for the bakers’ half. The bakers would not walk on the tanners’. The printers offered to write the contract and were suspected of liking the sound of it.',
      'So each built an arch of their own, to its own measure, towards the middle.',
    ],
    [
      'The gap',
      'They met, in the year 1502, with a gap of eleven feet between the third arch and the fourth. It belonged to nobody. For a summer people jumped.',
      'The widow Aldous, who sold candles on both banks and was too old to jump, paid for the fifth arch out of what she had saved in farthings. It is the narrowest. Carts have scraped it ever since.',
    ],
    [
      'The rule',
      'Whoever crosses says thank you at the fifth arch. Nobody checks. Stand there on a market day and listen.',
    ],
  ],
)
article(
  'market-article.md',
  'A day’s work before eight',
  'Tuesday in the market square, from the first lamp to the last crate',
  [
    [
      'Four o’clock',
      'The cheese comes first, because it can wait. The fish comes last, because it cannot. Between them the square fills without a word, in an order that was never written down.',
      'Places are inherited. A stall that stands empty for a year and a day goes to whoever swept it.',
    ],
    [
      'Six o’clock',
      'Prices are made now, by looking. A grower walks past three other stalls with her hands in her pockets, comes back, and chalks a number. Nobody will chalk a lower one before ten; that would be rude.',
    ],
    [
      'Eight o’clock',
      'The first customers come and think that it is early. The flower woman has already sold half of what she brought, to the other sellers: one bunch each, on credit, every week for thirty years.',
      'She has never been paid in money. She has not bought cheese, bread or fish in all that time.',
    ],
  ],
)

const stations = [
  [24, 92, 'West Gate', 'start', -6, 18],
  [86, 92, 'Mint House', 'middle', 0, -10],
  [150, 114, 'North Cross', 'start', 12, -2],
  [228, 154, 'Market', 'middle', 0, -10],
  [310, 154, 'Corn Hall', 'start', 10, 17],
  [376, 154, 'East Gate', 'end', 6, -10],
  [66, 252, 'Wend Bridge', 'start', 12, 3],
  [150, 74, 'Castle Mound', 'start', 10, 3],
  [24, 222, 'Tannery', 'start', -6, 18],
  [146, 222, 'Old Mill', 'middle', 0, -10],
  [310, 84, 'Gardens', 'end', -10, 3],
]
const label = ([x, y, name, anchor, dx, dy]) =>
  `<circle cx="${x}" cy="${y}" r="5" fill="${colour.white}" stroke="${colour.ink}" stroke-width="2.4"/><text x="${x + dx}" y="${y + dy}" font-size="8" font-weight="600" text-anchor="${anchor}" fill="${colour.ink}">${name}</text>`
writeFileSync(
  to('tram-map.svg'),
  `<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="1200" viewBox="0 0 400 300" font-family="Inter, sans-serif"><rect width="400" height="300" fill="${colour.white}"/><path d="M0 268C90 246 170 290 260 268S350 246 400 258V300H0z" fill="${colour.sky}"/><g fill="none" stroke-width="7" stroke-linecap="round" stroke-linejoin="round"><path d="M24 92H128L190 154H376" stroke="${colour.rust}"/><path d="M66 282V222L150 138V60" stroke="${colour.teal}"/><path d="M24 222H222L310 134V60" stroke="${colour.gold}"/></g>${stations.map(label).join('')}<text x="18" y="36" font-size="17" font-weight="700" fill="${colour.ink}">Trams of Alderwend</text></svg>\n`,
)
const cellars = [
  [36, 72, 'Salt'],
  [166, 72, 'Ice'],
  [296, 72, 'Wine'],
  [296, 178, 'Coal'],
  [166, 178, 'Printers'],
  [36, 178, 'Candles'],
]
writeFileSync(
  to('cellars-map.svg'),
  `<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="1200" viewBox="0 0 400 300" font-family="Inter, sans-serif"><rect width="400" height="300" fill="${colour.night}"/><text x="22" y="40" font-size="17" font-weight="700" fill="${colour.cream}">Below the market square</text><path d="M104 124H166M234 124H296M70 140V178M330 140V178M104 230H166" fill="none" stroke="${colour.gold}" stroke-width="4" stroke-dasharray="1 8" stroke-linecap="round"/>${cellars
    .map(
      ([x, y, name], i) =>
        `<path d="M${x} ${y + 72}V${y + 32}a34 32 0 0 1 68 0V${y + 72}z" fill="${i % 2 === 0 ? colour.blue : colour.rust}"/><text x="${x + 34}" y="${y + 52}" font-size="9.4" font-weight="600" text-anchor="middle" fill="${colour.cream}">${name}</text>`,
    )
    .join(
      '',
    )}<text x="22" y="284" font-size="8" fill="${colour.cream}">Dotted: passages that are open. Take a lamp, and somebody who knows the way.</text></svg>\n`,
)
for (const name of ['poster-old-town', 'poster-harbour', 'poster-wren']) writeFileSync(to(`${name}.svg`), poster(name))

/** Music of struck bells: partials of one bell, each fading by itself. 16 kHz, 16 bits, one voice. */
const rate = 16_000
const partials = [
  [0.5, 0.5, 2.6],
  [1, 1, 1.6],
  [1.19, 0.5, 1.2],
  [1.5, 0.35, 0.9],
  [2, 0.45, 0.7],
  [2.74, 0.16, 0.4],
]
const music = (name, seconds, strokes, drone) => {
  const sound = new Float64Array(rate * seconds)
  for (const { at, hertz, loud } of strokes)
    for (const [ratio, part, fade] of partials)
      for (let i = Math.floor(at * rate), t = 0; i < sound.length && t < fade * 5; i += 1, t += 1 / rate)
        sound[i] += loud * part * Math.exp(-t / fade) * Math.min(1, t * 250) * Math.sin(2 * Math.PI * hertz * ratio * t)
  for (let i = 0; i < sound.length; i += 1) {
    const t = i / rate
    for (const [hertz, loud] of drone)
      sound[i] += loud * Math.sin(2 * Math.PI * hertz * t) * (0.75 + 0.25 * Math.sin(0.7 * t + hertz))
    sound[i] *= Math.min(1, t / 0.4, (seconds - t) / 1.5)
  }
  const most = sound.reduce((top, value) => Math.max(top, Math.abs(value)), 0)
  const wav = Buffer.alloc(44 + sound.length * 2)
  wav.write('RIFF', 0)
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.write('WAVEfmt ', 8)
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(1, 20)
  wav.writeUInt16LE(1, 22)
  wav.writeUInt32LE(rate, 24)
  wav.writeUInt32LE(rate * 2, 28)
  wav.writeUInt16LE(2, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data', 36)
  wav.writeUInt32LE(sound.length * 2, 40)
  for (const [i, value] of sound.entries()) wav.writeInt16LE(Math.round((value / most) * 29_000), 44 + i * 2)
  writeFileSync(to(name), wav)
}
const note = (steps) => 293.66 * 2 ** (steps / 12)
const rounds = [12, 11, 9, 7, 5, 4, 2, 0]
music(
  'harbour-bells.wav',
  24,
  [0, 1, 2]
    .flatMap((row) =>
      rounds.map((_, i) => ({
        at: 0.4 + row * 6.4 + i * 0.72,
        hertz: note(rounds[row % 2 === 1 ? i ^ 1 : i]),
        loud: i === 7 ? 1 : 0.75,
      })),
    )
    .filter(({ at }) => at < 21),
  [[note(-24), 0.05]],
)
music(
  'evening-walk.wav',
  20,
  [0, 7, 4, 9, 7, 12, 11, 7, 4, 5, 2, 0].map((steps, i) => ({ at: 0.5 + i * 1.45, hertz: note(steps + 5), loud: 0.6 })),
  [
    [note(-19), 0.16],
    [note(-12), 0.1],
    [note(-7), 0.06],
  ],
)

const codes = (name, count, prefix, parts) =>
  writeFileSync(
    to(name),
    `${Array.from({ length: count }, (_, i) => {
      const letters = [...createHash('sha256').update(`${prefix} ${i}`).digest()]
        .map((byte) => 'ABCDEFGHJKMNPQRSTVWXYZ23456789'[byte % 30])
        .join('')
      return [prefix, ...Array.from({ length: parts }, (_, at) => letters.slice(at * 4, at * 4 + 4))].join('-')
    }).join('\n')}\n`,
  )
codes('wifi-week-codes.txt', 20, 'WEEK', 3)
for (const [name, prefix] of [
  ['tower-tickets.txt', 'TOWER'],
  ['museum-tickets.txt', 'MUSEUM'],
  ['boat-tickets.txt', 'BOAT'],
  ['night-walk-tickets.txt', 'NIGHT'],
  ['wine-tickets.txt', 'WINE'],
])
  codes(name, 12, prefix, 3)
