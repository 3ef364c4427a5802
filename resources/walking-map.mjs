// Draws resources/goods/walking-map.pdf: an invented old town, its route, its twelve sights; and of the streets around the
// market, an eighth of the plan, the preview beside it. Run from the checkout's root:
//   node resources/walking-map.mjs
import { readFileSync, writeFileSync } from 'node:fs'
import { chromium } from 'playwright'

const font = readFileSync('node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2').toString(
  'base64',
)
const colour = {
  land: '#eceee0',
  court: '#f4e9da',
  house: '#e0bda5',
  plot: '#cda287',
  street: '#fffdf8',
  water: '#a8ccd6',
  deep: '#7fb2c0',
  park: '#c3d5a6',
  tree: '#8fae6d',
  ink: '#22312d',
  wall: '#7b5a49',
  route: '#c8322b',
  landmark: '#9c5a45',
}

const sights = [
  [
    'North Gate',
    545,
    100,
    'The last of three gates still standing. Its portcullis groove is worn smooth by five centuries of schoolchildren’s hands.',
  ],
  [
    'Castle Mound',
    296,
    262,
    'No castle any more, only the hill it stood on, and the widest view in the town. Go up at sunset.',
  ],
  [
    'Mint House',
    398,
    322,
    'Small change was struck here until the river took the wheel. Look for the wren above the door: a farthing’s bird.',
  ],
  [
    'Market Square',
    520,
    437,
    'Cheese on Tuesdays, books on Saturdays. The pump in the middle still works; the water is good.',
  ],
  [
    'St Wendreda’s',
    634,
    392,
    'A spire that leans one hand’s breadth to the west. The carpenters are buried under it and have never commented.',
  ],
  [
    'Printers’ Row',
    688,
    302,
    'Eleven workshops, one narrow street. At number 7 you may still set your own name in lead.',
  ],
  ['East Gate', 890, 478, 'Only the arch remains. Through it runs the old road to the sea, four days on foot.'],
  [
    'Apothecaries’ Garden',
    724,
    560,
    'Two hundred useful plants, labelled by hand. The bench under the mulberry is the quietest seat in town.',
  ],
  ['Corn Hall', 492, 588, 'Once the price of bread was made here. Now there is music at noon, and it costs nothing.'],
  [
    'Tanners’ Stairs',
    322,
    702,
    'Forty-one steps to the water. Tanners washed hides here; swifts nest under the eaves from May.',
  ],
  [
    'Wend Bridge',
    428,
    868,
    'Five arches, no two alike: each was paid for by a different guild, and none would copy another.',
  ],
  ['Old Mill', 548, 968, 'The wheel turns on Sundays. The bakery beside it is the reason why the route ends here.'],
]

// biome-ignore format: coordinates in rows.
const streets = [
  { width: 19, at: [[545, 60], [545, 100], [538, 250], [530, 395], [515, 480], [482, 640], [442, 815]] },
  { width: 19, at: [[130, 432], [250, 428], [332, 425], [460, 436], [600, 440], [690, 450], [822, 462], [930, 488]] },
  { width: 13, at: [[545, 170], [690, 200], [790, 300], [822, 462], [780, 640], [650, 752], [470, 768], [330, 692], [256, 560], [240, 428], [268, 332], [390, 190], [545, 170]] },
  { width: 11, at: [[538, 250], [400, 296], [268, 332]] },
  { width: 11, at: [[538, 250], [660, 296], [790, 300]] },
  { width: 11, at: [[400, 296], [350, 355], [332, 425], [346, 558], [330, 692]] },
  { width: 11, at: [[346, 558], [490, 592], [640, 582]] },
  { width: 11, at: [[660, 296], [672, 370], [690, 450], [640, 582], [650, 752]] },
  { width: 9, at: [[482, 640], [590, 668], [645, 660]] },
  { width: 9, at: [[640, 582], [700, 640], [780, 640]] },
  { width: 9, at: [[430, 436], [425, 520], [418, 574]] },
  { width: 9, at: [[600, 440], [592, 520], [570, 587]] },
  { width: 9, at: [[450, 282], [452, 360], [455, 436]] },
  { width: 9, at: [[690, 200], [672, 250], [660, 296]] },
  { width: 9, at: [[256, 560], [346, 558]] },
  { width: 9, at: [[400, 655], [470, 700], [560, 720], [648, 700]] },
]
// biome-ignore format: coordinates in rows.
const route = [[545, 100], [538, 250], [400, 296], [318, 318], [400, 296], [350, 355], [332, 425], [460, 436], [600, 440], [690, 450], [672, 370], [660, 296], [790, 300], [822, 462], [886, 476], [822, 462], [690, 450], [640, 582], [490, 592], [482, 640], [470, 768], [330, 692], [470, 768], [442, 815], [404, 985], [540, 1000]]
// biome-ignore format: coordinates in rows.
const town = [[230, 150], [390, 100], [560, 88], [740, 130], [860, 250], [905, 470], [860, 680], [720, 830], [560, 850], [400, 830], [240, 745], [160, 570], [150, 390], [170, 250]]
// biome-ignore format: coordinates in rows.
const river = [[-60, 330], [40, 480], [70, 660], [190, 820], [400, 915], [620, 905], [780, 960], [1060, 1120]]

/** A smooth way through points (Catmull-Rom as Bezier curves). */
function smooth(points, closed = false) {
  const at = (i) =>
    closed ? points[(i + points.length) % points.length] : points[Math.max(0, Math.min(points.length - 1, i))]
  const parts = [`M${points[0]}`]
  for (let i = 0; i < points.length - (closed ? 0 : 1); i += 1) {
    const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)]
    parts.push(
      `C${b[0] + (c[0] - a[0]) / 7} ${b[1] + (c[1] - a[1]) / 7} ${c[0] - (d[0] - b[0]) / 7} ${c[1] - (d[1] - b[1]) / 7} ${c}`,
    )
  }
  return parts.join('') + (closed ? 'Z' : '')
}

/** Where one house ends and the next begins: short lines across each street. */
function plots({ at, width }) {
  const lines = []
  for (let i = 1; i < at.length; i += 1) {
    const [[x1, y1], [x2, y2]] = [at[i - 1], at[i]]
    const length = Math.hypot(x2 - x1, y2 - y1)
    const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length]
    for (let along = 9; along < length - 4; along += 10 + ((i * 7 + along * 3) % 9)) {
      const reach = width / 2 + 22
      lines.push(
        `M${(x1 + ux * along - uy * reach).toFixed(1)} ${(y1 + uy * along + ux * reach).toFixed(1)}l${(2 * uy * reach).toFixed(1)} ${(-2 * ux * reach).toFixed(1)}`,
      )
    }
  }
  return lines.join('')
}

const line = (d, stroke, width, more = '') =>
  `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round" ${more}/>`
const tree = (x, y, r) => `<circle cx="${x}" cy="${y}" r="${r}" fill="${colour.tree}"/>`
const scattered = (count, [x, y, w, h], r) =>
  Array.from({ length: count }, (_, i) =>
    tree(x + ((i * 61.8) % w), y + ((i * 38.2 + (i % 3) * 11) % h), r + (i % 3) * 1.4),
  ).join('')
const label = (x, y, text, more = '') =>
  `<text x="${x}" y="${y}" font-size="13" font-weight="700" fill="${colour.ink}" text-anchor="middle" ${more}>${text}</text>`
const hatch = Array.from({ length: 44 }, (_, i) => {
  const t = (i / 44) * 2 * Math.PI
  return `M${296 + 44 * Math.cos(t)} ${246 + 32 * Math.sin(t)}L${296 + (56 + (i % 2) * 8) * Math.cos(t)} ${246 + (43 + (i % 2) * 7) * Math.sin(t)}`
}).join('')
const pin = ([name, x, y], i) =>
  `<g><title>${name}</title><circle cx="${x}" cy="${y}" r="15" fill="${colour.ink}" stroke="#fff" stroke-width="2.6"/><text x="${x}" y="${y + 5.6}" font-size="16" font-weight="700" fill="#fff" text-anchor="middle">${i + 1}</text></g>`

const map = `<svg viewBox="0 30 1000 1060" xmlns="http://www.w3.org/2000/svg">
<rect y="30" width="1000" height="1060" fill="${colour.land}"/>
${scattered(26, [20, 40, 190, 260], 8)}${scattered(20, [880, 60, 110, 330], 8)}${scattered(22, [650, 1000, 330, 30], 8)}${scattered(12, [60, 960, 200, 110], 9)}
<path d="M330 1090L345 980Q420 960 600 975L640 1010L620 1090Z" fill="${colour.court}"/>
${line('M545 20L545 100M120 432L-20 436M900 480L1020 510M404 985L360 1100M404 985L540 1002L600 1040', '#fff', 14)}
<path d="${smooth(town, true)}" fill="${colour.court}"/>
${streets.map((s) => line(smooth(s.at), colour.house, s.width + 44)).join('')}
<path d="${streets.map(plots).join('')}" stroke="${colour.plot}" stroke-width=".9"/>
<path d="${smooth(
  [
    [232, 215],
    [300, 182],
    [362, 214],
    [352, 288],
    [280, 306],
    [236, 280],
  ],
  true,
)}" fill="${colour.park}"/>${line(hatch, colour.tree, 1.6)}<rect x="280" y="232" width="34" height="26" fill="none" stroke="${colour.wall}" stroke-width="4" stroke-dasharray="7 5"/>
<path d="${smooth(
  [
    [682, 505],
    [778, 492],
    [768, 606],
    [690, 612],
  ],
  true,
)}" fill="${colour.park}"/>${scattered(13, [694, 514, 68, 84], 6)}
${streets.map((s) => line(smooth(s.at), colour.street, s.width)).join('')}
<path d="M462 402L596 396L602 476L468 482Z" fill="${colour.street}"/><circle cx="486" cy="460" r="5" fill="${colour.water}" stroke="${colour.deep}" stroke-width="2"/>
<path d="M618 356h18v-16h16v16h30v18h-30v16h-16v-16h-18z" fill="${colour.landmark}"/><path d="M462 550h52v24h-52zM376 266h36v18h-36zM536 372h36v16h-36z" fill="${colour.landmark}"/>
${line(smooth(town, true), colour.wall, 6)}${town.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="8" fill="${colour.wall}"/>`).join('')}
<path d="M528 70h14v52h-14zM550 70h14v52h-14zM884 458h40v12h-40zM884 488h40v12h-40zM138 412h34v11h-34zM138 442h34v11h-34z" fill="${colour.wall}"/>
${line(smooth(river), colour.deep, 92)}${line(smooth(river), colour.water, 86)}${line(smooth(river), '#c5dfe6', 3, 'stroke-dasharray="60 46 22 70" opacity=".9"')}
${line('M442 815L404 985', colour.wall, 24)}${line('M442 815L404 985', colour.street, 17)}
${line('M322 700L262 800', colour.street, 8)}${line('M322 700L262 800', colour.wall, 8, 'stroke-dasharray="1.5 5" stroke-linecap="butt"')}
<path d="M520 940h46v34h-46z" fill="${colour.landmark}"/><circle cx="543" cy="936" r="12" fill="none" stroke="${colour.wall}" stroke-width="3.5"/>
<path id="r" d="${smooth(river)}" fill="none"/><text font-size="22" font-weight="700" letter-spacing="7" fill="#3f7787"><textPath href="#r" startOffset="60%" dominant-baseline="middle">RIVER WEND</textPath></text>
${label(566, 330, 'High Street', 'transform="rotate(88 560 330)"')}${label(756, 442, 'East Street')}${label(282, 418, 'West Street')}${label(462, 262, 'Mint Lane', 'transform="rotate(-16 462 262)"')}${label(742, 286, 'Printers’ Row')}${label(560, 612, 'Garden Lane')}${label(830, 570, 'Wall Walk', 'transform="rotate(104 824 570)"')}${label(418, 512, 'Pump Alley', 'transform="rotate(-86 414 506)"')}${label(600, 742, 'Rope Walk', 'transform="rotate(-6 600 742)"')}
${line(smooth(route), '#fff', 9, 'opacity=".85"')}${line(smooth(route), colour.route, 4.6, 'stroke-dasharray=".1 10"')}
<text x="545" y="62" font-size="15" font-weight="700" fill="${colour.route}" text-anchor="middle">Start</text>
${sights.map(pin).join('')}
<g transform="translate(936 150)" fill="${colour.ink}"><path d="M0 -44L14 12L0 2L-14 12Z"/><text y="38" font-size="20" font-weight="700" text-anchor="middle">N</text></g>
<g transform="translate(700 1068)"><path d="M0 -14h75v7h-75zM150 -14h75v7h-75z" fill="${colour.ink}"/><path d="M75 -14h75v7h-75z" fill="#fff" stroke="${colour.ink}"/><g font-size="14" font-weight="700" fill="${colour.ink}" text-anchor="middle"><text y="-20">0</text><text x="75" y="-20">50</text><text x="150" y="-20">100</text><text x="225" y="-20">150 m</text></g></g></svg>`

const key = [
  [line('M2 9H40', colour.route, 4.6, 'stroke-dasharray=".1 9"'), 'The route, 2.4 km'],
  [`${line('M2 9H40', colour.wall, 6)}<circle cx="21" cy="9" r="7" fill="${colour.wall}"/>`, 'Town wall and towers'],
  [`<rect x="6" y="1" width="30" height="16" fill="${colour.landmark}"/>`, 'Public building'],
  [`<rect x="6" y="1" width="30" height="16" rx="7" fill="${colour.park}"/>${tree(21, 9, 6)}`, 'Garden or green'],
  [line('M2 9H40', colour.wall, 9, 'stroke-dasharray="1.5 5" stroke-linecap="butt"'), 'Steps'],
]
const html = `<!doctype html><meta charset="utf-8"><title>Alderwend: a walk through the old town</title><style>
@font-face{font-family:Inter;src:url(data:font/woff2;base64,${font});font-weight:100 900}
@page{size:297mm 420mm;margin:0}*{box-sizing:border-box;margin:0}body{font:400 5mm/1.42 Inter;color:${colour.ink}}svg text{font-family:Inter}
section{width:297mm;height:420mm;padding:14mm;background:#fbf9f2;display:flex;flex-direction:column;break-after:page;overflow:hidden}
header{display:flex;justify-content:space-between;align-items:end;padding-bottom:7mm}h1{font-size:19mm;line-height:.95;letter-spacing:-.03em;font-weight:700}header p{font-size:5.6mm;text-align:right}
.map svg{display:block;width:100%;border:.4mm solid ${colour.ink}}.under{display:grid;grid-template-columns:1fr 1fr 1.05fr;gap:8mm;padding-top:7mm;font-size:5.2mm}.under b{display:inline-block;width:9mm;font-weight:700}.under p{line-height:1.62}.key p{display:flex;gap:4mm;align-items:center}.key svg{width:12mm;height:5.4mm}
.sights{font-size:6.5mm;columns:2;column-gap:12mm;padding-top:4mm;flex:1}article{break-inside:avoid;padding-bottom:10mm;display:grid;grid-template-columns:14mm 1fr}article b{font-size:10mm;line-height:1.05;color:${colour.route}}h2{font-size:9mm;line-height:1.2;letter-spacing:-.01em}footer{border-top:.4mm solid;padding-top:5mm;display:flex;justify-content:space-between}</style>
<section><header><h1>Alderwend<br>on foot</h1><p>Twelve sights inside the walls<br>Two hours, with time to look</p></header><div class="map">${map}</div>
<div class="under">${[sights.slice(0, 6), sights.slice(6)].map((half, h) => `<div>${half.map(([name], i) => `<p><b>${h * 6 + i + 1}</b>${name}</p>`).join('')}</div>`).join('')}<div class="key">${key.map(([sign, text]) => `<p><svg viewBox="0 0 42 18">${sign}</svg>${text}</p>`).join('')}</div></div></section>
<section><header><h1>What you<br>will see</h1><p>Start at the North Gate.<br>Follow the red dots.</p></header><div class="sights">${sights.map(([name, , , text], i) => `<article><b>${i + 1}</b><div><h2>${name}</h2><p>${text}</p></div></article>`).join('')}</div>
<footer><span>Alderwend is invented; the walk is not in any atlas.</span><span>Drawn for Farthing. CC BY 4.0</span></footer></section>`

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
const page = await browser.newPage()
await page.setContent(html)
await page.evaluate(() => document.fonts.ready)
writeFileSync('resources/goods/walking-map.pdf', await page.pdf({ preferCSSPageSize: true, printBackground: true }))
await page.setViewportSize({ width: 1200, height: 900 })
await page.setContent(
  `${html.slice(0, html.indexOf('<section>'))}${map.replace('viewBox="0 30 1000 1060"', 'viewBox="396 340 412 309" style="display:block"')}`,
)
await page.evaluate(() => document.fonts.ready)
writeFileSync('resources/goods/walking-map-part.jpg', await page.screenshot({ type: 'jpeg', quality: 82 }))
await browser.close()
